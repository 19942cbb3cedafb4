package rewrite

import (
	"sort"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/conflict"
)

// Effect is what a statement does to one file image.
type Effect struct {
	File *action.Add
	// Rows are the rows that change, by ascending position.
	Rows []Row
	// Pairs are the matches between rows of the file and rows of the source,
	// those included that no clause acts on; by ascending position.
	Pairs []Pair
	// Copied are the runs of unchanged rows that were copied to outputs
	// because the file is rewritten as a whole.
	Copied []Run
	// Rewritten says that the file is replaced (copy-on-write), not marked.
	Rewritten bool
	// Whole says that one clause deletes every live row of the file, which was
	// not read; Clause is that clause and Live the number of rows.
	Whole  bool
	Clause int32
	Live   int64
	// Physical is the number of rows in the file, deleted ones included.
	Physical int64

	mark   *mark        // the deletion vector prepared for it; nil when out of date
	change *changeGroup // where its change data is; nil when out of date
}

// Row is one row that changes.
type Row struct {
	Pos    int64 // physical position in the file
	Clause int32 // which clause of the statement took it
	Output *Output
	At     int64 // row in Output, when there is one
}

// Pair is a match of a file's row with a source row.
type Pair struct {
	Pos int64
	Src int32
}

// Run is a range of rows in an output.
type Run struct {
	Output *Output
	From   int64
	Rows   int64
}

// ID is the image the effect belongs to.
func (e *Effect) ID() conflict.FileID { return conflict.IDOf(e.File) }

// Touched reports whether the file changes at all.
func (e *Effect) Touched() bool { return len(e.Rows) > 0 || e.Whole }

// Changed is the number of rows that change.
func (e *Effect) Changed() int64 {
	if e.Whole {
		return e.Live
	}
	return int64(len(e.Rows))
}

// split separates the effect on the rows in gone from the rest.
func (e *Effect) split(gone *roaring64.Bitmap) (rows []Row, pairs []Pair) {
	keep := e.Rows[:0:0]
	for _, r := range e.Rows {
		if gone.Contains(uint64(r.Pos)) {
			rows = append(rows, r)
		} else {
			keep = append(keep, r)
		}
	}
	e.Rows = keep
	keepPairs := e.Pairs[:0:0]
	for _, p := range e.Pairs {
		if gone.Contains(uint64(p.Pos)) {
			pairs = append(pairs, p)
		} else {
			keepPairs = append(keepPairs, p)
		}
	}
	e.Pairs = keepPairs
	e.mark, e.change = nil, nil
	return rows, pairs
}

// positions is the set of rows that change.
func (e *Effect) positions() *roaring64.Bitmap {
	b := roaring64.New()
	list := make([]uint64, len(e.Rows))
	for i, r := range e.Rows {
		list[i] = uint64(r.Pos)
	}
	b.AddMany(list)
	return b
}

// Output is a file that the statement wrote, with the rows of it that turned
// out not to be wanted after a repair.
type Output struct {
	file    *write.Output
	dropped *roaring64.Bitmap
	settled *settled     // how it goes into the commit; nil when out of date
	change  *changeGroup // where its change data is; nil when out of date
}

// drop takes rows out of the output.
func (o *Output) drop(from, rows int64) {
	if o.dropped == nil {
		o.dropped = roaring64.New()
	}
	o.dropped.AddRange(uint64(from), uint64(from+rows))
	o.settled, o.change = nil, nil
}

// live is the number of rows that are wanted.
func (o *Output) live() int64 {
	if o.dropped == nil {
		return o.file.Rows
	}
	return o.file.Rows - int64(o.dropped.GetCardinality())
}

// Sort orders rows and pairs by position.
func (e *Effect) Sort() {
	sort.Slice(e.Rows, func(i, j int) bool { return e.Rows[i].Pos < e.Rows[j].Pos })
	sort.SliceStable(e.Pairs, func(i, j int) bool { return e.Pairs[i].Pos < e.Pairs[j].Pos })
}
