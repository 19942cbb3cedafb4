package query

import (
	"fmt"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// fingerprint is equal exactly for bound expressions that compute the same.
func fingerprint(e expr.Expr) string {
	plain := expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		switch x := e.(type) {
		case *expr.Column:
			c := *x
			c.Parts = []string{fmt.Sprintf("#%d", x.Ref)}
			return &c
		case *expr.Cast:
			return &expr.Call{Fn: "cast to " + types.SQL(x.To), Args: []expr.Expr{x.Arg}, T: x.To}
		case *expr.Literal:
			return &expr.Call{Fn: "literal " + types.SQL(x.T), Args: []expr.Expr{x}, T: x.T}
		}
		return e
	})
	return types.SQL(e.Type()) + " " + plain.String()
}

// replace rewrites a bound tree from the root down: a node for which fn gives
// another is not entered.
func replace(e expr.Expr, fn func(expr.Expr) expr.Expr) expr.Expr {
	if e == nil {
		return nil
	}
	if out := fn(e); out != nil {
		return out
	}
	switch x := e.(type) {
	case *expr.Field:
		c := *x
		c.Base = replace(x.Base, fn)
		return &c
	case *expr.Call:
		c := *x
		c.Args = replaceAll(x.Args, fn)
		return &c
	case *expr.Cast:
		c := *x
		c.Arg = replace(x.Arg, fn)
		return &c
	case *expr.Case:
		c := *x
		c.Whens = make([]expr.When, len(x.Whens))
		for i, w := range x.Whens {
			c.Whens[i] = expr.When{Cond: replace(w.Cond, fn), Then: replace(w.Then, fn)}
		}
		c.Else = replace(x.Else, fn)
		return &c
	case *expr.Lambda:
		c := *x
		c.Body = replace(x.Body, fn)
		return &c
	case *expr.Named:
		c := *x
		c.Arg = replace(x.Arg, fn)
		return &c
	case *expr.Window:
		return x.Map(func(e expr.Expr) expr.Expr { return replace(e, fn) })
	case *expr.Aggregate:
		c := *x
		c.Args = replaceAll(x.Args, fn)
		c.Filter = replace(x.Filter, fn)
		return &c
	}
	return e
}

func replaceAll(list []expr.Expr, fn func(expr.Expr) expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = replace(e, fn)
	}
	return out
}

// shift adds to the ordinals of a bound tree.
func shift(e expr.Expr, by int) expr.Expr {
	return replace(e, func(e expr.Expr) expr.Expr {
		if c, ok := e.(*expr.Column); ok && c.Ref >= 0 && c.Ref < slotBase {
			d := *c
			d.Ref += by
			return &d
		}
		return nil
	})
}
