package parquetio

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
)

// chosen is rows [from, from+n) of a row group of which Choose has picked some.
type chosen struct {
	from int64
	n    int
	sel  []int32 // nil: all
	cols []arrow.Array
}

func (c *chosen) rows() int {
	if c.sel != nil {
		return len(c.sel)
	}
	return c.n
}

// soonBytes of the second side are fetched with the first, to save a request.
const soonBytes = 1 << 20

// choosing is group for a query with Choose. Where requests cost little, or the
// second side is small, the two sides go through the row group together. Otherwise
// the first side goes ahead to the end, so that one fetch brings what the second
// one needs.
func (r *reading) choosing(ctx context.Context, g *rowGroup, first int64, ranges []rowRange, yield func(Batch) bool) (bool, error) {
	var early, late map[int]*columnReader
	var err error
	together := r.f.src.cheap || g.bytes(r.late.leaves) <= soonBytes
	if together && !r.f.src.cheap {
		if err := r.get(g, &r.early.fetch, r.leaves, ranges); err != nil {
			return false, err
		}
		if late, err = r.start(g, &r.late); err == nil {
			early, err = r.start(g, &r.early)
		}
	} else {
		early, err = r.open(g, &r.early, ranges)
	}
	if err != nil {
		return false, err
	}
	var ahead []chosen
	for _, rng := range ranges {
		for from := rng.from; from < rng.to; {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			n := min(r.step(g), rng.to-from)
			c, err := r.pick(early, first, from, int(n))
			if err != nil {
				return false, err
			}
			from += n
			switch {
			case c.rows() == 0:
			case !together:
				ahead = append(ahead, c)
			default:
				if late == nil {
					if late, err = r.open(g, &r.late, ranges); err != nil {
						return false, err
					}
				}
				if more, err := r.deliver(late, first, &c, yield); err != nil || !more {
					return false, err
				}
			}
		}
	}
	if len(ahead) == 0 {
		return true, nil
	}
	if late, err = r.open(g, &r.late, rangesOf(ahead)); err != nil {
		return false, err
	}
	for i := range ahead {
		if more, err := r.deliver(late, first, &ahead[i], yield); err != nil || !more {
			return false, err
		}
		ahead[i] = chosen{}
	}
	return true, nil
}

// pick decodes the first side of a batch and lets Choose pick.
func (r *reading) pick(readers map[int]*columnReader, first, from int64, n int) (chosen, error) {
	c := chosen{from: from, n: n, cols: make([]arrow.Array, len(r.columns))}
	if err := r.batch(c.cols, &r.early, readers, from, n); err != nil {
		return c, err
	}
	sel, all, err := r.q.Choose(c.cols, first+from, n)
	for o := range c.cols {
		if !r.wanted[o] {
			c.cols[o] = nil
		}
	}
	if err != nil || all || len(sel) == n {
		return c, err
	}
	c.sel = sel
	if sel == nil {
		c.sel = []int32{}
	}
	if len(sel) > 0 {
		c.cols = columns.TakeColumns(c.cols, sel)
	}
	return c, nil
}

// deliver decodes the second side of what was picked.
func (r *reading) deliver(readers map[int]*columnReader, first int64, c *chosen, yield func(Batch) bool) (more bool, err error) {
	if c.sel == nil {
		err = r.batch(c.cols, &r.late, readers, c.from, c.n)
	} else {
		err = r.picked(c.cols, &r.late, readers, c.from, c.sel)
	}
	return err == nil && yield(Batch{Columns: c.cols, First: first + c.from, Rows: c.rows(), Picked: c.sel}), err
}

// picked decodes some of the rows behind from. Plain columns gather them as they
// are decoded and pass over pages without any; nested ones are made whole between
// the first row and the last.
func (r *reading) picked(cols []arrow.Array, s *side, readers map[int]*columnReader, from int64, sel []int32) (err error) {
	defer r.f.guard(&err)
	lo, hi := sel[0], sel[len(sel)-1]+1
	rows := make(map[int]*leafRows, len(readers))
	nested := false
	for _, l := range s.leaves {
		if c := readers[l]; !c.plain() {
			rows[l], err = c.read(from+int64(lo), int(hi-lo))
			nested = true
		} else {
			rows[l], err = c.readPicked(from, sel)
		}
		if err != nil {
			return r.leafError(l, err)
		}
	}
	r.weigh(rows, len(sel))
	inside := sel
	if nested {
		inside = make([]int32, len(sel))
		for i, at := range sel {
			inside[i] = at - lo
		}
	}
	for _, o := range s.columns {
		c := r.columns[o]
		if c.pq == nil || c.flat {
			cols[o], err = c.assemble(rows, len(sel))
		} else if cols[o], err = c.assemble(rows, int(hi-lo)); err == nil {
			cols[o] = columns.Take(cols[o], inside)
		}
		if err != nil {
			return r.columnError(o, err)
		}
	}
	return nil
}

// rangesOf is the rows that were picked, those close to each other joined.
func rangesOf(list []chosen) []rowRange {
	const near = 256
	var out []rowRange
	add := func(from, to int64) {
		if n := len(out); n > 0 && from <= out[n-1].to+near {
			out[n-1].to = to
			return
		}
		out = append(out, rowRange{from, to})
	}
	for _, c := range list {
		if c.sel == nil {
			add(c.from, c.from+int64(c.n))
			continue
		}
		for _, at := range c.sel {
			add(c.from+int64(at), c.from+int64(at)+1)
		}
	}
	return out
}
