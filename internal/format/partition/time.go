package partition

import (
	"strings"
	"time"

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
// "2020-01-02T03:04:05.678Z", "...+05:30", "... Europe/Paris". Without a zone it
// is UTC (PROTOCOL.md, Partition Value Serialization, leaves it to the reader).
func ParseTimestamp(text string) (int64, bool) {
	local, offset, ok := parseMoment(text)
	return local - offset, ok
}

// parseMoment reads a timestamp as local time and the offset of its zone, which a
// timestamp without a zone ignores.
func parseMoment(text string) (local, offset int64, ok bool) {
	days, rest, ok := parseDate(text)
	const limit = (1<<63 - 1) / day
	if !ok || days >= limit || days <= -limit {
		return 0, 0, false
	}
	micros, zone, ok := parseClock(rest)
	if !ok {
		return 0, 0, false
	}
	local = days*day + micros
	offset, ok = parseZone(zone, local)
	return local, offset, ok
}

// parseDate reads the date and returns what follows it.
func parseDate(s string) (days int64, rest string, ok bool) {
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	y, s, n := digits(s, 7)
	if n < 4 {
		return 0, "", false
	}
	var m, d int64
	for _, part := range []*int64{&m, &d} {
		if !strings.HasPrefix(s, "-") {
			return 0, "", false
		}
		if *part, s, n = digits(s[1:], 2); n == 0 {
			return 0, "", false
		}
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

// parseClock reads what may follow a date: a time of day, and returns the zone
// behind it.
func parseClock(s string) (micros int64, zone string, ok bool) {
	if s == "" {
		return 0, "", true
	}
	if s[0] != 'T' && s[0] != ' ' {
		return 0, "", false
	}
	h, s, n := digits(s[1:], 2)
	if n == 0 || h > 23 || !strings.HasPrefix(s, ":") {
		return 0, "", false
	}
	m, s, n := digits(s[1:], 2)
	if n == 0 || m > 59 {
		return 0, "", false
	}
	micros = (h*60 + m) * 60 * second
	if strings.HasPrefix(s, ":") {
		var sec int64
		if sec, s, n = digits(s[1:], 2); n == 0 || sec > 59 {
			return 0, "", false
		}
		micros += sec * second
	}
	if strings.HasPrefix(s, ".") {
		var f int64
		if f, s, n = digits(s[1:], 6); n == 0 {
			return 0, "", false
		}
		for ; n < 6; n++ {
			f *= 10
		}
		micros += f
		for s != "" && s[0] >= '0' && s[0] <= '9' { // finer than microseconds
			s = s[1:]
		}
	}
	return micros, s, true
}

// parseZone reads a zone: Z, UTC, an offset with or without UTC or GMT before it,
// or the name of a region, whose offset depends on the local time.
func parseZone(s string, local int64) (micros int64, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" || s == "z" {
		return 0, true
	}
	offset := s
	for _, name := range []string{"UTC", "GMT", "UT", "Z"} {
		if rest, ok := strings.CutPrefix(s, name); ok {
			if rest == "" {
				return 0, true
			}
			offset = rest
			break
		}
	}
	if offset[0] == '+' || offset[0] == '-' {
		return parseOffset(offset)
	}
	if s == "Local" { // of this machine: no name of a region
		return 0, false
	}
	loc, err := time.LoadLocation(s)
	if err != nil {
		return 0, false
	}
	sec := local / second
	_, at := time.Unix(sec, 0).In(loc).Zone()
	_, at = time.Unix(sec-int64(at), 0).In(loc).Zone()
	return int64(at) * second, true
}

// parseOffset reads +h, +hh, +hhmm, +hh:mm and +hh:mm:ss.
func parseOffset(s string) (micros int64, ok bool) {
	negative := s[0] == '-'
	h, s, n := digits(s[1:], 2)
	if n == 0 || h > 18 {
		return 0, false
	}
	var rest [2]int64
	for i := range rest {
		s = strings.TrimPrefix(s, ":")
		if s == "" {
			break
		}
		if rest[i], s, n = digits(s, 2); n != 2 || rest[i] > 59 {
			return 0, false
		}
	}
	if s != "" {
		return 0, false
	}
	micros = ((h*60+rest[0])*60 + rest[1]) * second
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
