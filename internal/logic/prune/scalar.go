package prune

import (
	"math"
	"slices"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/types"
)

// scalar compiles an expression. ok is false when nothing at all is known of
// its values; the scalar is of use all the same.
func (t *table) scalar(e expr.Expr) (x scalar, ok bool) {
	switch e := e.(type) {
	case *expr.Literal:
		i := interval{null: true}
		if e.Value != nil {
			i = unknown
			if v, ok := colstats.Of(e.Value, e.T); ok {
				i = point(v)
			}
			i.null = false
		}
		return func(*state) interval { return i }, true
	case *expr.Column, *expr.Field:
		return t.column(e)
	case *expr.Cast:
		x, ok := t.cast(e)
		return t.prefer(e, x, ok)
	case *expr.Case:
		x, ok := t.cases(e)
		return t.prefer(e, x, ok)
	case *expr.Named:
		return t.scalar(e.Arg)
	case *expr.Call:
		if isBoolean(e.T) {
			if cond := t.call(e); cond != nil {
				return func(s *state) interval { return cond(s).asInterval() }, true
			}
		}
		x, ok := t.function(e)
		return t.prefer(e, x, ok)
	}
	return anyValue, false
}

// prefer takes the exact value of an expression where there is one.
func (t *table) prefer(e expr.Expr, x scalar, ok bool) (scalar, bool) {
	if exact := t.exact(e, x); exact != nil {
		return exact, true
	}
	return x, ok
}

// column compiles a column or a member of a struct column.
func (t *table) column(e expr.Expr) (scalar, bool) {
	var path []int
	for {
		if f, ok := e.(*expr.Field); ok {
			path = append(path, f.Index)
			e = f.Base
			continue
		}
		c, ok := e.(*expr.Column)
		if !ok || c.Ref < 0 || c.Ref >= len(t.schema.Fields) {
			return anyValue, false
		}
		path = append(path, c.Ref)
		break
	}
	slices.Reverse(path)
	if place := t.partition[path[0]]; place >= 0 {
		if len(path) > 1 {
			return anyValue, false
		}
		typ := t.schema.Fields[path[0]].Type
		return func(s *state) interval { return *s.partitionValue(place, typ) }, true
	}
	leaf := t.leaf(path)
	if leaf < 0 {
		return anyValue, false
	}
	return func(s *state) interval { return s.leafInterval(leaf) }, true
}

// cases compiles CASE: any branch whose condition may be true.
func (t *table) cases(e *expr.Case) (scalar, bool) {
	type branch struct {
		cond condition
		then scalar
	}
	branches := make([]branch, len(e.Whens))
	for i, w := range e.Whens {
		then, _ := t.scalar(w.Then)
		branches[i] = branch{t.condition(w.Cond), then}
	}
	var otherwise scalar = func(*state) interval { return interval{null: true} }
	if e.Else != nil {
		otherwise, _ = t.scalar(e.Else)
	}
	return func(s *state) (out interval) {
		for _, b := range branches {
			o := b.cond(s)
			if o&canTrue != 0 {
				i := b.then(s)
				out = union(&out, &i)
			}
			if o == canTrue {
				return out
			}
		}
		i := otherwise(s)
		return union(&out, &i)
	}, true
}

// function compiles the functions that keep order or choose among arguments.
func (t *table) function(e *expr.Call) (scalar, bool) {
	args := make([]scalar, len(e.Args))
	known := false
	for i, a := range e.Args {
		var ok bool
		args[i], ok = t.scalar(a)
		if _, constant := a.(*expr.Literal); ok && !constant {
			known = true
		}
	}
	if !known || len(args) == 0 {
		return anyValue, false
	}
	switch e.Fn {
	case "coalesce", "nvl", "ifnull":
		return coalesce(args), true
	case "if":
		if len(args) == 3 {
			return t.cases(&expr.Case{Whens: []expr.When{{Cond: e.Args[0], Then: e.Args[1]}}, Else: e.Args[2], T: e.T})
		}
	case "+", "-":
		if len(args) == 2 && e.T != nil && types.IsIntegral(e.T) && integral(e.Args[0]) && integral(e.Args[1]) {
			return sum(args[0], args[1], e.Fn == "-"), true
		}
	case "year":
		if len(args) == 1 {
			return year(args[0], e.Args[0].Type())
		}
	case "date_trunc", "trunc":
		if len(args) == 2 {
			return truncated(e, args)
		}
	case "substring", "substr", "left":
		return start(e, args)
	}
	return anyValue, false
}

func integral(e expr.Expr) bool { return e.Type() != nil && types.IsIntegral(e.Type()) }

func coalesce(args []scalar) scalar {
	return func(s *state) interval {
		out := interval{null: true}
		for _, a := range args {
			i := a(s)
			out = union(&out, &i)
			if !i.null {
				out.null = false
				break
			}
		}
		return out
	}
}

// sum adds or subtracts intervals of integers; a bound that overflows is unknown.
func sum(a, b scalar, minus bool) scalar {
	return func(s *state) interval {
		x, y := a(s), b(s)
		out := interval{null: x.null || y.null || !x.value || !y.value, value: x.value && y.value}
		if minus {
			y.lo, y.hi = negated(y.hi), negated(y.lo)
		}
		out.lo, out.hi = plus(x.lo, y.lo), plus(x.hi, y.hi)
		return out
	}
}

func negated(v colstats.Value) colstats.Value {
	if v.Class != colstats.Int || v.I == math.MinInt64 {
		return colstats.Value{}
	}
	return colstats.Value{Class: colstats.Int, I: -v.I}
}

func plus(a, b colstats.Value) colstats.Value {
	c := a.I + b.I
	if a.Class != colstats.Int || b.Class != colstats.Int || (c > a.I) != (b.I > 0) && b.I != 0 {
		return colstats.Value{}
	}
	return colstats.Value{Class: colstats.Int, I: c}
}

// year is monotone in a date; the binder casts timestamps to dates for it.
func year(a scalar, t types.Type) (scalar, bool) {
	if t == nil || t.Kind() != types.KindDate {
		return anyValue, false
	}
	return mapped(a, func(v colstats.Value, _ bool) colstats.Value {
		if v.Class != colstats.Int {
			return colstats.Value{}
		}
		y, _, _ := columns.Civil(v.I)
		return colstats.Value{Class: colstats.Int, I: y}
	}), true
}

// truncated: cutting a time back takes away less than a leap year.
func truncated(e *expr.Call, args []scalar) (scalar, bool) {
	place, back := 0, int64(366)
	if e.Fn == "date_trunc" {
		place, back = 1, 366*microsPerDay
	}
	t := e.Args[place].Type()
	if t == nil || e.T == nil || t.Kind() != e.T.Kind() || colstats.ClassOf(t) != colstats.Int {
		return anyValue, false
	}
	inner := mapped(args[place], func(v colstats.Value, upper bool) colstats.Value {
		if upper {
			return v
		}
		return plus(v, colstats.Value{Class: colstats.Int, I: -back})
	})
	return func(s *state) interval {
		out := inner(s)
		out.null = true // an unknown unit
		return out
	}, true
}

// start compiles the first characters of a string, which keep its order.
func start(e *expr.Call, args []scalar) (scalar, bool) {
	n := len(args) - 1
	if n < 1 || e.Fn == "left" && n != 1 || e.Fn != "left" && n != 2 {
		return anyValue, false
	}
	length, ok := integer(e.Args[n])
	if !ok || length <= 0 || length > 1<<20 {
		return anyValue, false
	}
	if e.Fn != "left" {
		if from, ok := integer(e.Args[1]); !ok || from != 1 && from != 0 {
			return anyValue, false
		}
	}
	if t := e.Args[0].Type(); t == nil || t.Kind() != types.KindString {
		return anyValue, false
	}
	return mapped(args[0], func(v colstats.Value, _ bool) colstats.Value {
		if v.Class != colstats.Text {
			return colstats.Value{}
		}
		count := int64(0)
		for i := range v.S {
			if count == length {
				v.S = v.S[:i]
				break
			}
			count++
		}
		return v
	}), true
}

func integer(e expr.Expr) (int64, bool) {
	lit, ok := e.(*expr.Literal)
	if !ok {
		return 0, false
	}
	n, ok := lit.Value.(int64)
	return n, ok
}

// mapped applies a monotone function to the bounds of a scalar; NULL stays NULL.
func mapped(a scalar, f func(v colstats.Value, upper bool) colstats.Value) scalar {
	return func(s *state) interval {
		out := a(s)
		if out.value {
			out.lo, out.hi = f(out.lo, false), f(out.hi, true)
		}
		return out
	}
}
