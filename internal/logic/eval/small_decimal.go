package eval

import (
	"math"
	"strconv"

	"github.com/sluicelake/sluice/types/civil"
)

// smallDecimal reads [+-]digits[.digits] of at most 18 digits; false for anything else.
func smallDecimal(s string) (unscaled int64, scale int, ok bool) {
	s = civil.Trim(s)
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg, s = s[0] == '-', s[1:]
	}
	if len(s) == 0 || len(s) > 19 {
		return 0, 0, false
	}
	digits, point := 0, -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			unscaled = unscaled*10 + int64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = digits
		default:
			return 0, 0, false
		}
	}
	if digits == 0 || digits > 18 {
		return 0, 0, false
	}
	if point >= 0 {
		scale = digits - point
	}
	if neg {
		unscaled = -unscaled
	}
	return unscaled, scale, true
}

// floatDecimal is the shortest decimal that reads back as the number, when it has
// a scale of 0 to 18 and fits 64 bits.
func floatDecimal(f float64) (unscaled int64, scale int, ok bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) >= 1e17 {
		return 0, 0, false
	}
	var space [32]byte
	text := strconv.AppendFloat(space[:0], f, 'e', -1, 64)
	digits, exp, i := 0, 0, 0
	neg := text[0] == '-'
	if neg {
		i++
	}
	for ; i < len(text) && text[i] != 'e'; i++ {
		if text[i] != '.' {
			unscaled = unscaled*10 + int64(text[i]-'0')
			digits++
		}
	}
	sign := 1
	for i++; i < len(text); i++ {
		switch text[i] {
		case '-':
			sign = -1
		case '+':
		default:
			exp = exp*10 + int(text[i]-'0')
		}
	}
	scale = digits - 1 - sign*exp
	if neg {
		unscaled = -unscaled
	}
	for ; scale < 0; scale++ {
		if unscaled, ok = mul64(unscaled, 10); !ok {
			return 0, 0, false
		}
	}
	return unscaled, scale, scale <= 18
}

// quotient divides by a positive unit in the rounding mode of a function.
func quotient(fn string, v, unit int64) int64 {
	switch fn {
	case "floor":
		return floorDiv(v, unit)
	case "ceil":
		return -floorDiv(-v, unit)
	case "bround":
		q := floorDiv(v, unit)
		switch r := v - q*unit; {
		case r > unit-r, r == unit-r && q&1 == 1:
			return q + 1
		}
		return q
	}
	return roundSmall(v, unit)
}
