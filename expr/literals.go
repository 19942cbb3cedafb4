package expr

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// text takes a string literal; literals side by side are one.
func (p *Parser) text() Expr {
	s := p.Next().Value
	for p.tok.Kind == Text {
		s += p.Next().Value
	}
	return &Literal{Value: s, T: types.String}
}

func (p *Parser) hex() (Expr, error) {
	t := p.Next()
	digits := t.Value
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, p.fail(t, "INVALID_TYPED_LITERAL", "42604", "X'...' holds hexadecimal digits")
	}
	return &Literal{Value: b, T: types.Binary}, nil
}

// number takes a number with its suffix: Y byte, S short, L long, F float, D
// double, BD decimal; otherwise the smallest of int, long and decimal, or double
// when there is an exponent.
func (p *Parser) number(negative bool) (Expr, error) {
	t := p.Next()
	digits := t.Value
	if negative {
		digits = "-" + digits
	}
	outOfRange := func(what types.Type) error {
		return p.fail(t, "INVALID_NUMERIC_LITERAL_RANGE", "22003", fmt.Sprintf("%s is outside the range of %s", digits, what))
	}
	integer := func(what types.Type, bits int) (Expr, error) {
		n, err := strconv.ParseInt(digits, 10, bits)
		if err != nil {
			return nil, outOfRange(what)
		}
		return &Literal{Value: n, T: what}, nil
	}
	fraction := strings.ContainsAny(digits, ".eE")
	switch suffix := strings.ToUpper(t.Text[len(t.Value):]); {
	case suffix == "Y":
		return integer(types.Byte, 8)
	case suffix == "S":
		return integer(types.Short, 16)
	case suffix == "L":
		return integer(types.Long, 64)
	case suffix == "F":
		f, err := strconv.ParseFloat(digits, 32)
		if err != nil {
			return nil, outOfRange(types.Float)
		}
		return &Literal{Value: f, T: types.Float}, nil
	case suffix == "D", suffix == "" && strings.ContainsAny(digits, "eE"):
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return nil, outOfRange(types.Double)
		}
		return &Literal{Value: f, T: types.Double}, nil
	case suffix == "" && !fraction:
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
			if int64(int32(n)) == n {
				return &Literal{Value: n, T: types.Integer}, nil
			}
			return &Literal{Value: n, T: types.Long}, nil
		}
	}
	d, ok := ParseDecimal(digits)
	if !ok {
		return nil, outOfRange(types.Decimal{Precision: 38})
	}
	dt, ok := decimalTypeOf(d)
	if !ok {
		return nil, p.fail(t, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", digits+" has more than 38 digits")
	}
	return &Literal{Value: rescaleUp(d, dt.Scale), T: dt}, nil
}

// ParseDecimal reads [+-]digits[.digits][e[+-]digits] exactly.
func ParseDecimal(s string) (Decimal, bool) {
	mantissa, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n > 10000 || n < -10000 {
			return Decimal{}, false
		}
		mantissa, exp = s[:i], n
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	all := whole + frac
	body := strings.TrimLeft(all, "+-")
	if body == "" || len(all)-len(body) > 1 || strings.Trim(body, "0123456789") != "" {
		return Decimal{}, false
	}
	n, ok := new(big.Int).SetString(all, 10)
	return Decimal{Unscaled: n, Scale: len(frac) - exp}, ok
}

// decimalTypeOf is the type of a decimal literal, as java.math.BigDecimal counts digits.
func decimalTypeOf(d Decimal) (types.Decimal, bool) {
	digits := len(strings.TrimPrefix(d.Unscaled.String(), "-"))
	prec, scale := digits, d.Scale
	if scale < 0 {
		prec, scale = digits-scale, 0
	}
	prec = max(prec, scale)
	return types.Decimal{Precision: prec, Scale: scale}, prec <= 38
}

func rescaleUp(d Decimal, scale int) Decimal {
	if d.Scale >= scale {
		return d
	}
	f := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale-d.Scale)), nil)
	return Decimal{Unscaled: f.Mul(f, d.Unscaled), Scale: scale}
}

// String is the plain spelling with the full scale.
func (d Decimal) String() string {
	s := d.Unscaled.String()
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	switch {
	case d.Scale < 0:
		s += strings.Repeat("0", -d.Scale)
	case d.Scale > 0:
		if len(s) <= d.Scale {
			s = strings.Repeat("0", d.Scale+1-len(s)) + s
		}
		s = s[:len(s)-d.Scale] + "." + s[len(s)-d.Scale:]
	}
	if neg {
		return "-" + s
	}
	return s
}

// typedLiteral takes DATE'...', TIMESTAMP'...' and their kin; the word has been taken.
func (p *Parser) typedLiteral(word Token, up string) (Expr, error) {
	t := p.Next()
	var v int64
	var dt types.Type
	ok, local := false, false
	switch up {
	case "DATE":
		v, ok = civil.ParseDate(t.Value)
		dt = types.Date
	case "TIMESTAMP", "TIMESTAMP_LTZ":
		v, ok = civil.ParseTimestamp(t.Value, time.Unix(0, 0))
		dt, local = types.Timestamp, !civil.NamesZone(t.Value)
	case "TIMESTAMP_NTZ":
		v, ok = civil.ParseTimestampNTZ(t.Value)
		dt = types.TimestampNTZ
	case "TIME":
		v, ok = civil.ParseTime(t.Value)
		dt = types.Time{Precision: 6}
	default:
		return nil, p.Errorf(word, "%s is no type of literal", word.describe())
	}
	if _, special := specialDays[strings.ToLower(strings.TrimSpace(t.Value))]; special && !ok && dt.Kind() != types.KindTime {
		return &Cast{Arg: &Literal{Value: t.Value, T: types.String}, To: dt}, nil
	}
	if !ok {
		return nil, p.fail(word, "INVALID_TYPED_LITERAL", "42604", fmt.Sprintf("%s is no valid %s", t.Text, up))
	}
	return &Literal{Value: v, T: dt, Local: local}, nil
}

// sql is the spelling of a literal; parsing it gives the literal back.
func (e *Literal) sql() string {
	switch v := e.Value.(type) {
	case nil:
		if e.T == nil || e.T == types.Void {
			return "NULL"
		}
		return "CAST(NULL AS " + types.SQL(e.T) + ")"
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	case string:
		return quoteText(v)
	case []byte:
		return "X'" + strings.ToUpper(hex.EncodeToString(v)) + "'"
	case float64:
		return floatSQL(v, e.T)
	case Decimal:
		return v.String() + "BD"
	case int64:
		return e.integerSQL(v)
	}
	return fmt.Sprintf("%v", e.Value)
}

func (e *Literal) integerSQL(v int64) string {
	switch e.T.Kind() {
	case types.KindByte:
		return strconv.FormatInt(v, 10) + "Y"
	case types.KindShort:
		return strconv.FormatInt(v, 10) + "S"
	case types.KindLong:
		return strconv.FormatInt(v, 10) + "L"
	case types.KindDate:
		return "DATE'" + civil.FormatDate(v) + "'"
	case types.KindTimestamp:
		if !e.Local {
			return "TIMESTAMP'" + civil.FormatTimestamp(v) + "Z'"
		}
		return "TIMESTAMP'" + civil.FormatTimestamp(v) + "'"
	case types.KindTimestampNTZ:
		return "TIMESTAMP_NTZ'" + civil.FormatTimestamp(v) + "'"
	case types.KindTime:
		return "TIME'" + string(civil.AppendTime(nil, v)) + "'"
	case types.KindDayTimeInterval, types.KindYearMonthInterval:
		return FormatInterval(v, e.T.(types.Interval))
	}
	return strconv.FormatInt(v, 10)
}

func floatSQL(v float64, t types.Type) string {
	bits, suffix, name := 64, "D", "DOUBLE"
	if t == types.Float {
		bits, suffix, name = 32, "F", "FLOAT"
	}
	switch {
	case math.IsNaN(v):
		return "CAST('NaN' AS " + name + ")"
	case math.IsInf(v, 1):
		return "CAST('Infinity' AS " + name + ")"
	case math.IsInf(v, -1):
		return "CAST('-Infinity' AS " + name + ")"
	}
	return strconv.FormatFloat(v, 'G', -1, bits) + suffix
}
