package query

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// mark is value IN (query) inside of an expression: a column that is looked up in
// the rows of the query before the expression is computed.
type mark struct {
	value expr.Expr
	set   *rowSet
}

// rowSet is the different rows of a query with one column.
type rowSet struct {
	keys    *keySet
	hasNull bool
}

// marked resolves an expression over rows of some width. The memberships whose left
// side gives a value for every row become columns behind those of the batch.
func (r *run) marked(e expr.Expr, width int) (expr.Expr, []mark, error) {
	var marks []mark
	var failed error
	e = replace(e, func(e expr.Expr) expr.Expr {
		x, ok := e.(*expr.Call)
		if !ok || x.Fn != "in" || len(x.Args) != 2 || failed != nil {
			return nil
		}
		c, ok := x.Args[1].(*expr.Column)
		if !ok || c.Ref < listBase || eval.CanFail(x.Args[0]) {
			return nil
		}
		m := mark{}
		if m.value, failed = r.resolve(x.Args[0]); failed != nil {
			return e
		}
		if m.set, failed = r.set(c.Ref - listBase); failed != nil {
			return e
		}
		marks = append(marks, m)
		return &expr.Column{Parts: []string{"is in"}, Ref: width + len(marks) - 1, T: types.Boolean, Null: true}
	})
	if failed != nil {
		return nil, nil, failed
	}
	e, err := r.resolve(e)
	return e, marks, err
}

// set reads the rows of a query.
func (r *run) set(slot int) (*rowSet, error) {
	s := r.plan.results[slot]
	if set, ok := r.sets[s]; ok {
		return set, nil
	}
	out := &rowSet{keys: newKeySet()}
	for b, err := range s.root.run(r) {
		if err != nil {
			return nil, err
		}
		before := out.keys.bytes
		for i := range b.Rows {
			if columns.IsNull(b.Columns[0], i) {
				out.hasNull = true
				continue
			}
			out.keys.add(b.Columns, i)
		}
		if err := r.hold("a subquery of IN", out.keys.bytes-before); err != nil {
			return nil, err
		}
	}
	r.sets[s] = out
	return out, nil
}

// withMarks adds the columns of marks to a batch.
func withMarks(b batch, marks []mark) (batch, error) {
	if len(marks) == 0 {
		return b, nil
	}
	out := batch{Columns: b.Columns[:len(b.Columns):len(b.Columns)], Rows: b.Rows}
	for _, m := range marks {
		a, err := eval.Eval(m.value, b)
		if err != nil {
			return b, err
		}
		out.Columns = append(out.Columns, m.set.contains(a))
	}
	return out, nil
}

// contains is IN in SQL's logic of three values.
func (s *rowSet) contains(a arrow.Array) arrow.Array {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	b.Reserve(a.Len())
	cols := []arrow.Array{a}
	for i := range a.Len() {
		if len(s.keys.ids) == 0 && !s.hasNull {
			b.UnsafeAppend(false)
			continue
		}
		if !columns.IsNull(a, i) {
			if _, ok := s.keys.find(cols, i); ok || !s.hasNull {
				b.UnsafeAppend(ok)
				continue
			}
		}
		b.UnsafeAppendBoolToBitmap(false)
	}
	return b.NewArray()
}
