package eval

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// makeText makes a string (or binary) result whose rows append themselves to the
// bytes of the batch.
func makeText(t types.Type, n int, ok []byte, f func(b []byte, i int) ([]byte, error)) (arrow.Array, error) {
	dt, err := arrowType(t)
	if err != nil {
		return nil, err
	}
	offsets := make([]int32, n+1)
	data := make([]byte, 0, n*8)
	last := 0
	ok, err = rows(n, ok, func(i int) error {
		b, err := f(data, i)
		if err != nil {
			return err
		}
		for ; last < i; last++ {
			offsets[last+1] = int32(len(data))
		}
		if len(b) > 1<<31-1 {
			return errors.New("eval: more than 2 GiB of text in one batch")
		}
		data = b
		return nil
	})
	if err != nil {
		return nil, err
	}
	for ; last < n; last++ {
		offsets[last+1] = int32(len(data))
	}
	return makeArray(dt, n, ok, memory.NewBufferBytes(arrow.GetBytes(offsets)), memory.NewBufferBytes(data)), nil
}

// text makes a string result by appending; rows with a NULL argument are NULL.
func (c *call) text(f func(b []byte, i int) ([]byte, error)) (arrow.Array, error) {
	g := f
	if c.legacy() {
		g = func(b []byte, i int) ([]byte, error) {
			out, err := f(b, i)
			if failed, ok := err.(*Error); ok && soft[failed.Class] {
				err = errNull
			}
			return out, err
		}
	}
	return makeText(c.out(), c.n, c.valid(), g)
}

// appender writes values that are not NULL and not nested as CAST(... AS STRING)
// does; nil for other types.
func appender(a arrow.Array, t types.Type, in expr.Session) func(b []byte, i int) []byte {
	switch x := a.(type) {
	case *array.Boolean:
		return func(b []byte, i int) []byte { return strconv.AppendBool(b, x.Value(i)) }
	case *array.Float32:
		return func(b []byte, i int) []byte { return appendFloat(b, float64(x.Value(i)), 32) }
	case *array.Float64:
		return func(b []byte, i int) []byte { return appendFloat(b, x.Value(i), 64) }
	case *array.Decimal128:
		if in.Legacy {
			return nil
		}
		_, scale := typeOf(t)
		return func(b []byte, i int) []byte { return appendDec(b, x.Value(i), scale) }
	case *array.String, *array.Binary:
		s := texts(vec{arr: a})
		return func(b []byte, i int) []byte { return append(b, s(i)...) }
	case *array.List, *array.Map, *array.Struct, *array.Null:
		return nil
	}
	v := int64s(vec{arr: a})
	switch t.Kind() {
	case types.KindDate:
		return func(b []byte, i int) []byte { return civil.AppendDate(b, v(i)) }
	case types.KindTimestamp:
		return func(b []byte, i int) []byte { return civil.AppendTimestamp(b, civil.Local(v(i), in.Zone)) }
	case types.KindTimestampNTZ:
		return func(b []byte, i int) []byte { return civil.AppendTimestamp(b, v(i)) }
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong:
		return func(b []byte, i int) []byte { return strconv.AppendInt(b, v(i), 10) }
	}
	return nil
}

// appendDec is columns.AppendDecimal that needs no memory for what fits 64 bits.
func appendDec(b []byte, d dec, scale int) []byte {
	v, ok := small(d)
	if !ok || v == -1<<63 || scale < 0 {
		return columns.AppendDecimal(b, d, scale)
	}
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	if scale == 0 || scale > 18 {
		if scale > 18 {
			return columns.AppendDecimal(b, dec(d.Abs()), scale)
		}
		return strconv.AppendInt(b, v, 10)
	}
	b = append(strconv.AppendInt(b, v/pow10[scale], 10), '.')
	return appendPadded(b, v%pow10[scale], scale)
}

func appendPadded(b []byte, v int64, width int) []byte {
	digits := 1
	for x := v; x >= 10; x /= 10 {
		digits++
	}
	for ; digits < width; digits++ {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, v, 10)
}

// appendFloat is formatFloat.
func appendFloat(b []byte, f float64, bits int) []byte {
	a := f
	if a < 0 {
		a = -a
	}
	if !(a >= 1e-3 && a < 1e7) {
		return append(b, formatFloat(f, bits)...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, bits)
	for _, c := range b[start:] {
		if c == '.' {
			return b
		}
	}
	return append(b, '.', '0')
}

// cased changes the case of a text; ASCII goes byte by byte.
func cased(low, high byte, other func(string) string) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		s := c.str(0)
		return c.text(func(b []byte, i int) ([]byte, error) {
			text, start := s(i), len(b)
			for k := 0; k < len(text); k++ {
				x := text[k]
				if x >= utf8.RuneSelf {
					return append(b[:start], other(text)...), nil
				}
				if x >= low && x <= high {
					x ^= 0x20
				}
				b = append(b, x)
			}
			return b, nil
		})
	}
}

// initCap capitalises the words between blanks.
func initCap(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.text(func(b []byte, i int) ([]byte, error) {
		first := true
		for _, r := range s(i) {
			if first {
				b = utf8.AppendRune(b, unicode.ToTitle(r))
			} else {
				b = utf8.AppendRune(b, unicode.ToLower(r))
			}
			first = r == ' '
		}
		return b, nil
	})
}

func replace(c *call) (arrow.Array, error) {
	s, from, to := c.str(0), c.str(1), func(int) string { return "" }
	if c.has(2) {
		to = c.str(2)
	}
	return c.text(func(b []byte, i int) ([]byte, error) {
		rest, old := s(i), from(i)
		for old != "" {
			k := strings.Index(rest, old)
			if k < 0 {
				break
			}
			b, rest = append(append(b, rest[:k]...), to(i)...), rest[k+len(old):]
		}
		return append(b, rest...), nil
	})
}

// nthPart is the n-th part between separators, from the end when negative; no
// separator is one part.
func nthPart(s, sep string, n int64) string {
	if sep == "" {
		if n == 1 || n == -1 {
			return s
		}
		return ""
	}
	if n < 0 {
		n += int64(strings.Count(s, sep)) + 2
	}
	if n < 1 {
		return ""
	}
	for ; n > 1; n-- {
		k := strings.Index(s, sep)
		if k < 0 {
			return ""
		}
		s = s[k+len(sep):]
	}
	if k := strings.Index(s, sep); k >= 0 {
		return s[:k]
	}
	return s
}
