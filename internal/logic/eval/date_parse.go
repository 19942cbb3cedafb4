package eval

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/types/civil"
)

var errNoMatch = errors.New("the text does not match")

// parsed collects the fields of a text.
type parsed struct {
	year, month, day, hour, minute, second, micro int64
	yearDay                                       int64
	pm, half, bc                                  bool
	ofDay, halfDay                                bool // an hour of the day, or a half of it, was there
	zone                                          *time.Location
}

// parse reads a timestamp; missing fields are those of 1970-01-01 00:00:00. It is an
// instant when the text has a zone, and a reading of some clock otherwise.
func (p *datePattern) parse(s string) (micros int64, zoned bool, err error) {
	f := &parsed{year: 1970, month: 1, day: 1}
	rest, err := f.parts(p.parts, s)
	if err != nil {
		return 0, false, err
	}
	if rest != "" {
		return 0, false, fmt.Errorf("unparsed text %q", clip(rest))
	}
	if f.bc {
		f.year = 1 - f.year
	}
	switch {
	case f.half && !f.ofDay:
		f.hour = f.hour%12 + 12*int64(b2i(f.pm))
	case f.halfDay && !f.ofDay:
		f.hour = 12 * int64(b2i(f.pm))
	}
	for _, x := range []struct {
		name         string
		v, low, high int64
	}{{"MonthOfYear", f.month, 1, 12}, {"DayOfMonth", f.day, 1, 31}, {"HourOfDay", f.hour, 0, 23}, {"MinuteOfHour", f.minute, 0, 59}, {"SecondOfMinute", f.second, 0, 59}} {
		if x.v < x.low || x.v > x.high {
			return 0, false, fmt.Errorf("invalid value for %s: %d", x.name, x.v)
		}
	}
	if !civil.Valid(f.year, f.month, f.day) {
		return 0, false, fmt.Errorf("invalid date %d-%d-%d", f.year, f.month, f.day)
	}
	days := civil.Days(f.year, f.month, f.day)
	if f.yearDay > 0 {
		days = civil.Days(f.year, 1, 1) + f.yearDay - 1
	}
	us := days*civil.MicrosPerDay + ((f.hour*60+f.minute)*60+f.second)*1_000_000 + f.micro
	return civil.Instant(us, f.zone), f.zone != nil, nil
}

func (f *parsed) parts(parts []patternPart, s string) (string, error) {
	for i := 0; i < len(parts); i++ {
		x := parts[i]
		if x.optional > 0 {
			end, depth := i+1, 1
			for ; end < len(parts); end++ {
				if depth += parts[end].optional; depth == 0 {
					break
				}
			}
			trial := *f
			if rest, err := trial.parts(parts[i+1:min(end, len(parts))], s); err == nil {
				*f, s = trial, rest
			}
			i = end
			continue
		}
		adjacent := i+1 < len(parts) && parts[i+1].letter != 0 && strings.IndexByte("yuMdHhKkmsS", parts[i+1].letter) >= 0
		var err error
		if s, err = f.part(x, s, adjacent); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (f *parsed) part(x patternPart, s string, adjacent bool) (string, error) {
	number := func(into *int64, most int) (string, error) {
		if adjacent {
			most = x.n
		}
		least := x.n
		i := 0
		for i < len(s) && i < most && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i < least || i == 0 {
			return s, errNoMatch
		}
		v, err := strconv.ParseInt(s[:i], 10, 64)
		*into = v
		return s[i:], err
	}
	switch x.letter {
	case 0:
		if !strings.HasPrefix(s, x.text) {
			return s, errNoMatch
		}
		return s[len(x.text):], nil
	case 'y', 'u':
		if x.n == 2 {
			rest, err := number(&f.year, 2)
			f.year += 2000
			return rest, err
		}
		neg := strings.HasPrefix(s, "-")
		if neg || (strings.HasPrefix(s, "+") && x.n >= 4) {
			s = s[1:]
		}
		most := 10
		if x.n == 4 && !adjacent {
			most = 4
		}
		rest, err := number(&f.year, most)
		if neg {
			f.year = -f.year
		}
		return rest, err
	case 'M', 'L':
		if x.n < 3 {
			return number(&f.month, 2)
		}
		return f.name(monthNames, x.n, s, &f.month)
	case 'E':
		var ignored int64
		return f.name(dayNames, x.n, s, &ignored)
	case 'd':
		return number(&f.day, 2)
	case 'D':
		return number(&f.yearDay, 3)
	case 'H':
		f.ofDay = true
		return number(&f.hour, 2)
	case 'k':
		rest, err := number(&f.hour, 2)
		f.hour %= 24
		f.ofDay = true
		return rest, err
	case 'h', 'K':
		f.half = true
		into := &f.hour
		if f.ofDay { // the hour of the day says it already
			into = new(int64)
		}
		return number(into, 2)
	case 'm':
		return number(&f.minute, 2)
	case 's':
		return number(&f.second, 2)
	case 'S':
		return f.fraction(x.n, s)
	case 'a', 'G':
		words := []string{"AM", "PM"}
		if x.letter == 'G' {
			words = []string{era(1, x.n), era(0, x.n)}
		}
		for k, word := range words {
			if len(s) >= len(word) && strings.EqualFold(s[:len(word)], word) {
				if x.letter == 'a' {
					f.pm, f.halfDay = k == 1, true
				} else {
					f.bc = k == 1
				}
				return s[len(word):], nil
			}
		}
		return s, errNoMatch
	case 'X', 'x', 'Z', 'O':
		return f.offset(x, s)
	case 'z', 'V':
		return f.zoneName(s)
	}
	return s, errNoMatch
}

func (f *parsed) name(names []string, n int, s string, into *int64) (string, error) {
	for k, name := range names {
		if n < 4 {
			name = name[:3]
		}
		if len(s) >= len(name) && s[:len(name)] == name {
			*into = int64(k + 1)
			return s[len(name):], nil
		}
	}
	return s, errNoMatch
}

// fraction reads up to n digits (at least one); Spark pads what is missing.
func (f *parsed) fraction(n int, s string) (string, error) {
	i := 0
	for i < len(s) && i < n && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return s, errNoMatch
	}
	v, err := strconv.ParseInt((s[:i] + "000000")[:6], 10, 64)
	f.micro = v
	return s[i:], err
}

// offset reads what zoneText writes for the letters X, x, Z and O.
func (f *parsed) offset(x patternPart, s string) (string, error) {
	colon, minutes, seconds := x.n == 3 || x.n >= 5, x.n > 1, x.n >= 4
	switch x.letter {
	case 'X':
		if strings.HasPrefix(s, "Z") {
			f.zone = time.UTC
			return s[1:], nil
		}
	case 'Z':
		if x.n >= 5 && strings.HasPrefix(s, "Z") {
			f.zone = time.UTC
			return s[1:], nil
		}
		if colon, minutes, seconds = x.n >= 5, true, x.n >= 5; x.n != 4 {
			break
		}
		fallthrough
	case 'O':
		if !strings.HasPrefix(s, "GMT") {
			return s, errNoMatch
		}
		f.zone = time.UTC
		if s = s[3:]; s == "" || s[0] != '+' && s[0] != '-' {
			return s, nil
		}
		colon, seconds = true, true
	}
	if s == "" || s[0] != '+' && s[0] != '-' {
		return s, errNoMatch
	}
	rest, total := s[1:], 0
	take := func(least int) (int, bool) {
		n := 0
		for n < 2 && n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n < least {
			return 0, false
		}
		v, _ := strconv.Atoi(rest[:n])
		rest = rest[n:]
		return v, true
	}
	least := 2
	if x.letter == 'O' && x.n == 1 {
		least = 1
	}
	h, ok := take(least)
	if !ok || h > 18 {
		return s, errNoMatch
	}
	total = h * 3600
	for _, part := range []struct {
		unit   int
		wanted bool
	}{{60, minutes && x.letter != 'O'}, {1, false}} {
		if part.unit == 1 && !seconds {
			break
		}
		mark := rest
		if colon {
			if !strings.HasPrefix(rest, ":") {
				if part.wanted {
					return s, errNoMatch
				}
				break
			}
			rest = rest[1:]
		}
		v, ok := take(2)
		if !ok || v > 59 {
			if part.wanted {
				return s, errNoMatch
			}
			rest = mark
			break
		}
		total += v * part.unit
	}
	if s[0] == '-' {
		if total == 0 && x.letter != 'O' {
			return s, errNoMatch
		}
		total = -total
	}
	f.zone = time.FixedZone("", total)
	return rest, nil
}

// zoneName reads the longest name of a zone.
func (f *parsed) zoneName(s string) (string, error) {
	if rest, ok := strings.CutPrefix(s, "Coordinated Universal Time"); ok {
		f.zone = time.UTC
		return rest, nil
	}
	end := 0
	for end < len(s) && (letter(s[end]) || strings.IndexByte("+-:/_0123456789", s[end]) >= 0) {
		end++
	}
	for ; end > 0; end-- {
		if zone, ok := civil.Zone(s[:end]); ok {
			f.zone = zone
			return s[end:], nil
		}
	}
	return s, errNoMatch
}
