package civil

import (
	"testing"
	"time"
	_ "time/tzdata"
)

func TestInstantAtTheChangeOfTheClock(t *testing.T) {
	for _, c := range []struct{ zone, local, want string }{
		{"America/Los_Angeles", "2024-03-10 01:59:59", "2024-03-10 09:59:59"},
		{"America/Los_Angeles", "2024-03-10 02:30:00", "2024-03-10 10:30:00"}, // skipped: 03:30 PDT
		{"America/Los_Angeles", "2024-03-10 03:00:00", "2024-03-10 10:00:00"},
		{"America/Los_Angeles", "2024-11-03 01:30:00", "2024-11-03 08:30:00"}, // twice: PDT
		{"America/Los_Angeles", "2024-11-03 02:00:00", "2024-11-03 10:00:00"},
		{"Europe/Berlin", "2024-03-31 02:30:00", "2024-03-31 01:30:00"},
		{"Asia/Kolkata", "2024-01-01 00:00:00", "2023-12-31 18:30:00"},
		{"+02:00", "2024-01-01 00:00:00", "2023-12-31 22:00:00"},
	} {
		zone, ok := Zone(c.zone)
		if !ok {
			t.Fatalf("no zone %s", c.zone)
		}
		local, _ := ParseTimestampNTZ(c.local)
		if got := FormatTimestamp(Instant(local, zone)); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.local, c.zone, got, c.want)
		}
		if got, ok := ParseTimestampIn(c.local, time.Now(), zone); !ok || FormatTimestamp(got) != c.want {
			t.Errorf("the text %s in %s is %s, want %s", c.local, c.zone, FormatTimestamp(got), c.want)
		}
	}
}

func TestLocalAndInstantAreInverse(t *testing.T) {
	zone, _ := Zone("America/St_Johns")
	for micros := int64(-2e15); micros < 2e15; micros += 7_777_777_777_777 {
		if got := Instant(Local(micros, zone), zone); got != micros {
			_, twice := time.UnixMicro(micros).In(zone).Zone()
			if _, o := time.UnixMicro(got).In(zone).Zone(); o == twice {
				t.Fatalf("%d comes back as %d", micros, got)
			}
		}
	}
}
