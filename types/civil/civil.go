// Package civil converts between calendar dates, the numbers that Delta stores
// (days and microseconds since 1970-01-01, proleptic Gregorian calendar) and the
// text that Spark reads and writes for them. The session zone is UTC.
package civil

import "time"

// MicrosPerDay is the length of a day.
const MicrosPerDay = int64(86_400_000_000)

// Days is the number of days since the epoch of a date; the date need not be normal.
func Days(year, month, day int64) int64 {
	month--
	year += floorDiv(month, 12)
	month = floorMod(month, 12) + 1
	// Howard Hinnant's civil calendar arithmetic: years start in March.
	if month <= 2 {
		year--
	}
	era := floorDiv(year, 400)
	yoe := year - era*400
	mp := (month + 9) % 12
	doy := (153*mp+2)/5 + day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// Date is the calendar date of a number of days since the epoch.
func Date(days int64) (year, month, day int64) {
	days += 719468
	era := floorDiv(days, 146097)
	doe := days - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = doy - (153*mp+2)/5 + 1
	month = mp + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// Valid reports whether a date exists.
func Valid(year, month, day int64) bool {
	return month >= 1 && month <= 12 && day >= 1 && day <= MonthLength(year, month)
}

// Leap reports whether a year has a 29th of February.
func Leap(year int64) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// MonthLength is the number of days of a month.
func MonthLength(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if Leap(year) {
			return 29
		}
		return 28
	}
	return 31
}

// AddMonths moves a date by months; a day that the target month lacks becomes its last.
func AddMonths(days, months int64) int64 {
	y, m, d := Date(days)
	m += months - 1
	y, m = y+floorDiv(m, 12), floorMod(m, 12)+1
	return Days(y, m, min(d, MonthLength(y, m)))
}

// Split divides microseconds since the epoch into the day and the microsecond of that day.
func Split(micros int64) (days, ofDay int64) {
	return floorDiv(micros, MicrosPerDay), floorMod(micros, MicrosPerDay)
}

// Weekday is 0 for Monday to 6 for Sunday.
func Weekday(days int64) int64 { return floorMod(days+3, 7) }

// YearDay is 1 for the first of January.
func YearDay(days int64) int64 {
	y, _, _ := Date(days)
	return days - Days(y, 1, 1) + 1
}

// ISOWeek is the ISO 8601 year and week.
func ISOWeek(days int64) (year, week int64) {
	thursday := days - Weekday(days) + 3
	y, _, _ := Date(thursday)
	return y, (thursday-Days(y, 1, 1))/7 + 1
}

// Micros is the number of microseconds since the epoch of an instant.
func Micros(t time.Time) int64 { return t.UnixMicro() }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
