package colstats

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/types"
)

// Min is the lower bound as a value of type t, which is the leaf's type. The
// zero Value (class None) means unknown.
func (l LeafStats) Min(t types.Type) Value { return bound(l.min, t, false) }

// Max is the upper bound as a value of type t. What writers cut off is put back:
// the microseconds of a timestamp and the tail of a long string.
func (l LeafStats) Max(t types.Type) Value { return bound(l.max, t, true) }

// MaxWritten is the upper bound as the writer put it, without what Max puts back.
func (l LeafStats) MaxWritten(t types.Type) Value { return bound(l.max, t, false) }

func bound(raw []byte, t types.Type, upper bool) Value {
	if len(raw) == 0 || !HasBounds(t) {
		return Value{}
	}
	if raw[0] == '{' || raw[0] == '[' {
		return Value{}
	}
	text := raw
	quoted := raw[0] == '"'
	if quoted {
		text = raw[1 : len(raw)-1]
		if bytes.IndexByte(text, '\\') >= 0 {
			text = unquote(text)
		}
	}
	switch t.Kind() {
	case types.KindString:
		if !quoted || !utf8.Valid(text) {
			return Value{}
		}
		return Value{Class: Text, S: widenText(string(text), upper)}
	case types.KindDate:
		if days, ok := partition.ParseDate(string(text)); ok {
			return Value{Class: Int, I: days}
		}
	case types.KindTimestamp, types.KindTimestampNTZ:
		if micros, ok := partition.ParseTimestamp(string(text)); ok {
			if upper && micros <= math.MaxInt64-999 {
				micros += 999
			}
			return Value{Class: Int, I: micros}
		}
	case types.KindFloat, types.KindDouble:
		f, err := strconv.ParseFloat(string(text), floatBits(t))
		if err == nil && !math.IsNaN(f) {
			return Value{Class: Float, F: f}
		}
	case types.KindDecimal:
		return decimalBound(string(text), t.(types.Decimal), upper)
	default:
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return Value{Class: Int, I: n}
		}
	}
	return Value{}
}

// widenText repairs the maximum of writers that end a cut string in U+FFFD,
// which is smaller than the characters beyond the basic plane.
func widenText(s string, upper bool) string {
	if upper && strings.HasSuffix(s, "\uFFFD") {
		return strings.TrimSuffix(s, "\uFFFD") + string(utf8.MaxRune)
	}
	return s
}

// decimalBound reads a decimal exactly. Writers that went through a 64-bit float
// betray themselves by the number of fraction digits; their bound is widened by
// what the float may have lost.
func decimalBound(text string, t types.Decimal, upper bool) Value {
	exact, isExact := partition.ParseDecimal(text, t)
	_, fraction, _ := strings.Cut(text, ".")
	whole := strings.IndexAny(text, ".eE")
	trusted := isExact && (t.Precision <= 15 || len(fraction) == t.Scale) && !strings.ContainsAny(text, "eE") &&
		(t.Scale != 1 || t.Precision <= 15 || whole <= 15)
	if trusted {
		v, _ := Of(exact, t)
		return v
	}
	f, ok := new(big.Float).SetPrec(200).SetString(text)
	if !ok || f.IsInf() || f.MantExp(nil) > 128 {
		return Value{}
	}
	slack := new(big.Float).SetMantExp(new(big.Float).Abs(f), -52)
	ten := new(big.Float).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil))
	one := big.NewFloat(1)
	if !upper {
		slack.Neg(slack)
		one.Neg(one)
	}
	f.Add(f, slack).Mul(f, ten).Add(f, one)
	n, _ := f.Int(nil)
	if n.BitLen() > 126 {
		return Value{}
	}
	v, _ := Of(expr.Decimal{Unscaled: n, Scale: t.Scale}, t)
	return v
}
