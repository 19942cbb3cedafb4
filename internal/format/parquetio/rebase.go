package parquetio

import (
	"fmt"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// Spark before 3.0 counted days by the calendar that people used: Julian until
// 1582-10-04, Gregorian from 1582-10-15. Its files hold other numbers for old
// dates than everybody else's. Later versions of Spark read such files by the
// writer's version in the footer, and can be told to write them so, which two
// keys then say; sluice follows them. A file that says nothing is taken as it
// stands, which is the rule of Spark since version 4 (spark.sql.parquet.
// datetimeRebaseModeInRead and int96RebaseModeInRead are CORRECTED).
const (
	sparkVersionKey = "org.apache.spark.version"
	sparkZoneKey    = "org.apache.spark.timeZone"
	legacyDatesKey  = "org.apache.spark.legacyDateTime"
	legacyInt96Key  = "org.apache.spark.legacyINT96"
)

// calendars says which values of a file are of the old calendar.
type calendars struct {
	dates, int96 *oldCalendar // nil: proleptic Gregorian, as the format wants it
}

// oldCalendar is the calendar with a gap in 1582, in a time zone.
type oldCalendar struct {
	zone func() (*time.Location, error)
}

func calendarsOf(md *metadata.FileMetaData) calendars {
	kv := md.KeyValueMetadata()
	version := kv.FindValue(sparkVersionKey)
	if version == nil {
		return calendars{}
	}
	name := "UTC"
	if z := kv.FindValue(sparkZoneKey); z != nil && *z != "" {
		name = *z
	}
	old := &oldCalendar{zone: sync.OnceValues(func() (*time.Location, error) { return time.LoadLocation(name) })}
	var c calendars
	if *version < "3.0.0" || kv.FindValue(legacyDatesKey) != nil {
		c.dates = old
	}
	if *version < "3.1.0" || kv.FindValue(legacyInt96Key) != nil {
		c.int96 = old
	}
	return c
}

const (
	// lastJulianDay is 1582-10-04 of the Julian calendar as days since the epoch.
	lastJulianDay = -141428
	// beforeZones is 1900-01-01 in microseconds; from then on the time zones of the
	// two calendars agree.
	beforeZones  = -2_208_988_800_000_000
	microsPerDay = 86_400_000_000
)

// julianCivil is the date of the Julian calendar.
func julianCivil(days int64) (y int64, m, d int) {
	n := days + 2_440_588 + 32_082 // since 4801 BC, March 1st of a leap cycle
	cycle := floorDiv(n, 1461)
	n -= cycle * 1461
	year := min(n/365, 3)
	n -= year * 365
	month := (5*n + 2) / 153
	d = int(n-(153*month+2)/5) + 1
	y = cycle*4 + year - 4800
	if m = int(month) + 3; m > 12 {
		m, y = m-12, y+1
	}
	return y, m, d
}

// day gives the day that has the same date in the proleptic Gregorian calendar. A
// Julian February 29th that this one lacks becomes March 1st.
func (*oldCalendar) day(days int64) int64 {
	if days > lastJulianDay {
		return days
	}
	y, m, d := julianCivil(days)
	return columns.Days(y, m, 1) + int64(d-1)
}

// micros gives the moment that has the same local time in the proleptic
// Gregorian calendar and in the zone as history knows it: the old calendar used
// a zone's offset of 1900 for all that was before.
func (c *oldCalendar) micros(t int64) (int64, error) {
	if t >= beforeZones {
		return t, nil
	}
	loc, err := c.zone()
	if err != nil {
		return 0, err
	}
	_, offset := time.Unix(beforeZones/1_000_000+86_400, 0).In(loc).Zone()
	local := t + int64(offset)*1_000_000
	days := floorDiv(local, microsPerDay)
	clock := local - days*microsPerDay
	local = c.day(days)*microsPerDay + clock
	sec := floorDiv(local, 1_000_000)
	for range 2 { // the offset at the moment that is looked for
		_, offset = time.Unix(floorDiv(local, 1_000_000)-int64(offset), 0).In(loc).Zone()
	}
	return (sec-int64(offset))*1_000_000 + (local - sec*1_000_000), nil
}

// moments makes the moments of the old calendar out of what conv yields. Without
// an old calendar conv is enough, and for timestamps without a zone, which Spark
// did not have then.
func (c *oldCalendar) moments(t types.Type, conv convert) convert {
	if c == nil || t.Kind() != types.KindTimestamp {
		return conv
	}
	return func(v *vector) (arrow.Array, error) {
		a, err := conv(v)
		if err != nil {
			return nil, err
		}
		out := make([]int64, a.Len())
		for i, m := range a.(*array.Timestamp).Values() {
			if a.IsValid(i) {
				if out[i], err = c.micros(int64(m)); err != nil {
					return nil, fmt.Errorf("an old date in the calendar of Spark 2 needs its time zone: %w", err)
				}
			}
		}
		return array.MakeFromData(array.NewData(a.DataType(), v.n, []*memory.Buffer{v.validity(), memory.NewBufferBytes(bytesOf(out))}, nil, v.nulls, 0)), nil
	}
}
