package feature

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseInterval reads a calendar interval of fixed length, for example
// "interval 1 week" or "2 days 12 hours". Months and years have no fixed length
// and are refused, as the reference refuses them.
func ParseInterval(s string) (time.Duration, error) {
	words := strings.Fields(strings.ToLower(s))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return 0, fmt.Errorf("want an interval such as \"interval 7 days\"")
	}
	var total time.Duration
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.ParseFloat(strings.Trim(words[i], "'"), 64)
		if err != nil {
			return 0, fmt.Errorf("want an interval such as \"interval 7 days\": %q is no number", words[i])
		}
		unit, ok := map[string]time.Duration{
			"microsecond": time.Microsecond, "millisecond": time.Millisecond, "second": time.Second,
			"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour,
		}[strings.TrimSuffix(words[i+1], "s")]
		if !ok {
			return 0, fmt.Errorf("want an interval of weeks, days, hours, minutes or seconds, not of %s", words[i+1])
		}
		d := n * float64(unit)
		if math.Abs(d)+math.Abs(float64(total)) > math.MaxInt64/2 {
			d = math.Copysign(math.MaxInt64/2, d) // longer than anybody keeps a table
			return time.Duration(d), nil
		}
		total += time.Duration(d)
	}
	return total, nil
}

func parseBool(s string) (v, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// parseSize reads a number of bytes with an optional unit: 1048576, 128m, 1 GB.
func parseSize(s string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimSuffix(strings.TrimSuffix(s, "b"), "i")
	unit := int64(1)
	for i, u := range "kmgt" {
		if rest, ok := strings.CutSuffix(s, string(u)); ok {
			s, unit = rest, 1<<(10*(i+1))
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}
