package expr

import (
	"slices"

	"github.com/sluicelake/sluice/types"
)

// children lists the direct operands of a node.
func children(e Expr) []Expr {
	switch x := e.(type) {
	case *Field:
		return []Expr{x.Base}
	case *Call:
		return x.Args
	case *Cast:
		return []Expr{x.Arg}
	case *Case:
		out := make([]Expr, 0, 2*len(x.Whens)+1)
		for _, w := range x.Whens {
			out = append(out, w.Cond, w.Then)
		}
		if x.Else != nil {
			out = append(out, x.Else)
		}
		return out
	case *Lambda:
		return []Expr{x.Body}
	case *Named:
		return []Expr{x.Arg}
	case *Aggregate:
		if x.Filter != nil {
			return append(slices.Clone(x.Args), x.Filter)
		}
		return x.Args
	case *Window:
		return x.operands()
	}
	return nil
}

// Walk visits a tree from the root; fn returns false to leave out a node's operands.
func Walk(e Expr, fn func(Expr) bool) {
	if e == nil || !fn(e) {
		return
	}
	for _, c := range children(e) {
		Walk(c, fn)
	}
}

// Rewrite replaces nodes from the leaves up: fn gets each node with its operands
// already rewritten and returns it or another. The given tree does not change.
func Rewrite(e Expr, fn func(Expr) Expr) Expr {
	switch x := e.(type) {
	case *Field:
		if b := Rewrite(x.Base, fn); b != x.Base {
			c := *x
			c.Base, e = b, &c
		}
	case *Call:
		if args, changed := rewriteAll(x.Args, fn); changed {
			c := *x
			c.Args, e = args, &c
		}
	case *Cast:
		if a := Rewrite(x.Arg, fn); a != x.Arg {
			c := *x
			c.Arg, e = a, &c
		}
	case *Case:
		if list, changed := rewriteAll(children(x), fn); changed {
			c := *x
			c.Whens = make([]When, len(x.Whens))
			for i := range c.Whens {
				c.Whens[i] = When{list[2*i], list[2*i+1]}
			}
			if x.Else != nil {
				c.Else = list[len(list)-1]
			}
			e = &c
		}
	case *Lambda:
		if b := Rewrite(x.Body, fn); b != x.Body {
			c := *x
			c.Body, e = b, &c
		}
	case *Named:
		if a := Rewrite(x.Arg, fn); a != x.Arg {
			c := *x
			c.Arg, e = a, &c
		}
	case *Aggregate:
		if list, changed := rewriteAll(children(x), fn); changed {
			c := *x
			c.Args, e = list[:len(x.Args)], &c
			if x.Filter != nil {
				c.Filter = list[len(x.Args)]
			}
		}
	case *Window:
		if list, changed := rewriteAll(children(x), fn); changed {
			e = x.with(list)
		}
	}
	return fn(e)
}

func rewriteAll(list []Expr, fn func(Expr) Expr) ([]Expr, bool) {
	var out []Expr
	for i, a := range list {
		if b := Rewrite(a, fn); b != a && out == nil {
			out = slices.Clone(list)
			out[i] = b
		} else if out != nil {
			out[i] = b
		}
	}
	if out == nil {
		return list, false
	}
	return out, true
}

// Refs lists the ordinals of the columns that a bound tree reads, ascending, each once.
func Refs(e Expr) []int {
	var out []int
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Column); ok && c.Ref >= 0 && !slices.Contains(out, c.Ref) {
			out = append(out, c.Ref)
		}
		return true
	})
	slices.Sort(out)
	return out
}

// Conjuncts splits a condition at its outer ANDs; nil gives none.
func Conjuncts(e Expr) []Expr {
	if e == nil {
		return nil
	}
	if c, ok := e.(*Call); ok && c.Fn == "and" && len(c.Args) == 2 {
		return append(Conjuncts(c.Args[0]), Conjuncts(c.Args[1])...)
	}
	return []Expr{e}
}

// And joins conditions; nil conditions are left out, and none gives nil.
func And(es ...Expr) Expr { return join("and", es) }

// Or joins conditions; nil conditions are left out, and none gives nil.
func Or(es ...Expr) Expr { return join("or", es) }

func join(fn string, es []Expr) Expr {
	var out Expr
	for _, e := range es {
		switch {
		case e == nil:
		case out == nil:
			out = e
		default:
			c := &Call{Fn: fn, Args: []Expr{out, e}, Null: out.Nullable() || e.Nullable()}
			if out.Type() != nil && e.Type() != nil {
				c.T = types.Boolean
			}
			out = c
		}
	}
	return out
}

var nondeterministic = map[string]bool{"rand": true, "randn": true, "uuid": true, "shuffle": true, "monotonically_increasing_id": true}

// varies reports a call whose value is another each time; aes_encrypt takes a random
// start unless one is given.
func varies(x *Call) bool {
	return nondeterministic[x.Fn] || x.Fn == "aes_encrypt" && len(x.Args) < 5
}

// Deterministic reports whether a tree gives the same value for the same row each time.
func Deterministic(e Expr) bool {
	ok := true
	Walk(e, func(e Expr) bool {
		switch x := e.(type) {
		case *Call:
			ok = ok && !varies(x)
		case *Subquery:
			ok = false
		}
		return ok
	})
	return ok
}

// Fold computes constant subtrees of a bound tree with eval and puts literals in
// their place; a subtree whose evaluation fails stays, so that the error appears
// only when a row reaches it. A constant that decides AND or OR decides it before
// the other operand is looked at, on whichever side it is (BooleanSimplification).
func Fold(e Expr, eval func(Expr) (Literal, error)) Expr {
	return Rewrite(e, func(e Expr) Expr {
		if c, ok := e.(*Call); ok && (c.Fn == "and" || c.Fn == "or") && len(c.Args) == 2 {
			return decided(c)
		}
		if !foldable(e) {
			return e
		}
		lit, err := eval(e)
		if err != nil {
			return e
		}
		return &lit
	})
}

// decided drops the constant operand of AND and OR, or the other one.
func decided(c *Call) Expr {
	for i, a := range c.Args {
		lit, ok := a.(*Literal)
		if !ok {
			continue
		}
		switch v, known := lit.Value.(bool); {
		case known && v == (c.Fn == "or"):
			return lit
		case known:
			return c.Args[1-i]
		default: // NULL and NULL
			if other, ok := c.Args[1-i].(*Literal); ok && other.Value == nil {
				return lit
			}
		}
	}
	return c
}

// foldable is true for an inner node all of whose operands are literals.
func foldable(e Expr) bool {
	switch x := e.(type) {
	case *Call:
		if varies(x) || x.Fn == "raise_error" || x.Fn == "assert_true" {
			return false
		}
	case *Cast, *Case:
	default:
		return false
	}
	if e.Type() == nil || e.Type().Kind() >= types.KindStruct || e.Type().Kind() == types.KindVariant {
		return false
	}
	for _, c := range children(e) {
		if _, ok := c.(*Literal); !ok {
			return false
		}
	}
	return true
}
