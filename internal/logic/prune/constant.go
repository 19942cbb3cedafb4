package prune

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/partition"
)

// constants replaces casts of text constants, which the binder puts around the
// literals of dates and numbers, by the constants they stand for. Text that is
// not in canonical form stays as it is.
func constants(e expr.Expr) expr.Expr {
	return expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		c, ok := e.(*expr.Cast)
		if !ok {
			return e
		}
		s, ok := text(c.Arg)
		if !ok {
			return e
		}
		v, err := partition.Parse(s, c.To)
		if err != nil || v == nil {
			return e
		}
		return &expr.Literal{Value: v, T: c.To}
	})
}
