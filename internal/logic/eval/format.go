package eval

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"printf": printf, "format_number": formatNumber, "to_char": toChar, "to_number": toNumber, "try_to_number": toNumber, "mask": mask, "luhn_check": luhn,
	})
}

// printf follows java.util.Formatter for the usual conversions; NULL arguments print as null.
func printf(c *call) (arrow.Array, error) {
	format := c.str(0)
	args := make([]func(int) any, len(c.args))
	for k := range args {
		args[k] = c.any(k)
	}
	return makeStrings(c.out(), c.n, valid(c.n, c.args[0]), func(i int) (string, error) {
		var b strings.Builder
		next := 1
		for f := format(i); f != ""; {
			at := strings.IndexByte(f, '%')
			if at < 0 {
				b.WriteString(f)
				break
			}
			b.WriteString(f[:at])
			spec, conv, rest, ok := formatSpec(f[at+1:])
			if !ok {
				return "", failf("", "%q is no format", clip(format(i)))
			}
			f = rest
			switch conv {
			case '%':
				b.WriteByte('%')
				continue
			case 'n':
				b.WriteByte('\n')
				continue
			}
			k := next
			if spec.index > 0 {
				k = spec.index
			} else {
				next++
			}
			if k >= len(args) {
				return "", failf("", "the format %q wants more arguments", clip(format(i)))
			}
			text, ok := spec.write(conv, args[k](i), c.typ(k), c.node.In)
			if !ok {
				return "", failf("", "%%%c does not write %s", conv, types.SQL(c.typ(k)))
			}
			b.WriteString(text)
		}
		return b.String(), nil
	})
}

type spec struct {
	flags        string
	index, width int
	precision    int
}

func formatSpec(f string) (s spec, conv byte, rest string, ok bool) {
	i := 0
	number := func() int {
		n := 0
		for i < len(f) && f[i] >= '0' && f[i] <= '9' && n < 1<<20 {
			n = n*10 + int(f[i]-'0')
			i++
		}
		return n
	}
	if n := number(); i < len(f) && f[i] == '$' {
		s.index = n
		i++
	} else {
		i = 0
	}
	for i < len(f) && strings.IndexByte("-+ 0,(#", f[i]) >= 0 {
		s.flags += string(f[i])
		i++
	}
	s.width, s.precision = number(), -1
	if i < len(f) && f[i] == '.' {
		i++
		s.precision = number()
	}
	if i >= len(f) {
		return s, 0, "", false
	}
	return s, f[i], f[i+1:], true
}

func (s spec) has(flag string) bool { return strings.Contains(s.flags, flag) }

func (s spec) write(conv byte, v any, t types.Type, in expr.Session) (string, bool) {
	text := ""
	switch {
	case conv == 'b' || conv == 'B':
		x, isBool := v.(bool)
		text = strconv.FormatBool(v != nil && (!isBool || x))
	case v == nil:
		text = "null"
		if s.precision >= 0 {
			text = firstRunes(text, int64(s.precision))
		}
	case (conv == 's' || conv == 'S') && isDecimalValue(v):
		text = bigDecimalText(v.(expr.Decimal))
	case conv == 's' || conv == 'S':
		a, err := fromValues(t, v)
		if err != nil {
			return "", false
		}
		text = texter(a, t, in)(0)
	default:
		var ok bool
		if text, ok = s.number(conv, v, t); !ok {
			return "", false
		}
	}
	if s.precision >= 0 && (conv == 's' || conv == 'S') {
		text = firstRunes(text, int64(s.precision))
	}
	if conv >= 'A' && conv <= 'Z' {
		text = strings.ToUpper(text)
	}
	if gap := s.width - int(runeCount(text)); gap > 0 {
		switch {
		case s.has("-"):
			text += strings.Repeat(" ", gap)
		case s.has("0") && v != nil:
			sign := ""
			if text != "" && strings.IndexByte("+- ", text[0]) >= 0 {
				sign, text = text[:1], text[1:]
			}
			text = sign + strings.Repeat("0", gap) + text
		default:
			text = strings.Repeat(" ", gap) + text
		}
	}
	return text, true
}

func (s spec) number(conv byte, v any, t types.Type) (string, bool) {
	text := ""
	switch x := v.(type) {
	case int64:
		switch conv {
		case 'd':
			text = strconv.FormatInt(x, 10)
		case 'x', 'X':
			return strconv.FormatUint(unsigned(x, t), 16), true
		case 'o':
			return strconv.FormatUint(unsigned(x, t), 8), true
		case 'c', 'C':
			return string(rune(x)), true
		default:
			return "", false
		}
	case float64, expr.Decimal:
		precision := s.precision
		if precision < 0 {
			precision = 6
		}
		switch conv {
		case 'f':
			text = fixed(x, precision, false)
		case 'e', 'E':
			f, ok := x.(float64)
			if !ok {
				return "", false
			}
			text = strconv.FormatFloat(f, 'e', precision, 64)
		case 'g', 'G':
			f, ok := x.(float64)
			if !ok {
				return "", false
			}
			text = general(f, max(1, precision))
		default:
			return "", false
		}
	case string:
		if conv == 'c' && runeCount(x) == 1 {
			return x, true
		}
		return "", false
	default:
		return "", false
	}
	neg := strings.HasPrefix(text, "-")
	text = strings.TrimPrefix(text, "-")
	if s.has(",") {
		text = grouped(text)
	}
	switch {
	case neg && s.has("("):
		return "(" + text + ")", true
	case neg:
		return "-" + text, true
	case s.has("+"):
		return "+" + text, true
	case s.has(" "):
		return " " + text, true
	}
	return text, true
}

func isDecimalValue(v any) bool { _, ok := v.(expr.Decimal); return ok }

// bigDecimalText is BigDecimal.toString: with an exponent for what is below 0.000001.
func bigDecimalText(d expr.Decimal) string {
	digits := new(big.Int).Abs(d.Unscaled).String()
	exp := len(digits) - 1 - d.Scale
	if d.Scale < 0 || exp >= -6 {
		return d.String()
	}
	sign := ""
	if d.Unscaled.Sign() < 0 {
		sign = "-"
	}
	if len(digits) > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	return sign + digits + "E" + strconv.Itoa(exp)
}

// unsigned is the two's complement of a number in the width of its type.
func unsigned(v int64, t types.Type) uint64 {
	switch t {
	case types.Byte:
		return uint64(uint8(v))
	case types.Short:
		return uint64(uint16(v))
	case types.Integer:
		return uint64(uint32(v))
	}
	return uint64(v)
}

// general is %g of java.util.Formatter: so many significant digits, all of them
// written, with an exponent below 0.0001 and from 10 to the precision on.
func general(f float64, precision int) string {
	text := strconv.FormatFloat(f, 'e', precision-1, 64)
	_, exp, ok := strings.Cut(text, "e")
	x, err := strconv.Atoi(exp)
	if !ok || err != nil || f != 0 && (x < -4 || x >= precision) {
		return text
	}
	return strconv.FormatFloat(f, 'f', max(0, precision-1-x), 64)
}

// fixed writes a number with so many digits after the point, half up or half even.
func fixed(v any, digits int, even bool) string {
	fn := "round"
	if even {
		fn = "bround"
	}
	sign := ""
	var d expr.Decimal
	switch x := v.(type) {
	case float64:
		switch {
		case math.IsNaN(x):
			return "NaN"
		case math.IsInf(x, 1):
			return "Infinity"
		case math.IsInf(x, -1):
			return "-Infinity"
		}
		if math.Signbit(x) {
			sign, x = "-", -x
		}
		d, _ = expr.ParseDecimal(formatFloat(x, 64))
		if even && tie(d, digits) {
			return sign + strconv.FormatFloat(x, 'f', digits, 64) // what the binary value really is
		}
	case expr.Decimal:
		if d = x; d.Unscaled.Sign() < 0 {
			sign, d.Unscaled = "-", new(big.Int).Neg(d.Unscaled)
		}
	}
	return sign + expr.Decimal{Unscaled: roundTo(fn, d.Unscaled, d.Scale, digits), Scale: digits}.String()
}

func tie(d expr.Decimal, digits int) bool {
	if d.Scale <= digits {
		return false
	}
	unit := powerOf10(d.Scale - digits)
	r := new(big.Int).Mod(d.Unscaled, unit)
	return r.Lsh(r, 1).Cmp(unit) == 0
}

// grouped puts commas between thousands.
func grouped(s string) string {
	whole, frac, point := strings.Cut(s, ".")
	var b strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if point {
		b.WriteString("." + frac)
	}
	return b.String()
}

func formatNumber(c *call) (arrow.Array, error) {
	v, digits, bare := c.any(0), func(int) (int, bool) { return 0, true }, func(int) bool { return false }
	if c.typ(1) == types.String {
		s := c.str(1)
		digits = func(i int) (int, bool) {
			_, frac, _ := strings.Cut(s(i), ".")
			return len(frac), s(i) == "" || strings.Contains(s(i), ",")
		}
		bare = func(i int) bool { // no digit is asked for before the point
			whole, frac, _ := strings.Cut(s(i), ".")
			return frac != "" && !strings.Contains(whole, "0")
		}
	} else {
		n := c.int(1)
		digits = func(i int) (int, bool) { return int(n(i)), true }
	}
	return c.strings(func(i int) (string, error) {
		n, group := digits(i)
		if n < 0 {
			return "", errNull
		}
		x := v(i)
		if k, ok := x.(int64); ok {
			x = expr.Decimal{Unscaled: big.NewInt(k)}
		}
		text := fixed(x, n, true)
		if strings.HasSuffix(text, "Infinity") {
			return strings.Replace(text, "Infinity", "∞", 1), nil
		}
		if bare(i) {
			if rest, ok := strings.CutPrefix(text, "0."); ok {
				text = "." + rest
			} else if rest, ok := strings.CutPrefix(text, "-0."); ok {
				text = "-." + rest
			}
		}
		if !group || text == "NaN" {
			return text, nil
		}
		if rest, neg := strings.CutPrefix(text, "-"); neg {
			return "-" + grouped(rest), nil
		}
		return grouped(text), nil
	})
}

// mask hides letters and digits; an argument that is NULL keeps its kind.
func mask(c *call) (arrow.Array, error) {
	s := c.str(0)
	with := func(k int, otherwise string) func(int) any {
		if c.has(k) {
			return c.any(k)
		}
		return func(int) any {
			if otherwise == "" {
				return nil
			}
			return otherwise
		}
	}
	up, low, digit, other := with(1, "X"), with(2, "x"), with(3, "n"), with(4, "")
	return makeStrings(c.out(), c.n, valid(c.n, c.args[0]), func(i int) (string, error) {
		put := func(r rune, by any) rune {
			if t, ok := by.(string); ok && t != "" {
				return []rune(t)[0]
			}
			return r
		}
		return strings.Map(func(r rune) rune {
			switch {
			case unicode.IsUpper(r):
				return put(r, up(i))
			case unicode.IsLower(r):
				return put(r, low(i))
			case unicode.IsDigit(r):
				return put(r, digit(i))
			}
			return put(r, other(i))
		}, s(i)), nil
	})
}

func luhn(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.bools(func(i int) (bool, error) {
		text, sum := s(i), 0
		for k := range len(text) {
			b := text[len(text)-1-k]
			if b < '0' || b > '9' {
				return false, nil
			}
			d := int(b - '0')
			if k%2 == 1 {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum += d
		}
		return text != "" && sum%10 == 0, nil
	})
}
