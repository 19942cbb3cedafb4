package changes

import (
	"context"
	"fmt"
	"net/url"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// The kinds of change that follow from added and removed files.
const (
	inserted = "insert"
	deleted  = "delete"
)

// file is one file whose rows are changes.
type file struct {
	add  *action.Add
	kind string                 // of all its rows; "" when the file says it itself
	rows *roaring64.Bitmap      // only these; nil: all that are live
	diff *action.DeletionVector // rows is what this vector has beyond that of add's, found when it is read
}

// fileActions are the actions of a commit that change rows.
type fileActions struct {
	recorded []*action.AddCDC
	adds     []*action.Add
	removes  []*action.Remove
}

// parse reads the actions of a commit that change rows; those that only move
// rows between files are not decoded.
func (c *commit) parse(data []byte) (*fileActions, error) {
	var out fileActions
	path := deltalog.CommitPath(c.version)
	h := action.Collect(func(a action.Action) error {
		switch x := a.(type) {
		case *action.Add:
			out.adds = append(out.adds, x)
		case *action.Remove:
			out.removes = append(out.removes, x)
		case *action.AddCDC:
			out.recorded = append(out.recorded, x)
		}
		return nil
	}, path)
	return &out, action.Scan(data, path, &action.Handler{CDC: h.CDC, Add: changing(h.Add), Remove: changing(h.Remove)})
}

// changing leaves files out that hold no changes (PROTOCOL.md, Add File and
// Remove File, dataChange).
func changing(next func(*action.File) error) func(*action.File) error {
	return func(f *action.File) error {
		if !f.DataChange {
			return nil
		}
		return next(f)
	}
}

// lister finds the files with the changes of commits.
type lister struct {
	*Plan
	before *snapshot.Snapshot // the version that was looked back to last
}

// files lists the changes of a commit: those that it recorded, in its order; else
// what it deleted and then what it inserted, each in its order, so that whoever
// keeps one row for a key may apply them one after the other.
func (p *lister) files(ctx context.Context, i int) ([]file, error) {
	c := &p.commits[i]
	data, err := c.fetch(ctx, p.latest.Bucket())
	if err != nil {
		return nil, err
	}
	acts, err := c.parse(data)
	if err != nil {
		return nil, corrupt(p.latest.Bucket(), c.version, err)
	}
	var out []file
	for _, x := range acts.recorded {
		out = append(out, file{add: &action.Add{Path: x.Path, PartitionValues: x.PartitionValues, Size: x.Size}})
	}
	if len(out) > 0 || c.idle {
		return out, nil
	}
	added := make(map[string]*action.Add, len(acts.adds))
	for _, a := range acts.adds {
		added[plainPath(a.Path)] = a
	}
	removed := map[string]*action.Remove{} // of files that stay with another deletion vector
	for _, r := range acts.removes {
		path := plainPath(r.Path)
		f, err := p.removal(ctx, i, r)
		switch a := added[path]; {
		case err != nil:
			return nil, err
		case a == nil:
			out = append(out, file{add: f, kind: deleted})
		default:
			removed[path] = r
			if a.DeletionVector != nil {
				out = append(out, file{add: f, kind: deleted, diff: a.DeletionVector})
			}
		}
	}
	for _, a := range acts.adds {
		switch r := removed[plainPath(a.Path)]; {
		case r == nil:
			out = append(out, file{add: a, kind: inserted})
		case r.DeletionVector != nil:
			out = append(out, file{add: a, kind: inserted, diff: r.DeletionVector})
		}
	}
	return out, nil
}

// plainPath makes the spellings of one path equal.
func plainPath(path string) string {
	if p, err := url.PathUnescape(path); err == nil {
		return p
	}
	return path
}

// removal is a removed file as it was in the table. A remove action may leave
// out the partition values; then the version before is asked for them.
func (p *lister) removal(ctx context.Context, i int, r *action.Remove) (*action.Add, error) {
	a := &action.Add{Path: r.Path, PartitionValues: r.PartitionValues, DeletionVector: r.DeletionVector, Stats: r.Stats}
	if r.Size != nil {
		a.Size = *r.Size
	}
	if r.PartitionValues != nil || !p.partitionedBefore(i) {
		return a, nil
	}
	before := p.commits[i].version - 1
	fail := func(cause error, why string) error {
		return &Error{Class: classNoValues, Table: p.latest.Bucket().URL(), From: p.span.start, To: p.span.end, Version: before + 1, Cause: cause,
			Why: fmt.Sprintf("version %d removes the file %s without saying its partition (extendedFileMetadata), and %s; begin behind that version", before+1, r.Path, why)}
	}
	if p.before == nil || p.before.Version() != before {
		s, err := snapshot.Load(ctx, p.env, p.latest.Bucket(), snapshot.Version(before))
		if err != nil {
			return nil, fail(err, fmt.Sprintf("version %d, which said it, cannot be rebuilt: %v", before, err))
		}
		p.before = s
	}
	if len(p.before.PartitionColumns()) == 0 {
		return a, nil
	}
	files := p.before.Files()
	n, ok := files.Find(r.Path, r.DeletionVector.ID())
	if !ok {
		return nil, fail(nil, fmt.Sprintf("version %d has no such file", before))
	}
	return files.Add(n), nil
}

// partitionedBefore reports whether the table may have had partition columns
// before a commit of the range.
func (p *Plan) partitionedBefore(i int) bool {
	if i > 0 {
		return len(p.stamps[i-1].PartitionColumns) > 0
	}
	return p.commits[0].metadata != nil || len(p.stamps[0].PartitionColumns) > 0
}

// resolve finds the rows of a difference of deletion vectors: those that the
// file had and that diff deletes.
func (f *file) resolve(ctx context.Context, src scan.Source) error {
	if f.diff == nil {
		return nil
	}
	gone, err := src.Vector(ctx, f.add, f.diff)
	if err != nil {
		return err
	}
	if f.add.DeletionVector != nil {
		before, err := src.Vector(ctx, f.add, f.add.DeletionVector)
		if err != nil {
			return err
		}
		gone = roaring64.AndNot(gone, before)
	}
	f.rows = gone
	return nil
}

// stretches are the rows from a place on, of those that the file tells; nil is
// all of them.
func (f *file) stretches(from int64) []scan.Range {
	const end = 1 << 62
	if f.rows == nil {
		if from == 0 {
			return nil
		}
		return []scan.Range{{Start: from, End: end}}
	}
	out := []scan.Range{}
	it := f.rows.Iterator()
	it.AdvanceIfNeeded(uint64(from))
	for it.HasNext() {
		pos := int64(it.Next())
		if n := len(out); n > 0 && out[n-1].End == pos {
			out[n-1].End = pos + 1
		} else {
			out = append(out, scan.Range{Start: pos, End: pos + 1})
		}
	}
	return out
}
