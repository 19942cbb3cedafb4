package convert

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// found is a data file in the folder.
type found struct {
	object storage.Object
	names  []string // of partition columns, by the folders
	values []value

	rows   int64
	schema *types.Struct
	known  func(l colstats.Leaf) *colstats.Known // nil without statistics
}

// value is the value of a partition column as the folder spells it.
type value struct {
	text string
	null bool
}

// mostPassed bounds how many names a plan keeps of what it passes over.
const mostPassed = 100

// list finds the data files: whatever is not hidden, as Spark takes it.
func list(ctx context.Context, b *storage.Bucket, p *Plan) error {
	for o, err := range b.List(ctx, "", "") {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		f, ok := parse(o)
		if !ok {
			if len(p.Passed) < mostPassed && !strings.HasPrefix(o.Key, deltalog.Dir+"/") {
				p.Passed = append(p.Passed, o.Key)
			}
			continue
		}
		p.files = append(p.files, f)
		p.Files++
		p.Bytes += o.Size
	}
	if p.Files == 0 {
		return refuse("DELTA_CONVERSION_NO_FILES", "%s has no Parquet file: there is nothing to convert", b.URL())
	}
	return nil
}

// parse splits a key into partition folders and a file; ok is false for what is
// hidden: a name that begins with a dot or an underscore and is no partition.
func parse(o storage.Object) (f found, ok bool) {
	f.object = o
	parts := strings.Split(o.Key, "/")
	for i, part := range parts {
		name, text, isPartition := strings.Cut(part, "=")
		last := i == len(parts)-1
		isPartition = isPartition && !last
		if hidden(part) && !isPartition {
			return f, false
		}
		if !isPartition {
			continue
		}
		column, err1 := url.PathUnescape(name)
		v, err2 := url.PathUnescape(text)
		if err1 != nil || err2 != nil {
			return f, false
		}
		f.names = append(f.names, column)
		f.values = append(f.values, value{v, v == partition.HiveNull})
	}
	return f, o.Size > 0
}

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || strings.HasSuffix(name, ".crc")
}

// footers reads the footers of all files, several at a time.
func footers(ctx context.Context, l *txn.Log, p *Plan, spec Spec) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		state = observe.Progress{Table: l.Bucket().URL(), Phase: "reading footers", Total: p.Files, Unit: "files"}
		tell  = l.Env().Listener.Progress
		next  = make(chan *found)
	)
	for range min(max(l.Env().Workers, 1)*4, len(p.files)) {
		wg.Go(func() {
			for f := range next {
				if err := f.footer(ctx, l.Bucket(), spec); err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				if state.Done++; tell != nil {
					tell(state)
				}
				mu.Unlock()
			}
		})
	}
feed:
	for i := range p.files {
		select {
		case next <- &p.files[i]:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// footer reads what the plan needs of a file.
func (f *found) footer(ctx context.Context, b *storage.Bucket, spec Spec) error {
	r, err := b.OpenReader(ctx, f.object.Key, f.object.Size)
	if err != nil {
		return err
	}
	defer r.Close()
	file, err := parquetio.Open(r, f.object.Size, parquetio.OpenOptions{Name: f.object.Key})
	if err == nil {
		f.schema, err = file.Schema()
	}
	if err != nil {
		return refuse("DELTA_FAILED_READ_FILE_FOOTER", "%s/%s cannot be part of a table: %v; move it out of the folder, or name it with a leading underscore", b.URL(), f.object.Key, err)
	}
	if f.rows = file.Rows(); spec.NoStatistics {
		return nil
	}
	leaves := map[string]*colstats.Known{}
	for _, l := range colstats.Leaves(f.schema) {
		if k, ok := file.Known(l.Path, l.Type); ok {
			leaves[pathKey(l.Path)] = &colstats.Known{Nulls: k.Nulls, Bounds: k.Bounds, Bounded: k.Bounded}
		}
	}
	f.known = func(l colstats.Leaf) *colstats.Known { return leaves[pathKey(l.Path)] }
	return nil
}

func pathKey(path []string) string { return strings.ToLower(strings.Join(path, "\x00")) }

// add is the file as the table's log names it.
func (f *found) add(p *Plan, leaves []colstats.Leaf, prefix int, spec Spec) *action.Add {
	a := &action.Add{Path: partition.EscapePath(f.object.Key), Size: f.object.Size, PartitionValues: action.PartitionValues{},
		ModificationTime: f.object.ModTime.UnixMilli(), DataChange: true}
	for i, name := range p.PartitionBy {
		if !f.values[i].null {
			text := f.values[i].text
			a.PartitionValues[name] = &text
		} else {
			a.PartitionValues[name] = nil
		}
	}
	if spec.NoStatistics {
		return a
	}
	known := make([]*colstats.Known, len(leaves))
	for i, l := range leaves {
		if known[i] = f.known(l); known[i] == nil && lacks(f.schema, l.Path) {
			known[i] = &colstats.Known{Nulls: f.rows, Bounded: true} // all NULL
		}
	}
	a.Stats = colstats.FromKnown(leaves, prefix, f.rows, known)
	return a
}

// lacks reports whether a file has no column at a path.
func lacks(s *types.Struct, path []string) bool {
	for i, name := range path {
		at := slices.IndexFunc(s.Fields, func(f types.Field) bool { return strings.EqualFold(f.Name, name) })
		if at < 0 {
			return true
		}
		if i < len(path)-1 {
			inner, ok := s.Fields[at].Type.(*types.Struct)
			if !ok {
				return false
			}
			s = inner
		}
	}
	return false
}
