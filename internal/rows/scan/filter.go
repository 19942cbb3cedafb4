package scan

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/logic/eval"
)

// judge puts the partition values of a file into the filter. A conjunct that is
// TRUE then needs no row; one that is not leaves no row. What fails is kept, since
// it fails only where there is a row.
func (p *plan) judge(add *action.Add) error {
	values := map[int]*expr.Literal{}
	for k, i := range p.cols.PartitionOrdinals {
		if !slices.Contains(expr.Refs(p.opts.Filter), i) {
			continue
		}
		f := p.cols.Logical.Fields[i]
		v, err := partitionValue(add, p.cols.PartitionPhysical[k], f)
		if err != nil {
			return err
		}
		values[i] = &expr.Literal{Value: v, T: f.Type}
	}
	var rest []expr.Expr
	for _, c := range expr.Conjuncts(p.opts.Filter) {
		if len(values) > 0 {
			c = expr.Rewrite(c, func(e expr.Expr) expr.Expr {
				if col, ok := e.(*expr.Column); ok && values[col.Ref] != nil {
					return values[col.Ref]
				}
				return e
			})
			c = expr.Fold(c, eval.Literal)
		}
		if l, ok := c.(*expr.Literal); ok {
			if l.Value != true {
				p.empty = len(rest) == 0 || !eval.CanFail(expr.And(rest...))
				if p.empty {
					return nil
				}
			} else {
				continue
			}
		}
		rest = append(rest, c)
	}
	if len(rest) == 0 {
		return nil
	}
	p.filter = expr.And(rest...)
	p.first, p.fails = expr.Refs(p.filter), eval.CanFail(p.filter)
	for _, i := range p.first {
		if err := p.rename(i); err != nil {
			return err
		}
	}
	return nil
}

// choose picks the rows of a batch that are wanted, not deleted, and satisfy the
// filter. The filter sees deleted rows only when it cannot fail for them.
func (p *plan) choose(deleted *dv.Cursor) func(cols []arrow.Array, first int64, n int) ([]int32, bool, error) {
	return func(cols []arrow.Array, first int64, n int) ([]int32, bool, error) {
		live, all := p.alive(deleted, first, n, p.live[:0])
		p.live = live
		switch {
		case all && p.filter == nil:
			return nil, true, nil
		case all:
		case len(live) == 0:
			return nil, false, nil
		case p.filter == nil:
			return slices.Clone(live), false, nil
		}
		in := eval.Input{Columns: p.named(cols), Rows: n}
		if !all && p.fails {
			in = eval.Input{Columns: columns.TakeColumns(in.Columns, live), Rows: len(live)}
		}
		hits, err := eval.Filter(p.filter, in)
		switch {
		case err != nil || all:
		case p.fails:
			for i, at := range hits {
				hits[i] = live[at]
			}
		default:
			hits = common(hits, live)
		}
		if len(hits) < cap(hits)/4 { // it may be kept for long
			hits = slices.Clone(hits)
		}
		return hits, len(hits) == n, err
	}
}

// named gives nested columns of the filter the names of the table.
func (p *plan) named(cols []arrow.Array) []arrow.Array {
	if len(p.retype) == 0 {
		return cols
	}
	out := slices.Clone(cols)
	for i, dt := range p.retype {
		if out[i] != nil {
			out[i] = columns.Retype(out[i], dt)
		}
	}
	return out
}

// common is what two ascending lists share, in the memory of the first.
func common(a, b []int32) []int32 {
	out := a[:0]
	for _, v := range a {
		for len(b) > 0 && b[0] < v {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == v {
			out = append(out, v)
		}
	}
	return out
}
