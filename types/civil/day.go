package civil

import (
	"fmt"
	"time"
)

// Day is a date without a time, a value of a DATE column: the days since 1970-01-01.
type Day int32

// DayOf is the date that a clock shows in the location of t.
func DayOf(t time.Time) Day {
	year, month, day := t.Date()
	return Day(Days(int64(year), int64(month), int64(day)))
}

// Time is the beginning of the day in UTC.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86_400, 0).UTC() }

// String is the date as Spark writes it, 2026-01-31.
func (d Day) String() string { return FormatDate(int64(d)) }

// MarshalText is String.
func (d Day) MarshalText() ([]byte, error) { return AppendDate(nil, int64(d)), nil }

// UnmarshalText reads a date as Spark does.
func (d *Day) UnmarshalText(text []byte) error {
	n, ok := ParseDate(string(text))
	if !ok {
		return fmt.Errorf("%q is no date", text)
	}
	*d = Day(n)
	return nil
}

// Scan is part of sql.Scanner: a time.Time or the text of a date.
func (d *Day) Scan(value any) error {
	switch v := value.(type) {
	case time.Time:
		*d = DayOf(v)
		return nil
	case string:
		return d.UnmarshalText([]byte(v))
	case []byte:
		return d.UnmarshalText(v)
	}
	return fmt.Errorf("a value of type %T is no date", value)
}
