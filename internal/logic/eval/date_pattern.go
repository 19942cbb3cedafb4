package eval

import (
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"date_format": dateFormat, "from_unixtime": fromUnixTime, "parse_time": parseByPattern, "to_unix_timestamp": parseByPattern,
	})
}

// datePattern is a compiled pattern of letters (java.time.format.DateTimeFormatter).
type datePattern struct {
	parts []patternPart
}

type patternPart struct {
	letter   byte // 0 is literal text
	n        int
	text     string
	optional int // 1 opens a [ section, -1 closes it
}

// letters: those of SimpleDateFormat, and what Spark took out of DateTimeFormatter.
const (
	legacyLetters    = "GyYMLwWDdFEuaHkKhmsSzZX"
	weekLetters      = "YWwuec"
	forbiddenLetters = "ABnNp"
	knownLetters     = "GuyDMLdQqEFahKkHmsSVzOXxZ"
)

// compilePattern reads a pattern; parsing is stricter than formatting.
func compilePattern(s string, parsing bool) (*datePattern, error) {
	p := &datePattern{}
	legacy, week, bad := true, false, false
	illegal, long := false, false
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return nil, invalidPattern(s)
			}
			text := s[i+1 : i+1+end]
			if text == "" {
				text = "'"
			}
			p.parts = append(p.parts, patternPart{text: text})
			i += end + 2
		case letter(c):
			n := 1
			for i+n < len(s) && s[i+n] == c {
				n++
			}
			legacy = legacy && strings.IndexByte(legacyLetters, c) >= 0
			switch {
			case strings.IndexByte(weekLetters, c) >= 0:
				week, bad = true, true
			case strings.IndexByte(forbiddenLetters, c) >= 0 || parsing && strings.IndexByte("EFqQ", c) >= 0:
				illegal, bad = true, true
			case n >= 5 && strings.IndexByte("GMLEQq", c) >= 0:
				long, bad = true, true
			case strings.IndexByte(knownLetters, c) < 0 || n > 1 && c == 'a', n != 2 && c == 'V', n != 1 && n != 4 && c == 'O',
				n > 2 && strings.IndexByte("dHhKkms", c) >= 0, n > 6 && c == 'y', n > 9:
				bad = true
			}
			p.parts = append(p.parts, patternPart{letter: c, n: n})
			i += n
		case c == '[' || c == ']':
			p.parts = append(p.parts, patternPart{optional: map[byte]int{'[': 1, ']': -1}[c]})
			i++
		case strings.IndexByte("{}#", c) >= 0:
			bad = true
			i++
		default:
			p.parts = append(p.parts, patternPart{text: s[i : i+1]})
			i++
		}
	}
	switch {
	case !bad:
		return p, nil
	case legacy:
		return nil, failf("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION", "the pattern %q means something else since Spark 3", clip(s))
	case week:
		return nil, failf("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", "the pattern %q has letters of weeks, which are not supported", clip(s))
	case illegal:
		return nil, failf("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "%q has a letter that patterns of dates do not have", clip(s))
	case long:
		return nil, failf("INVALID_DATETIME_PATTERN.LENGTH", "%q repeats a letter too often", clip(s))
	}
	return nil, invalidPattern(s)
}

func invalidPattern(s string) error {
	return failf("INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "%q is no pattern of dates", clip(s))
}

// format writes the reading of the clock in a zone at an instant; nil is UTC.
func (p *datePattern) format(b []byte, at int64, zone *time.Location) []byte {
	days, us := civil.Split(civil.Local(at, zone))
	y, m, d := civil.Date(days)
	for _, x := range p.parts {
		switch x.letter {
		case 0:
			b = append(b, x.text...)
		case 'y', 'u':
			b = appendYear(b, y, x.n)
		case 'M', 'L':
			switch {
			case x.n >= 4:
				b = append(b, monthNames[m-1]...)
			case x.n == 3:
				b = append(b, monthNames[m-1][:3]...)
			default:
				b = appendPadded(b, m, x.n)
			}
		case 'd':
			b = appendPadded(b, d, x.n)
		case 'D':
			b = appendPadded(b, civil.YearDay(days), x.n)
		case 'Q', 'q':
			q := (m + 2) / 3
			switch {
			case x.n >= 4:
				b = append(b, []string{"1st", "2nd", "3rd", "4th"}[q-1]+" quarter"...)
			case x.n == 3:
				b = append(b, "Q"+strconv.FormatInt(q, 10)...)
			default:
				b = appendPadded(b, q, x.n)
			}
		case 'E':
			name := dayNames[civil.Weekday(days)]
			if x.n < 4 {
				name = name[:3]
			}
			b = append(b, name...)
		case 'F':
			b = appendPadded(b, (d-1)%7+1, x.n)
		case 'G':
			b = append(b, era(y, x.n)...)
		case 'a':
			b = append(b, []string{"AM", "PM"}[us/43_200_000_000]...)
		case 'H':
			b = appendPadded(b, us/3_600_000_000, x.n)
		case 'k':
			b = appendPadded(b, (us/3_600_000_000+23)%24+1, x.n)
		case 'h':
			b = appendPadded(b, (us/3_600_000_000+11)%12+1, x.n)
		case 'K':
			b = appendPadded(b, us/3_600_000_000%12, x.n)
		case 'm':
			b = appendPadded(b, us/60_000_000%60, x.n)
		case 's':
			b = appendPadded(b, us/1_000_000%60, x.n)
		case 'S':
			b = append(appendPadded(b, us%1_000_000, 6), "000"...)
			b = b[:len(b)-9+min(x.n, 9)]
		case 'X', 'x', 'Z', 'z', 'V', 'O':
			b = append(b, zoneText(x, at, zone)...)
		}
	}
	return b
}

func era(y int64, n int) string {
	if n >= 4 {
		return map[bool]string{true: "Anno Domini", false: "Before Christ"}[y > 0]
	}
	return map[bool]string{true: "AD", false: "BC"}[y > 0]
}

func appendYear(b []byte, y int64, n int) []byte {
	switch {
	case n == 2:
		return appendPadded(b, floorMod(y, 100), 2)
	case y < 0:
		return appendPadded(append(b, '-'), -y, n)
	case n >= 4 && n < 19 && y >= pow10[n]:
		b = append(b, '+')
	}
	return appendPadded(b, y, n)
}

// patternCache keeps the last pattern: most are constants.
type patternCache struct {
	text    string
	p       *datePattern
	parsing bool
}

func (c *patternCache) get(text string) (*datePattern, error) {
	if c.p != nil && c.text == text {
		return c.p, nil
	}
	p, err := compilePattern(text, c.parsing)
	if err != nil {
		return nil, err
	}
	c.text, c.p = text, p
	return p, nil
}

func dateFormat(c *call) (arrow.Array, error) {
	t, pat, cache := c.int(0), c.str(1), &patternCache{}
	return c.text(func(b []byte, i int) ([]byte, error) {
		p, err := cache.get(pat(i))
		if err != nil {
			return nil, err
		}
		return p.format(b, t(i), c.zoneOf(c.typ(0))), nil
	})
}

func fromUnixTime(c *call) (arrow.Array, error) {
	v, pat, cache := c.int(0), func(int) string { return "yyyy-MM-dd HH:mm:ss" }, &patternCache{}
	if c.has(1) {
		pat = c.str(1)
	}
	return c.text(func(b []byte, i int) ([]byte, error) {
		p, err := cache.get(pat(i))
		if err != nil {
			return nil, err
		}
		return p.format(b, v(i)*1_000_000, c.zone()), nil // wraps, as in Spark
	})
}

// parseByPattern reads dates and timestamps by a pattern; to_unix_timestamp gives seconds.
func parseByPattern(c *call) (arrow.Array, error) {
	s, pat, cache := c.str(0), c.str(1), &patternCache{parsing: true}
	return c.ints(func(i int) (int64, error) {
		p, err := cache.get(pat(i))
		if err != nil {
			return 0, err
		}
		us, zoned, err := p.parse(s(i))
		if err != nil {
			return 0, failf("CANNOT_PARSE_TIMESTAMP", "%q could not be parsed by the pattern %q: %v", clip(s(i)), pat(i), err)
		}
		switch {
		case c.out() == types.Date:
			if zoned {
				us = civil.Local(us, c.zone())
			}
			days, _ := civil.Split(us)
			return days, nil
		case c.out() != types.TimestampNTZ && !zoned:
			us = civil.Instant(us, c.zone())
		}
		if c.node.Fn == "to_unix_timestamp" {
			us /= 1_000_000
		}
		return us, nil
	})
}
