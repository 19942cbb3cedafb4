package eval

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"+": arithmetic, "-": arithmetic, "*": arithmetic, "/": divide, "%": remainder, "pmod": remainder, "div": integerDivide,
		"neg": negate, "&": bitwise, "|": bitwise, "^": bitwise, "~": bitwise, "<<": shift, ">>": shift, ">>>": shift,
	})
}

// arithmetic is +, - and * on two values of one numeric type, and the arithmetic of dates.
func arithmetic(c *call) (arrow.Array, error) {
	if !types.IsNumeric(c.out()) || !types.IsNumeric(c.typ(0)) {
		return timeArithmetic(c)
	}
	ok := c.valid()
	switch c.out().Kind() {
	case types.KindDecimal:
		return decimalArithmetic(c)
	case types.KindByte:
		return narrow[int8](c, ok, math.MinInt8, math.MaxInt8)
	case types.KindShort:
		return narrow[int16](c, ok, math.MinInt16, math.MaxInt16)
	case types.KindInteger:
		return narrow[int32](c, ok, math.MinInt32, math.MaxInt32)
	case types.KindLong:
		return long(c, ok)
	case types.KindFloat:
		return floating2[float32](c, ok)
	}
	return floating2[float64](c, ok)
}

// operands gives two slices of n values; a constant is repeated.
func operands[T arrow.FixedWidthType](c *call) (a, b []T) {
	return repeated[T](c.args[0], c.n), repeated[T](c.args[1], c.n)
}

func repeated[T arrow.FixedWidthType](v vec, n int) []T {
	if v.arr.DataType().ID() == arrow.NULL {
		return make([]T, n)
	}
	s := arrow.GetData[T](v.arr.Data().Buffers()[1].Bytes())[v.arr.Data().Offset():]
	if !v.konst || n == 1 {
		return s[:n]
	}
	out := make([]T, n)
	for i := range out {
		out[i] = s[0]
	}
	return out
}

// narrow computes in 64 bits and checks the range of the result once per batch.
func narrow[T int8 | int16 | int32](c *call, ok []byte, low, high int64) (arrow.Array, error) {
	a, b := operands[T](c)
	out := make([]T, c.n)
	bad := int64(0)
	switch c.node.Fn {
	case "+":
		for i := range out {
			r := int64(a[i]) + int64(b[i])
			out[i] = T(r)
			bad |= r ^ int64(T(r))
		}
	case "-":
		for i := range out {
			r := int64(a[i]) - int64(b[i])
			out[i] = T(r)
			bad |= r ^ int64(T(r))
		}
	default:
		for i := range out {
			r := int64(a[i]) * int64(b[i])
			out[i] = T(r)
			bad |= r ^ int64(T(r))
		}
	}
	if bad != 0 && !c.legacy() {
		for i := range out {
			var r int64
			switch x, y := int64(a[i]), int64(b[i]); c.node.Fn {
			case "+":
				r = x + y
			case "-":
				r = x - y
			default:
				r = x * y
			}
			if isSet(ok, i) && (r < low || r > high) {
				return nil, overflow(c, int64(a[i]), int64(b[i]))
			}
		}
	}
	dt, err := arrowType(c.out())
	return makeFixed(dt, out, ok), err
}

func overflow(c *call, a, b int64) *Error {
	class := "ARITHMETIC_OVERFLOW"
	if k := c.out().Kind(); k == types.KindByte || k == types.KindShort {
		class = "BINARY_ARITHMETIC_OVERFLOW"
	}
	return failf(class, "%d %s %d is outside the range of %s", a, c.node.Fn, b, types.SQL(c.out()))
}

func long(c *call, ok []byte) (arrow.Array, error) {
	a, b := operands[int64](c)
	out := make([]int64, c.n)
	bad := int64(0)
	switch c.node.Fn {
	case "+":
		for i := range out {
			r := a[i] + b[i]
			out[i] = r
			bad |= (a[i] ^ r) & (b[i] ^ r)
		}
	case "-":
		for i := range out {
			r := a[i] - b[i]
			out[i] = r
			bad |= (a[i] ^ b[i]) & (a[i] ^ r)
		}
	default:
		for i := range out {
			hi, lo := bits.Mul64(uint64(a[i]), uint64(b[i]))
			h := int64(hi) - (a[i]>>63)&b[i] - (b[i]>>63)&a[i] // the signed high word
			out[i] = int64(lo)
			if h != int64(lo)>>63 {
				bad = -1
			}
		}
	}
	if bad < 0 && !c.legacy() {
		for i := range out {
			if isSet(ok, i) && overflows(c.node.Fn, a[i], b[i]) {
				return nil, overflow(c, a[i], b[i])
			}
		}
	}
	return makeFixed(arrow.PrimitiveTypes.Int64, out, ok), nil
}

func overflows(fn string, a, b int64) bool {
	switch fn {
	case "+":
		r := a + b
		return (a^r)&(b^r) < 0
	case "-":
		r := a - b
		return (a^b)&(a^r) < 0
	}
	_, ok := mul64(a, b)
	return !ok
}

// mul64 multiplies; false when the product has more than 64 bits.
func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	h := int64(hi) - (a>>63)&b - (b>>63)&a
	return int64(lo), h == int64(lo)>>63
}

func floating2[T float32 | float64](c *call, ok []byte) (arrow.Array, error) {
	a, b := operands[T](c)
	out := make([]T, c.n)
	switch c.node.Fn {
	case "+":
		for i := range out {
			out[i] = a[i] + b[i]
		}
	case "-":
		for i := range out {
			out[i] = a[i] - b[i]
		}
	default:
		for i := range out {
			out[i] = a[i] * b[i]
		}
	}
	dt, err := arrowType(c.out())
	return makeFixed(dt, out, ok), err
}

// intervalQuotient is how often one interval is in another.
func intervalQuotient(c *call) (arrow.Array, error) {
	a, b := c.int(0), c.int(1)
	return c.ints(func(i int) (int64, error) {
		if b(i) == 0 {
			return 0, failf("INTERVAL_DIVIDED_BY_ZERO", "an interval divided by zero")
		}
		return a(i) / b(i), nil
	})
}

func divide(c *call) (arrow.Array, error) {
	switch {
	case c.out().Kind() == types.KindDecimal:
		return decimalArithmetic(c)
	case !types.IsNumeric(c.out()):
		return timeArithmetic(c)
	}
	ok := c.valid()
	a, b := operands[float64](c)
	out := make([]float64, c.n)
	zero := false
	for i := range out {
		out[i] = a[i] / b[i]
		zero = zero || b[i] == 0
	}
	if zero && c.legacy() {
		ok = without0(ok, b)
	} else if zero {
		for i := range out {
			if b[i] == 0 && isSet(ok, i) {
				return nil, divideByZero()
			}
		}
	}
	return makeFixed(arrow.PrimitiveTypes.Float64, out, ok), nil
}

// without0 takes the rows with a zero out of a bitmap.
func without0(ok []byte, b []float64) []byte {
	if ok == nil {
		ok = onesBits(len(b))
	} else {
		ok = append([]byte(nil), ok...)
	}
	for i, v := range b {
		if v == 0 {
			clearBit(ok, i)
		}
	}
	return ok
}

func divideByZero() *Error { return failf("DIVIDE_BY_ZERO", "division by zero") }

func remainderByZero() *Error { return failf("REMAINDER_BY_ZERO", "remainder by zero") }

// remainder is % (the sign of the dividend) and pmod (never negative for a positive divisor).
func remainder(c *call) (arrow.Array, error) {
	switch k := c.out().Kind(); {
	case k == types.KindDecimal:
		return decimalArithmetic(c)
	case k == types.KindFloat || k == types.KindDouble:
		a, b := c.float(0), c.float(1)
		return c.floats(func(i int) (float64, error) {
			x, y := a(i), b(i)
			if y == 0 {
				return 0, remainderByZero()
			}
			r := math.Mod(x, y)
			if c.node.Fn == "pmod" && r < 0 {
				r = math.Mod(r+y, y)
			}
			return r, nil
		})
	}
	a, b := c.int(0), c.int(1)
	return c.ints(func(i int) (int64, error) {
		x, y := a(i), b(i)
		if y == 0 {
			return 0, remainderByZero()
		}
		if y == -1 {
			return 0, nil
		}
		r := x % y
		if c.node.Fn == "pmod" && r < 0 {
			r = (r + y) % y
		}
		return r, nil
	})
}

func integerDivide(c *call) (arrow.Array, error) {
	if isInterval(c.typ(0)) {
		return intervalQuotient(c)
	}
	if c.typ(0).Kind() == types.KindDecimal {
		a, b := c.dec(0), c.dec(1)
		return c.ints(func(i int) (int64, error) {
			x, y := a(i).BigInt(), b(i).BigInt()
			if y.Sign() == 0 {
				return 0, divideByZero()
			}
			if x.Quo(x, y); !x.IsInt64() {
				if c.legacy() {
					return int64(decimal128.FromBigInt(x).LowBits()), nil
				}
				return 0, failf("ARITHMETIC_OVERFLOW", "%s is outside the range of BIGINT", x)
			}
			return x.Int64(), nil
		})
	}
	a, b := c.int(0), c.int(1)
	return c.ints(func(i int) (int64, error) {
		x, y := a(i), b(i)
		switch {
		case y == 0:
			return 0, divideByZero()
		case y == -1 && x == math.MinInt64 && c.legacy():
			return x, nil
		case y == -1 && x == math.MinInt64:
			return 0, failf("ARITHMETIC_OVERFLOW", "%d div -1 is outside the range of BIGINT", x)
		}
		return x / y, nil
	})
}

func negate(c *call) (arrow.Array, error) {
	switch k := c.out().Kind(); {
	case k == types.KindCalendarInterval:
		return calendarArithmetic(c)
	case k == types.KindDecimal:
		a := c.dec(0)
		return c.decs(func(i int) (dec, error) { return c.turned(a(i)) })
	case k == types.KindFloat || k == types.KindDouble:
		a := c.float(0)
		return c.floats(func(i int) (float64, error) { return -a(i), nil })
	}
	a := c.int(0)
	low := map[types.Kind]int64{types.KindByte: math.MinInt8, types.KindShort: math.MinInt16, types.KindInteger: math.MinInt32,
		types.KindYearMonthInterval: math.MinInt32}[c.out().Kind()]
	if low == 0 {
		low = math.MinInt64
	}
	return c.ints(func(i int) (int64, error) {
		v := a(i)
		if v == low && (!c.legacy() || isInterval(c.out())) {
			return 0, failf("ARITHMETIC_OVERFLOW", "-(%d) is outside the range of %s", v, types.SQL(c.out()))
		}
		return -v, nil
	})
}

func bitwise(c *call) (arrow.Array, error) {
	a := c.int(0)
	if c.node.Fn == "~" {
		return c.ints(func(i int) (int64, error) { return ^a(i), nil })
	}
	b := c.int(1)
	switch c.node.Fn {
	case "&":
		return c.ints(func(i int) (int64, error) { return a(i) & b(i), nil })
	case "|":
		return c.ints(func(i int) (int64, error) { return a(i) | b(i), nil })
	}
	return c.ints(func(i int) (int64, error) { return a(i) ^ b(i), nil })
}

// shift masks the distance by the width, as Java does.
func shift(c *call) (arrow.Array, error) {
	a, b := c.int(0), c.int(1)
	if c.out() == types.Long {
		switch c.node.Fn {
		case "<<":
			return c.ints(func(i int) (int64, error) { return a(i) << (uint(b(i)) & 63), nil })
		case ">>":
			return c.ints(func(i int) (int64, error) { return a(i) >> (uint(b(i)) & 63), nil })
		}
		return c.ints(func(i int) (int64, error) { return int64(uint64(a(i)) >> (uint(b(i)) & 63)), nil })
	}
	switch c.node.Fn {
	case "<<":
		return c.ints(func(i int) (int64, error) { return int64(int32(a(i)) << (uint(b(i)) & 31)), nil })
	case ">>":
		return c.ints(func(i int) (int64, error) { return int64(int32(a(i)) >> (uint(b(i)) & 31)), nil })
	}
	return c.ints(func(i int) (int64, error) { return int64(int32(uint32(a(i)) >> (uint(b(i)) & 31))), nil })
}
