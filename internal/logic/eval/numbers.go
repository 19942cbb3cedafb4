package eval

import (
	"math"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/types/civil"
)

// parseInt reads an integer with blanks around it, as UTF8String.toLongExact.
func parseInt(s string) (int64, bool) {
	s = civil.Trim(s)
	if s == "" {
		return 0, false
	}
	body := s
	if body[0] == '+' || body[0] == '-' {
		body = body[1:]
	}
	if body == "" || body[0] < '0' || body[0] > '9' {
		return 0, false
	}
	v := int64(0) // counts down: the lowest integer has no counterpart
	for i := 0; i < len(body); i++ {
		if body[i] < '0' || body[i] > '9' || v < math.MinInt64/10 {
			return 0, false
		}
		d := int64(body[i] - '0')
		if v *= 10; v < math.MinInt64+d {
			return 0, false
		}
		v -= d
	}
	if s[0] == '-' {
		return v, true
	}
	return -v, v != math.MinInt64
}

// parseWhole is parseInt outside ANSI mode: a fraction is cut off (UTF8String.toLong).
func parseWhole(s string) (int64, bool) {
	s = civil.Trim(s)
	whole, fraction, point := strings.Cut(s, ".")
	if !point {
		return parseInt(s)
	}
	for i := 0; i < len(fraction); i++ {
		if fraction[i] < '0' || fraction[i] > '9' {
			return 0, false
		}
	}
	switch whole {
	case "":
		return 0, true
	case "+", "-":
		return 0, true
	}
	return parseInt(whole)
}

// parseFloat reads a number as java.lang.Double.parseDouble does, and the words
// inf, infinity and nan in any case.
func parseFloat(s string, bits int) (float64, bool) {
	s = civil.Trim(s)
	switch strings.ToLower(s) {
	case "inf", "+inf", "infinity", "+infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	case "nan":
		return math.NaN(), true
	}
	if s == "" || strings.ContainsAny(s, "_nNiIxX") {
		return 0, false
	}
	if c := s[len(s)-1]; c == 'd' || c == 'D' || c == 'f' || c == 'F' {
		s = s[:len(s)-1]
	}
	v, err := strconv.ParseFloat(s, bits)
	if ne, ok := err.(*strconv.NumError); ok && ne.Err == strconv.ErrRange {
		err = nil
	}
	return v, err == nil
}

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(civil.Trim(s)) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}

// formatFloat writes a number as Java does: 1.0, 1.0E-7, 1.23456789125E8, NaN, Infinity.
func formatFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'E', -1, bits)
	mantissa, exp, _ := strings.Cut(s, "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return mantissa + "E" + strconv.Itoa(n)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
