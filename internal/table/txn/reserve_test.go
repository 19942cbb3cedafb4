package txn_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/observe"
)

// reserveFor publishes what another process' reservation looks like.
func reserveFor(t *testing.T, k *tablekit.Kit, version int64, id string, millis int) {
	t.Helper()
	own := fmt.Sprintf("reservation-%d", version)
	info := &action.CommitInfo{Operation: "RESERVE", TxnID: &own, Tags: map[string]string{"sluice.goesFirst": id, "sluice.goesFirstMillis": fmt.Sprint(millis)}}
	data, err := action.Marshal([]action.Action{info})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Bucket.PutIfAbsent(t.Context(), fmt.Sprintf("_delta_log/%020d.json", version), data); err != nil {
		t.Fatal(err)
	}
}

// A reservation of another process is waited for until its transaction has
// committed, or its time is over; an old one, a long one and a broken one cost
// nothing or no more than the bound.
func TestReservations(t *testing.T) {
	for _, c := range []struct {
		name      string
		millis    int
		age       time.Duration // of the reservation, by the clock of the writer that meets it
		commits   time.Duration // when the transaction that reserved commits; 0: never
		at, bound time.Duration // how long is waited
	}{
		{"it commits", 2000, 0, 500 * time.Millisecond, 400 * time.Millisecond, 700 * time.Millisecond},
		{"it is gone", 2000, 0, 0, 1900 * time.Millisecond, 2200 * time.Millisecond},
		{"it was made before", 2000, 1500 * time.Millisecond, 0, 400 * time.Millisecond, 700 * time.Millisecond},
		{"it is old", 2000, time.Hour, 0, 0, 0},
		{"the clock of the store is ahead", 2000, -time.Hour, 0, 1900 * time.Millisecond, 2200 * time.Millisecond},
		{"it asks for too much", 1 << 40, 0, 0, 9 * time.Second, 11 * time.Second},
		{"it asks for nothing", 0, 0, 0, 0, 0},
	} {
		for _, when := range []string{"read", "lost to"} {
			c := c
			t.Run(c.name+", "+when, func(t *testing.T) {
				k := kit(t)
				e := *k.Env
				begun := time.Now()
				var slept time.Duration
				e.Now = func() time.Time { return begun.Add(c.age + slept) }
				var at int64
				e.Sleep = func(ctx context.Context, d time.Duration) error {
					slept += d
					if c.commits > 0 && slept >= c.commits {
						c.commits = 0
						info := &action.CommitInfo{Operation: "MERGE", TxnID: ptr("them")}
						data, err := action.Marshal([]action.Action{info})
						if err != nil {
							t.Fatal(err)
						}
						if err := k.Bucket.PutIfAbsent(ctx, fmt.Sprintf("_delta_log/%020d.json", at+1), data); err != nil {
							t.Error(err)
						}
					}
					return ctx.Err()
				}
				var waits []observe.Waited
				e.Listener = &observe.Listener{Waited: func(w observe.Waited) { waits = append(waits, w) }}
				l := txn.NewLog(&e, k.Bucket, txn.Policy{NoChecksum: true, NoCheckpoint: true})
				defer l.Close(context.Background())
				if when == "read" {
					s, err := k.Log.Update(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					at = s.Version() + 1
					reserveFor(t, k, at, "them", c.millis)
				}
				tx := begin(t, l)
				if when == "lost to" {
					at = tx.ReadVersion() + 1
					reserveFor(t, k, at, "them", c.millis)
				}
				will := c.commits > 0
				commit(t, tx, file("mine", "z"))
				if slept < c.at || slept > c.bound || len(waits) > 1 || (len(waits) == 1) != (c.bound > 0) {
					t.Errorf("waited %s: %v; want %s to %s", slept, waits, c.at, c.bound)
				}
				if len(waits) == 1 && waits[0].Served != will {
					t.Errorf("served %t", waits[0].Served)
				}
				before := slept
				commit(t, begin(t, l), file("mine too", "z"))
				if slept != before {
					t.Errorf("the next transaction waited %s more", slept-before)
				}
			})
		}
	}
}

func ptr[T any](v T) *T { return &v }

// A listener hears of every end that a meeting with a winner can have.
func TestVerdictsAreTold(t *testing.T) {
	k := kit(t)
	e := *k.Env
	var told []string
	e.Listener = &observe.Listener{Reconciled: func(r observe.Reconciled) { told = append(told, r.Verdict) }}
	l := txn.NewLog(&e, k.Bucket, txn.Policy{NoChecksum: true, NoCheckpoint: true})
	defer l.Close(context.Background())
	tx := begin(t, l)
	tx.ReadWholeTable()
	if err := tablekit.Publish(t.Context(), k.Bucket, tx.ReadVersion()+1, "WRITE", file("theirs", "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context(), []action.Action{file("mine", "a")}, op("Manual Update"), txn.Options{}); err == nil {
		t.Error("committed")
	}
	commit(t, begin(t, l), file("mine too", "a"))
	if len(told) != 1 || told[0] != "conflict" {
		t.Errorf("told %v", told)
	}
}
