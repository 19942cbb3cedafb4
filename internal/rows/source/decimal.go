package source

import (
	"bytes"
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/types"
)

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
