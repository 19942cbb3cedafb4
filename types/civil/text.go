package civil

import (
	"strconv"
	"strings"
	"time"
)

// The largest text years that Spark takes: dates up to 7 digits, timestamps up to 6.
const (
	dateYearDigits      = 7
	timestampYearDigits = 6
)

// ParseDate reads a date the way Spark's CAST does: [+-]yyyy*[-[m]m[-[d]d[T or blank anything]]]
// with blanks around it.
func ParseDate(s string) (int64, bool) {
	s = Trim(s)
	p := fields{s: s}
	y, ok := p.year(dateYearDigits)
	if !ok {
		return 0, false
	}
	m, d := int64(1), int64(1)
	if p.byte('-') {
		if m, ok = p.small(); !ok {
			return 0, false
		}
		if p.byte('-') {
			if d, ok = p.small(); !ok {
				return 0, false
			}
			if !p.end() && !p.byte(' ') && !p.byte('T') {
				return 0, false
			}
			p.s = ""
		}
	}
	if !p.end() || !Valid(y, m, d) {
		return 0, false
	}
	days := Days(y, m, d)
	return days, int64(int32(days)) == days
}

// ParseTimestamp reads a timestamp the way Spark's CAST does; a text without
// zone is in UTC, a text without date is today's (of now).
func ParseTimestamp(s string, now time.Time) (int64, bool) { return ParseTimestampIn(s, now, nil) }

// ParseTimestampIn is ParseTimestamp with another zone for texts that name none.
func ParseTimestampIn(s string, now time.Time, zone *time.Location) (int64, bool) {
	micros, named, timeOnly, ok := parseTimestamp(s)
	if !ok {
		return 0, false
	}
	if named != nil {
		zone = named
	}
	if timeOnly {
		today, _ := Split(Local(now.UnixMicro(), zone))
		micros += today * MicrosPerDay
	}
	return Instant(micros, zone), true
}

// NamesZone reports whether a timestamp's text names a zone.
func NamesZone(s string) bool {
	_, zone, _, ok := parseTimestamp(s)
	return ok && zone != nil
}

// ParseTimestampNTZ reads a timestamp without zone; a zone in the text is ignored,
// as Spark's CAST does.
func ParseTimestampNTZ(s string) (int64, bool) {
	micros, _, timeOnly, ok := parseTimestamp(s)
	return micros, ok && !timeOnly
}

// ParseTime reads a time of day such as 12:34:56.789 in microseconds.
func ParseTime(s string) (int64, bool) {
	p := fields{s: Trim(s)}
	micros, ok := p.clock()
	return micros, ok && p.end()
}

func parseTimestamp(s string) (micros int64, zone *time.Location, timeOnly, ok bool) {
	p := fields{s: Trim(s)}
	mark := p
	y, ok := p.year(timestampYearDigits)
	if !ok || (p.s != "" && p.s[0] == ':') {
		p = mark
		marked := p.byte('T')
		ofDay, ok := p.clock()
		if !ok || (!marked && (len(mark.s) < 3 || (mark.s[1] != ':' && mark.s[2] != ':'))) {
			return 0, nil, false, false
		}
		zone, ok = Zone(p.s)
		return ofDay, zone, true, ok
	}
	m, d := int64(1), int64(1)
	if p.byte('-') {
		if m, ok = p.small(); !ok {
			return 0, nil, false, false
		}
		if p.byte('-') {
			if d, ok = p.small(); !ok {
				return 0, nil, false, false
			}
			if p.byte(' ') || p.byte('T') {
				ofDay := int64(0)
				if !p.end() {
					if ofDay, ok = p.clock(); !ok {
						return 0, nil, false, false
					}
				}
				if zone, ok = Zone(p.s); !ok || !Valid(y, m, d) {
					return 0, nil, false, false
				}
				return total(Days(y, m, d), ofDay, zone)
			}
		}
	}
	if !p.end() || !Valid(y, m, d) {
		return 0, nil, false, false
	}
	return total(Days(y, m, d), 0, nil)
}

func total(days, ofDay int64, zone *time.Location) (int64, *time.Location, bool, bool) {
	const most = (1<<63 - 1) / MicrosPerDay
	if days > most-1 || days < -most+1 {
		return 0, nil, false, false
	}
	return days*MicrosPerDay + ofDay, zone, false, true
}

// Zone reads a zone at the end of a timestamp: empty (nil), Z, +02:00, GMT+2, Europe/Berlin.
func Zone(s string) (*time.Location, bool) {
	s = strings.TrimSpace(s)
	switch s {
	case "":
		return nil, true
	case "Z", "UTC", "GMT", "UT":
		return time.UTC, true
	}
	rest := s
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if r, ok := strings.CutPrefix(s, prefix); ok {
			rest = r
			break
		}
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		p := fields{s: rest[1:]}
		h, ok := p.small()
		if !ok || h > 18 {
			return nil, false
		}
		var m, sec int64
		colon := p.byte(':')
		if !p.end() {
			if m, ok = p.small(); !ok || m > 59 {
				return nil, false
			}
			if colon && p.byte(':') {
				if sec, ok = p.small(); !ok || sec > 59 {
					return nil, false
				}
			}
		}
		if !p.end() {
			return nil, false
		}
		off := int(h*3600 + m*60 + sec)
		if rest[0] == '-' {
			off = -off
		}
		return time.FixedZone(s, off), true
	}
	if strings.ContainsAny(s, "./\\") && !strings.Contains(s, "/") {
		return nil, false
	}
	loc, err := time.LoadLocation(s)
	return loc, err == nil && s != "Local"
}

// Trim removes the blanks and control characters that Spark ignores around dates and numbers.
func Trim(s string) string {
	i, j := 0, len(s)
	for i < j && (s[i] <= ' ' || s[i] == 0x7f) {
		i++
	}
	for j > i && (s[j-1] <= ' ' || s[j-1] == 0x7f) {
		j--
	}
	return s[i:j]
}

// fields reads the numbers of a date from the front of s.
type fields struct{ s string }

func (p *fields) end() bool { return p.s == "" }

func (p *fields) byte(c byte) bool {
	if p.s != "" && p.s[0] == c {
		p.s = p.s[1:]
		return true
	}
	return false
}

// digits reads between least and most digits.
func (p *fields) digits(least, most int) (n int64, ok bool) {
	i := 0
	for i < len(p.s) && p.s[i] >= '0' && p.s[i] <= '9' {
		n = n*10 + int64(p.s[i]-'0')
		if i++; i > most {
			return 0, false
		}
	}
	p.s = p.s[i:]
	return n, i >= least
}

func (p *fields) small() (int64, bool) { return p.digits(1, 2) }

func (p *fields) year(most int) (int64, bool) {
	neg := p.byte('-')
	if !neg {
		p.byte('+')
	}
	y, ok := p.digits(4, most)
	if neg {
		y = -y
	}
	return y, ok
}

// clock reads h[:m[:s[.fraction]]]; digits of the fraction after the sixth are dropped.
func (p *fields) clock() (int64, bool) {
	h, ok := p.small()
	if !ok || h > 23 {
		return 0, false
	}
	var m, s, frac int64
	if p.byte(':') {
		if m, ok = p.small(); !ok || m > 59 {
			return 0, false
		}
		if p.byte(':') {
			if s, ok = p.small(); !ok || s > 59 {
				return 0, false
			}
			if p.byte('.') {
				i := 0
				for ; i < len(p.s) && p.s[i] >= '0' && p.s[i] <= '9'; i++ {
					if i < 6 {
						frac = frac*10 + int64(p.s[i]-'0')
					}
				}
				for k := i; k < 6; k++ {
					frac *= 10
				}
				p.s = p.s[i:]
			}
		}
	}
	return ((h*60+m)*60+s)*1_000_000 + frac, true
}

// AppendDate writes yyyy-mm-dd; years past 9999 get a sign, as Java writes them.
func AppendDate(b []byte, days int64) []byte {
	y, m, d := Date(days)
	b = appendYear(b, y)
	b = append(b, '-')
	b = appendPadded(b, m, 2)
	b = append(b, '-')
	return appendPadded(b, d, 2)
}

// FormatDate is AppendDate as a string.
func FormatDate(days int64) string { return string(AppendDate(make([]byte, 0, 10), days)) }

// AppendTimestamp writes yyyy-mm-dd hh:mm:ss with the fraction without trailing zeros.
func AppendTimestamp(b []byte, micros int64) []byte {
	days, ofDay := Split(micros)
	b = append(AppendDate(b, days), ' ')
	return AppendTime(b, ofDay)
}

// FormatTimestamp is AppendTimestamp as a string.
func FormatTimestamp(micros int64) string {
	return string(AppendTimestamp(make([]byte, 0, 26), micros))
}

// AppendTime writes hh:mm:ss with the fraction without trailing zeros.
func AppendTime(b []byte, ofDay int64) []byte {
	sec := ofDay / 1_000_000
	b = appendPadded(b, sec/3600, 2)
	b = append(b, ':')
	b = appendPadded(b, sec/60%60, 2)
	b = append(b, ':')
	b = appendPadded(b, sec%60, 2)
	if frac := ofDay % 1_000_000; frac != 0 {
		b = append(b, '.')
		b = appendPadded(b, frac, 6)
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	return b
}

func appendYear(b []byte, y int64) []byte {
	if y < 0 {
		b = append(b, '-')
		y = -y
	} else if y > 9999 {
		b = append(b, '+')
	}
	return appendPadded(b, y, 4)
}

func appendPadded(b []byte, n int64, width int) []byte {
	digits := 1
	for x := n; x >= 10; x /= 10 {
		digits++
	}
	for ; digits < width; digits++ {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, n, 10)
}
