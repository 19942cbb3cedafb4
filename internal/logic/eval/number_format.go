package eval

import (
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// toChar writes a decimal by a format of 0 9 . D , G $ S MI PR.
func toChar(c *call) (arrow.Array, error) {
	format := c.str(1)
	if c.typ(0) == types.Binary {
		s := c.str(0)
		return c.strings(func(i int) (string, error) {
			switch strings.ToLower(format(i)) {
			case "utf-8":
				return s(i), nil
			case "hex":
				return strings.ToUpper(hex.EncodeToString([]byte(s(i)))), nil
			case "base64":
				return base64.StdEncoding.EncodeToString([]byte(s(i))), nil
			}
			return "", failf("INVALID_PARAMETER_VALUE.BINARY_FORMAT", "to_char: the format %q is not known", clip(format(i)))
		})
	}
	d := c.dec(0)
	_, scale := typeOf(c.typ(0))
	return c.strings(func(i int) (string, error) {
		f := strings.NewReplacer("D", ".", "G", ",").Replace(strings.ToUpper(format(i)))
		v := d(i).BigInt()
		neg := v.Sign() < 0
		text := expr.Decimal{Unscaled: v.Abs(v), Scale: scale}.String()
		whole, frac, _ := strings.Cut(text, ".")
		formatWhole, formatFrac, _ := strings.Cut(f, ".")
		return writeByFormat(strings.TrimLeft(whole, "0"), frac, formatWhole, formatFrac, strings.Contains(f, "."), neg), nil
	})
}

func isDigitMark(b byte) bool { return b == '0' || b == '9' }

func countMarks(s string) int { return strings.Count(s, "0") + strings.Count(s, "9") }

func writeByFormat(whole, frac, formatWhole, formatFrac string, point, neg bool) string {
	marks, fracMarks := countMarks(formatWhole), countMarks(formatFrac)
	frac = strings.TrimRight(frac, "0")
	overflow := len(whole) > marks || len(frac) > fracMarks
	frac += strings.Repeat("0", max(0, fracMarks-len(frac)))
	if whole == "" && point && marks > 0 {
		whole = "0" // without a point, zero is blank
	}
	var b strings.Builder
	seen := 0
	zeros := false
	for i := 0; i < len(formatWhole); i++ {
		switch ch := formatWhole[i]; {
		case isDigitMark(ch):
			if seen == 0 { // the first mark says what fills
				zeros = ch == '0'
			}
			at := seen - (marks - len(whole))
			seen++
			switch {
			case overflow:
				b.WriteByte('#')
			case at >= 0:
				b.WriteByte(whole[at])
			case zeros:
				b.WriteByte('0')
			default:
				b.WriteByte(' ')
			}
		case ch == ',':
			if zeros || !overflow && seen > marks-len(whole) {
				b.WriteByte(',')
			} else {
				b.WriteByte(' ')
			}
		default:
			b.WriteString(formatSign(formatWhole[i:], neg))
			if strings.HasPrefix(formatWhole[i:], "MI") || strings.HasPrefix(formatWhole[i:], "PR") {
				i++
			}
		}
	}
	if point {
		b.WriteByte('.')
		if overflow {
			b.WriteString(strings.Repeat("#", fracMarks))
		} else {
			b.WriteString(frac[:fracMarks])
		}
		rest := strings.TrimLeft(formatFrac, "09")
		for i := 0; i < len(rest); i++ {
			b.WriteString(formatSign(rest[i:], neg))
			if strings.HasPrefix(rest[i:], "MI") || strings.HasPrefix(rest[i:], "PR") {
				i++
			}
		}
	}
	out := b.String()
	if strings.Contains(formatWhole+formatFrac, "PR") && neg {
		trimmed := strings.TrimLeft(out, " ")
		out = out[:len(out)-len(trimmed)] + "<" + trimmed
	}
	return out
}

// formatSign is what S, MI, $ and PR at the start of f print.
func formatSign(f string, neg bool) string {
	switch {
	case strings.HasPrefix(f, "MI"):
		if neg {
			return "-"
		}
		return " "
	case strings.HasPrefix(f, "PR"):
		if neg {
			return ">"
		}
		return " "
	case f[0] == 'S':
		if neg {
			return "-"
		}
		return "+"
	}
	return f[:1]
}

// toNumber reads a decimal that is written by a format.
func toNumber(c *call) (arrow.Array, error) {
	s, format := c.str(0), c.str(1)
	p, scale := typeOf(c.out())
	return c.decs(func(i int) (dec, error) {
		text := strings.TrimSpace(s(i))
		f := strings.NewReplacer("D", ".", "G", ",").Replace(strings.ToUpper(format(i)))
		neg := false
		if strings.HasPrefix(text, "<") && strings.HasSuffix(text, ">") && strings.Contains(f, "PR") {
			neg, text = true, text[1:len(text)-1]
		}
		for _, sign := range []string{"-", "+"} {
			if strings.ContainsAny(f, "S") || strings.Contains(f, "MI") {
				if strings.HasPrefix(text, sign) || strings.HasSuffix(text, sign) {
					neg, text = neg || sign == "-", strings.Trim(text, sign)
				}
			}
		}
		text = strings.ReplaceAll(strings.Trim(text, "$"), ",", "")
		d, ok := expr.ParseDecimal(text)
		whole, frac, _ := strings.Cut(text, ".")
		fw, ff, _ := strings.Cut(f, ".")
		if !ok || strings.ContainsAny(text, "eE+-") || len(strings.TrimLeft(whole, "0")) > countMarks(fw) || len(frac) > countMarks(ff) {
			if c.node.Fn == "try_to_number" {
				return dec{}, errNull
			}
			return dec{}, failf("INVALID_FORMAT.MISMATCH_INPUT", "%q does not match the format %q", clip(s(i)), format(i))
		}
		if neg {
			d.Unscaled = new(big.Int).Neg(d.Unscaled)
		}
		return fit(d.Unscaled, d.Scale, types.Decimal{Precision: p, Scale: scale})
	})
}
