package sim

import (
	"os"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// number reads an environment variable.
func number(t *testing.T, name string, fallback uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q: want a number", name, text)
	}
	return n
}

// TestSerial plays seeds: SLUICE_SIM is how many, or for how long ("2m"),
// SLUICE_SEED is the first.
func TestSerial(t *testing.T) {
	var end time.Time
	if d, err := time.ParseDuration(os.Getenv("SLUICE_SIM")); err == nil {
		end = time.Now().Add(d)
		t.Setenv("SLUICE_SIM", "1000000000")
	}
	first, n := number(t, "SLUICE_SEED", 1), number(t, "SLUICE_SIM", 300)
	var c Counts
	failures := 0
	for seed := first; seed < first+n; seed++ {
		if !end.IsZero() && time.Now().After(end) {
			n = seed - first
			break
		}
		if err := Run(t.Context(), seed, &c); err != nil {
			t.Error(err)
			if failures++; failures == 3 {
				break
			}
		}
	}
	t.Logf("%d runs: %d statements committed behind %d winners, %d commits by hand, %d of upkeep, %d statements refused", c.Runs, c.Commits, c.Winners, c.Foreign, c.Upkeep, c.Errors)
	if n >= 100 && failures == 0 && (c.Winners < int(n) || c.Foreign < int(n)/4) {
		t.Error("the runs hardly meet each other")
	}
}
