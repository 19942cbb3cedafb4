package prune

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/types"
)

const microsPerHour = 3_600_000_000

// zoneSlack is how far the clock of any zone, summer time included, is from UTC
// at most. The day of a timestamp is that of its writer's zone, which nobody
// records: a file is on all days that it may be on.
const zoneSlack = 20 * microsPerHour

// span is a stretch of local time: microseconds, both ends included.
type span struct{ from, to int64 }

// days is the span of whole days, the last one not included.
func days(from, end int64) span { return span{from * microsPerDay, end*microsPerDay - 1} }

// timeOf undoes the casts between dates and timestamps around a column. to turns
// local time into values of the column.
func timeOf(e expr.Expr) (path []int, to func(span) (lo, hi colstats.Value), ok bool) {
	zoned := false // a zone was used on the way
	for {
		c, isCast := e.(*expr.Cast)
		if !isCast || c.Try || c.Arg.Type() == nil {
			break
		}
		switch c.To.Kind() {
		case types.KindTimestamp:
			zoned = true
		case types.KindDate, types.KindTimestampNTZ:
		default:
			return nil, nil, false
		}
		e = c.Arg
	}
	path, base, ok := columnPath(e)
	if !ok {
		return nil, nil, false
	}
	switch base.Kind() {
	case types.KindDate:
		to = func(s span) (lo, hi colstats.Value) {
			return colstats.Value{Class: colstats.Int, I: floorDiv(s.from, microsPerDay)}, colstats.Value{Class: colstats.Int, I: floorDiv(s.to, microsPerDay)}
		}
	case types.KindTimestamp:
		to = instant
	case types.KindTimestampNTZ:
		to = func(s span) (lo, hi colstats.Value) {
			if zoned { // a local time that summer time skips becomes another one
				s.from, s.to = s.from-2*microsPerHour, s.to+2*microsPerHour
			}
			return colstats.Value{Class: colstats.Int, I: s.from}, colstats.Value{Class: colstats.Int, I: s.to}
		}
	default:
		return nil, nil, false
	}
	return path, to, true
}

// instant is the time in UTC of a span of local time somewhere.
func instant(s span) (lo, hi colstats.Value) {
	return colstats.Value{Class: colstats.Int, I: s.from - zoneSlack}, colstats.Value{Class: colstats.Int, I: s.to + zoneSlack}
}

// calendarOf inverts functions of time: CAST(ts AS DATE), year, month, day,
// hour, date_format, date_trunc and trunc.
func calendarOf(e expr.Expr) (derivation, []int, bool) {
	if c, ok := e.(*expr.Cast); ok {
		if c.To.Kind() != types.KindDate {
			return derivation{}, nil, false
		}
		return spanning(e, func(v any) (span, bool) {
			d, ok := v.(int64)
			return days(d, d+1), ok && sane(d)
		})
	}
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) == 0 {
		return derivation{}, nil, false
	}
	switch c.Fn {
	case "year", "month", "day", "dayofmonth", "hour":
		path, to, ok := timeOf(c.Args[0])
		return derivation{part: strings.TrimSuffix(c.Fn, "ofmonth"), to: to}, path, ok && len(c.Args) == 1
	case "date_format":
		if pattern, ok := textOf(c.Args, 1); ok {
			if f := parsePattern(pattern); f != nil {
				return spanning(c.Args[0], func(v any) (span, bool) { s, ok := v.(string); return f.span(s, ok) })
			}
		}
	case "date_trunc":
		if unit, ok := textOf(c.Args, 0); ok && len(c.Args) == 2 {
			slack := int64(0) // a timestamp may have been written in UTC, which is no local time
			if e.Type().Kind() == types.KindTimestamp {
				slack = zoneSlack
			}
			return spanning(c.Args[1], func(v any) (span, bool) {
				from, ok := v.(int64)
				length, known := unitLength(unit)
				return span{from - slack, from + length - 1 + slack}, ok && known && sane(from/microsPerDay)
			})
		}
	case "trunc":
		if unit, ok := textOf(c.Args, 1); ok {
			return spanning(c.Args[0], func(v any) (span, bool) {
				d, ok := v.(int64)
				length, known := unitLength(unit)
				return span{d * microsPerDay, d*microsPerDay + max(length, microsPerDay) - 1}, ok && known && sane(d)
			})
		}
	}
	return derivation{}, nil, false
}

// sane keeps products with the microseconds of a day from overflowing.
func sane(days int64) bool { return days > -100_000_000 && days < 100_000_000 }

// spanning is the derivation of a function whose value stands for a span of the
// local time of arg.
func spanning(arg expr.Expr, local func(v any) (span, bool)) (derivation, []int, bool) {
	path, to, ok := timeOf(arg)
	return derivation{local: local, to: to}, path, ok
}

func textOf(args []expr.Expr, i int) (string, bool) {
	if i >= len(args) {
		return "", false
	}
	l, ok := args[i].(*expr.Literal)
	if !ok {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}

// unitLength is the longest that a unit of date_trunc and trunc lasts.
func unitLength(unit string) (micros int64, ok bool) {
	switch strings.ToUpper(unit) {
	case "YEAR", "YYYY", "YY":
		return 366 * microsPerDay, true
	case "QUARTER":
		return 92 * microsPerDay, true
	case "MONTH", "MM", "MON":
		return 31 * microsPerDay, true
	case "WEEK":
		return 7 * microsPerDay, true
	case "DAY", "DD":
		return microsPerDay, true
	case "HOUR":
		return microsPerHour, true
	case "MINUTE":
		return microsPerHour / 60, true
	case "SECOND":
		return microsPerHour / 3600, true
	}
	return 0, false
}

// dateParts are year, month, day and hour of the rows of a file, as far as
// partition values give them one by one.
type dateParts struct {
	year, month, day, hour       int64
	hasYear, hasMonth, hasDay, h bool
	date                         span // of one day, when a date is given as a whole
	to                           func(span) (lo, hi colstats.Value)
}

func (p *dateParts) set(part string, v any, to func(span) (lo, hi colstats.Value)) {
	n, ok := v.(int64)
	if !ok {
		return
	}
	p.to = to
	switch part {
	case "year":
		p.year, p.hasYear = n, n > -200_000 && n < 200_000
	case "month":
		p.month, p.hasMonth = n, n >= 1 && n <= 12
	case "day":
		p.day, p.hasDay = n, n >= 1 && n <= 31
	case "hour":
		p.hour, p.h = n, n >= 0 && n <= 23
	}
}

// span is what the parts say together: a part counts when the larger ones are known.
func (p *dateParts) span() (s span, ok bool) {
	s, ok = p.date, p.date != span{}
	if p.hasYear && !s.isDay() {
		ok = true
		switch {
		case p.hasMonth && p.hasDay:
			d := columns.Days(p.year, int(p.month), int(p.day))
			s = days(d, d+1)
		case p.hasMonth:
			s = monthSpan(p.year, int(p.month))
		default:
			s = days(columns.Days(p.year, 1, 1), columns.Days(p.year+1, 1, 1))
		}
	}
	if p.h && s.isDay() {
		s.from += p.hour * microsPerHour
		s.to = s.from + microsPerHour - 1
	}
	return s, ok && p.to != nil
}

func (s span) isDay() bool { return s.to-s.from == microsPerDay-1 }

func monthSpan(year int64, month int) span {
	if month == 12 {
		return days(columns.Days(year, 12, 1), columns.Days(year+1, 1, 1))
	}
	return days(columns.Days(year, month, 1), columns.Days(year, month+1, 1))
}

// datePattern is a pattern of date_format that names year, month, day and hour
// from the left, with fixed text between them.
type datePattern struct {
	fields string // y, M, d and H in their order, other bytes as they are
}

// parsePattern reads a pattern; nil for one whose text does not stand for one span.
func parsePattern(pattern string) *datePattern {
	var fields strings.Builder
	order := "yMdH"
	for len(pattern) > 0 {
		c := pattern[0]
		if letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'; !letter {
			if c == '\'' || c == '[' || c == ']' || c == '#' || c >= 0x80 {
				return nil
			}
			fields.WriteByte(c)
			pattern = pattern[1:]
			continue
		}
		width := 2
		if c == 'y' {
			width = 4
		}
		if order == "" || c != order[0] || !strings.HasPrefix(pattern, strings.Repeat(string(c), width)) {
			return nil
		}
		order, pattern = order[1:], pattern[width:]
		fields.WriteByte(c)
	}
	if len(order) == 4 {
		return nil
	}
	return &datePattern{fields.String()}
}

// span reads a text of the pattern.
func (f *datePattern) span(text string, ok bool) (span, bool) {
	parts := dateParts{to: instant}
	for i := 0; i < len(f.fields) && ok; i++ {
		c := f.fields[i]
		width, name := 2, map[byte]string{'y': "year", 'M': "month", 'd': "day", 'H': "hour"}[c]
		if c == 'y' {
			width = 4
		}
		if name == "" {
			ok = strings.HasPrefix(text, string(c))
			width = 1
		} else if ok = len(text) >= width; ok {
			n := int64(0)
			for _, digit := range []byte(text[:width]) {
				ok = ok && digit >= '0' && digit <= '9'
				n = n*10 + int64(digit-'0')
			}
			parts.set(name, n, instant)
		}
		if ok {
			text = text[width:]
		}
	}
	s, known := parts.span()
	return s, ok && known && text == ""
}
