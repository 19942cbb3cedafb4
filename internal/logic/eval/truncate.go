package eval

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types/civil"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){"trunc": truncDate, "date_trunc": truncTimestamp})
}

// truncDays goes back to the first day of a year, quarter, month or week.
func truncDays(days int64, unit string) (int64, bool) {
	y, m, _ := civil.Date(days)
	switch strings.ToUpper(unit) {
	case "YEAR", "YYYY", "YY":
		return civil.Days(y, 1, 1), true
	case "QUARTER":
		return civil.Days(y, (m-1)/3*3+1, 1), true
	case "MONTH", "MM", "MON":
		return civil.Days(y, m, 1), true
	case "WEEK":
		return days - civil.Weekday(days), true
	}
	return 0, false
}

func truncDate(c *call) (arrow.Array, error) {
	d, unit := c.int(0), c.str(1)
	return c.ints(func(i int) (int64, error) {
		if r, ok := truncDays(d(i), unit(i)); ok {
			return r, nil
		}
		return 0, errNull
	})
}

func truncTimestamp(c *call) (arrow.Array, error) {
	unit, t := c.str(0), c.int(1)
	return c.ints(func(i int) (int64, error) {
		u := strings.ToUpper(unit(i))
		if u == "DD" {
			u = "DAY"
		}
		local := civil.Local(t(i), c.zone())
		if n, ok := unitLength[u]; ok && u != "WEEK" && u != "DAYOFYEAR" {
			return moved(t(i), floorDiv(local, n)*n, c.zone()), nil
		}
		days, _ := civil.Split(local)
		if r, ok := truncDays(days, u); ok {
			return c.instant(r * civil.MicrosPerDay), nil
		}
		return 0, errNull
	})
}
