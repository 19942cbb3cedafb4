package session

import (
	"context"
	"slices"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// scalars puts the values of subqueries in their place in assignments. A subquery is
// computed once, before the statement; conditions have none (the verbs refuse them).
func (x *execution) scalars(ctx context.Context, set []merge.Assignment, tables ...expr.Table) ([]merge.Assignment, error) {
	var failed error
	out := slices.Clone(set)
	for i, a := range out {
		expr.Walk(a.Value, func(e expr.Expr) bool {
			c, ok := e.(*expr.Call)
			if ok && c.Fn == "in" && len(c.Args) == 2 {
				if s, ok := c.Args[1].(*expr.Subquery); ok {
					failed = refuse("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "EXISTS and IN with a subquery are no values that a column can be set to: %s", s)
				}
			}
			return failed == nil
		})
		out[i].Value = expr.Rewrite(a.Value, func(e expr.Expr) expr.Expr {
			s, ok := e.(*expr.Subquery)
			if !ok || failed != nil {
				return e
			}
			var v *expr.Literal
			if v, failed = query.Scalar(ctx, x.s.world.Env, s, x, x.options, tables...); failed != nil {
				return e
			}
			return v
		})
	}
	return out, failed
}
