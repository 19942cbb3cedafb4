package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// lengths of the fields of an interval in their family's smallest unit.
var fieldLength = [...]int64{
	types.Year: 12, types.Month: 1,
	types.Day: 86_400_000_000, types.Hour: 3_600_000_000, types.Minute: 60_000_000, types.Second: 1_000_000,
}

// separator before a field inside interval text.
var fieldSeparator = [...]byte{types.Month: '-', types.Hour: ' ', types.Minute: ':', types.Second: ':'}

// ParseIntervalText reads the ANSI text of an interval, for example '1 02:03:04.5'
// as DAY TO SECOND or '1-2' as YEAR TO MONTH.
func ParseIntervalText(text string, t types.Interval) (int64, bool) {
	s := strings.TrimSpace(text)
	neg := strings.HasPrefix(s, "-")
	if neg || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	total := int64(0)
	for u := t.From; u <= t.To; u++ {
		if u > t.From {
			if s == "" || s[0] != fieldSeparator[u] {
				return 0, false
			}
			s = s[1:]
		}
		i := 0
		for i < len(s) && digit(s[i]) {
			i++
		}
		n, err := strconv.ParseInt(s[:i], 10, 64)
		if err != nil || n > (1<<62)/fieldLength[u] || (u > t.From && n >= limit(u)) {
			return 0, false
		}
		s, total = s[i:], total+n*fieldLength[u]
		if u == types.Second && s != "" && s[0] == '.' {
			frac := s[1:]
			if len(frac) == 0 || len(frac) > 9 || strings.Trim(frac, "0123456789") != "" {
				return 0, false
			}
			f, _ := strconv.ParseInt((frac + "000000")[:6], 10, 64)
			s, total = "", total+f
		}
	}
	if neg {
		total = -total
	}
	if t.From <= types.Month && int64(int32(total)) != total {
		return 0, false
	}
	return total, s == ""
}

func limit(u types.Unit) int64 {
	switch u {
	case types.Month:
		return 12
	case types.Hour:
		return 24
	}
	return 60
}

// FormatInterval writes an interval as Spark shows it, for example
// INTERVAL '1 02:03:04.5' DAY TO SECOND.
func FormatInterval(v int64, t types.Interval) string {
	name := strings.ToUpper(strings.TrimPrefix(t.String(), "interval "))
	return fmt.Sprintf("INTERVAL '%s' %s", intervalBody(v, t), name)
}

func intervalBody(v int64, t types.Interval) string {
	var b strings.Builder
	mag := uint64(v)
	if v < 0 {
		b.WriteByte('-')
		mag = -mag
	}
	for u := t.From; u <= t.To; u++ {
		n := mag / uint64(fieldLength[u])
		mag %= uint64(fieldLength[u])
		if u == t.From {
			width := "%d"
			if u >= types.Hour {
				width = "%02d"
			}
			fmt.Fprintf(&b, width, n)
		} else {
			b.WriteByte(fieldSeparator[u])
			if u == types.Month {
				fmt.Fprintf(&b, "%d", n)
			} else {
				fmt.Fprintf(&b, "%02d", n)
			}
		}
		if u == types.Second && mag != 0 {
			b.WriteString(strings.TrimRight(fmt.Sprintf(".%06d", mag), "0"))
		}
	}
	return b.String()
}
