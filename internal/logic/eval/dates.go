package eval

import (
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

func init() {
	family := map[string]func(*call) (arrow.Array, error){
		"hour":   clock(func(us int64) int64 { return us / 3_600_000_000 }),
		"minute": clock(func(us int64) int64 { return us / 60_000_000 % 60 }),
		"second": clock(func(us int64) int64 { return us / 1_000_000 % 60 }),
		"second_fraction": func(c *call) (arrow.Array, error) {
			v := c.local(0)
			return c.decs(func(i int) (dec, error) {
				_, us := civil.Split(v(i))
				return decimal128.FromI64(us % 60_000_000), nil
			})
		},
		"interval_year":   intervalField(func(v int64) int64 { return v / 12 }),
		"interval_month":  intervalField(func(v int64) int64 { return v % 12 }),
		"interval_day":    intervalField(func(v int64) int64 { return v / civil.MicrosPerDay }),
		"interval_hour":   intervalField(func(v int64) int64 { return v / 3_600_000_000 % 24 }),
		"interval_minute": intervalField(func(v int64) int64 { return v / 60_000_000 % 60 }),
		"interval_second_fraction": func(c *call) (arrow.Array, error) {
			v := c.unitOf(0)
			return c.decs(func(i int) (dec, error) { return decimal128.FromI64(v(i) % 60_000_000), nil })
		},
		"date_add": func(c *call) (arrow.Array, error) { return dayShift(c, 1) }, "date_sub": func(c *call) (arrow.Array, error) { return dayShift(c, -1) },
		"datediff": func(c *call) (arrow.Array, error) {
			a, b := c.int(0), c.int(1)
			return c.ints(func(i int) (int64, error) { return a(i) - b(i), nil })
		},
		"add_months": func(c *call) (arrow.Array, error) {
			d, m := c.int(0), c.int(1)
			return c.ints(func(i int) (int64, error) { return civil.AddMonths(d(i), m(i)), nil })
		},
		"months_between": monthsBetween, "next_day": nextDay, "make_date": makeDate, "make_timestamp": makeTimestamp,
		"unix_seconds": divided(1_000_000), "unix_timestamp": datePart(func(v int64) int64 { return v / 1_000_000 }), "unix_millis": divided(1_000), "unix_micros": divided(1), "unix_date": divided(1), "date_from_unix_date": divided(1),
		"timestamp_seconds": timestampSeconds, "timestamp_millis": timesMicros(1_000), "timestamp_micros": timesMicros(1),
		"timestampdiff": timestampDiff, "timestampadd": timestampAdd, "make_dt_interval": makeDayTime, "make_ym_interval": makeYearMonth,
		"convert_timezone": convertTimezone, "from_utc_timestamp": zoneShift(1), "to_utc_timestamp": zoneShift(-1),
		"monthname": func(c *call) (arrow.Array, error) {
			d := c.int(0)
			return c.strings(func(i int) (string, error) { _, m, _ := civil.Date(d(i)); return monthNames[m-1][:3], nil })
		},
		"dayname": func(c *call) (arrow.Array, error) {
			d := c.int(0)
			return c.strings(func(i int) (string, error) { return dayNames[civil.Weekday(d(i))][:3], nil })
		},
	}
	for name, f := range map[string]func(days int64) int64{
		"year":          func(d int64) int64 { y, _, _ := civil.Date(d); return y },
		"month":         func(d int64) int64 { _, m, _ := civil.Date(d); return m },
		"day":           func(d int64) int64 { _, _, x := civil.Date(d); return x },
		"quarter":       func(d int64) int64 { _, m, _ := civil.Date(d); return (m + 2) / 3 },
		"dayofweek":     func(d int64) int64 { return (civil.Weekday(d)+1)%7 + 1 },
		"weekday":       civil.Weekday,
		"dayofyear":     civil.YearDay,
		"weekofyear":    func(d int64) int64 { _, w := civil.ISOWeek(d); return w },
		"yearofweek":    func(d int64) int64 { y, _ := civil.ISOWeek(d); return y },
		"dayofweek_iso": func(d int64) int64 { return civil.Weekday(d) + 1 },
		"last_day":      func(d int64) int64 { y, m, _ := civil.Date(d); return civil.Days(y, m, civil.MonthLength(y, m)) },
	} {
		family[name] = datePart(f)
	}
	register(family)
}

func datePart(f func(int64) int64) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		d := c.int(0)
		return c.ints(func(i int) (int64, error) { return f(d(i)), nil })
	}
}

func clock(f func(int64) int64) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		v := c.local(0)
		return c.ints(func(i int) (int64, error) {
			_, us := civil.Split(v(i))
			return f(us), nil
		})
	}
}

func intervalField(f func(int64) int64) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		v := c.unitOf(0)
		return c.ints(func(i int) (int64, error) { return f(v(i)), nil })
	}
}

// unitOf reads an interval argument; of a calendar interval the number that a field
// is taken from.
func (c *call) unitOf(k int) func(int) int64 {
	if c.typ(k) != types.CalendarInterval {
		return c.int(k)
	}
	v := calendars(c.args[k])
	switch c.node.Fn {
	case "interval_year", "interval_month":
		return func(i int) int64 { return v(i).months }
	case "interval_day":
		return func(i int) int64 {
			return v(i).days*civil.MicrosPerDay + v(i).micros/civil.MicrosPerDay*civil.MicrosPerDay
		}
	}
	return func(i int) int64 { return v(i).micros }
}

func dayShift(c *call, sign int64) (arrow.Array, error) {
	d, n := c.int(0), c.int(1)
	return c.ints(func(i int) (int64, error) { return int64(int32(d(i) + sign*n(i))), nil })
}

func divided(by int64) func(*call) (arrow.Array, error) {
	return datePart(func(v int64) int64 { return floorDiv(v, by) })
}

// noClass is an overflow for which Spark has no error class.
func noClass(what string) error { return &Error{Message: what} }

func timesMicros(by int64) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		v := c.int(0)
		return c.ints(func(i int) (int64, error) {
			r, ok := mul64(v(i), by)
			if !ok {
				return 0, noClass("long overflow")
			}
			return r, nil
		})
	}
}

func timestampSeconds(c *call) (arrow.Array, error) {
	switch k := c.typ(0).Kind(); {
	case k == types.KindDecimal:
		d := c.dec(0)
		_, scale := typeOf(c.typ(0))
		return c.ints(func(i int) (int64, error) {
			v, r := new(big.Int).QuoRem(new(big.Int).Mul(d(i).BigInt(), powerOf10(6)), powerOf10(scale), new(big.Int))
			if r.Sign() != 0 || !v.IsInt64() {
				return 0, noClass("Rounding necessary or overflow")
			}
			return v.Int64(), nil
		})
	case k == types.KindFloat || k == types.KindDouble:
		x := c.float(0)
		return c.ints(func(i int) (int64, error) {
			if math.IsNaN(x(i)) || math.IsInf(x(i), 0) {
				return 0, errNull
			}
			return saturate(x(i) * 1e6), nil
		})
	}
	return timesMicros(1_000_000)(c)
}

// monthsBetween counts months with a fraction of 31 days; whole months when both
// are the same day of the month or the last one.
func monthsBetween(c *call) (arrow.Array, error) {
	a, b := c.local(0), c.local(1)
	exact := func(int) bool { return true }
	if c.has(2) {
		exact = c.bool(2)
	}
	return c.floats(func(i int) (float64, error) {
		d1, us1 := civil.Split(a(i))
		d2, us2 := civil.Split(b(i))
		y1, m1, x1 := civil.Date(d1)
		y2, m2, x2 := civil.Date(d2)
		months := float64(y1*12 + m1 - y2*12 - m2)
		if x1 == x2 || (x1 == civil.MonthLength(y1, m1) && x2 == civil.MonthLength(y2, m2)) {
			return months, nil
		}
		seconds := (x1-x2)*86400 + us1/1_000_000 - us2/1_000_000
		diff := months + float64(seconds)/(31*86400)
		if exact(i) {
			diff = math.Floor(diff*1e8+0.5) / 1e8
		}
		return diff, nil
	})
}

var dayNames = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

var monthNames = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}

func nextDay(c *call) (arrow.Array, error) {
	d, s := c.int(0), c.str(1)
	return c.ints(func(i int) (int64, error) {
		want := -1
		for k, name := range dayNames {
			if w := strings.ToLower(strings.TrimSpace(s(i))); w == strings.ToLower(name) || w == strings.ToLower(name[:3]) || w == strings.ToLower(name[:2]) {
				want = k
			}
		}
		if want < 0 {
			return 0, failf("ILLEGAL_DAY_OF_WEEK", "%q is no day of the week", clip(s(i)))
		}
		return d(i) + floorMod(int64(want)-civil.Weekday(d(i))-1, 7) + 1, nil
	})
}

func outOfBounds(field string, low, high, v int64) error {
	return failf("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", "invalid value for %s (valid values %d - %d): %d", field, low, high, v)
}

func dateOf(y, m, d int64) (int64, error) {
	switch {
	case m < 1 || m > 12:
		return 0, outOfBounds("MonthOfYear", 1, 12, m)
	case d < 1 || d > 31:
		return 0, outOfBounds("DayOfMonth", 1, 31, d)
	case d > civil.MonthLength(y, m):
		return 0, failf("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", "month %d of year %d has no day %d", m, y, d)
	}
	return civil.Days(y, m, d), nil
}

func makeDate(c *call) (arrow.Array, error) {
	y, m, d := c.int(0), c.int(1), c.int(2)
	return c.ints(func(i int) (int64, error) {
		if abs64(y(i)) > 999_999_999 {
			return 0, outOfBounds("Year", -999_999_999, 999_999_999, y(i))
		}
		days, err := dateOf(y(i), m(i), d(i))
		if err == nil && int64(int32(days)) != days {
			return 0, failf("ARITHMETIC_OVERFLOW", "the year %d is too far from 1970 for a date", y(i))
		}
		return days, err
	})
}

// timestampOfDate is make_timestamp of a date, a time of day and a zone.
func timestampOfDate(c *call) (arrow.Array, error) {
	d, ofDay, zone := c.int(0), func(int) int64 { return 0 }, func(int) string { return "" }
	if c.has(1) {
		ofDay = c.int(1)
	}
	if c.has(2) {
		zone = c.str(2)
	}
	return c.ints(func(i int) (int64, error) {
		v := d(i)*civil.MicrosPerDay + ofDay(i)
		if z := zone(i); z != "" {
			loc, ok := civil.Zone(z)
			if !ok {
				return 0, failf("INVALID_TIMEZONE", "%q is no time zone", clip(z))
			}
			return civil.Instant(v, loc), nil
		}
		return c.instant(v), nil
	})
}

func makeTimestamp(c *call) (arrow.Array, error) {
	if len(c.args) <= 3 {
		return timestampOfDate(c)
	}
	part := make([]func(int) int64, 5)
	for k := range part {
		part[k] = c.int(k)
	}
	sec, zone := c.dec(5), func(int) string { return "" }
	if c.has(6) {
		zone = c.str(6)
	}
	return c.ints(func(i int) (int64, error) {
		days, err := dateOf(part[0](i), part[1](i), part[2](i))
		if err != nil {
			return 0, err
		}
		h, m, us := part[3](i), part[4](i), int64(sec(i).LowBits()) // decimal(16,6)
		switch {
		case h < 0 || h > 23:
			return 0, outOfBounds("HourOfDay", 0, 23, h)
		case m < 0 || m > 59:
			return 0, outOfBounds("MinuteOfHour", 0, 59, m)
		case us > 60_000_000 && us < 61_000_000:
			return 0, failf("INVALID_FRACTION_OF_SECOND", "the seconds are 0 to 60, and 60 has no fraction")
		case us < 0 || us > 60_000_000:
			return 0, outOfBounds("SecondOfMinute", 0, 59, us/1_000_000)
		}
		v := days*civil.MicrosPerDay + (h*60+m)*60_000_000 + us
		if z := zone(i); z != "" {
			loc, ok := civil.Zone(z)
			switch {
			case !ok && c.legacy():
				return 0, errNull
			case !ok:
				return 0, failf("INVALID_TIMEZONE", "%q is no time zone", clip(z))
			}
			return civil.Instant(v, loc), nil
		}
		return c.instant(v), nil
	})
}

// zoneShift is from_utc_timestamp (1) and to_utc_timestamp (-1).
func zoneShift(sign int) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		t, zone := c.int(0), c.str(1)
		return c.ints(func(i int) (int64, error) {
			loc, ok := civil.Zone(zone(i))
			if !ok || loc == nil {
				return 0, failf("INVALID_TIMEZONE", "%q is no time zone", clip(zone(i)))
			}
			if sign < 0 {
				return civil.Instant(t(i), loc), nil
			}
			return civil.Local(t(i), loc), nil
		})
	}
}

// convertTimezone reads a clock in one zone and tells what one in another shows.
func convertTimezone(c *call) (arrow.Array, error) {
	from, to, t := c.str(0), c.str(1), c.int(2)
	return c.ints(func(i int) (int64, error) {
		var zones [2]*time.Location
		for k, name := range []string{from(i), to(i)} {
			loc, ok := civil.Zone(name)
			if !ok || loc == nil {
				return 0, failf("INVALID_TIMEZONE", "%q is no time zone", clip(name))
			}
			zones[k] = loc
		}
		return civil.Local(civil.Instant(t(i), zones[0]), zones[1]), nil
	})
}

var unitLength = map[string]int64{"MICROSECOND": 1, "MILLISECOND": 1_000, "SECOND": 1_000_000, "MINUTE": 60_000_000, "HOUR": 3_600_000_000,
	"DAY": civil.MicrosPerDay, "DAYOFYEAR": civil.MicrosPerDay, "WEEK": 7 * civil.MicrosPerDay}

var unitMonths = map[string]int64{"MONTH": 1, "QUARTER": 3, "YEAR": 12}

func badUnit(unit string) error {
	return failf("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "%q is no unit of time", clip(unit))
}

func timestampDiff(c *call) (arrow.Array, error) {
	unit, a, b := c.str(0), c.local(1), c.local(2)
	return c.ints(func(i int) (int64, error) {
		u := strings.ToUpper(unit(i))
		if n, ok := unitLength[u]; ok {
			return (b(i) - a(i)) / n, nil
		}
		if n, ok := unitMonths[u]; ok {
			return wholeMonths(a(i), b(i)) / n, nil
		}
		return 0, badUnit(unit(i))
	})
}

// wholeMonths counts the full months from a to b.
func wholeMonths(a, b int64) int64 {
	d1, us1 := civil.Split(a)
	d2, us2 := civil.Split(b)
	y1, m1, x1 := civil.Date(d1)
	y2, m2, x2 := civil.Date(d2)
	months := y2*12 + m2 - y1*12 - m1
	before := x2 < x1 || (x2 == x1 && us2 < us1)
	after := x2 > x1 || (x2 == x1 && us2 > us1)
	if months > 0 && before {
		months--
	} else if months < 0 && after {
		months++
	}
	return months
}

func timestampAdd(c *call) (arrow.Array, error) {
	unit, n, t := c.str(0), c.int(1), c.int(2)
	return c.ints(func(i int) (int64, error) {
		u := strings.ToUpper(unit(i))
		if months, ok := unitMonths[u]; ok {
			return addMonths(t(i), n(i)*months, c.zoneOf(c.out()))
		}
		length, ok := unitLength[u]
		if !ok {
			return 0, badUnit(unit(i))
		}
		by, ok := mul64(n(i), length)
		if !ok || overflows("+", t(i), by) {
			return 0, failf("DATETIME_OVERFLOW", "adding %d %s leaves the range of timestamps", n(i), u)
		}
		if length >= civil.MicrosPerDay {
			return addDayTime(t(i), by, c.zoneOf(c.out())), nil
		}
		return t(i) + by, nil
	})
}

func makeDayTime(c *call) (arrow.Array, error) {
	return c.ints(func(i int) (int64, error) {
		total, fits := int64(0), true
		add := func(n, unit int64) {
			sum, ok := addProduct(total, unit, n)
			total, fits = sum, fits && ok
		}
		for k, unit := range []int64{civil.MicrosPerDay, 3_600_000_000, 60_000_000} {
			if c.has(k) {
				add(c.int(k)(i), unit)
			}
		}
		if c.has(3) {
			add(int64(c.dec(3)(i).LowBits()), 1)
		}
		if !fits {
			return 0, failf("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "make_dt_interval: the interval is too long")
		}
		return total, nil
	})
}

func makeYearMonth(c *call) (arrow.Array, error) {
	return c.ints(func(i int) (int64, error) {
		total := int64(0)
		for k, unit := range []int64{12, 1} {
			if c.has(k) {
				total += c.int(k)(i) * unit
			}
		}
		if int64(int32(total)) != total {
			return 0, failf("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "%d months are too long an interval", total)
		}
		return total, nil
	})
}
