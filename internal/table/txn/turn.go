package txn

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// Turns between processes are courtesy: a store that knows turns (storage.Turner)
// keeps processes from publishing over each other, and nothing depends on it.
const (
	// patience is how long the turn is waited for: longer than most repairs. Each time
	// in vain halves it, so that a stopped process costs another one twice this in all.
	patience = 5 * time.Second
	// knock is about how often a turn is asked for. Who has just come asks half as
	// often for as long as fresh: who has waited longer is likelier to be next.
	knock, fresh = 250 * time.Microsecond, 20 * time.Millisecond
	// company is how long another process counts as present after it was noticed.
	company = 2 * time.Second
)

// neighbours is what the writers of one process know of other processes.
type neighbours struct {
	mu      sync.Mutex
	noticed time.Time // when another process was noticed last; zero: never
	left    time.Time // when this process gave its turn back last
	vain    int       // how often in a row the turn was waited for in vain
	asked   *asked    // the reservation that holds
	heeded  int64     // the version of the last reservation that was noted
}

func (n *neighbours) notice(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.noticed = now
}

// near reports whether other processes write to the table these days.
func (n *neighbours) near(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.noticed.IsZero() && now.Sub(n.noticed) < company
}

// stand waits for the turn between processes, where there are turns, and fits the
// work behind what others published meanwhile. Who has the turn and does not give
// it back in time is passed by.
func (a *attempt) stand(ctx context.Context) error {
	l := a.t.log
	if a.turn != nil || a.base == nil {
		return nil
	}
	turn, err := l.bucket.Turn(ctx, deltalog.Dir)
	if err != nil {
		return nil // none here
	}
	e, n := l.env, &l.lane.others
	start := e.Now()
	if n.near(start) {
		if d := a.work.Depends(); len(d.Reads) > 0 || d.Whole { // what can be repaired before need not be repaired while others wait
			if err := a.meet(ctx); err != nil || a.result.Again {
				turn.Close()
				return err
			}
		}
		if start.Sub(n.leftAt()) < knock { // let others in between
			if err := e.Sleep(ctx, a.jitter(knock)); err != nil {
				turn.Close()
				return a.stopped(err)
			}
		}
	}
	waited, got, err := a.knocks(ctx, turn)
	if waited > 0 {
		n.notice(e.Now())
		if fn := e.Listener.Waited; fn != nil {
			fn(observe.Waited{Table: l.bucket.URL(), TxnID: a.t.id, For: "turn", Waited: waited, Served: got})
		}
		a.t.debug("stood in line with other processes", "waited", waited, "served", got)
	}
	if err != nil || !got {
		turn.Close()
		return err
	}
	a.turn, a.since = turn, e.Now()
	if n.near(a.since) {
		return a.meet(ctx)
	}
	return nil
}

// knocks asks for the turn until it is given or patience ends.
func (a *attempt) knocks(ctx context.Context, turn storage.Turn) (waited time.Duration, got bool, err error) {
	e, n := a.t.log.env, &a.t.log.lane.others
	start, slept, most := e.Now(), time.Duration(0), n.patience()
	for {
		got, err := turn.Try()
		if err != nil {
			return waited, false, nil // courtesy failed: go on without it
		}
		if got || waited >= most {
			n.served(got)
			return waited, got, nil
		}
		every := knock
		if waited < fresh {
			every = 2 * knock
		}
		d := a.jitter(every)
		if err := e.Sleep(ctx, d); err != nil {
			return waited, false, a.stopped(err)
		}
		slept += d
		waited = max(slept, e.Now().Sub(start))
	}
}

// jitter is a span of half to one and a half of d.
func (a *attempt) jitter(d time.Duration) time.Duration {
	return d/2 + time.Duration(a.t.log.env.Float()*float64(d))
}

func (a *attempt) stopped(err error) error {
	return fmt.Errorf("waiting for other processes that write to %s: nothing was committed: %w", a.t.log.bucket.URL(), err)
}

// step gives the turn back.
func (a *attempt) step() {
	if a.turn == nil {
		return
	}
	if err := a.turn.Close(); err != nil {
		a.t.debug("giving the turn back", "error", err)
	}
	a.turn = nil
	n := &a.t.log.lane.others
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left = a.t.log.env.Now()
}

func (n *neighbours) leftAt() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.left
}

// patience is how long the turn is waited for this time.
func (n *neighbours) patience() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d := patience >> n.vain; d > fresh {
		return d
	}
	return 0
}

// served notes whether the turn was given.
func (n *neighbours) served(got bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if got {
		n.vain = 0
	} else {
		n.vain = min(n.vain+1, 30)
	}
}
