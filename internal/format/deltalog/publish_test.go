package deltalog

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
	"github.com/sluicelake/sluice/storage/memory"
)

var (
	ours   = []byte(`{"commitInfo":{"operation":"WRITE","txnId":"mine"}}` + "\n")
	theirs = []byte(`{"add":{"path":"\"txnId\""}}` + "\n" + `{"commitInfo":{"txnId":"other"}}` + "\n")
	anon   = []byte(`{"commitInfo":{"operation":"WRITE"}}` + "\n")
)

// noWait is a world whose pauses take no time; it counts them.
func noWait(pauses *[]time.Duration) *env.Env {
	e := env.New()
	e.Float = func() float64 { return 0.5 }
	e.Sleep = func(ctx context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return ctx.Err()
	}
	return e
}

func world(plan faultstore.Plan) (*memory.Store, *storage.Bucket) {
	m := memory.New()
	return m, storage.NewBucket(faultstore.New(m, plan))
}

func TestPublish(t *testing.T) {
	for _, c := range []struct {
		name  string
		plan  faultstore.Plan
		taken bool
		want  Outcome
	}{
		{"free", nil, false, Done},
		{"taken", nil, true, Taken},
		{"lost reply", faultstore.Nth(1, faultstore.OpPutIfAbsent, "", faultstore.Lost()), false, Unknown},
		{"no space", faultstore.Nth(1, faultstore.OpPutIfAbsent, "", faultstore.FailWith(storage.ErrNoSpace)), false, Failed},
	} {
		m, b := world(c.plan)
		if c.taken {
			m.Put(t.Context(), CommitPath(7), theirs)
		}
		got, err := Publish(t.Context(), b, 7, ours)
		if got != c.want || (err != nil) != (c.want == Failed) {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
		if c.want == Failed && !errors.Is(err, storage.ErrNoSpace) {
			t.Errorf("%s: the cause is lost: %v", c.name, err)
		}
	}
}

func TestSettle(t *testing.T) {
	put, get := faultstore.OpPutIfAbsent, faultstore.OpGet
	for _, c := range []struct {
		name   string
		stored []byte
		plan   faultstore.Plan
		want   Outcome
		pauses int
	}{
		{"ours is there", ours, nil, Done, 0},
		{"ours, by its id alone", append([]byte("\n"), ours...), nil, Done, 0},
		{"another's", theirs, nil, Taken, 0},
		{"another's without an id", anon, nil, Taken, 0},
		{"absent", nil, nil, Done, 0},
		{"absent, reply lost again", nil, faultstore.Nth(1, put, "", faultstore.Lost()), Done, 1},
		{"absent, request lost again and again", nil, faultstore.First(
			faultstore.Nth(1, put, "", faultstore.NotSent()), faultstore.Nth(2, put, "", faultstore.NotSent())), Done, 2},
		{"unreadable for a while", ours, faultstore.First(
			faultstore.Nth(1, get, "", faultstore.Fail()), faultstore.Nth(2, get, "", faultstore.Fail())), Done, 2},
		{"put fails for a while", nil, faultstore.Nth(1, put, "", faultstore.Fail()), Done, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, b := world(c.plan)
			if c.stored != nil {
				m.Put(t.Context(), CommitPath(7), c.stored)
			}
			var pauses []time.Duration
			got, err := Settle(t.Context(), noWait(&pauses), b, 7, "mine", ours)
			if got != c.want || err != nil || len(pauses) != c.pauses {
				t.Errorf("%s, %v after %v; want %s after %d pauses", got, err, pauses, c.want, c.pauses)
			}
			if c.want == Done {
				if data, _, _ := m.Get(t.Context(), CommitPath(7)); TxnID(data) != "mine" {
					t.Errorf("stored: %s", data)
				}
			}
		})
	}
}

// TestSettleLateArrival: between our look and our second put somebody takes the version.
func TestSettleLateArrival(t *testing.T) {
	for name, winner := range map[string][]byte{"our first request": ours, "another writer": theirs} {
		m := memory.New()
		s := faultstore.New(m, nil)
		s.SetPlan(func(c faultstore.Call) faultstore.Fault {
			if c.Op == faultstore.OpPutIfAbsent {
				m.PutIfAbsent(context.Background(), CommitPath(7), winner)
			}
			return faultstore.Fault{}
		})
		var pauses []time.Duration
		got, err := Settle(t.Context(), noWait(&pauses), storage.NewBucket(s), 7, "mine", ours)
		want := Done
		if name == "another writer" {
			want = Taken
		}
		if got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
}

func TestSettleGivesUp(t *testing.T) {
	_, b := world(faultstore.Every(faultstore.OpGet, "", faultstore.FailWith(storage.ErrPermission)))
	var pauses []time.Duration
	got, err := Settle(t.Context(), noWait(&pauses), b, 7, "mine", ours)
	var unknown *UnknownError
	if got != Unknown || !errors.As(err, &unknown) || unknown.Version != 7 || unknown.TxnID != "mine" || !errors.Is(err, storage.ErrPermission) {
		t.Errorf("%s, %v", got, err)
	}
	if !strings.Contains(err.Error(), `look for txnId "mine" in _delta_log/00000000000000000007.json`) {
		t.Errorf("the text: %v", err)
	}
	if len(pauses) != vainLooks || pauses[0] != firstPause/2 || pauses[vainLooks-1] != longestPause/2 {
		t.Errorf("%d pauses from %v to %v", len(pauses), pauses[0], pauses[len(pauses)-1])
	}
}

// TestSettleAfterTheContext: a cancelled caller is still told the truth if one look can find it.
func TestSettleAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		stored []byte
		want   Outcome
	}{"ours": {ours, Done}, "theirs": {theirs, Taken}, "absent": {nil, Unknown}} {
		m, b := world(nil)
		if c.stored != nil {
			m.Put(t.Context(), CommitPath(7), c.stored)
		}
		var pauses []time.Duration
		got, err := Settle(ctx, noWait(&pauses), b, 7, "mine", ours)
		if got != c.want || (err != nil) != (c.want == Unknown) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		if c.want == Unknown && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the cause: %v", name, err)
		}
		if _, err := m.Stat(t.Context(), CommitPath(7)); c.stored == nil && err == nil {
			t.Error("a cancelled caller published")
		}
	}
}

func TestTxnID(t *testing.T) {
	for in, want := range map[string]string{
		string(ours): "mine", string(theirs): "other", string(anon): "", "": "", "{\"commitInfo\":{\"txnId\":\n": "", `{"commitInfo":{"txnId":5}}`: "",
		"{\"protocol\":{}}\r\n" + string(ours): "mine",
	} {
		if got := TxnID([]byte(in)); got != want {
			t.Errorf("TxnID(%s) = %q, want %q", in, got, want)
		}
	}
}
