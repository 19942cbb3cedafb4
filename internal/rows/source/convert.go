package source

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// convert holds what conversions need from outside.
type convert struct{ now time.Time }

// view is s as a string without a copy, for a callee that does not keep it.
func view(s []byte) string { return unsafe.String(unsafe.SliceData(s), len(s)) }

func equalFold(s []byte, word string) bool { return bytes.EqualFold(s, []byte(word)) }

func textMisfit(s []byte, want string) error {
	return &valueError{msg: quoted(s) + " cannot be read as " + want}
}

// whole parses an integer of any notation without fraction.
func whole(s []byte) (int64, bool) {
	i, neg := 0, false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		i, neg = 1, s[0] == '-'
	}
	if n := len(s) - i; n == 0 || n > 19 {
		v, err := strconv.ParseInt(view(s), 10, 64)
		return v, err == nil
	}
	var u uint64
	for ; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		u = u*10 + uint64(d)
	}
	switch {
	case neg && u <= 1<<63:
		return -int64(u), true
	case !neg && u < 1<<63:
		return int64(u), true
	}
	return 0, false
}

// integer reads whole numbers that fit; Spark's reader takes neither strings
// nor fractions for them.
func integer[T int8 | int16 | int32 | int64](t types.Type) codec[T] {
	name := strings.ToUpper(t.String())
	return codec[T]{
		json: func(l *lexer) (T, error) {
			start := l.i
			if c := l.b[l.i]; c != '-' && c-'0' > 9 {
				return 0, l.misfit(name)
			}
			s, isWhole, err := l.number()
			if err != nil {
				return 0, err
			}
			if v, ok := whole(s); ok && isWhole && int64(T(v)) == v {
				return T(v), nil
			}
			l.i = start
			return 0, l.misfit(name)
		},
		text: func(s []byte) (T, error) {
			if v, ok := whole(bytes.TrimSpace(s)); ok && int64(T(v)) == v {
				return T(v), nil
			}
			return 0, textMisfit(s, name)
		},
	}
}

// real parses a floating-point number.
func real(s []byte, size int) (float64, bool) {
	switch view(s) {
	case "NaN":
		return math.NaN(), true
	case "Infinity", "+Infinity", "INF", "+INF", "Inf", "+Inf":
		return math.Inf(1), true
	case "-Infinity", "-INF", "-Inf":
		return math.Inf(-1), true
	}
	for _, c := range s {
		if c|0x20 != 'e' && c != '.' && c != '-' && c != '+' && c-'0' > 9 {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(view(s), size)
	// Too large a number is an infinity, as in Java; too small a one is zero.
	return v, err == nil || math.IsInf(v, 0)
}

// floating reads numbers, and the strings NaN, Infinity, INF with their signs.
func floating[T float32 | float64](size int) codec[T] {
	name := "DOUBLE"
	if size == 32 {
		name = "FLOAT"
	}
	return codec[T]{
		json: func(l *lexer) (T, error) {
			start := l.i
			var s []byte
			var err error
			switch c := l.b[l.i]; {
			case c == '"':
				if s, err = l.str(); err != nil {
					return 0, err
				}
				if v, ok := real(s, size); ok && (math.IsNaN(v) || len(s) > 0 && s[len(s)-1]-'0' > 9) {
					return T(v), nil
				}
				l.i = start
				return 0, l.misfit(name)
			case c == '-' || c == '+' || c-'0' <= 9:
				s, _, err = l.number()
			default:
				n := l.special()
				if n == 0 {
					return 0, l.misfit(name)
				}
				s, l.i = l.b[l.i:l.i+n], l.i+n
			}
			if err != nil {
				return 0, err
			}
			v, _ := real(s, size)
			return T(v), nil
		},
		text: func(s []byte) (T, error) {
			if v, ok := real(bytes.TrimSpace(s), size); ok {
				return T(v), nil
			}
			return 0, textMisfit(s, name)
		},
	}
}

// inString makes a codec of a parser of text; in JSON the text is in a string.
func inString[T any](name string, parse func(s string) (T, bool)) codec[T] {
	return codec[T]{
		json: func(l *lexer) (zero T, _ error) {
			start := l.i
			if l.b[l.i] != '"' {
				return zero, l.misfit(name)
			}
			s, err := l.str()
			if err != nil {
				return zero, err
			}
			if v, ok := parse(view(s)); ok {
				return v, nil
			}
			l.i = start
			return zero, l.misfit(name)
		},
		text: func(s []byte) (zero T, _ error) {
			if v, ok := parse(view(s)); ok {
				return v, nil
			}
			return zero, textMisfit(s, name)
		},
	}
}

var dates = inString("DATE", func(s string) (arrow.Date32, bool) {
	v, ok := civil.ParseDate(s)
	return arrow.Date32(v), ok
})

var timestampsNTZ = inString("TIMESTAMP_NTZ", func(s string) (arrow.Timestamp, bool) {
	v, ok := civil.ParseTimestampNTZ(s)
	return arrow.Timestamp(v), ok
})

// timestamps reads ISO texts; a JSON number is in seconds since the epoch.
func (c *convert) timestamps() codec[arrow.Timestamp] {
	k := inString("TIMESTAMP", func(s string) (arrow.Timestamp, bool) {
		v, ok := civil.ParseTimestamp(s, c.now)
		return arrow.Timestamp(v), ok
	})
	ofString := k.json
	k.json = func(l *lexer) (arrow.Timestamp, error) {
		start := l.i
		if c := l.b[l.i]; c != '-' && c-'0' > 9 {
			return ofString(l)
		}
		s, isWhole, err := l.number()
		if err != nil {
			return 0, err
		}
		if v, ok := whole(s); ok && isWhole && v <= math.MaxInt64/1_000_000 && v >= math.MinInt64/1_000_000 {
			return arrow.Timestamp(v * 1_000_000), nil
		}
		l.i = start
		return 0, l.misfit("TIMESTAMP")
	}
	return k
}

// decimals reads numbers and numbers in strings; what is finer than the scale is
// rounded half up, as Spark's reader does.
func decimals(t types.Decimal) codec[decimal128.Num] {
	name := strings.ToUpper(t.String())
	parse := func(s []byte) (decimal128.Num, bool) { return parseDecimal(s, t.Precision, t.Scale) }
	return codec[decimal128.Num]{
		json: func(l *lexer) (decimal128.Num, error) {
			start := l.i
			var s []byte
			var err error
			switch c := l.b[l.i]; {
			case c == '"':
				if s, err = l.str(); err == nil && bytes.IndexByte(s, ',') >= 0 {
					s = bytes.ReplaceAll(s, []byte(","), nil)
				}
			case c == '-' || c-'0' <= 9:
				s, _, err = l.number()
			default:
				return decimal128.Num{}, l.misfit(name)
			}
			if err != nil {
				return decimal128.Num{}, err
			}
			if v, ok := parse(s); ok {
				return v, nil
			}
			l.i = start
			return decimal128.Num{}, l.misfit(name)
		},
		text: func(s []byte) (decimal128.Num, error) {
			if v, ok := parse(bytes.TrimSpace(s)); ok {
				return v, nil
			}
			return decimal128.Num{}, textMisfit(s, name)
		},
	}
}

// parseDecimal reads [+-]digits[.digits][e[+-]digits] to a scale. It fails when
// the number has more digits than the precision.
func parseDecimal(s []byte, precision, scale int) (decimal128.Num, bool) {
	neg := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg, s = s[0] == '-', s[1:]
	}
	exp := 0
	if i := bytes.IndexAny(s, "eE"); i >= 0 {
		e, ok := whole(s[i+1:])
		if !ok || e > 10_000 || e < -10_000 {
			return decimal128.Num{}, false
		}
		exp, s = int(e), s[:i]
	}
	left, right, _ := bytes.Cut(s, []byte("."))
	if len(left)+len(right) == 0 || len(left)+len(right) > 10_000 {
		return decimal128.Num{}, false
	}
	digits := make([]byte, 0, 64)
	digits = append(append(digits, left...), right...)
	for _, c := range digits {
		if c-'0' > 9 {
			return decimal128.Num{}, false
		}
	}
	exp -= len(right)    // value = digits * 10^exp
	shift := exp + scale // unscaled = digits * 10^shift
	keep := len(digits)  // digits before the rounding
	up := false          // round away from zero
	if shift < 0 {
		keep += shift
		if keep < 0 {
			keep, digits = 0, []byte("0")
		}
		up = keep < len(digits) && digits[keep] >= '5'
		digits, shift = digits[:keep], 0
	}
	digits = bytes.TrimLeft(digits, "0")
	if len(digits) > 0 && len(digits)+shift > precision {
		return decimal128.Num{}, false
	}
	if len(digits) == 0 {
		shift = 0
	}
	for range shift {
		digits = append(digits, '0')
	}
	var n decimal128.Num
	if len(digits) <= 18 {
		v, _ := whole(append([]byte{'0'}, digits...))
		n = decimal128.FromI64(v)
	} else {
		b, _ := new(big.Int).SetString(string(digits), 10)
		n = decimal128.FromBigInt(b)
	}
	if up {
		n = n.Add(decimal128.FromI64(1))
		if !n.FitsInPrecision(int32(precision)) {
			return decimal128.Num{}, false
		}
	}
	if neg {
		n = n.Negate()
	}
	return n, true
}
