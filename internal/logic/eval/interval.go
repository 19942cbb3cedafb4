package eval

import (
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// timeArithmetic is +, -, * and / with dates, timestamps and intervals.
func timeArithmetic(c *call) (arrow.Array, error) {
	for k := range c.node.Args {
		if c.typ(k) == types.CalendarInterval {
			return calendarArithmetic(c)
		}
	}
	a, fn, out := c.int(0), c.node.Fn, c.out()
	left := c.typ(0)
	if types.IsNumeric(c.typ(1)) { // interval * number, interval / number
		return scaleInterval(c)
	}
	b := c.int(1)
	sign := int64(1)
	if fn == "-" {
		sign = -1
	}
	months := c.typ(1).Kind() == types.KindYearMonthInterval
	switch {
	case !isInterval(c.typ(1)): // a difference of dates or timestamps
		unit := int64(1)
		if left == types.Date {
			unit = civil.MicrosPerDay
		}
		a, b = c.local(0), c.local(1)
		return c.ints(func(i int) (int64, error) { return (a(i) - b(i)) * unit, nil })
	case isInterval(left):
		_, high := intRange(types.Long)
		if months {
			_, high = intRange(types.Integer)
		}
		return c.ints(func(i int) (int64, error) {
			x, y := a(i), sign*b(i)
			if overflows("+", x, y) || x+y > high || x+y < -high-1 {
				return 0, failf("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "%d %s %d is too long an interval", x, fn, b(i))
			}
			return x + y, nil
		})
	case out == types.Date && months:
		return c.ints(func(i int) (int64, error) { return civil.AddMonths(a(i), sign*b(i)), nil })
	case out == types.Date:
		return c.ints(func(i int) (int64, error) { return a(i) + sign*b(i)/civil.MicrosPerDay, nil })
	case months:
		return c.ints(func(i int) (int64, error) { return addMonths(a(i), sign*b(i), c.zoneOf(out)) })
	}
	return c.ints(func(i int) (int64, error) {
		x, y := a(i), sign*b(i)
		if overflows("+", x, y) {
			return 0, failf("DATETIME_OVERFLOW", "the timestamp %s %s an interval is out of range", civil.FormatTimestamp(x), fn)
		}
		return addDayTime(x, y, c.zoneOf(out)), nil
	})
}

// addDayTime adds the days of an interval on the calendar and the rest on the clock.
func addDayTime(micros, by int64, zone *time.Location) int64 {
	if zone == nil {
		return micros + by
	}
	days := by / civil.MicrosPerDay
	if days != 0 {
		micros = moved(micros, civil.Local(micros, zone)+days*civil.MicrosPerDay, zone)
	}
	return micros + by%civil.MicrosPerDay
}

func addMonths(micros, months int64, zone *time.Location) (int64, error) {
	days, ofDay := civil.Split(civil.Local(micros, zone))
	days = civil.AddMonths(days, months)
	if days > math.MaxInt64/civil.MicrosPerDay-1 || days < math.MinInt64/civil.MicrosPerDay+1 {
		return 0, failf("DATETIME_OVERFLOW", "adding %d months leaves the range of timestamps", months)
	}
	return moved(micros, days*civil.MicrosPerDay+ofDay, zone), nil
}

func isInterval(t types.Type) bool {
	return t.Kind() == types.KindDayTimeInterval || t.Kind() == types.KindYearMonthInterval
}

func scaleInterval(c *call) (arrow.Array, error) {
	a, b := c.int(0), c.float(1)
	return c.ints(func(i int) (int64, error) {
		f := float64(a(i)) * b(i)
		if c.node.Fn == "/" {
			if b(i) == 0 {
				return 0, failf("INTERVAL_DIVIDED_BY_ZERO", "an interval divided by zero")
			}
			f = float64(a(i)) / b(i)
		}
		f = math.Floor(math.Abs(f)+0.5) * float64(1-2*b2i(f < 0))
		if math.IsNaN(f) || math.Abs(f) >= math.MaxInt64 || (c.out().Kind() == types.KindYearMonthInterval && math.Abs(f) > math.MaxInt32) {
			return 0, failf("ARITHMETIC_OVERFLOW", "the interval is too long")
		}
		return int64(f), nil
	})
}
