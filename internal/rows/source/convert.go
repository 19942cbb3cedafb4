package source

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

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
