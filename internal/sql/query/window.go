package query

import (
	"iter"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// windowing gives the rows of its input, partition by partition and each in order,
// with a column for each call behind theirs. It holds all rows, as sorting does.
type windowing struct {
	in        node
	partition []expr.Expr
	order     []sortKey
	calls     []*windowCall
}

// windowCall is a bound function of a window.
type windowCall struct {
	fn          string
	args        []expr.Expr
	agg         *aggregate // of an aggregate function
	ignoreNulls bool
	offset      int // rows forward of lead; the place of nth_value
	buckets     int // of ntile
	frame       expr.Frame
	lower       int       // rows from the current one, for a frame of ROWS
	upper       int       // likewise
	lowerBound  expr.Expr // the sort key where a frame of RANGE begins
	upperBound  expr.Expr // and where it ends
	t           types.Type
	null        bool
	slot        int
}

func (n *windowing) fields() []types.Field {
	out := slices.Clone(n.in.fields())
	for _, c := range n.calls {
		out = append(out, types.Field{Name: c.fn, Type: c.t, Nullable: c.null})
	}
	return out
}

func (n *windowing) need(cols []bool) {
	below := slices.Clone(cols[:len(n.in.fields())])
	for _, e := range n.partition {
		markRefs(below, e)
	}
	for _, k := range n.order {
		markRefs(below, k.expr)
	}
	for _, c := range n.calls {
		for _, e := range c.args {
			markRefs(below, e)
		}
		markRefs(below, c.lowerBound)
		markRefs(below, c.upperBound)
	}
	n.in.need(below)
}

func (n *windowing) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		b, err := n.compute(r)
		if err != nil {
			yield(batch{}, err)
			return
		}
		emit(b, yield)
	}
}

func (n *windowing) compute(r *run) (batch, error) {
	b, err := r.materialise(n.in, "a window function")
	if err != nil || b.Rows == 0 {
		b.Columns = append(b.Columns, make([]arrow.Array, len(n.calls))...)
		return b, err
	}
	keys := make([]sortKey, 0, len(n.partition)+len(n.order))
	for _, e := range n.partition {
		keys = append(keys, sortKey{expr: e, nullsFirst: true})
	}
	keys = append(keys, n.order...)
	idx, err := (&sorter{keys: keys}).order(r, b)
	if err != nil {
		return b, err
	}
	if err := r.hold("a window function", sizeOf(b)); err != nil { // the rows in order
		return b, err
	}
	b = take(b, idx)
	w := &window{run: r, rows: b}
	if err := w.part(n, keys); err != nil {
		return b, err
	}
	for _, c := range n.calls {
		col, err := w.call(c)
		if err != nil {
			return b, err
		}
		if err := r.hold("a window function", int64(col.Data().SizeInBytes())); err != nil {
			return b, err
		}
		b.Columns = append(b.Columns[:len(b.Columns):len(b.Columns)], col)
	}
	return b, nil
}

// window is rows in order, cut into partitions and peers.
type window struct {
	run   *run
	rows  batch
	first []int32 // by row: where its partition begins
	end   []int32 // by row: behind its partition
	peer  []int32 // by row: where the rows of equal sort keys begin
	peers []int32 // by row: behind them
	key   arrow.Array
	sort  sortKey
}

// part finds the partitions and the peers.
func (w *window) part(n *windowing, keys []sortKey) error {
	cmp := make([]func(i, j int) int, len(keys))
	for i, k := range keys {
		e, err := w.run.resolve(k.expr)
		if err != nil {
			return err
		}
		a, err := eval.Eval(e, w.rows)
		if err != nil {
			return err
		}
		cmp[i] = compareKey(a, k)
		if i == len(n.partition) {
			w.key, w.sort = a, k
		}
	}
	same := func(list []func(i, j int) int, i int) bool {
		for _, f := range list {
			if f(i-1, i) != 0 {
				return false
			}
		}
		return true
	}
	rows := w.rows.Rows
	w.first, w.end, w.peer, w.peers = make([]int32, rows), make([]int32, rows), make([]int32, rows), make([]int32, rows)
	for i := 1; i < rows; i++ {
		switch {
		case !same(cmp[:len(n.partition)], i):
			w.first[i], w.peer[i] = int32(i), int32(i)
		case !same(cmp[len(n.partition):], i):
			w.first[i], w.peer[i] = w.first[i-1], int32(i)
		default:
			w.first[i], w.peer[i] = w.first[i-1], w.peer[i-1]
		}
	}
	for i := rows - 1; i >= 0; i-- {
		if w.end[i] = int32(rows); i+1 < rows {
			if w.end[i] = w.end[i+1]; w.first[i+1] == int32(i+1) {
				w.end[i] = int32(i + 1)
			}
		}
		if w.peers[i] = w.end[i]; i+1 < rows && w.peer[i+1] == w.peer[i] {
			w.peers[i] = w.peers[i+1]
		} else if i+1 < rows && w.first[i+1] == w.first[i] {
			w.peers[i] = int32(i + 1)
		}
	}
	return w.run.hold("a window function", int64(rows)*16)
}

// call computes one function for all rows.
func (w *window) call(c *windowCall) (arrow.Array, error) {
	args := make([]arrow.Array, len(c.args))
	for i, e := range c.args {
		e, err := w.run.resolve(e)
		if err == nil {
			args[i], err = eval.Eval(e, w.rows)
		}
		if err == nil {
			args[i], err = conformed(args[i], e.Type())
		}
		if err != nil {
			return nil, err
		}
	}
	switch c.fn {
	case "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile":
		return w.ranking(c)
	case "lead":
		return w.lead(c, args)
	}
	frames, err := w.frames(c)
	if err != nil {
		return nil, err
	}
	switch c.fn {
	case "first", "last", "nth_value":
		return columns.Take(args[0], w.pick(c, args[0], frames)), nil
	}
	return w.aggregate(c, args, frames)
}

// frames says for each row which rows its function sees: from..to.
func (w *window) frames(c *windowCall) (func(i int) (from, to int32), error) {
	lower, err := w.edge(c.frame.Rows, c.frame.Lower.Kind, c.lower, c.lowerBound, false)
	if err != nil {
		return nil, err
	}
	upper, err := w.edge(c.frame.Rows, c.frame.Upper.Kind, c.upper, c.upperBound, true)
	if err != nil {
		return nil, err
	}
	return func(i int) (int32, int32) {
		from, to := lower(i), upper(i)
		return from, max(from, to)
	}, nil
}

// edge gives one end of the frames; after counts the rows at the end itself in.
func (w *window) edge(rows bool, kind expr.BoundKind, by int, bound expr.Expr, after bool) (func(i int) int32, error) {
	switch {
	case kind == expr.UnboundedPreceding:
		return func(i int) int32 { return w.first[i] }, nil
	case kind == expr.UnboundedFollowing:
		return func(i int) int32 { return w.end[i] }, nil
	case rows:
		if after {
			by++
		}
		return func(i int) int32 { return min(max(int32(i+by), w.first[i]), w.end[i]) }, nil
	case kind == expr.CurrentRow && after:
		return func(i int) int32 { return w.peers[i] }, nil
	case kind == expr.CurrentRow:
		return func(i int) int32 { return w.peer[i] }, nil
	}
	at, err := eval.Eval(bound, w.rows)
	if err != nil {
		return nil, err
	}
	// cmp compares the sort key of a row with the end of the frame of another.
	order := eval.Order(w.key, at)
	cmp := func(row, i int) int {
		x, y := columns.IsNull(w.key, row), columns.IsNull(at, i)
		switch {
		case x && y:
			return 0
		case x || y:
			if x == w.sort.nullsFirst {
				return -1
			}
			return 1
		case w.sort.desc:
			return -order(row, i)
		}
		return order(row, i)
	}
	return func(i int) int32 {
		from := int(w.first[i])
		return int32(from + sort.Search(int(w.end[i])-from, func(k int) bool {
			c := cmp(from+k, i)
			return c > 0 || c == 0 && !after
		}))
	}, nil
}
