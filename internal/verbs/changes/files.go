package changes

import (
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/rows/scan"
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

// files lists the changes of a commit in the order of the log.
func (p *Plan) files(ctx context.Context, c *commit) ([]file, error) {
	data, err := c.fetch(ctx, p.latest.Bucket())
	if err != nil {
		return nil, err
	}
	var recorded, out []file
	var adds []*action.Add
	var removes []*action.Remove
	actions, err := action.ParseCommit(data, deltalog.CommitPath(c.version))
	if err != nil {
		return nil, corrupt(p.latest.Bucket(), c.version, err)
	}
	for _, act := range actions {
		switch x := act.(type) {
		case *action.AddCDC:
			recorded = append(recorded, file{add: &action.Add{Path: x.Path, PartitionValues: x.PartitionValues, Size: x.Size}})
		case *action.Add:
			if x.DataChange {
				adds = append(adds, x)
			}
		case *action.Remove:
			if x.DataChange {
				removes = append(removes, x)
			}
		}
	}
	if len(recorded) > 0 {
		return recorded, nil
	}
	if c.idle {
		return nil, nil
	}
	removed := make(map[string]*action.Remove, len(removes))
	for _, r := range removes {
		removed[r.Path] = r
	}
	for _, a := range adds {
		r := removed[a.Path]
		if r == nil {
			out = append(out, file{add: a, kind: inserted})
			continue
		}
		// The file stays and its deletion vector changes: rows that are deleted
		// now, and rows that are back.
		delete(removed, a.Path)
		before := *a
		before.DeletionVector = r.DeletionVector
		if a.DeletionVector != nil {
			out = append(out, file{add: &before, kind: deleted, diff: a.DeletionVector})
		}
		if r.DeletionVector != nil {
			out = append(out, file{add: a, kind: inserted, diff: r.DeletionVector})
		}
	}
	for _, r := range removes {
		if removed[r.Path] == nil {
			continue
		}
		if r.PartitionValues == nil && len(p.read.Partition) > 0 {
			return nil, &Error{Class: classNoValues, Table: p.latest.Bucket().URL(), From: p.span.start, To: p.span.end, Version: c.version,
				Why: fmt.Sprintf("version %d removes the file %s without saying its partition (extendedFileMetadata), so its rows cannot be told; begin behind that version", c.version, r.Path)}
		}
		a := &action.Add{Path: r.Path, PartitionValues: r.PartitionValues, DeletionVector: r.DeletionVector, Stats: r.Stats}
		if r.Size != nil {
			a.Size = *r.Size
		}
		out = append(out, file{add: a, kind: deleted})
	}
	return out, nil
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

// stretches are the rows from a place on, of those that the file tells.
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
