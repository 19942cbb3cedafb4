package fsck

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/prose"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// files holds the live files of the newest version, and everything else that the
// log names, against one listing of the store.
func (c *Check) files() error {
	if c.snap == nil {
		return nil
	}
	c.sum.Files, c.sum.Bytes = int64(c.snap.NumFiles()), c.snap.SizeInBytes()
	c.expect()
	if err := c.list(); err != nil {
		return err
	}
	if err := c.missing(); err != nil {
		return err
	}
	c.gone()
	return nil
}

// expect enters what the live files need.
func (c *Check) expect() {
	files := c.snap.Files()
	for i := range files.All() {
		if key, err := c.src.Locate(files.Path(i)); err == nil {
			c.know(key, isData|isLive).size = files.Size(i)
		}
		if d := files.DV(i); d != nil {
			if at, err := dv.Locate(d, c.bucket.URL()); err == nil && at.Key != "" {
				c.know(at.Key, isVector|isLive)
			}
		}
	}
}

// tally counts files that nobody names one by one.
type tally struct {
	n, bytes int64
	examples []string
}

func (t *tally) add(key string, size int64) {
	t.n++
	t.bytes += size
	if len(t.examples) < 3 {
		t.examples = append(t.examples, key)
	}
}

func (t *tally) finding() Finding {
	return Finding{Count: t.n, Bytes: t.bytes, Object: t.examples[0]}
}

func (t *tally) names() string {
	text := strings.Join(t.examples, ", ")
	if t.n > int64(len(t.examples)) {
		text += ", …"
	}
	return text
}

// list goes through the store once; the log's own folder is left out.
func (c *Check) list() error {
	var orphans, temporary tally
	after := ""
	for {
		more := ""
		for obj, err := range c.bucket.List(c.ctx, "", after) {
			if err != nil {
				if errors.Is(err, storage.ErrNotExist) {
					break
				}
				return err
			}
			if strings.HasPrefix(obj.Key, deltalog.Dir+"/") {
				more = deltalog.Dir + "0" // the first name behind the folder's
				break
			}
			c.sum.Objects++
			c.seen(obj, &orphans, &temporary)
			if c.ended {
				return errEnded
			}
		}
		if more == "" || more == after {
			break
		}
		after = more
	}
	if orphans.n > 0 {
		c.report(Orphans, orphans.finding(), "%s of %s that no version names: %s", prose.Plural(orphans.n, "file"), prose.Bytes(orphans.bytes), orphans.names())
	}
	if temporary.n > 0 {
		c.report(Temporary, temporary.finding(), "%s of %s: %s", prose.Plural(temporary.n, "temporary file"), prose.Bytes(temporary.bytes), temporary.names())
	}
	return nil
}

func (c *Check) seen(obj storage.Object, orphans, temporary *tally) {
	o := c.known[hash(obj.Key)]
	switch {
	case o == nil && isTemporary(obj.Key):
		temporary.add(obj.Key, obj.Size)
	case o == nil && !c.hidden(obj.Key):
		orphans.add(obj.Key, obj.Size)
	case o == nil:
	case o.flags&(isLive|isVector) == isLive|isVector, o.flags&isData == 0:
		o.size = obj.Size
		o.flags |= isThere
	default:
		o.flags |= isThere
		switch {
		case o.flags&isLive == 0:
		case obj.Size == 0:
			c.report(EmptyFile, in(obj.Key), "the log says %d bytes, the file has none", o.size)
		case obj.Size != o.size:
			c.report(SizeMismatch, in(obj.Key), "the log says %d bytes, the file has %d", o.size, obj.Size)
		}
	}
}

// hidden reports whether VACUUM leaves an object alone because of its name: some
// folder or the file itself begins with _ or a dot, and is no partition.
func (c *Check) hidden(key string) bool {
	for part := range strings.SplitSeq(key, "/") {
		if !strings.HasPrefix(part, "_") && !strings.HasPrefix(part, ".") || part == "_change_data" {
			continue
		}
		partitioned := false
		for _, name := range c.snap.PartitionColumns() {
			partitioned = partitioned || strings.HasPrefix(part, name+"=")
		}
		if !partitioned {
			return true
		}
	}
	return false
}

// isTemporary knows the names that writers give to what is not finished.
func isTemporary(key string) bool {
	for part := range strings.SplitSeq(key, "/") {
		if part == "_temporary" || strings.HasSuffix(part, ".tmp") || strings.HasSuffix(part, ".inprogress") || strings.HasSuffix(part, "._COPYING_") {
			return true
		}
	}
	return false
}

// missing looks at each live file: is it there, and does its entry make sense?
func (c *Check) missing() error {
	files := c.snap.Files()
	tuples := make(map[int]bool)
	var outside []int
	for i := range files.All() {
		if c.ended || c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		path := files.Path(i)
		key, err := c.src.Locate(path)
		switch {
		case err != nil && address.Absolute(path):
			outside = append(outside, i)
		case err != nil:
			c.report(EscapingPath, in(path), "the path leads out of the table's folder")
		case c.known[hash(key)].flags&isThere == 0:
			c.report(MissingFile, in(path), "the store does not have it; the log says %s", prose.Bytes(files.Size(i)))
		}
		if !tuples[files.Tuple(i)] {
			tuples[files.Tuple(i)] = true
			c.partitions(i, path)
		}
		stats := files.StatsJSON(i)
		if len(stats) > 0 && !json.Valid(stats) {
			c.report(BadStats, in(path), "its statistics are no JSON")
		}
		if d := files.DV(i); d != nil {
			c.vector(path, d)
			if _, ok := files.NumRecords(i); !ok {
				c.report(VectorNoRows, in(path), "it has a deletion vector, and no numRecords")
			}
		}
	}
	return c.outside(outside)
}

// outside looks at the files at absolute addresses outside of the table's
// folder, where it is allowed to (env.Outside), one by one.
func (c *Check) outside(numbers []int) error {
	files := c.snap.Files()
	var refused tally
	for k, r := range inspect.Ordered(c.ctx, 4*c.env.Workers, len(numbers), func(ctx context.Context, k int) looked {
		return c.look(ctx, files.Path(numbers[k]))
	}) {
		path, size := files.Path(numbers[k]), files.Size(numbers[k])
		switch {
		case errors.Is(r.err, address.ErrNotAllowed):
			refused.add(path, size)
		case errors.Is(r.err, storage.ErrNotExist):
			c.report(MissingFile, in(path), "the store does not have it; the log says %s", prose.Bytes(size))
		case r.err != nil && c.fatal(r.err):
			return r.err
		case r.err != nil:
			c.report(MissingFile, in(path), "%v", r.err)
		case r.size == 0:
			c.report(EmptyFile, in(path), "the log says %d bytes, the file has none", size)
		case r.size != size:
			c.report(SizeMismatch, in(path), "the log says %d bytes, the file has %d", size, r.size)
		default:
			c.elsewhere = append(c.elsewhere, numbers[k])
		}
	}
	if refused.n > 0 {
		c.report(OutsidePath, refused.finding(), "%s of the newest version outside of the table's folder: %s", prose.Plural(refused.n, "file"), refused.names())
	}
	return nil
}

type looked struct {
	size int64
	err  error
}

func (c *Check) look(ctx context.Context, path string) looked {
	if c.env.Outside == nil {
		return looked{err: address.ErrNotAllowed}
	}
	b, key, err := c.env.Outside.Find(ctx, path)
	if err != nil {
		return looked{err: err}
	}
	obj, err := b.Stat(ctx, key)
	return looked{obj.Size, err}
}

// partitions reads the partition values of a file.
func (c *Check) partitions(i int, path string) {
	files, cols := c.snap.Files(), c.snap.Columns()
	var add *action.Add
	for k, name := range cols.Partition {
		field := cols.Logical.Fields[cols.PartitionOrdinals[k]]
		text, null := files.Partition(i, k)
		if !null {
			if _, err := partition.Parse(text, field.Type); err != nil {
				c.report(BadPartition, in(path), "column %s: %v", types.QuoteIdentifier(name), err)
			}
			continue
		}
		if add == nil {
			add = files.Add(i)
		}
		if _, there := add.PartitionValues[cols.PartitionPhysical[k]]; !there {
			c.report(MissingPartition, in(path), "it has no value of the partition column %s", types.QuoteIdentifier(name))
		} else if !field.Nullable {
			c.report(NullValue, in(path), "its value of the partition column %s is NULL", types.QuoteIdentifier(name))
		}
	}
}

// vector looks for the file of a deletion vector, and reads one that stands in
// the log itself.
func (c *Check) vector(path string, d *action.DeletionVector) {
	at, err := dv.Locate(d, c.bucket.URL())
	var outside *dv.OutsideError
	switch {
	case errors.As(err, &outside):
		if r := c.look(c.ctx, at.URL); errors.Is(r.err, address.ErrNotAllowed) {
			c.report(OutsidePath, in(path), "its deletion vector lies outside of the table's folder: %s", outside.Path)
		} else if r.err != nil {
			c.report(MissingVector, in(path), "%v", r.err)
		}
	case err != nil:
		c.report(BadVector, in(path), "%v", err)
	case at.Inline != nil:
		if _, err := dv.Load(c.ctx, c.bucket, c.bucket.URL(), d); err != nil {
			c.report(BadVector, in(path), "%v", err)
		}
	default:
		o := c.known[hash(at.Key)]
		if o.flags&isThere == 0 {
			c.report(MissingVector, in(at.Key), "the store does not have it; %s needs it", path)
			return
		}
		offset := int64(0)
		if d.Offset != nil {
			offset = int64(*d.Offset)
		}
		if end := max(offset, 1) + 4 + int64(d.SizeInBytes) + 4; o.size < end {
			c.report(BadVector, in(at.Key), "the vector of %s ends at byte %d, the file has %d bytes", path, end, o.size)
		}
	}
}

// gone counts what only older versions name and the store does not have any more.
func (c *Check) gone() {
	var data, change int64
	for _, o := range c.known {
		switch {
		case o.flags&(isThere|isLive) != 0:
		case o.flags&isChange != 0:
			change++
		default:
			data++
		}
	}
	if data > 0 {
		c.report(VacuumedFiles, Finding{Count: data}, "%s that only older versions need, not in the store any more", prose.Plural(data, "file"))
	}
	if change > 0 {
		c.report(MissingChangeFiles, Finding{Count: change}, "%s of older versions, not in the store any more", prose.Plural(change, "change data file"))
	}
}
