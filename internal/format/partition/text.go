package partition

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// HiveNull is the folder name of NULL. As a value it means NULL too, because
// that is what comes out of the folder name in other engines.
const HiveNull = "__HIVE_DEFAULT_PARTITION__"

// Parse reads a partition value of the log as a literal value (see
// expr.Literal). The empty string is NULL for every type.
func Parse(text string, t types.Type) (any, error) {
	if text == "" || text == HiveNull {
		return nil, nil
	}
	v, ok := parse(text, t)
	if !ok {
		return nil, fmt.Errorf("partition value %q is no %s", text, t)
	}
	return v, nil
}

func parse(text string, t types.Type) (any, bool) {
	switch t.Kind() {
	case types.KindString:
		return text, true
	case types.KindBinary:
		return []byte(text), true
	}
	text = strings.TrimSpace(text) // as casts do, by which other engines read these
	switch t.Kind() {
	case types.KindBoolean:
		switch strings.ToLower(text) {
		case "true", "t", "yes", "y", "1":
			return true, true
		case "false", "f", "no", "n", "0":
			return false, true
		}
		return nil, false
	case types.KindByte:
		return parseInt(text, 8)
	case types.KindShort:
		return parseInt(text, 16)
	case types.KindInteger:
		return parseInt(text, 32)
	case types.KindLong:
		return parseInt(text, 64)
	case types.KindFloat:
		return parseFloat(text, 32)
	case types.KindDouble:
		return parseFloat(text, 64)
	case types.KindDecimal:
		return ParseDecimal(text, t.(types.Decimal))
	case types.KindDate:
		days, rest, ok := parseDate(text)
		if ok && rest != "" { // a timestamp where a date is wanted
			_, _, ok = parseMoment(text)
		}
		return days, ok
	case types.KindTimestamp:
		return ParseTimestamp(text)
	case types.KindTimestampNTZ:
		local, _, ok := parseMoment(text)
		return local, ok
	}
	return nil, false
}

func parseInt(text string, bits int) (any, bool) {
	n, err := strconv.ParseInt(text, 10, bits)
	return n, err == nil
}

func parseFloat(text string, bits int) (any, bool) {
	f, err := strconv.ParseFloat(text, bits)
	if err != nil && !math.IsInf(f, 0) {
		return nil, false
	}
	return f, true
}

// ParseDecimal reads a number exactly; digits beyond the scale must be zeros.
func ParseDecimal(text string, t types.Decimal) (expr.Decimal, bool) {
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(text[i+1:])
		if err != nil || n > 100 || n < -100 {
			return expr.Decimal{}, false
		}
		mantissa, exponent = text[:i], n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimPrefix(whole+fraction, "+")
	if digits == "" || digits == "-" || len(digits) > 200 || strings.ContainsAny(digits, "_ ") {
		return expr.Decimal{}, false
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return expr.Decimal{}, false
	}
	shift := t.Scale + exponent - len(fraction)
	pow := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		n.Mul(n, pow)
	} else if _, rest := n.QuoRem(n, pow, new(big.Int)); rest.Sign() != 0 {
		return expr.Decimal{}, false
	}
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
	if n.CmpAbs(limit) >= 0 {
		return expr.Decimal{}, false
	}
	return expr.Decimal{Unscaled: n, Scale: t.Scale}, true
}

// Format spells a literal value of a partition column for the log; null is true
// when the log holds NULL: for nil, and for the empty string and the Hive name
// of NULL, which no engine can tell from it.
// Timestamps are written in UTC, ISO 8601, as the protocol recommends.
func Format(v any, t types.Type) (text string, null bool, err error) {
	switch x := v.(type) {
	case nil:
		return "", true, nil
	case bool:
		return strconv.FormatBool(x), false, nil
	case string:
		if x == "" || x == HiveNull {
			return "", true, nil
		}
		if !utf8.ValidString(x) {
			return "", false, fmt.Errorf("partition value %q is not UTF-8: the log cannot hold it", x)
		}
		return x, false, nil
	case []byte:
		if len(x) == 0 {
			return "", true, nil
		}
		if !utf8.Valid(x) {
			return "", false, fmt.Errorf("binary partition value %x is not UTF-8: the log cannot hold it", x)
		}
		return string(x), false, nil
	case float64:
		bits := 64
		if t.Kind() == types.KindFloat {
			bits = 32
		}
		return formatFloat(x, bits), false, nil
	case expr.Decimal:
		return string(columns.AppendDecimal(nil, decimal128.FromBigInt(x.Unscaled), x.Scale)), false, nil
	case int64:
		switch t.Kind() {
		case types.KindDate:
			return string(columns.AppendDate(nil, x)), false, nil
		case types.KindTimestamp:
			return string(columns.AppendTimestamp(nil, x)) + "Z", false, nil
		case types.KindTimestampNTZ:
			text := strings.Replace(string(columns.AppendTimestamp(nil, x)), "T", " ", 1)
			return strings.TrimSuffix(strings.TrimRight(text, "0"), "."), false, nil
		}
		return strconv.FormatInt(x, 10), false, nil
	}
	return "", false, fmt.Errorf("a %s cannot be a partition value", t)
}

// formatFloat spells a number as Java's Double.toString does in essentials: a
// point always, an exponent from 1e7 and below 1e-3.
func formatFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if a := math.Abs(f); a == 0 || (a >= 1e-3 && a < 1e7) {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent) // what FormatFloat wrote
	return mantissa + "E" + strconv.Itoa(n)
}
