package deltalog

import (
	"testing"
	"time"
)

// Commits that share a millisecond, or whose files have times that run
// backwards, still have times that grow.
func TestClock(t *testing.T) {
	base := time.UnixMicro(1_700_000_000_000_000)
	var c Clock
	for i, tc := range []struct{ file, want int64 }{ // microseconds after base
		{100, 0}, {400, 1000}, {900, 2000}, {2_500, 3000}, {9_999, 9000}, {-5_000, 10_000}, {10_999, 11_000}, {13_000, 13_000},
	} {
		got := c.Next(base.Add(time.Duration(tc.file) * time.Microsecond))
		if want := base.Add(time.Duration(tc.want) * time.Microsecond); !got.Equal(want) {
			t.Errorf("commit %d: %v, want %v", i, got, want)
		}
	}
}
