package eval

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){"round": round, "bround": round, "ceil": round, "floor": round})
}

// rounding modes by function: half up, half even, up and down.
func divideBy(fn string, v, unit *big.Int) *big.Int {
	q, r := new(big.Int).DivMod(v, unit, new(big.Int)) // q is the floor, r is not negative
	up := false
	switch fn {
	case "ceil":
		up = r.Sign() > 0
	case "floor":
	default:
		c := new(big.Int).Lsh(r, 1).Cmp(unit)
		switch {
		case c > 0:
			up = true
		case c == 0 && fn == "bround":
			up = q.Bit(0) == 1
		case c == 0:
			up = v.Sign() > 0 // away from zero
		}
	}
	if up {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// roundTo rounds a decimal to so many digits after the point; the result has scale max(0, digits).
func roundTo(fn string, v *big.Int, scale, digits int) *big.Int {
	if digits >= scale {
		return rescale(v, scale, digits)
	}
	q := divideBy(fn, v, powerOf10(scale-digits))
	if digits < 0 {
		q.Mul(q, powerOf10(-digits))
	}
	return q
}

// round is round, bround, ceil and floor over any number.
func round(c *call) (arrow.Array, error) {
	fn, digits := c.node.Fn, func(int) int64 { return 0 }
	if c.has(1) {
		digits = c.int(1)
	}
	from, to := c.typ(0), c.out()
	switch {
	case from.Kind() == types.KindDecimal:
		d := c.dec(0)
		_, scale := typeOf(from)
		p, s := typeOf(to)
		return c.decs(func(i int) (dec, error) {
			n := min(int(digits(i)), scale)
			if v, ok := small(d(i)); ok && n >= 0 && scale-n <= 18 {
				if r, ok := fitSmall(quotient(fn, v, pow10[scale-n]), n, p, s); ok {
					return r, nil
				}
			}
			r := roundTo(fn, d(i).BigInt(), scale, n)
			r = rescale(r, max(0, n), s)
			if r.CmpAbs(powerOf10(p)) >= 0 {
				return dec{}, outOfRange(r, s, to)
			}
			return decimal128.FromBigInt(r), nil
		})
	case types.IsIntegral(from):
		v := c.int(0)
		low, high := intRange(to)
		return c.ints(func(i int) (int64, error) {
			if digits(i) >= 0 {
				return v(i), nil
			}
			r := roundTo(fn, big.NewInt(v(i)), 0, int(max(digits(i), -100)))
			if !r.IsInt64() || r.Int64() < low || r.Int64() > high {
				if c.legacy() {
					return int64(decimal128.FromBigInt(r).LowBits()), nil
				}
				return 0, failf("ARITHMETIC_OVERFLOW", "rounding %d leaves the range of %s", v(i), types.SQL(to))
			}
			return r.Int64(), nil
		})
	case types.IsIntegral(to): // ceil and floor of a double
		x := c.float(0)
		return c.ints(func(i int) (int64, error) {
			if fn == "ceil" {
				return saturate(math.Ceil(x(i))), nil
			}
			return saturate(math.Floor(x(i))), nil
		})
	}
	x := c.float(0)
	return c.floats(func(i int) (float64, error) {
		f := x(i)
		if f == 0 {
			return 0, nil // also for the negative zero
		}
		if v, scale, ok := floatDecimal(f); ok && digits(i) >= 0 {
			if int(digits(i)) >= scale {
				return f, nil
			}
			if q := quotient(fn, v, pow10[scale-int(digits(i))]); abs64(q) < 1<<53 {
				return float64(q) / float64(pow10[digits(i)]), nil // both are exact
			}
		}
		d, ok := expr.ParseDecimal(formatFloat(f, 64))
		if !ok || int(digits(i)) >= d.Scale {
			return f, nil
		}
		n := int(max(digits(i), -400))
		r := roundTo(fn, d.Unscaled, d.Scale, n)
		return decimalFloat(r, max(0, n)), nil
	})
}

func decimalFloat(v *big.Int, scale int) float64 {
	f, _ := parseFloat(expr.Decimal{Unscaled: v, Scale: scale}.String(), 64)
	return f
}

// saturate converts as Java's (long) does.
func saturate(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}
