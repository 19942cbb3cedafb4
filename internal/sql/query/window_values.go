package query

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
)

// ranking computes the functions that only look at the place of a row.
func (w *window) ranking(c *windowCall) (arrow.Array, error) {
	vals := make([]any, w.rows.Rows)
	dense := int64(0)
	for i := range vals {
		first, peer, size := w.first[i], w.peer[i], int64(w.end[i]-w.first[i])
		switch {
		case int32(i) == first:
			dense = 1
		case int32(i) == peer:
			dense++
		}
		row := int64(i) - int64(first)
		switch c.fn {
		case "row_number":
			vals[i] = row + 1
		case "rank":
			vals[i] = int64(peer-first) + 1
		case "dense_rank":
			vals[i] = dense
		case "cume_dist":
			vals[i] = float64(w.peers[i]-first) / float64(size)
		case "percent_rank":
			vals[i] = 0.0
			if size > 1 {
				vals[i] = float64(peer-first) / float64(size-1)
			}
		case "ntile":
			// The first buckets have one row more when the rows do not divide evenly.
			n := int64(c.buckets)
			small, more := size/n, size%n
			if row < more*(small+1) {
				vals[i] = row/(small+1) + 1
			} else {
				vals[i] = more + (row-more*(small+1))/small + 1
			}
		}
	}
	return columns.FromValues(c.t, vals...)
}

// lead takes the value of another row of the partition: so many rows on, or back.
func (w *window) lead(c *windowCall, args []arrow.Array) (arrow.Array, error) {
	n := w.rows.Rows
	idx := make([]int32, n)
	for i := range idx {
		idx[i] = -1
		if len(args) > 1 {
			idx[i] = int32(n + i) // the default
		}
		switch {
		case c.ignoreNulls && c.offset != 0:
			if at, ok := w.step(args[0], i, c.offset); ok {
				idx[i] = at
			}
		case i+c.offset >= int(w.first[i]) && i+c.offset < int(w.end[i]):
			idx[i] = int32(i + c.offset)
		}
	}
	from := args[0]
	if len(args) > 1 {
		both, err := columns.Concat([]arrow.Array{columns.Retype(args[0], args[1].DataType()), args[1]})
		if err != nil {
			return nil, err
		}
		from = both
	}
	return columns.Take(from, idx), nil
}

// step goes by so many rows whose value is not NULL.
func (w *window) step(a arrow.Array, i, by int) (int32, bool) {
	dir := 1
	if by < 0 {
		dir, by = -1, -by
	}
	for at := i + dir; at >= int(w.first[i]) && at < int(w.end[i]); at += dir {
		if !columns.IsNull(a, at) {
			if by--; by == 0 {
				return int32(at), true
			}
		}
	}
	return 0, false
}

// pick lists for each row the row of its frame whose value first, last and
// nth_value give; -1 gives NULL.
func (w *window) pick(c *windowCall, a arrow.Array, frames func(i int) (from, to int32)) []int32 {
	var known []int32 // rows whose value is not NULL, for IGNORE NULLS
	if c.ignoreNulls {
		for i := range w.rows.Rows {
			if !columns.IsNull(a, i) {
				known = append(known, int32(i))
			}
		}
	}
	idx := make([]int32, w.rows.Rows)
	for i := range idx {
		from, to := frames(i)
		at := func(k int32) int32 { return k }
		if c.ignoreNulls {
			lo, _ := slices.BinarySearch(known, from)
			hi, _ := slices.BinarySearch(known, to)
			from, to = int32(lo), int32(hi)
			at = func(k int32) int32 { return known[k] }
		}
		k := from
		switch c.fn {
		case "last":
			k = to - 1
		case "nth_value":
			k = from + int32(min(c.offset-1, len(idx)))
		}
		if idx[i] = -1; k >= from && k < to {
			idx[i] = at(k)
		}
	}
	return idx
}

// inOrder are aggregates whose result depends on the order of the rows.
var inOrder = map[string]bool{"collect_list": true, "collect_set": true, "max_by": true, "min_by": true}

// aggregate computes an aggregate function over each frame: by adding rows to one
// sum while frames begin at one end of the partition, else each by itself.
func (w *window) aggregate(c *windowCall, args []arrow.Array, frames func(i int) (from, to int32)) (arrow.Array, error) {
	g := &groups{grouping: &grouping{}}
	vals := make([]any, w.rows.Rows)
	whole := c.frame.Lower.Kind == expr.UnboundedPreceding
	backwards := !whole && c.frame.Upper.Kind == expr.UnboundedFollowing && !inOrder[c.fn]
	for from := 0; from < len(vals); from = int(w.end[from]) {
		if err := w.run.ctx.Err(); err != nil {
			return nil, err
		}
		part := windowSum{c: c, args: args, g: g}
		rows := sequenceOf(from, int(w.end[from]))
		if backwards {
			slices.Reverse(rows)
		}
		part.restart()
		for _, i := range rows {
			lo, hi := frames(int(i))
			if !whole && !backwards {
				part.restart()
				part.lo, part.hi = lo, lo
			}
			if backwards && part.lo == part.hi {
				part.lo, part.hi = w.end[from], w.end[from]
			}
			if whole && part.lo == part.hi {
				part.lo, part.hi = lo, lo
			}
			v, err := part.over(lo, hi)
			if err != nil {
				return nil, err
			}
			vals[i] = v
		}
	}
	return columns.FromValues(stored(c.t), vals...)
}

func sequenceOf(from, to int) []int32 {
	out := make([]int32, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, int32(i))
	}
	return out
}

// windowSum is one sum over the rows lo..hi, which only grow.
type windowSum struct {
	c      *windowCall
	args   []arrow.Array
	g      *groups
	sum    accumulator
	seen   *keySet
	lo, hi int32
	last   any
	fresh  bool
}

func (s *windowSum) restart() {
	s.sum, s.seen, s.lo, s.hi, s.fresh = s.c.agg.make(), nil, 0, 0, true
	if s.c.agg.distinct {
		s.seen = newKeySet()
	}
}

// over widens the sum to from..to and gives its value.
func (s *windowSum) over(from, to int32) (any, error) {
	var rows []int32
	for i := from; i < s.lo; i++ {
		rows = append(rows, i)
	}
	for i := s.hi; i < to; i++ {
		rows = append(rows, i)
	}
	s.lo, s.hi = min(s.lo, from), max(s.hi, to)
	if len(rows) == 0 && !s.fresh {
		return s.last, nil
	}
	ids := make([]int32, len(rows))
	if s.seen != nil {
		rows, ids = unseen(s.seen, s.args, rows, ids)
	}
	if err := s.sum.add(s.args, rows, ids, 1); err != nil {
		return nil, err
	}
	var err error
	s.last, err = s.sum.value(0)
	s.fresh = false
	return s.last, err
}
