package query

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// aggregate is a bound call of an aggregate function.
type aggregate struct {
	fn       string // the canonical name
	args     []expr.Expr
	distinct bool
	filter   expr.Expr // or nil
	t        types.Type
	null     bool
	make     func() accumulator
	options  expr.Options
}

// aggregateNames gives functions with several names one of them.
var aggregateNames = map[string]string{
	"mean": "avg", "every": "bool_and", "any": "bool_or", "some": "bool_or", "array_agg": "collect_list", "first_value": "first", "any_value": "first",
	"last_value": "last", "std": "stddev_samp", "stddev": "stddev_samp", "variance": "var_samp",
}

// aggregateOf takes an unbound call apart; false when it is none of an aggregate function.
func aggregateOf(e expr.Expr) (*expr.Aggregate, bool) {
	switch x := e.(type) {
	case *expr.Aggregate:
		return x, expr.IsAggregate(x.Fn)
	case *expr.Call:
		if expr.IsAggregate(x.Fn) {
			return &expr.Aggregate{Fn: x.Fn, Args: x.Args}, true
		}
	}
	return nil, false
}

// hasAggregate reports whether an unbound expression calls an aggregate function.
func hasAggregate(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if _, ok := aggregateOf(e); ok {
			found = true
		}
		return !found
	})
	return found
}

// aggregate binds a call over the rows that are grouped.
func (b *binder) aggregate(x *expr.Aggregate, r rel) (*aggregate, error) {
	a := &aggregate{fn: x.Fn, distinct: x.Distinct, null: true, options: b.options}
	if n, ok := aggregateNames[x.Fn]; ok {
		a.fn = n
	}
	for _, e := range x.Args {
		if _, ok := e.(*expr.Star); ok {
			if a.fn != "count" || len(x.Args) > 1 {
				return nil, failf("INVALID_USAGE_OF_STAR_OR_REGEX", "* is an argument of count alone: %s", x)
			}
			if x.Distinct {
				list, err := b.expandStar(e.(*expr.Star), nil, r)
				if err != nil {
					return nil, err
				}
				for _, it := range list {
					a.args = append(a.args, it.bound)
				}
			}
			continue
		}
		if hasAggregate(e) {
			return nil, failf("NESTED_AGGREGATE_FUNCTION", "an aggregate function cannot take another as its argument: %s", x)
		}
		bound, err := b.bind(e, r)
		if err != nil {
			return nil, err
		}
		a.args = append(a.args, bound)
	}
	if x.Filter != nil {
		var err error
		if hasAggregate(x.Filter) {
			return nil, failf("INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE", "FILTER cannot contain an aggregate: %s", x)
		}
		if a.filter, err = b.condition("FILTER", x.Filter, r); err != nil {
			return nil, err
		}
	}
	if err := a.typed(x); err != nil {
		return nil, err
	}
	if a.distinct {
		for _, e := range a.args {
			if !keyable(e.Type()) {
				return nil, failf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "DISTINCT cannot compare %s: %s", types.SQL(e.Type()), x)
			}
		}
	}
	return a, nil
}

// arity is how many arguments the functions take; those that are not listed take one.
var arity = map[string][2]int{"count": {0, 1 << 30}, "max_by": {2, 2}, "min_by": {2, 2}, "first": {1, 2}, "last": {1, 2}, "approx_count_distinct": {1, 2}}

// typed casts the arguments and sets the type of the result.
func (a *aggregate) typed(x *expr.Aggregate) error {
	want, ok := arity[a.fn]
	if !ok {
		want = [2]int{1, 1}
	}
	if len(a.args) < want[0] || len(a.args) > want[1] || a.fn == "count" && len(x.Args) == 0 {
		return failf("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "%s does not take %d arguments: %s", x.Fn, len(x.Args), x)
	}
	if x.IgnoreNulls && a.fn != "first" && a.fn != "last" {
		return failf("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "%s does not take IGNORE NULLS", x.Fn)
	}
	var t types.Type
	if len(a.args) > 0 {
		t = a.args[0].Type()
	}
	wrong := func(need string) error {
		return failf("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "%s needs %s, not %s: %s", x.Fn, need, types.SQL(t), x)
	}
	switch a.fn {
	case "count":
		a.t, a.null = types.Long, false
		a.make = func() accumulator { return &counter{} }
	case "approx_count_distinct":
		a.t, a.null, a.distinct, a.args = types.Long, false, true, a.args[:1]
		a.make = func() accumulator { return &counter{} }
	case "count_if":
		a.t, a.null = types.Long, false
		if t != types.Boolean && t != types.Void {
			return wrong("a boolean")
		}
		a.args[0] = a.options.Convert(a.args[0], types.Boolean)
		a.make = func() accumulator { return &counter{truth: true} }
	case "sum", "avg":
		return a.sum(t, wrong)
	case "stddev_samp", "stddev_pop", "var_samp", "var_pop":
		if !numberLike(t) {
			return wrong("a number")
		}
		a.t, a.args[0] = types.Double, a.options.Convert(a.args[0], types.Double)
		sample, root := strings.HasSuffix(a.fn, "samp"), strings.HasPrefix(a.fn, "stddev")
		a.make = func() accumulator { return &moments{sample: sample, root: root} }
	case "bool_and", "bool_or":
		if t != types.Boolean && t != types.Void {
			return wrong("a boolean")
		}
		a.t, a.args[0] = types.Boolean, a.options.Convert(a.args[0], types.Boolean)
		most := a.fn == "bool_or"
		a.make = func() accumulator { return &extremes{t: types.Boolean, most: most} }
	case "min", "max":
		if !keyable(t) {
			return failf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "%s cannot compare %s: %s", x.Fn, types.SQL(t), x)
		}
		a.t = t
		most := a.fn == "max"
		a.make = func() accumulator { return &extremes{t: t, most: most} }
	case "min_by", "max_by":
		if !keyable(a.args[1].Type()) {
			return failf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "%s cannot compare %s: %s", x.Fn, types.SQL(a.args[1].Type()), x)
		}
		a.t = t
		most := a.fn == "max_by"
		a.make = func() accumulator { return &extremes{t: t, most: most} }
	case "first", "last":
		a.t = t
		skip := x.IgnoreNulls
		if len(a.args) == 2 {
			lit, ok := a.args[1].(*expr.Literal)
			v, isBool := false, false
			if ok {
				v, isBool = lit.Value.(bool)
			}
			if !isBool {
				return failf("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the second argument of %s is TRUE or FALSE: %s", x.Fn, x)
			}
			skip, a.args = v, a.args[:1]
		}
		last := a.fn == "last"
		a.make = func() accumulator { return &pick{t: t, last: last, skipNulls: skip} }
	case "collect_list", "collect_set":
		if a.fn == "collect_set" {
			if !keyable(t) {
				return failf("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "%s cannot compare %s: %s", x.Fn, types.SQL(t), x)
			}
			a.distinct = true
		}
		a.t, a.null = &types.Array{Element: t}, false
		a.make = func() accumulator { return &collection{t: t} }
	default:
		return failf("UNRESOLVED_ROUTINE", "the aggregate function %s is not supported", x.Fn)
	}
	return nil
}

func numberLike(t types.Type) bool {
	return types.IsNumeric(t) || t == types.String || t == types.Void
}

// sum types sum and avg (Spark's Sum and Average): integers add up as BIGINT and
// average as DOUBLE, decimals gain ten digits, or four digits and four of the scale.
func (a *aggregate) sum(t types.Type, wrong func(string) error) error {
	avg := a.fn == "avg"
	if !numberLike(t) {
		return wrong("a number")
	}
	switch d, isDecimal := t.(types.Decimal); {
	case isDecimal && avg:
		out := types.Decimal{Precision: min(d.Precision+4, 38), Scale: min(d.Scale+4, 38)}
		a.t = out
		a.make = func() accumulator { return &decimalSum{in: d, out: out, avg: true, null: a.options.Legacy} }
	case isDecimal:
		out := types.Decimal{Precision: min(d.Precision+10, 38), Scale: d.Scale}
		a.t = out
		a.make = func() accumulator { return &decimalSum{in: d, out: out, null: a.options.Legacy} }
	case types.IsIntegral(t) && !avg:
		a.t, a.args[0] = types.Long, a.options.Convert(a.args[0], types.Long)
		a.make = func() accumulator { return &longSum{wrap: a.options.Legacy} }
	default:
		a.t, a.args[0] = types.Double, a.options.Convert(a.args[0], types.Double)
		a.make = func() accumulator { return &doubleSum{avg: avg} }
	}
	return nil
}
