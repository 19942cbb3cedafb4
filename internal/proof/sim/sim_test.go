package sim

import (
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400)       // the runs are many and small
	debug.SetMemoryLimit(1 << 30) // pools keep what they have until the next collection but one
	goleak.VerifyTestMain(m)
}

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

// TestSerial plays seeds: SLUICE_SIM is how many, or for how long ("2m"), or the
// one and the other, whichever is over first ("10000,3m"); SLUICE_SEED is the
// first. A seed that fails is made smaller and printed; with SLUICE_SHRINK=0 it is
// only named, and the first one is enough.
func TestSerial(t *testing.T) {
	end, n := time.Time{}, uint64(300)
	for part := range strings.SplitSeq(os.Getenv("SLUICE_SIM"), ",") {
		if d, err := time.ParseDuration(part); err == nil && part != "0" {
			if end = time.Now().Add(d); n == 300 {
				n = 1 << 62
			}
		} else if m, err := strconv.ParseUint(part, 10, 64); err == nil {
			n = m
		} else if part != "" {
			t.Fatalf("SLUICE_SIM=%q: want a number, a time, or both", part)
		}
	}
	first := number(t, "SLUICE_SEED", 1)
	var c Counts
	var next, failures atomic.Uint64
	t.Run("seeds", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(strconv.Itoa(worker), func(t *testing.T) {
				t.Parallel()
				for failures.Load() < 3 && (end.IsZero() || time.Now().Before(end)) {
					i := next.Add(1) - 1
					if i >= n {
						return
					}
					p := draw(first + i)
					if f := p.play(t, &c, nil); f != nil {
						if os.Getenv("SLUICE_SHRINK") == "0" {
							failures.Add(3)
							what, _, _ := strings.Cut(f.What, "\n")
							t.Errorf("seed %d, schedule %d: %s", p.seed, i+1, what)
							continue
						}
						failures.Add(1)
						t.Error(explain(t, p, f, nil))
					}
				}
			})
		}
	})
	t.Logf("%d schedules of %d calls: %d statements committed behind %d winners, %d commits by hand, %d of upkeep, %d reservations, %d statements refused", c.Runs, c.Calls, c.Commits, c.Winners,
		c.Foreign, c.Upkeep, c.Reserved, c.Errors)
	if c.Runs >= 100 && failures.Load() == 0 && (c.Winners < c.Runs/2 || c.Foreign < c.Runs/4) {
		t.Error("the runs hardly meet each other")
	}
}

// explain makes a failure small.
func explain(t *testing.T, p *plan, f *Failure, damage func(*world)) *Failure {
	_, small := shrink(p, f, 400, func(q *plan) *Failure { return q.play(t, nil, damage) })
	return small
}

var place = regexp.MustCompile(`memory://kit-[0-9]+`)

// TestSeedsRepeat: a plan that is played again publishes the same in the same
// order, and ends in the same way. What one writer reads at the same time may come
// in another order.
func TestSeedsRepeat(t *testing.T) {
	for seed := uint64(1); seed <= 25; seed++ {
		p := draw(seed)
		if p.atOnce || p.table.workers > 1 {
			continue
		}
		var records [2][]string
		for i := range records {
			p.play(t, nil, func(w *world) {
				for _, l := range w.g.record {
					if l.text != "" || strings.HasPrefix(l.op, "put") {
						records[i] = append(records[i], place.ReplaceAllString(l.String(), "table"))
					}
				}
			})
		}
		if !slices.Equal(records[0], records[1]) {
			for i, l := range records[0] {
				if i >= len(records[1]) || l != records[1][i] {
					t.Errorf("seed %d, line %d: %s, and then %v", seed, i, l, records[1][min(i, len(records[1])-1)])
					break
				}
			}
		}
	}
}

// TestFailuresBecomeSmall: a mistake that shows when an UPDATE commits behind a
// DELETE is told with little more than an UPDATE and a DELETE.
func TestFailuresBecomeSmall(t *testing.T) {
	damage := func(w *world) {
		at := map[string]int64{}
		for _, x := range w.writers {
			if x.committed {
				at[x.s.kind] = x.version
			}
		}
		if at["delete"] > 0 && at["delete"] < at["update"] {
			w.start = append(w.start, row{}) // a row that is not in the table
		}
	}
	for seed := uint64(1); seed < 2000; seed++ {
		p := draw(seed)
		if len(p.actors) < 3 || p.table.clustered || !slices.ContainsFunc(p.actors, func(a actor) bool { return a.s.kind == "delete" }) ||
			!slices.ContainsFunc(p.actors, func(a actor) bool { return a.s.kind == "update" }) {
			continue
		}
		f := p.play(t, nil, damage)
		if f == nil {
			continue
		}
		small, told := shrink(p, f, 400, func(q *plan) *Failure { return q.play(t, nil, damage) })
		rows := 0
		for _, file := range small.files {
			rows += len(file)
		}
		if len(small.actors) != 2 || rows > 2 || len(small.steps) > 3 || len(small.before) > 0 || len(small.table.properties) > 0 || small.table.partitioned {
			t.Errorf("of %s\nis left %s", f, told)
		}
		t.Log(told)
		return
	}
	t.Fatal("no seed has an UPDATE behind a DELETE")
}
