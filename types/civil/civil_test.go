package civil

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDaysAndDateAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "days")
		y, m, d := Date(days)
		if !Valid(y, m, d) || Days(y, m, d) != days {
			t.Fatalf("%d -> %d-%d-%d -> %d", days, y, m, d, Days(y, m, d))
		}
	})
}

func TestDateAgreesWithTime(t *testing.T) {
	for days := int64(-800_000); days < 800_000; days += 37 {
		want := time.Unix(days*86400, 0).UTC()
		y, m, d := Date(days)
		wy, ww := want.ISOWeek()
		gy, gw := ISOWeek(days)
		if int(y) != want.Year() || int(m) != int(want.Month()) || int(d) != want.Day() ||
			int(gy) != wy || int(gw) != ww || int(YearDay(days)) != want.YearDay() || (Weekday(days)+1)%7 != int64(want.Weekday()) {
			t.Fatalf("day %d: %d-%d-%d week %d-%d, want %s", days, y, m, d, gy, gw, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{
		"2021-03-04": "2021-03-04", " 2021-3-4 ": "2021-03-04", "2021": "2021-01-01", "2021-03": "2021-03-01",
		"2021-03-04 05:06": "2021-03-04", "2021-03-04T05:06:07Z": "2021-03-04", "+10000-01-01": "+10000-01-01",
		"-0001-01-01": "-0001-01-01", "0000-01-01": "0000-01-01",
		"2021-02-30": "", "2021-13-01": "", "21-01-01": "", "epoch": "", "": "", "2021-03-04x": "", "2021-03 ": "2021-03-01",
	} {
		days, ok := ParseDate(text)
		if ok != (want != "") || (ok && FormatDate(days) != want) {
			t.Errorf("%q: %s %v, want %q", text, FormatDate(days), ok, want)
		}
	}
}

func TestParseTimestamp(t *testing.T) {
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for text, want := range map[string]string{
		"2021-03-04 05:06:07.1234567": "2021-03-04 05:06:07.123456", "2021-03-04T05": "2021-03-04 05:00:00",
		"2021-03-04 05:06:07+02:00": "2021-03-04 03:06:07", "2021-03-04 05:06:07 Europe/Berlin": "2021-03-04 04:06:07",
		"2021-03-04 05:06:07Z": "2021-03-04 05:06:07", "2021-03": "2021-03-01 00:00:00", "05:06:07": "2024-05-06 05:06:07",
		"2021-03-04 24:00:00": "", "2021-03-04 05:60": "", "x": "", "2021-03-04 05:06:07.": "2021-03-04 05:06:07",
	} {
		micros, ok := ParseTimestamp(text, now)
		if ok != (want != "") || (ok && FormatTimestamp(micros) != want) {
			t.Errorf("%q: %s %v, want %q", text, FormatTimestamp(micros), ok, want)
		}
	}
}

func TestAddMonths(t *testing.T) {
	jan31, _ := ParseDate("2021-01-31")
	for months, want := range map[int64]string{1: "2021-02-28", 13: "2022-02-28", 37: "2024-02-29", -2: "2020-11-30", 0: "2021-01-31"} {
		if got := FormatDate(AddMonths(jan31, months)); got != want {
			t.Errorf("%d months: %s, want %s", months, got, want)
		}
	}
}

func FuzzParseTimestamp(f *testing.F) {
	f.Add("2021-03-04 05:06:07.123456+02:00")
	f.Fuzz(func(t *testing.T, s string) {
		if micros, ok := ParseTimestampNTZ(s); ok {
			if back, ok := ParseTimestampNTZ(FormatTimestamp(micros)); !ok || back != micros {
				t.Fatalf("%q -> %d -> %q -> %d %v", s, micros, FormatTimestamp(micros), back, ok)
			}
		}
	})
}
