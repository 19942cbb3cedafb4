package prune

import (
	"math"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/types"
)

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
