package prune

import (
	"sort"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/types"
)

// condition and scalar are compiled expressions.
type (
	condition func(*state) outcomes
	scalar    func(*state) interval
)

func whatever(*state) outcomes { return anything }
func anyValue(*state) interval { return unknown }

// condition compiles a boolean expression.
func (t *table) condition(e expr.Expr) condition {
	if c, ok := e.(*expr.Call); ok {
		if cond := t.call(c); cond != nil {
			return cond
		}
	}
	if x, ok := t.scalar(e); ok && isBoolean(e.Type()) {
		return func(s *state) outcomes {
			i := x(s)
			return i.asOutcomes()
		}
	}
	return whatever
}

func isBoolean(t types.Type) bool { return t != nil && t.Kind() == types.KindBoolean }

// call compiles an operator or function with a boolean result; nil when it is
// none that is understood.
func (t *table) call(c *expr.Call) condition {
	switch {
	case c.Fn == "and" || c.Fn == "or":
		return t.connective(c)
	case c.Fn == "not" && len(c.Args) == 1:
		arg := t.condition(c.Args[0])
		return func(s *state) outcomes { return arg(s).not() }
	case c.Fn == "isnull" || c.Fn == "isnotnull" || c.Fn == "istrue" || c.Fn == "isfalse" || c.Fn == "isunknown":
		if len(c.Args) == 1 {
			return t.test(c.Fn, c.Args[0])
		}
	case len(c.Args) == 2 && (c.Fn == "=" || c.Fn == "==" || c.Fn == "<=>" || c.Fn == "<>" || c.Fn == "<" || c.Fn == "<=" || c.Fn == ">" || c.Fn == ">="):
		return t.comparison(c)
	case c.Fn == "in" && len(c.Args) >= 2:
		return t.in(c)
	case c.Fn == "like" || c.Fn == "startswith":
		return t.like(c)
	}
	return nil
}

func (t *table) connective(c *expr.Call) condition {
	args := make([]condition, len(c.Args))
	for i, a := range c.Args {
		args[i] = t.condition(a)
	}
	combine := &kleene.and
	if c.Fn == "or" {
		combine = &kleene.or
	}
	return func(s *state) outcomes {
		out := args[0](s)
		for _, a := range args[1:] {
			out = combine[out][a(s)]
		}
		return out
	}
}

// test compiles IS NULL and its relatives.
func (t *table) test(fn string, arg expr.Expr) condition {
	if fn == "isnull" || fn == "isnotnull" {
		x, ok := t.scalar(arg)
		if !ok {
			return func(*state) outcomes { return canTrue | canFalse }
		}
		return func(s *state) outcomes {
			i := x(s)
			if fn == "isnull" {
				return choose(i.null, i.value)
			}
			return choose(i.value, i.null)
		}
	}
	cond := t.condition(arg)
	wanted := map[string]outcomes{"istrue": canTrue, "isfalse": canFalse, "isunknown": canNull}[fn]
	return func(s *state) outcomes {
		o := cond(s)
		return choose(o&wanted != 0, o&^wanted != 0)
	}
}

func (t *table) comparison(c *expr.Call) condition {
	a, okA := t.scalar(c.Args[0])
	b, okB := t.scalar(c.Args[1])
	if !okA && !okB {
		return nil
	}
	fn := c.Fn
	if fn == "==" {
		fn = "="
	}
	return func(s *state) outcomes {
		x, y := a(s), b(s)
		return compare(fn, &x, &y)
	}
}

// in compiles a membership test. Constants are sorted once, so that a long list
// costs a binary search for each file.
func (t *table) in(c *expr.Call) condition {
	x, ok := t.scalar(c.Args[0])
	if !ok {
		return nil
	}
	var values []colstats.Value
	hasNull := false
	var others condition
	for _, a := range c.Args[1:] {
		lit, isLiteral := a.(*expr.Literal)
		if isLiteral && lit.Value == nil {
			hasNull = true
			continue
		}
		v, ok := colstats.Value{}, false
		if isLiteral {
			v, ok = colstats.Of(lit.Value, lit.T)
		}
		if ok && (len(values) == 0 || v.Class == values[0].Class && v.Scale == values[0].Scale) {
			values = append(values, v)
			continue
		}
		eq := t.comparison(&expr.Call{Fn: "=", Args: []expr.Expr{c.Args[0], a}, T: types.Boolean})
		if eq == nil {
			eq = whatever
		}
		if before := others; before == nil {
			others = eq
		} else {
			others = func(s *state) outcomes { return kleene.or[before(s)][eq(s)] }
		}
	}
	sort.Slice(values, func(i, j int) bool {
		c, _ := colstats.Compare(values[i], values[j])
		return c < 0
	})
	return func(s *state) outcomes {
		out := canFalse
		if hasNull {
			out = canNull
		}
		if len(values) > 0 {
			i := x(s)
			out = kleene.or[out][member(values, &i)]
		}
		if others != nil {
			out = kleene.or[out][others(s)]
		}
		return out
	}
}

// member gives the outcomes of "x in values" for sorted constants.
func member(values []colstats.Value, x *interval) (out outcomes) {
	if x.null {
		out = canNull
	}
	if !x.value {
		return out
	}
	return out | choose(anyWithin(values, x), !isPoint(x) || !anyWithin(values, x))
}

func isPoint(x *interval) bool {
	c, ok := colstats.Compare(x.lo, x.hi)
	return ok && c == 0
}

// anyWithin reports whether one of the sorted values may lie in an interval.
func anyWithin(values []colstats.Value, x *interval) bool {
	first := sort.Search(len(values), func(i int) bool {
		c, ok := colstats.Compare(values[i], x.lo)
		return !ok || c >= 0
	})
	if first == len(values) {
		return false
	}
	c, ok := colstats.Compare(values[first], x.hi)
	return !ok || c <= 0
}
