package smallworld

import (
	"os"
	"runtime/debug"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400)       // the tables are many and small
	debug.SetMemoryLimit(1 << 30) // pools keep what they have until the next collection but one
	goleak.VerifyTestMain(m)
}

// TestPairs plays every pair: in one kind of table each, in turn, and those that
// change rows which are there in the kind with most to keep; or in all. With -v it
// prints what met what, and how it ended.
func TestPairs(t *testing.T) {
	all := os.Getenv("SLUICE_WORLD") != ""
	var c Counts
	failures, enough := 0, 10
	if os.Getenv("SLUICE_WORLD") == "first" { // for who asks whether anything fails
		all, enough = false, 1
	}
	for n, kind := range Kinds {
		w, err := New(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		for i, loser := range Statements {
			for j, winner := range Statements {
				for way, apart := range []bool{true, false} {
					much := apart && kind.Name == most && loser.changes() && winner.changes()
					if !all && !much && (i+7*j)%(2*len(Kinds)) != 2*n+way {
						continue
					}
					if err := w.Race(t.Context(), &c, apart, loser, winner); err != nil {
						t.Errorf("%s: %s behind %s (apart %t): %v", kind.Name, loser.Name, winner.Name, apart, err)
						if failures++; failures == enough {
							t.Fatal("and so on")
						}
					}
				}
			}
		}
	}
	t.Log(&c)
	t.Log(c.Table())
}

// TestTriples plays triples for a while: a statement behind two winners.
func TestTriples(t *testing.T) {
	d := 3 * time.Second
	if text := os.Getenv("SLUICE_WORLD_TIME"); text != "" {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	end := time.Now().Add(d)
	var c Counts
	worlds := map[int]*World{}
	n := len(Statements)
	// Steps that share no factor with the number of triples visit each of them.
	for at, step := 0, 0; time.Now().Before(end) && step < n*n*n*len(Kinds); step++ {
		at = (at + 104_729) % (n * n * n * len(Kinds))
		kind := at % len(Kinds)
		i, j, k := at/len(Kinds)%n, at/len(Kinds)/n%n, at/len(Kinds)/n/n
		w := worlds[kind]
		if w == nil {
			var err error
			if w, err = New(t.Context(), Kinds[kind]); err != nil {
				t.Fatal(err)
			}
			worlds[kind] = w
		}
		if err := w.Race(t.Context(), &c, step%2 == 0, Statements[i], Statements[j], Statements[k]); err != nil {
			t.Fatalf("%s: %s behind %s and %s (apart %t): %v", Kinds[kind].Name, Statements[i].Name, Statements[j].Name, Statements[k].Name, step%2 == 0, err)
		}
	}
	t.Log(&c)
}
