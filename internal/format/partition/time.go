package partition

import (
	"strings"

	"github.com/sluicelake/sluice/internal/base/columns"
)

const (
	second = 1_000_000
	day    = 86400 * second
)

// ParseDate reads [+-]y-m-d as days since 1970-01-01.
func ParseDate(text string) (int64, bool) {
	days, rest, ok := parseDate(text)
	return days, ok && rest == ""
}

// ParseTimestamp reads a date with an optional time of day and zone as
// microseconds since the epoch: "2020-01-02", "2020-01-02 03:04:05.678901",
// "2020-01-02T03:04:05.678Z", "...+05:30". Without a zone it is UTC.
func ParseTimestamp(text string) (int64, bool) {
	days, rest, ok := parseDate(text)
	if !ok {
		return 0, false
	}
	micros, ok := parseClock(rest)
	const limit = (1<<63 - 1) / day
	if !ok || days >= limit || days <= -limit {
		return 0, false
	}
	return days*day + micros, true
}

// parseDate reads the date and returns what follows it.
func parseDate(s string) (days int64, rest string, ok bool) {
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	y, s, n := digits(s, 7)
	if n < 4 || !strings.HasPrefix(s, "-") {
		return 0, "", false
	}
	m, s, n := digits(s[1:], 2)
	if n == 0 || !strings.HasPrefix(s, "-") {
		return 0, "", false
	}
	d, s, n := digits(s[1:], 2)
	if n == 0 {
		return 0, "", false
	}
	if negative {
		y = -y
	}
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, "", false
	}
	days = columns.Days(y, int(m), int(d))
	if _, _, back := columns.Civil(days); back != int(d) {
		return 0, "", false
	}
	return days, s, true
}

// parseClock reads what may follow a date: a time of day and a zone.
func parseClock(s string) (micros int64, ok bool) {
	if s == "" {
		return 0, true
	}
	if s[0] != 'T' && s[0] != ' ' {
		return 0, false
	}
	h, s, n := digits(s[1:], 2)
	if n == 0 || h > 23 || !strings.HasPrefix(s, ":") {
		return 0, false
	}
	m, s, n := digits(s[1:], 2)
	if n == 0 || m > 59 {
		return 0, false
	}
	micros = (h*60 + m) * 60 * second
	if strings.HasPrefix(s, ":") {
		var sec int64
		if sec, s, n = digits(s[1:], 2); n == 0 || sec > 59 {
			return 0, false
		}
		micros += sec * second
	}
	if strings.HasPrefix(s, ".") {
		var f int64
		if f, s, n = digits(s[1:], 6); n == 0 {
			return 0, false
		}
		for ; n < 6; n++ {
			f *= 10
		}
		micros += f
		for s != "" && s[0] >= '0' && s[0] <= '9' { // finer than microseconds
			s = s[1:]
		}
	}
	offset, ok := parseZone(s)
	return micros - offset, ok
}

func parseZone(s string) (micros int64, ok bool) {
	if s == "" || s == "Z" || s == "z" || s == "UTC" || s == " UTC" {
		return 0, true
	}
	negative := s[0] == '-'
	if !negative && s[0] != '+' {
		return 0, false
	}
	h, s, n := digits(s[1:], 2)
	if n == 0 || h > 18 {
		return 0, false
	}
	s = strings.TrimPrefix(s, ":")
	var m int64
	if s != "" {
		if m, s, n = digits(s, 2); n != 2 || m > 59 || s != "" {
			return 0, false
		}
	}
	micros = (h*60 + m) * 60 * second
	if negative {
		micros = -micros
	}
	return micros, true
}

// digits reads up to limit decimal digits.
func digits(s string, limit int) (v int64, rest string, n int) {
	for n < len(s) && n < limit && s[n] >= '0' && s[n] <= '9' {
		v = v*10 + int64(s[n]-'0')
		n++
	}
	return v, s[n:], n
}
