package eval

import (
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/uuid"

	"github.com/sluicelake/sluice/types"
)

func init() {
	family := map[string]func(*call) (arrow.Array, error){
		"abs": absolute, "isnan": isNaN, "nanvl": nanvl, "factorial": factorial, "bin": bin, "conv": conv, "bit_count": bitCount, "bit_get": bitGet,
		"width_bucket": widthBucket, "rand": random, "randn": random, "uuid": randomID,
		"atan2": float2(func(y, x float64) float64 { return arctangent2(y+0, x+0) }), "hypot": float2(hypotenuse), "pow": float2(power),
		"e": func(c *call) (arrow.Array, error) { return c.floats(func(int) (float64, error) { return math.E, nil }) },
		"pi": func(c *call) (arrow.Array, error) {
			return c.floats(func(int) (float64, error) { return math.Pi, nil })
		},
		"log": logarithm,
	}
	for name, f := range map[string]func(float64) float64{
		"exp": exponential, "expm1": math.Expm1, "sqrt": math.Sqrt, "cbrt": cbrt, "sin": sine, "cos": cosine, "tan": tangent,
		"cot": func(x float64) float64 { return 1 / tangent(x) }, "sec": func(x float64) float64 { return 1 / cosine(x) }, "csc": func(x float64) float64 { return 1 / sine(x) },
		"asin": arcsine, "acos": arccosine, "atan": arctangent, "sinh": sinh, "cosh": cosh, "tanh": hyperbolicTangent,
		"asinh": asinh, "acosh": acosh, "atanh": atanh, "rint": math.RoundToEven,
		"degrees": degrees, "radians": radians,
		"signum": signum,
	} {
		family[name] = float1(f)
	}
	for name, f := range map[string]func(float64) float64{"ln": logarithmE, "log10": log10, "log2": log2} {
		family[name] = positive(f, 0)
	}
	family["log1p"] = positive(math.Log1p, -1)
	register(family)
}

func float1(f func(float64) float64) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		x := c.float(0)
		return c.floats(func(i int) (float64, error) { return f(x(i)), nil })
	}
}

func float2(f func(a, b float64) float64) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		x, y := c.float(0), c.float(1)
		return c.floats(func(i int) (float64, error) { return f(x(i), y(i)), nil })
	}
}

// positive is a logarithm: NULL for values at or below the bound.
func positive(f func(float64) float64, bound float64) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		x := c.float(0)
		return c.floats(func(i int) (float64, error) {
			if x(i) <= bound {
				return 0, errNull
			}
			return f(x(i)), nil
		})
	}
}

func logarithm(c *call) (arrow.Array, error) {
	base, x := c.float(0), c.float(1)
	return c.floats(func(i int) (float64, error) {
		if base(i) <= 0 || x(i) <= 0 {
			return 0, errNull
		}
		return logarithmE(x(i)) / logarithmE(base(i)), nil
	})
}

func signum(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func absolute(c *call) (arrow.Array, error) {
	switch k := c.out().Kind(); {
	case k == types.KindDecimal:
		d := c.dec(0)
		return c.decs(func(i int) (dec, error) {
			if v := d(i); v.Sign() >= 0 {
				return v, nil
			}
			return c.turned(d(i))
		})
	case k == types.KindFloat || k == types.KindDouble:
		return float1(math.Abs)(c)
	}
	low, _ := intRange(c.out())
	v := c.int(0)
	return c.ints(func(i int) (int64, error) {
		if v(i) == low && (!c.legacy() || isInterval(c.out())) {
			return 0, failf("ARITHMETIC_OVERFLOW", "abs(%d) is outside the range of %s", low, types.SQL(c.out()))
		}
		return abs64(v(i)), nil
	})
}

func isNaN(c *call) (arrow.Array, error) {
	ok := c.valid()
	x := c.float(0)
	return makeBools(c.n, nil, func(i int) (bool, error) { return isSet(ok, i) && math.IsNaN(x(i)), nil })
}

func nanvl(c *call) (arrow.Array, error) {
	a, b, okA, okB := c.float(0), c.float(1), valid(c.n, c.args[0]), valid(c.n, c.args[1])
	return makeFloats(c.out(), c.n, okA, func(i int) (float64, error) {
		if !math.IsNaN(a(i)) {
			return a(i), nil
		}
		if !isSet(okB, i) {
			return 0, errNull
		}
		return b(i), nil
	})
}

func factorial(c *call) (arrow.Array, error) {
	v := c.int(0)
	return c.ints(func(i int) (int64, error) {
		if v(i) < 0 || v(i) > 20 {
			return 0, errNull
		}
		r := int64(1)
		for k := int64(2); k <= v(i); k++ {
			r *= k
		}
		return r, nil
	})
}

func bin(c *call) (arrow.Array, error) {
	v := c.int(0)
	return c.strings(func(i int) (string, error) { return strconv.FormatUint(uint64(v(i)), 2), nil })
}

// conv rewrites a number from one base to another, in 64 bits.
func conv(c *call) (arrow.Array, error) {
	s, from, to := c.str(0), c.int(1), c.int(2)
	return c.strings(func(i int) (string, error) {
		f, t := from(i), to(i)
		text := strings.ToLower(strings.TrimSpace(s(i)))
		if f < 2 || f > 36 || abs64(t) < 2 || abs64(t) > 36 || text == "" {
			return "", errNull
		}
		neg := text[0] == '-'
		text = strings.TrimPrefix(text, "-")
		v := new(big.Int)
		for _, r := range text {
			d := strings.IndexRune("0123456789abcdefghijklmnopqrstuvwxyz", r)
			if d < 0 || int64(d) >= f {
				break
			}
			v.Add(v.Mul(v, big.NewInt(f)), big.NewInt(int64(d)))
		}
		if v.BitLen() > 64 && c.legacy() {
			v.SetUint64(math.MaxUint64)
			neg = false
		}
		if v.BitLen() > 64 {
			return "", failf("ARITHMETIC_OVERFLOW", "conv: %q has more than 64 bits", clip(s(i)))
		}
		u := v.Uint64()
		if neg {
			u = -u
		}
		if t < 0 {
			return strings.ToUpper(strconv.FormatInt(int64(u), int(-t))), nil
		}
		return strings.ToUpper(strconv.FormatUint(u, int(t))), nil
	})
}

func bitCount(c *call) (arrow.Array, error) {
	if b, ok := c.args[0].arr.(*array.Boolean); ok {
		return c.ints(func(i int) (int64, error) { return int64(b2i(b.Value(c.args[0].at(i)))), nil })
	}
	v := c.int(0)
	return c.ints(func(i int) (int64, error) { return int64(bits.OnesCount64(uint64(v(i)))), nil })
}

func bitGet(c *call) (arrow.Array, error) {
	v, at := c.int(0), c.int(1)
	last := map[types.Type]int64{types.Byte: 7, types.Short: 15, types.Integer: 31, types.Long: 63}[c.typ(0)]
	return c.ints(func(i int) (int64, error) {
		if at(i) < 0 || at(i) > last {
			return 0, failf("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", "bit_get: the position is 0 to %d, not %d", last, at(i))
		}
		return v(i) >> at(i) & 1, nil
	})
}

func widthBucket(c *call) (arrow.Array, error) {
	v, low, high, n := c.float(0), c.float(1), c.float(2), c.int(3)
	return c.ints(func(i int) (int64, error) {
		x, a, b, k := v(i), low(i), high(i), n(i)
		if k <= 0 || k == math.MaxInt64 || a == b || math.IsNaN(x) || math.IsNaN(a) || math.IsNaN(b) || math.IsInf(a, 0) || math.IsInf(b, 0) {
			return 0, errNull
		}
		if a > b {
			x, a, b = -x, -a, -b
		}
		switch {
		case x < a:
			return 0, nil
		case x >= b:
			return k + 1, nil
		}
		return int64(float64(k)*(x-a)/(b-a)) + 1, nil
	})
}

func random(c *call) (arrow.Array, error) {
	return makeFloats(c.out(), c.n, nil, func(int) (float64, error) {
		if c.node.Fn == "randn" {
			return rand.NormFloat64(), nil
		}
		return rand.Float64(), nil
	})
}

func randomID(c *call) (arrow.Array, error) {
	return makeStrings(c.out(), c.n, nil, func(int) (string, error) { return uuid.NewString(), nil })
}
