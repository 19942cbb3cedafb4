package query

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
)

// filtered keeps the rows of a node for which all conditions are TRUE, and checks
// each condition as far down as its outcome and its errors allow: one that may fail
// for a row must not meet rows that it would not have met.
func filtered(n node, conds []expr.Expr) node {
	if len(conds) == 0 {
		return n
	}
	switch x := n.(type) {
	case *scan:
		for _, c := range conds {
			if expr.Deterministic(c) {
				x.where = expr.And(x.where, c)
			}
		}
	case *filter:
		down, here := movable(conds)
		x.in = filtered(x.in, down)
		if f, ok := x.in.(*filter); ok { // one step for conditions that met again
			x = &filter{in: f.in, cond: expr.And(f.cond, x.cond)}
		}
		x.cond = expr.And(append([]expr.Expr{x.cond}, here...)...)
		return x
	case *project:
		return x.filtered(conds)
	case *join:
		return x.filtered(conds)
	}
	return &filter{in: n, cond: expr.And(conds...)}
}

// movable parts the conditions that may meet more rows than they were written for.
func movable(conds []expr.Expr) (yes, no []expr.Expr) {
	for _, c := range conds {
		if expr.Deterministic(c) && !eval.CanFail(c) {
			yes = append(yes, c)
		} else {
			no = append(no, c)
		}
	}
	return yes, no
}

// filtered moves conditions below a projection that only passes on the columns they read.
func (n *project) filtered(conds []expr.Expr) node {
	var down, here []expr.Expr
	for _, c := range conds {
		plain := true
		for _, i := range expr.Refs(c) {
			if i < slotBase {
				_, ok := n.exprs[i].(*expr.Column)
				plain = plain && ok
			}
		}
		if !plain || len(here) > 0 {
			here = append(here, c)
			continue
		}
		down = append(down, replace(c, func(e expr.Expr) expr.Expr {
			if col, ok := e.(*expr.Column); ok && col.Ref >= 0 && col.Ref < slotBase {
				return n.exprs[col.Ref]
			}
			return nil
		}))
	}
	if len(down) > 0 {
		n.in = filtered(n.in, down)
	}
	if len(here) > 0 {
		return &filter{in: n, cond: expr.And(here...)}
	}
	return n
}

// filtered moves conditions of one side below the join and those of both sides
// into the condition of an inner join.
func (n *join) filtered(conds []expr.Expr) node {
	width := len(n.left.fields())
	inner := n.kind == Inner || n.kind == Cross
	var left, right, here []expr.Expr
	for _, c := range conds {
		free := expr.Deterministic(c) && !eval.CanFail(c)
		switch s := side(c, width); {
		case s == leftSide && free && n.kind != Right && n.kind != Full:
			left = append(left, c)
		case s == rightSide && free && (inner || n.kind == Right):
			right = append(right, shift(c, -width))
		case inner && len(here) == 0:
			n.kind = Inner
			n.on = append(n.on, c)
		default:
			here = append(here, c)
		}
	}
	n.left, n.right = filtered(n.left, left), filtered(n.right, right)
	if len(here) > 0 {
		return &filter{in: n, cond: expr.And(here...)}
	}
	return n
}
