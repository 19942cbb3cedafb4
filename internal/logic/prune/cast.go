package prune

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/types"
)

const microsPerDay = 86_400_000_000

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// cast compiles the casts that keep the order of values. Values that a cast
// refuses stop the query or, with try_cast, become NULL.
func (t *table) cast(e *expr.Cast) (scalar, bool) {
	if !sessionless(e) {
		return anyValue, false
	}
	x, ok := t.scalar(e.Arg)
	from := e.Arg.Type()
	if !ok || from == nil || e.To == nil {
		return anyValue, false
	}
	f := converter(from, e.To)
	if f == nil {
		if e.Try {
			return anyValue, false
		}
		return func(s *state) interval { // NULL stays NULL
			i := x(s)
			return interval{null: true, value: i.value}
		}, true
	}
	inner := mapped(x, f)
	if !e.Try {
		return inner, true
	}
	return func(s *state) interval {
		out := inner(s)
		out.null = true
		return out
	}, true
}

// sessionless tells the casts that mean the same in every session: outside ANSI
// mode integers wrap, and other zones move dates.
func sessionless(e *expr.Cast) bool {
	from, to := e.Arg.Type(), e.To
	switch {
	case e.In == (expr.Session{}) || from == nil || to == nil:
		return true
	case e.In.Legacy && !(types.IsNumeric(from) && (to == types.Double || to == types.Float) || types.IsIntegral(from) && types.IsIntegral(to) && from.Kind() <= to.Kind()):
		return false
	}
	return from != types.Timestamp && to != types.Timestamp
}

// converter returns the monotone function of a cast, nil when there is none.
// The function widens where the cast rounds.
func converter(from, to types.Type) func(v colstats.Value, upper bool) colstats.Value {
	if types.Equal(from, to) {
		return func(v colstats.Value, _ bool) colstats.Value { return v }
	}
	switch f, k := from.Kind(), to.Kind(); {
	case types.IsIntegral(from) && types.IsIntegral(to):
		return func(v colstats.Value, _ bool) colstats.Value { return v }
	case types.IsIntegral(from) && k == types.KindDecimal:
		scale := to.(types.Decimal).Scale
		return func(v colstats.Value, _ bool) colstats.Value {
			if v.Class != colstats.Int {
				return colstats.Value{}
			}
			return decimal(big.NewInt(v.I), scale)
		}
	case types.IsIntegral(from) && (k == types.KindDouble || k == types.KindFloat):
		return func(v colstats.Value, upper bool) colstats.Value {
			if v.Class != colstats.Int {
				return colstats.Value{}
			}
			return outward(float64(v.I), k, upper)
		}
	case f == types.KindDecimal && k == types.KindDecimal:
		a, b := from.(types.Decimal).Scale, to.(types.Decimal).Scale
		if b < a {
			return nil
		}
		return func(v colstats.Value, _ bool) colstats.Value {
			if v.Class != colstats.Decimal {
				return colstats.Value{}
			}
			v = decimal(v.D.BigInt(), b-a)
			v.Scale = int32(b)
			return v
		}
	case f == types.KindDecimal && k == types.KindDouble:
		return func(v colstats.Value, upper bool) colstats.Value {
			if v.Class != colstats.Decimal {
				return colstats.Value{}
			}
			f := v.D.ToFloat64(v.Scale)
			slack := math.Abs(f) * 1e-14 // the conversion rounds more than once
			if !upper {
				slack = -slack
			}
			return outward(f+slack, k, upper)
		}
	case f == types.KindFloat && k == types.KindDouble:
		return func(v colstats.Value, _ bool) colstats.Value { return v }
	case f == types.KindDate && (k == types.KindTimestamp || k == types.KindTimestampNTZ):
		return func(v colstats.Value, _ bool) colstats.Value {
			if v.Class != colstats.Int || v.I > math.MaxInt64/microsPerDay || v.I < math.MinInt64/microsPerDay {
				return colstats.Value{}
			}
			v.I *= microsPerDay
			return v
		}
	case (f == types.KindTimestamp || f == types.KindTimestampNTZ) && k == types.KindDate:
		return func(v colstats.Value, _ bool) colstats.Value {
			if v.Class == colstats.Int {
				v.I = floorDiv(v.I, microsPerDay)
			}
			return v
		}
	case (f == types.KindTimestamp || f == types.KindTimestampNTZ) && (k == types.KindTimestamp || k == types.KindTimestampNTZ):
		return func(v colstats.Value, _ bool) colstats.Value { return v } // the session is in UTC
	}
	return nil
}

// decimal is n * 10^shift as a decimal of that scale.
func decimal(n *big.Int, shift int) colstats.Value {
	n = new(big.Int).Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(shift)), nil))
	if n.BitLen() > 126 {
		return colstats.Value{}
	}
	return colstats.Value{Class: colstats.Decimal, Scale: int32(shift), D: decimal128.FromBigInt(n)}
}

// outward moves a float that may be rounded away from the interval.
func outward(f float64, k types.Kind, upper bool) colstats.Value {
	to := math.Inf(-1)
	if upper {
		to = math.Inf(1)
	}
	if k == types.KindFloat {
		f = float64(math.Nextafter32(float32(f), float32(to)))
	} else if math.Abs(f) >= 1<<53 || f != math.Trunc(f) {
		f = math.Nextafter(math.Nextafter(f, to), to)
	}
	return colstats.Value{Class: colstats.Float, F: f}
}
