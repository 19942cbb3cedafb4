package faultstore

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// Fail makes a call fail without effect, with ErrInjected.
func Fail() Fault { return Fault{Err: fmt.Errorf("%w: nothing was done", ErrInjected)} }

// FailWith makes a call fail without effect; errors.Is finds err and ErrInjected.
func FailWith(err error) Fault { return Fault{Err: fmt.Errorf("%w: %w", ErrInjected, err)} }

// Lost lets a call take effect and then reports storage.ErrOutcomeUnknown: the
// request arrived, the reply did not.
func Lost() Fault {
	return Fault{Done: true, Err: fmt.Errorf("%w: %w (the reply was lost)", ErrInjected, storage.ErrOutcomeUnknown)}
}

// NotSent reports storage.ErrOutcomeUnknown although nothing was done: the
// request was lost. A caller cannot tell it from Lost without looking.
func NotSent() Fault {
	return Fault{Err: fmt.Errorf("%w: %w (the request was lost)", ErrInjected, storage.ErrOutcomeUnknown)}
}

// Partial lets a Write take, or a List yield, only keep, and then fails.
func Partial(keep int) Fault {
	return Fault{Keep: keep, Err: fmt.Errorf("%w: stopped after %d", ErrInjected, keep)}
}

// Delay makes a call late.
func Delay(d time.Duration) Fault { return Fault{Delay: d} }

// Nth applies a fault to the k-th call (1 is the first) among the operations ops
// whose key contains the text.
func Nth(k int, ops Op, contains string, f Fault) Plan {
	seen := 0
	return func(c Call) Fault {
		if c.Op&ops == 0 || !strings.Contains(c.Key, contains) {
			return Fault{}
		}
		if seen++; seen == k {
			return f
		}
		return Fault{}
	}
}

// Every applies a fault to all calls among ops whose key contains the text.
func Every(ops Op, contains string, f Fault) Plan {
	return func(c Call) Fault {
		if c.Op&ops != 0 && strings.Contains(c.Key, contains) {
			return f
		}
		return Fault{}
	}
}

// From applies a fault to the k-th call among ops and to all that follow it:
// the store has gone.
func From(k int, ops Op, f Fault) Plan {
	seen := 0
	return func(c Call) Fault {
		if c.Op&ops == 0 {
			return Fault{}
		}
		if seen++; seen >= k {
			return f
		}
		return Fault{}
	}
}

// First asks the plans in order and takes the first fault. All of them see every call.
func First(plans ...Plan) Plan {
	return func(c Call) Fault {
		var found Fault
		for _, p := range plans {
			if f := p(c); found == (Fault{}) {
				found = f
			}
		}
		return found
	}
}

// Gate holds calls until it is opened. Use NewGate.
type Gate struct {
	arrived chan Call
	open    chan struct{}
	once    sync.Once
}

// NewGate makes a closed gate.
func NewGate() *Gate { return &Gate{arrived: make(chan Call, 1024), open: make(chan struct{})} }

// Hold is the fault of waiting at a gate.
func Hold(g *Gate) Fault { return Fault{Gate: g} }

// Arrived yields the calls that reach the gate.
func (g *Gate) Arrived() <-chan Call { return g.arrived }

// Open lets all calls through, now and later.
func (g *Gate) Open() { g.once.Do(func() { close(g.open) }) }

func (g *Gate) pass(ctx context.Context, c Call) error {
	select {
	case g.arrived <- c:
	default: // nobody counts so many
	}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
