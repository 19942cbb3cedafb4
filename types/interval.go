package types

import "strconv"

// Unit is a field of an interval, from the coarsest to the finest.
type Unit uint8

// The units of day-time intervals (Day..Second) and year-month intervals (Year, Month).
const (
	Year Unit = iota
	Month
	Day
	Hour
	Minute
	Second
)

var unitNames = [...]string{"year", "month", "day", "hour", "minute", "second"}

func (u Unit) String() string { return unitNames[u] }

// Interval is the ANSI interval type: a number of months (YEAR, MONTH) or of
// microseconds (DAY to SECOND). It occurs in expressions only.
type Interval struct{ From, To Unit }

// DayTime and YearMonth are the intervals that hold every unit of their family.
var (
	DayTime   = Interval{Day, Second}
	YearMonth = Interval{Year, Month}
)

// Kind returns KindYearMonthInterval or KindDayTimeInterval.
func (i Interval) Kind() Kind {
	if i.From <= Month {
		return KindYearMonthInterval
	}
	return KindDayTimeInterval
}

func (i Interval) String() string {
	if i.From == i.To {
		return "interval " + i.From.String()
	}
	return "interval " + i.From.String() + " to " + i.To.String()
}

// Time is a time of day with fractional digits (0..6). It occurs in expressions only.
type Time struct{ Precision int }

// Kind returns KindTime.
func (Time) Kind() Kind { return KindTime }

func (t Time) String() string { return "time(" + strconv.Itoa(t.Precision) + ")" }
