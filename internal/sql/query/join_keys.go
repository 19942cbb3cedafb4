package query

import "github.com/sluicelake/sluice/expr"

// joinKeys are the equalities of a condition, side by side, and what is left.
type joinKeys struct {
	left, right []expr.Expr
	safe        []bool // NULL equals NULL
	rest        expr.Expr
}

// split finds the equalities between the sides.
func (n *join) split(r *run) (joinKeys, error) {
	width := len(n.left.fields())
	var k joinKeys
	for _, e := range n.on {
		e, err := r.resolve(e)
		if err != nil {
			return k, err
		}
		c, ok := e.(*expr.Call)
		if ok && (c.Fn == "=" || c.Fn == "<=>") && keyable(c.Args[0].Type()) {
			a, b := side(c.Args[0], width), side(c.Args[1], width)
			switch {
			case a == leftSide && b == rightSide:
				k.add(c.Args[0], c.Args[1], c.Fn, width)
				continue
			case a == rightSide && b == leftSide:
				k.add(c.Args[1], c.Args[0], c.Fn, width)
				continue
			}
		}
		k.rest = expr.And(k.rest, e)
	}
	return k, nil
}

func (k *joinKeys) add(l, r expr.Expr, fn string, width int) {
	k.left, k.right, k.safe = append(k.left, l), append(k.right, shift(r, -width)), append(k.safe, fn == "<=>")
}

const (
	noSide = iota
	leftSide
	rightSide
	bothSides
)

// side says which side of a join an expression reads.
func side(e expr.Expr, width int) int {
	out := noSide
	for _, i := range expr.Refs(e) {
		s := leftSide
		if i >= slotBase {
			continue
		}
		if i >= width {
			s = rightSide
		}
		out |= s
	}
	if !expr.Deterministic(e) {
		return bothSides
	}
	return out
}
