package eval

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// calendarStruct holds calendar intervals.
var calendarStruct = types.NewStruct(types.Field{Name: "months", Type: types.Integer},
	types.Field{Name: "days", Type: types.Integer}, types.Field{Name: "microseconds", Type: types.Long})

// calendar is an interval whose months and days have no fixed length.
type calendar struct{ months, days, micros int64 }

func init() {
	register(map[string]func(*call) (arrow.Array, error){"make_interval": makeCalendar, "try_make_interval": makeCalendar})
}

// calendars reads an argument.
func calendars(v vec) func(i int) calendar {
	s, ok := v.arr.(*array.Struct)
	if !ok {
		return func(int) calendar { return calendar{} }
	}
	m, d, us := values[int32](s.Field(0)), values[int32](s.Field(1)), values[int64](s.Field(2))
	return func(i int) calendar {
		i = v.at(i)
		return calendar{int64(m[i]), int64(d[i]), us[i]}
	}
}

func (v calendar) boxed() any { return []any{v.months, v.days, v.micros} }

func (v calendar) fits() bool {
	return int64(int32(v.months)) == v.months && int64(int32(v.days)) == v.days
}

// String writes the parts that are not zero, for example 1 years 2 months 3 days.
func (v calendar) String() string {
	var parts []string
	add := func(n int64, unit string) {
		if n != 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+unit)
		}
	}
	add(v.months/12, "years")
	add(v.months%12, "months")
	add(v.days, "days")
	add(v.micros/3_600_000_000, "hours")
	add(v.micros/60_000_000%60, "minutes")
	if rest := v.micros % 60_000_000; rest != 0 {
		text := strconv.FormatInt(abs64(rest)/1_000_000, 10)
		if frac := abs64(rest) % 1_000_000; frac != 0 {
			text += "." + strings.TrimRight(strconv.FormatInt(frac+1_000_000, 10)[1:], "0")
		}
		if rest < 0 {
			text = "-" + text
		}
		parts = append(parts, text+" seconds")
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// calendarUnits are the units of the text of a calendar interval: what one adds.
var calendarUnits = map[string]calendar{
	"year": {months: 12}, "month": {months: 1}, "week": {days: 7}, "day": {days: 1}, "hour": {micros: 3_600_000_000},
	"minute": {micros: 60_000_000}, "second": {micros: 1_000_000}, "millisecond": {micros: 1000}, "microsecond": {micros: 1},
}

// parseCalendar reads [INTERVAL] n unit ...; only seconds have a fraction.
func parseCalendar(s string) (calendar, bool) {
	words := strings.Fields(strings.ToLower(civil.Trim(s)))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	var out calendar
	for first := true; len(words) > 0 || first; first = false {
		sign := ""
		if len(words) > 0 && (words[0] == "-" || words[0] == "+") {
			sign, words = strings.TrimPrefix(words[0], "+"), words[1:]
		}
		if len(words) < 2 {
			return out, false
		}
		one, ok := calendarUnits[strings.TrimSuffix(words[1], "s")]
		if !ok {
			return out, false
		}
		whole, frac, point := strings.Cut(words[0], ".")
		if sign != "" && strings.ContainsAny(whole, "+-") || point && (one.micros != 1_000_000 || len(frac) > 9 || strings.Trim(frac, "0123456789") != "") {
			return out, false
		}
		if point && strings.Trim(whole, "+-") == "" && frac != "" {
			whole += "0"
		}
		n, err := strconv.ParseInt(sign+strings.TrimPrefix(whole, "+"), 10, 64)
		if err != nil {
			return out, false
		}
		part := int64(0)
		if frac != "" {
			part, _ = strconv.ParseInt((frac + "000000")[:6], 10, 64)
			if strings.HasPrefix(sign+whole, "-") {
				part = -part
			}
		}
		if out, ok = out.plus(one, n); !ok {
			return out, false
		}
		out.micros += part
		words = words[2:]
	}
	return out, true
}

// plus adds n times another interval.
func (v calendar) plus(one calendar, n int64) (calendar, bool) {
	var ok [3]bool
	v.months, ok[0] = addProduct(v.months, one.months, n)
	v.days, ok[1] = addProduct(v.days, one.days, n)
	v.micros, ok[2] = addProduct(v.micros, one.micros, n)
	return v, ok[0] && ok[1] && ok[2] && v.fits()
}

func addProduct(a, b, n int64) (int64, bool) {
	p, ok := mul64(b, n)
	if !ok || overflows("+", a, p) {
		return 0, false
	}
	return a + p, true
}

// makeCalendar is make_interval of years, months, weeks, days, hours, minutes and seconds.
func makeCalendar(c *call) (arrow.Array, error) {
	units := []calendar{{months: 12}, {months: 1}, {days: 7}, {days: 1}, {micros: 3_600_000_000}, {micros: 60_000_000}}
	return c.boxed(func(i int) (any, error) {
		var v calendar
		ok := true
		for k := range c.args {
			n, unit := int64(0), calendar{micros: 1}
			if k < 6 {
				n, unit = c.int(k)(i), units[k]
			} else {
				n = lowBits(c.dec(k)(i), 0)
			}
			var fine bool
			v, fine = v.plus(unit, n)
			ok = ok && fine
		}
		if !ok && (c.legacy() || c.node.Fn == "try_make_interval") {
			return nil, nil
		}
		if !ok {
			return nil, failf("ARITHMETIC_OVERFLOW", "%s: the interval is too long; try_make_interval gives NULL instead", c.node.Fn)
		}
		return v.boxed(), nil
	})
}

func calendarArithmetic(c *call) (arrow.Array, error) {
	fn := c.node.Fn
	if c.typ(0) != types.CalendarInterval {
		return moveByCalendar(c)
	}
	a := calendars(c.args[0])
	if fn == "neg" {
		return c.boxed(func(i int) (any, error) { return calendar{}.or(a(i), -1) })
	}
	if c.typ(1) == types.Double {
		b := c.float(1)
		return c.boxed(func(i int) (any, error) {
			f := b(i)
			if fn == "/" {
				if f == 0 {
					if c.legacy() {
						return nil, nil
					}
					return nil, failf("INTERVAL_DIVIDED_BY_ZERO", "an interval divided by zero")
				}
				return a(i).scaled(func(n float64) float64 { return n / f })
			}
			return a(i).scaled(func(n float64) float64 { return n * f })
		})
	}
	b, sign := calendars(c.args[1]), int64(1)
	if fn == "-" {
		sign = -1
	}
	return c.boxed(func(i int) (any, error) { return a(i).or(b(i), sign) })
}

func (v calendar) or(w calendar, sign int64) (any, error) {
	r, ok := v.plus(w, sign)
	if !ok {
		return nil, failf("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "%s and %s make too long an interval", v, w)
	}
	return r.boxed(), nil
}

// scaled carries fractions of months into days (of 31), and of days into microseconds.
func (v calendar) scaled(f func(float64) float64) (any, error) {
	months := math.Trunc(f(float64(v.months)))
	days := f(float64(v.days))
	micros := math.RoundToEven(f(float64(v.micros)))
	whole := math.Trunc(days)
	micros += math.Trunc((days - whole) * float64(civil.MicrosPerDay))
	r := calendar{int64(months), int64(whole), saturate(micros)}
	if math.IsNaN(months+days+micros) || math.Abs(months) > math.MaxInt32 || math.Abs(whole) > math.MaxInt32 {
		return nil, failf("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "%s becomes too long an interval", v)
	}
	return r.boxed(), nil
}

// moveByCalendar is a date or timestamp plus or minus a calendar interval: months,
// then days on the calendar, then time on the clock.
func moveByCalendar(c *call) (arrow.Array, error) {
	at, by, sign := c.int(0), calendars(c.args[1]), int64(1)
	if c.node.Fn == "-" {
		sign = -1
	}
	return c.ints(func(i int) (int64, error) {
		v := by(i)
		if c.out() == types.Date {
			if v.micros != 0 && !c.legacy() {
				return 0, failf("INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION", "a date takes no hours, minutes or seconds: %s", v)
			}
			days := civil.AddMonths(at(i), sign*v.months) + sign*v.days
			if v.micros != 0 {
				us := new(big.Int).Add(new(big.Int).Mul(big.NewInt(days), big.NewInt(civil.MicrosPerDay)), big.NewInt(sign*v.micros))
				days, _ = civil.Split(us.Int64())
			}
			return days, nil
		}
		zone := c.zoneOf(c.out())
		r, err := addMonths(at(i), sign*v.months, zone)
		if err != nil {
			return 0, err
		}
		if v.days != 0 {
			r = moved(r, civil.Local(r, zone)+sign*v.days*civil.MicrosPerDay, zone)
		}
		if overflows("+", r, sign*v.micros) {
			return 0, failf("DATETIME_OVERFLOW", "the timestamp %s and %s are out of range", civil.FormatTimestamp(r), v)
		}
		return r + sign*v.micros, nil
	})
}
