package query

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// resolve fills the results of subqueries into an expression.
func (r *run) resolve(e expr.Expr) (expr.Expr, error) {
	if e == nil {
		return nil, nil
	}
	found := false
	for _, i := range expr.Refs(e) {
		found = found || i >= slotBase
	}
	if !found {
		return e, nil
	}
	var failed error
	out := expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		switch x := e.(type) {
		case *expr.Column:
			if x.Ref >= slotBase && x.Ref < listBase && failed == nil {
				var lit *expr.Literal
				if lit, failed = r.value(x.Ref-slotBase, x.T); failed == nil {
					return lit
				}
			}
		case *expr.Call:
			if x.Fn == "in" && len(x.Args) == 2 && failed == nil {
				if c, ok := x.Args[1].(*expr.Column); ok && c.Ref >= listBase {
					var list []expr.Expr
					if list, failed = r.list(c.Ref-listBase, c.T); failed != nil {
						return e
					}
					if len(list) == 0 {
						return &expr.Literal{Value: false, T: types.Boolean}
					}
					return &expr.Call{Fn: "in", Args: append([]expr.Expr{x.Args[0]}, list...), T: types.Boolean, Null: true}
				}
			}
		}
		return e
	})
	return out, failed
}

func (r *run) resolveAll(list []expr.Expr) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = r.resolve(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// value computes the one value of a subquery: NULL when it has no row.
func (r *run) value(slot int, t types.Type) (*expr.Literal, error) {
	if r.results[slot] != nil {
		return r.results[slot], nil
	}
	s := r.plan.results[slot]
	lit := &expr.Literal{T: t}
	rows := 0
	for b, err := range s.root.run(r) {
		if err != nil {
			return nil, err
		}
		if b.Rows == 0 {
			continue
		}
		if rows += b.Rows; rows > 1 && !s.exists {
			return nil, failf("SCALAR_SUBQUERY_TOO_MANY_ROWS", "a subquery that is a value gave more than one row: add an aggregate or LIMIT 1")
		}
		if s.exists {
			break
		}
		lit.Value = columns.Value(b.Columns[0], 0)
	}
	if s.exists {
		lit.Value = rows > 0
	}
	r.results[slot] = lit
	return lit, nil
}

// list gives the different values of a subquery.
func (r *run) list(slot int, t types.Type) ([]expr.Expr, error) {
	s := r.plan.results[slot]
	if list, ok := r.lists[s]; ok {
		return list, nil
	}
	out := []expr.Expr{}
	keys := newKeySet()
	for b, err := range s.root.run(r) {
		if err != nil {
			return nil, err
		}
		before := keys.bytes
		for i := range b.Rows {
			if _, fresh := keys.add(b.Columns, i); fresh {
				out = append(out, &expr.Literal{Value: columns.Value(b.Columns[0], i), T: t})
			}
		}
		if err := r.hold("a subquery of IN", 2*(keys.bytes-before)); err != nil {
			return nil, err
		}
	}
	r.lists[s] = out
	return out, nil
}
