package eval

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

type dec = decimal128.Num

var pow10 = func() (out [19]int64) {
	p := int64(1)
	for i := range out {
		out[i] = p
		p *= 10
	}
	return out
}()

var bigPow10 = func() (out [100]*big.Int) {
	p := big.NewInt(1)
	for i := range out {
		out[i] = new(big.Int).Set(p)
		p.Mul(p, big.NewInt(10))
	}
	return out
}()

func powerOf10(n int) *big.Int {
	if n < len(bigPow10) {
		return bigPow10[n]
	}
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// small is the value of a decimal that fits 64 bits.
func small(d dec) (int64, bool) {
	v := int64(d.LowBits())
	return v, d.HighBits() == v>>63
}

func typeOf(t types.Type) (precision, scale int) {
	d := t.(types.Decimal)
	return d.Precision, d.Scale
}

// outOfRange is a decimal that does not fit its type.
func outOfRange(v *big.Int, scale int, t types.Type) *Error {
	return failf("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "%s cannot be represented as %s", expr.Decimal{Unscaled: v, Scale: scale}, types.SQL(t))
}

// fit rounds an exact decimal half up to the scale of a type and checks its precision.
func fit(v *big.Int, scale int, t types.Type) (dec, error) {
	p, s := typeOf(t)
	r := rescale(v, scale, s)
	if r.CmpAbs(powerOf10(p)) >= 0 {
		return dec{}, outOfRange(v, scale, t)
	}
	return decimal128.FromBigInt(r), nil
}

// rescale moves a decimal to another scale, rounding half up (away from zero).
func rescale(v *big.Int, from, to int) *big.Int {
	switch {
	case to > from:
		return new(big.Int).Mul(v, powerOf10(to-from))
	case to < from:
		return divHalfUp(v, powerOf10(from-to))
	}
	return v
}

func divHalfUp(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Lsh(r.Abs(r), 1).CmpAbs(b) >= 0 {
		if (a.Sign() < 0) != (b.Sign() < 0) {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

// fitSmall is fit without big numbers; false when it needs them.
func fitSmall(v int64, scale int, p, s int) (dec, bool) {
	if d := s - scale; d > 0 {
		if d > 18 {
			return dec{}, false
		}
		var ok bool
		if v, ok = mul64(v, pow10[d]); !ok {
			return dec{}, false
		}
	} else if d < 0 {
		if d < -18 {
			return dec{}, false
		}
		v = roundSmall(v, pow10[-d])
	}
	if p < 19 && (v >= pow10[p] || v <= -pow10[p]) {
		return dec{}, false
	}
	return decimal128.FromI64(v), true
}

func roundSmall(v, unit int64) int64 {
	q, r := v/unit, v%unit
	switch {
	case r >= unit-r:
		q++
	case -r >= unit+r:
		q--
	}
	return q
}

// decimalArithmetic is + - * / % and pmod over decimals of any two types, exact
// up to the rounding that Spark does.
func decimalArithmetic(c *call) (arrow.Array, error) {
	a, b, fn, t := c.dec(0), c.dec(1), c.node.Fn, c.out()
	_, s1 := typeOf(c.typ(0))
	_, s2 := typeOf(c.typ(1))
	p, s := typeOf(t)
	return c.decs(func(i int) (dec, error) {
		x, y := a(i), b(i)
		if m, ok := small(x); ok {
			if n, ok := small(y); ok {
				if d, ok := decimalSmall(fn, m, n, s1, s2, p, s); ok {
					return d, nil
				}
			}
		}
		return decimalBig(fn, x.BigInt(), y.BigInt(), s1, s2, t)
	})
}

func decimalSmall(fn string, m, n int64, s1, s2, p, s int) (dec, bool) {
	common := max(s1, s2)
	switch fn {
	case "*":
		r, ok := mul64(m, n)
		if !ok {
			return dec{}, false
		}
		return fitSmall(r, s1+s2, p, s)
	case "/":
		// m / 10^s1 / (n / 10^s2) at scale s: m * 10^(s + s2 - s1) / n
		e := s + s2 - s1
		if n == 0 || e < 0 || e > 18 || s > 18 {
			return dec{}, false
		}
		num, ok := mul64(m, pow10[e])
		if !ok || num == math.MinInt64 || n == math.MinInt64 {
			return dec{}, false
		}
		neg := (num < 0) != (n < 0)
		u, v := abs64(num), abs64(n)
		q := u / v
		if r := u % v; r >= v-r {
			q++
		}
		if neg {
			q = -q
		}
		return fitSmall(q, s, p, s)
	}
	if s1-common < -18 || s2-common < -18 {
		return dec{}, false
	}
	m, ok1 := mul64(m, pow10[common-s1])
	n, ok2 := mul64(n, pow10[common-s2])
	if !ok1 || !ok2 {
		return dec{}, false
	}
	switch fn {
	case "+":
		if overflows("+", m, n) {
			return dec{}, false
		}
		return fitSmall(m+n, common, p, s)
	case "-":
		if overflows("-", m, n) {
			return dec{}, false
		}
		return fitSmall(m-n, common, p, s)
	}
	if n == 0 || n == -1 {
		return dec{}, false
	}
	r := m % n
	if fn == "pmod" && r < 0 {
		r = (r + n) % n
	}
	return fitSmall(r, common, p, s)
}

func abs64(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

func decimalBig(fn string, x, y *big.Int, s1, s2 int, t types.Type) (dec, error) {
	switch fn {
	case "*":
		r, scale := new(big.Int).Mul(x, y), s1+s2
		r, scale = roundDigits(r, scale, 39) // the context of java.math.BigDecimal in Spark
		return fit(r, scale, t)
	case "/":
		if y.Sign() == 0 {
			return dec{}, divideByZero()
		}
		// Spark divides to 39 digits of the fraction first, then rounds again.
		num := new(big.Int).Set(x)
		den := new(big.Int).Set(y)
		if e := 39 + s2 - s1; e >= 0 {
			num.Mul(num, powerOf10(e))
		} else {
			den.Mul(den, powerOf10(-e))
		}
		return fit(divHalfUp(num, den), 39, t)
	}
	common := max(s1, s2)
	x, y = rescale(x, s1, common), rescale(y, s2, common)
	r := new(big.Int)
	switch fn {
	case "+":
		r.Add(x, y)
	case "-":
		r.Sub(x, y)
	default:
		if y.Sign() == 0 {
			return dec{}, remainderByZero()
		}
		if r.Rem(x, y); fn == "pmod" && r.Sign() < 0 {
			r.Rem(r.Add(r, y), y)
		}
	}
	return fit(r, common, t)
}

// roundDigits rounds half up to so many significant digits.
func roundDigits(v *big.Int, scale, digits int) (*big.Int, int) {
	n := len(new(big.Int).Abs(v).String())
	if n <= digits {
		return v, scale
	}
	return divHalfUp(v, powerOf10(n-digits)), scale - (n - digits)
}
