package query

import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// grouping gives one row for each group: its keys, then its aggregates. Without
// keys all rows are one group, also when there is none.
type grouping struct {
	in         node
	keys       []expr.Expr
	aggregates []*aggregate
	schema     []types.Field
}

// schemaOf lists the columns; it is called when all aggregates are known.
func (n *grouping) schemaOf() {
	n.schema = nil
	for _, k := range n.keys {
		n.schema = append(n.schema, types.Field{Name: k.String(), Type: k.Type(), Nullable: k.Nullable()})
	}
	for _, a := range n.aggregates {
		n.schema = append(n.schema, types.Field{Name: a.fn, Type: a.t, Nullable: a.null})
	}
}

func (n *grouping) fields() []types.Field { return n.schema }

func (n *grouping) need([]bool) {
	below := make([]bool, len(n.in.fields()))
	for _, k := range n.keys {
		markRefs(below, k)
	}
	for _, a := range n.aggregates {
		for _, e := range a.args {
			markRefs(below, e)
		}
		markRefs(below, a.filter)
	}
	n.in.need(below)
}

// groups is the state of one run.
type groups struct {
	*grouping
	keys   *keySet
	parts  [][]arrow.Array // the keys of groups, in the order of their numbers
	total  int
	sums   []accumulator
	seen   []*keySet // by aggregate with DISTINCT: group and arguments
	held   int64
	filter []expr.Expr
	args   [][]expr.Expr
	exprs  []expr.Expr
}

func (n *grouping) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		g, err := n.start(r)
		if err != nil {
			yield(batch{}, err)
			return
		}
		for b, err := range n.in.run(r) {
			if err == nil {
				err = g.add(b)
			}
			if err == nil {
				held := g.size()
				err = r.hold("GROUP BY", held-g.held)
				g.held = held
			}
			if err != nil {
				yield(batch{}, err)
				return
			}
		}
		g.finish(yield)
	}
}

func (n *grouping) start(r *run) (*groups, error) {
	g := &groups{grouping: n, keys: newKeySet()}
	var err error
	if g.exprs, err = r.resolveAll(n.keys); err != nil {
		return nil, err
	}
	for _, a := range n.aggregates {
		args, err := r.resolveAll(a.args)
		if err != nil {
			return nil, err
		}
		f, err := r.resolve(a.filter)
		if err != nil {
			return nil, err
		}
		g.args, g.filter = append(g.args, args), append(g.filter, f)
		g.sums = append(g.sums, a.make())
		var seen *keySet
		if a.distinct {
			seen = newKeySet()
		}
		g.seen = append(g.seen, seen)
	}
	if len(n.keys) == 0 {
		g.total = 1
	}
	return g, nil
}

func (g *groups) size() int64 {
	n := g.keys.bytes
	for i, s := range g.sums {
		n += s.held()
		if g.seen[i] != nil {
			n += g.seen[i].bytes
		}
	}
	for _, p := range g.parts {
		n += sizeOf(batch{Columns: p})
	}
	return n
}

func (g *groups) add(b batch) error {
	if b.Rows == 0 {
		return nil
	}
	ids, err := g.number(b)
	if err != nil {
		return err
	}
	all := make([]int32, b.Rows)
	for i := range all {
		all[i] = int32(i)
	}
	for i := range g.sums {
		if err := g.accumulate(i, b, all, ids); err != nil {
			return err
		}
	}
	return nil
}

// number finds the group of each row.
func (g *groups) number(b batch) ([]int32, error) {
	ids := make([]int32, b.Rows)
	if len(g.exprs) == 0 {
		return ids, nil
	}
	keys := make([]arrow.Array, len(g.exprs))
	for i, e := range g.exprs {
		var err error
		if keys[i], err = eval.Eval(e, b); err != nil {
			return nil, err
		}
		if keys[i], err = conformed(keys[i], g.schema[i].Type); err != nil {
			return nil, err
		}
	}
	var fresh []int32
	for i := range ids {
		id, isNew := g.keys.add(keys, i)
		ids[i] = int32(id)
		if isNew {
			fresh = append(fresh, int32(i))
		}
	}
	if len(fresh) > 0 {
		g.total += len(fresh)
		g.parts = append(g.parts, columns.TakeColumns(keys, fresh))
	}
	return ids, nil
}

// accumulate hands the rows that pass FILTER and DISTINCT to an aggregate.
func (g *groups) accumulate(i int, b batch, rows, ids []int32) error {
	if g.filter[i] != nil {
		sel, err := eval.Filter(g.filter[i], b)
		if err != nil {
			return err
		}
		b = take(b, sel) // arguments are not computed for the other rows
		picked := make([]int32, len(sel))
		for k, row := range sel {
			picked[k] = ids[row]
		}
		rows, ids = rows[:len(sel)], picked
	}
	args := make([]arrow.Array, len(g.args[i]))
	for k, e := range g.args[i] {
		var err error
		if args[k], err = eval.Eval(e, b); err != nil {
			return err
		}
	}
	if seen := g.seen[i]; seen != nil {
		rows, ids = unseen(seen, args, rows, ids)
	}
	return g.sums[i].add(args, rows, ids, g.total)
}

// unseen leaves the rows whose arguments are new in their group.
func unseen(seen *keySet, args []arrow.Array, rows, ids []int32) (outRows, outIDs []int32) {
	for i, row := range rows {
		seen.buf = append(seen.buf[:0], byte(ids[i]), byte(ids[i]>>8), byte(ids[i]>>16), byte(ids[i]>>24))
		for _, a := range args {
			seen.buf = columns.AppendKey(seen.buf, a, int(row))
		}
		if _, ok := seen.ids[string(seen.buf)]; ok {
			continue
		}
		seen.ids[string(seen.buf)] = len(seen.ids)
		seen.bytes += int64(len(seen.buf)) + 48
		outRows, outIDs = append(outRows, row), append(outIDs, ids[i])
	}
	return outRows, outIDs
}

// finish hands on the groups.
func (g *groups) finish(yield func(batch, error) bool) {
	if g.total == 0 {
		return
	}
	out := batch{Rows: g.total}
	if len(g.parts) > 0 {
		keys, err := columns.ConcatColumns(g.parts)
		if err != nil {
			yield(batch{}, err)
			return
		}
		out.Columns = keys
	}
	for i, a := range g.aggregates {
		c, err := g.results(g.sums[i], a)
		if err != nil {
			yield(batch{}, err)
			return
		}
		out.Columns = append(out.Columns, c)
	}
	emit(out, yield)
}

func (g *groups) results(s accumulator, a *aggregate) (arrow.Array, error) {
	vals := make([]any, g.total)
	for i := range vals {
		var err error
		if vals[i], err = s.value(i); err != nil {
			return nil, err
		}
	}
	return columns.FromValues(stored(a.t), vals...)
}

// stored is the type in which values of a type are kept: intervals are numbers.
func stored(t types.Type) types.Type {
	switch t.Kind() {
	case types.KindDayTimeInterval, types.KindTime:
		return types.Long
	case types.KindYearMonthInterval:
		return types.Integer
	case types.KindArray:
		return &types.Array{Element: stored(t.(*types.Array).Element), ContainsNull: t.(*types.Array).ContainsNull}
	}
	return t
}
