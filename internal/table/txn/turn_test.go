package txn_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// line is a turn that the processes of a test share.
type line struct {
	mu   sync.Mutex
	held bool
}

// machine is a store with turns at an address of its own: its writers are alone in
// their lane, as those of a process are.
type machine struct {
	storage.Driver
	url  string
	line *line
}

func (m *machine) URL() string { return m.url }

func (m *machine) Turn(context.Context, string) (storage.Turn, error) { return &place{l: m.line}, nil }

type place struct {
	l    *line
	mine bool
}

func (p *place) Try() (bool, error) {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	if !p.l.held {
		p.l.held, p.mine = true, true
	}
	return p.mine, nil
}

func (p *place) Close() error {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	if p.mine {
		p.l.held, p.mine = false, false
	}
	return nil
}

func process(k *tablekit.Kit, l *line, e *env.Env, name string) *txn.Log {
	d := k.Bucket.Driver()
	return txn.NewLog(e, storage.NewBucket(&machine{d, d.URL() + "/" + name, l}), txn.Policy{NoChecksum: true, NoCheckpoint: true})
}

// Processes that take turns hardly ever publish over each other.
func TestTurnsBetweenProcesses(t *testing.T) {
	const writers, each = 5, 10
	k, shared := kit(t), &line{}
	var mu sync.Mutex
	tries := 0
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			e := env.New()
			e.Listener = &observe.Listener{Attempt: func(observe.Attempt) { mu.Lock(); tries++; mu.Unlock() }}
			l := process(k, shared, e, fmt.Sprint(w))
			defer l.Close(context.Background())
			for i := range each {
				tx, err := l.Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				commit(t, tx, file(fmt.Sprintf("%d-%d", w, i), "z"))
			}
		})
	}
	all.Wait()
	if s, err := k.Log.Update(t.Context()); err != nil || s.Version() < writers*each {
		t.Errorf("version %v, %v", s, err)
	}
	// A process that knows of no other may lose its first tries.
	if tries > writers*each+2*writers {
		t.Errorf("%d tries for %d commits", tries, writers*each)
	}
	if shared.held {
		t.Error("the turn was not given back")
	}
}

// Who keeps the turn for ever is waited for less and less, ten seconds in all.
func TestTurnThatIsKept(t *testing.T) {
	k, shared := kit(t), &line{held: true}
	e := *k.Env
	var slept time.Duration
	e.Sleep = func(ctx context.Context, d time.Duration) error { slept += d; return ctx.Err() }
	var waits []observe.Waited
	e.Listener = &observe.Listener{Waited: func(w observe.Waited) { waits = append(waits, w) }}
	l := process(k, shared, &e, "one")
	defer l.Close(context.Background())
	add := func(name string) time.Duration {
		before := slept
		commit(t, begin(t, l), file(name, "z"))
		return slept - before
	}
	if first := add("first"); first < 4*time.Second || first > 6*time.Second || len(waits) != 1 || waits[0].Served || waits[0].For != "turn" {
		t.Errorf("waited %v, slept %s", waits, first)
	}
	for i := range 20 {
		add(fmt.Sprint(i))
	}
	if slept > 11*time.Second {
		t.Errorf("slept %s in all", slept)
	}
	if last := add("last"); last > time.Millisecond { // but for letting others in between
		t.Errorf("slept %s", last)
	}
	shared.held = false // it is given back: turns count again
	add("again")
	shared.held = true
	if again := add("and again"); again < 4*time.Second {
		t.Errorf("slept %s", again)
	}
}

// A context ends the waiting, and nothing is committed.
func TestTurnOfACancelledWriter(t *testing.T) {
	k, shared := kit(t), &line{held: true}
	e := *k.Env
	ctx, cancel := context.WithCancel(t.Context())
	e.Sleep = func(context.Context, time.Duration) error { cancel(); return ctx.Err() }
	l := process(k, shared, &e, "one")
	defer l.Close(context.Background())
	tx := begin(t, l)
	if res, err := tx.Commit(ctx, nil, op("x"), txn.Options{}); err == nil || res.Committed {
		t.Errorf("committed %t, %v", res.Committed, err)
	}
}
