package eval

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/types"
)

// log10 is log10 of fdlibm, which java.lang.StrictMath is.
func log10(x float64) float64 {
	const (
		invLn10 = 4.34294481903251816668e-01
		log2Hi  = 3.01029995663611771306e-01
		log2Lo  = 3.69423907715893078616e-13
	)
	if math.IsNaN(x) || math.IsInf(x, 0) || x <= 0 {
		return logarithmE(x)
	}
	k := 0
	if x < 0x1p-1022 {
		k, x = -54, x*(1<<54)
	}
	bits := math.Float64bits(x)
	k += int(bits>>52) - 1023
	i := 0
	if k < 0 {
		i = 1
	}
	y := float64(k + i)
	x = math.Float64frombits(bits&(1<<52-1) | uint64(1023-i)<<52)
	z := float64(y*log2Lo) + float64(invLn10*logarithmE(x))
	return z + float64(y*log2Hi)
}

// The functions below are written in Spark by these formulas (mathExpressions.scala),
// whose last bits differ from those of better ones.

func log2(x float64) float64 { return logarithmE(x) / logarithmE(2) }

func asinh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0) || a < 0x1p-28:
		return x
	case a > 0x1p28:
		a = logarithmE(a) + math.Ln2
	case a > 2:
		a = logarithmE(2*a + 1/(math.Sqrt(float64(a*a)+1)+a))
	default:
		t := a * a
		a = math.Log1p(a + t/(1+math.Sqrt(1+t)))
	}
	return math.Copysign(a, x)
}

func acosh(x float64) float64 {
	switch {
	case !(x >= 1):
		return math.NaN()
	case x == 1:
		return 0
	case x >= 0x1p28:
		return logarithmE(x) + math.Ln2
	case x > 2:
		return logarithmE(2*x - 1/(x+math.Sqrt(float64(x*x)-1)))
	}
	t := x - 1
	return math.Log1p(t + math.Sqrt(2*t+float64(t*t)))
}

func atanh(x float64) float64 { return 0.5 * (math.Log1p(x) - math.Log1p(-x)) }

func degrees(x float64) float64 { return x * 57.29577951308232 }

func radians(x float64) float64 { return x * 0.017453292519943295 }

// cosh, sinh and tanh are those of fdlibm.
func cosh(x float64) float64 {
	switch a := math.Abs(x); {
	case math.IsNaN(x):
		return x
	case a < 0.5*math.Ln2:
		t := math.Expm1(a)
		w := 1 + t
		if a < 0x1p-55 {
			return w
		}
		return 1 + float64(t*t)/(w+w)
	case a < 22:
		t := exponential(a)
		return float64(0.5*t) + 0.5/t
	case a < 709.782712893384:
		return 0.5 * exponential(a)
	case a <= 710.4758600739439:
		w := exponential(0.5 * a)
		return float64(0.5*w) * w
	}
	return math.Inf(1)
}

func sinh(x float64) float64 {
	h := math.Copysign(0.5, x)
	switch a := math.Abs(x); {
	case math.IsNaN(x) || math.IsInf(x, 0) || a < 0x1p-28:
		return x
	case a < 1:
		t := math.Expm1(a)
		return h * (float64(2*t) - float64(t*t)/(t+1))
	case a < 22:
		t := math.Expm1(a)
		return h * (t + t/(t+1))
	case a < 709.782712893384:
		return h * exponential(a)
	case a <= 710.4758600739439:
		w := exponential(0.5 * a)
		return float64(h*w) * w
	default:
		return math.Inf(int(math.Copysign(1, x)))
	}
}

// turned negates a decimal as Java's BigDecimal does under MathContext.DECIMAL128:
// what has more than 34 digits is rounded to 34, and may become too long.
func (c *call) turned(d dec) (dec, error) {
	if _, ok := small(d); ok {
		return d.Negate(), nil
	}
	v := new(big.Int).Neg(d.BigInt())
	digits := len(new(big.Int).Abs(v).String())
	if digits <= 34 {
		return d.Negate(), nil
	}
	v = roundTo("bround", v, digits-34, 0)
	v.Mul(v, powerOf10(digits-34))
	precision, _ := typeOf(c.out())
	if len(new(big.Int).Abs(v).String()) > precision {
		return dec{}, failf("NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION", "-(%s) does not fit %s", d.BigInt(), types.SQL(c.out()))
	}
	return decimal128.FromBigInt(v), nil
}
