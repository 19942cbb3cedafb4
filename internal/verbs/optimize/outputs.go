package optimize

import (
	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/conflict"
)

// input is a file that a bin replaces, as it is in the table now.
type input struct {
	file *action.Add
	dead *roaring64.Bitmap // rows that were deleted when it was read; nil: none
	runs []run             // where its other rows went, in their order
}

func (in *input) id() conflict.FileID { return conflict.IDOf(in.file) }

// run is consecutive living rows of an input that lie together in an output.
type run struct {
	first int64 // counted among the living rows of the input
	rows  int64
	to    *output
	at    int64
}

// output is a file that a bin wrote, and those of its rows that a winner deleted.
type output struct {
	file    *write.Output
	dropped *roaring64.Bitmap
	add     *action.Add // as it goes into the commit; nil: not at all
	settled bool
}

func (o *output) drop(from, rows int64) {
	if o.dropped == nil {
		o.dropped = roaring64.New()
	}
	o.dropped.AddRange(uint64(from), uint64(from+rows))
	o.settled = false
}

func (o *output) live() int64 {
	if o.dropped == nil {
		return o.file.Rows
	}
	return o.file.Rows - int64(o.dropped.GetCardinality())
}

// written notes that the next living rows of the input went to an output.
func (in *input) written(to *output, at, rows int64) {
	first := in.live()
	if n := len(in.runs); n > 0 {
		if last := &in.runs[n-1]; last.to == to && last.at+last.rows == at {
			last.rows += rows
			return
		}
	}
	in.runs = append(in.runs, run{first, rows, to, at})
}

// live is the number of rows that were moved.
func (in *input) live() int64 {
	if n := len(in.runs); n > 0 {
		return in.runs[n-1].first + in.runs[n-1].rows
	}
	return 0
}

// forget takes all rows of the input out of the outputs.
func (in *input) forget() {
	for _, r := range in.runs {
		r.to.drop(r.at, r.rows)
	}
}

// delete takes physical rows of the input, which was alive when it was read, out
// of the outputs, and returns their number.
func (in *input) delete(rows *roaring64.Bitmap) (n int64) {
	k := 0
	for it := rows.Iterator(); it.HasNext(); {
		pos := it.Next()
		at := int64(pos)
		if in.dead != nil {
			if in.dead.Contains(pos) {
				continue
			}
			at -= int64(in.dead.Rank(pos))
		}
		for k < len(in.runs) && at >= in.runs[k].first+in.runs[k].rows {
			k++
		}
		if k == len(in.runs) {
			break
		}
		in.runs[k].to.drop(in.runs[k].at+at-in.runs[k].first, 1)
		n++
	}
	return n
}
