// Package faultstore wraps a storage.Driver and makes chosen calls go wrong: fail
// without effect, take effect and then report failure, write half, wait.
//
// Calls are numbered in the order in which they enter, under one lock, so "the
// k-th put" means one call however many goroutines there are. What happens to
// a call is decided by a Plan, a function of the call alone.
package faultstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// ErrInjected is the cause of every failure that is made here.
var ErrInjected = errors.New("injected failure")

// Op is a set of operations.
type Op uint16

// The operations that a Plan sees. OpCommit is the Commit of a Writer.
const (
	OpGet Op = 1 << iota
	OpGetRange
	OpPutIfAbsent
	OpPut
	OpCreate
	OpWrite
	OpCommit
	OpAbort
	OpList
	OpDelete
	OpStat

	// OpsWrite change the store, OpsRead do not.
	OpsWrite = OpPutIfAbsent | OpPut | OpCreate | OpWrite | OpCommit | OpAbort | OpDelete
	OpsRead  = OpGet | OpGetRange | OpList | OpStat
	OpsAll   = OpsWrite | OpsRead
)

var opNames = []string{"get", "get-range", "put-if-absent", "put", "create", "write", "commit", "abort", "list", "delete", "stat"}

func (o Op) String() string {
	text := ""
	for i, name := range opNames {
		if o&(1<<i) != 0 {
			if text != "" {
				text += "|"
			}
			text += name
		}
	}
	return text
}

// Call is one call on its way to the store.
type Call struct {
	Number int // 1, 2, ... over all calls
	Op     Op
	Key    string // the prefix for list
}

func (c Call) String() string { return fmt.Sprintf("#%d %s %s", c.Number, c.Op, c.Key) }

// Fault is what happens to a call. The zero value is nothing.
type Fault struct {
	// Delay passes before the call goes on.
	Delay time.Duration
	// Gate holds the call until it is opened.
	Gate *Gate
	// Err is returned. Unless Done is set, the store is not asked.
	Err error
	// Done lets the call take effect before Err is returned: the lost reply.
	Done bool
	// Keep, with Err, lets a Write take only so many of its bytes, and a List yield
	// only so many objects, before it fails.
	Keep int
}

// Plan decides about each call, in the order of their numbers. It runs under
// the store's lock and must not call the store.
type Plan func(Call) Fault

// Store is a storage.Driver with faults. It hides a driver's random readers, so that
// every read is a call.
type Store struct {
	next  storage.Driver
	sleep func(context.Context, time.Duration) error

	mu    sync.Mutex
	plan  Plan
	calls int
	hits  []Call
}

// New wraps a driver. A nil plan does nothing.
func New(next storage.Driver, plan Plan) *Store {
	return &Store{next: next, plan: plan, sleep: sleep}
}

// SetPlan replaces the plan for calls that enter from now on.
func (s *Store) SetPlan(plan Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan = plan
}

// SetSleep replaces the clock by which Delay passes.
func (s *Store) SetSleep(f func(context.Context, time.Duration) error) { s.sleep = f }

// Calls is the number of calls so far.
func (s *Store) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Hits are the calls that met a fault, in order.
func (s *Store) Hits() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.hits...)
}

// enter numbers a call, asks the plan and waits as it says.
func (s *Store) enter(ctx context.Context, op Op, key string) (Fault, error) {
	if err := ctx.Err(); err != nil {
		return Fault{}, err
	}
	s.mu.Lock()
	s.calls++
	call := Call{s.calls, op, key}
	var f Fault
	if s.plan != nil {
		f = s.plan(call)
	}
	if f != (Fault{}) {
		s.hits = append(s.hits, call)
	}
	s.mu.Unlock()
	if f.Delay > 0 {
		if err := s.sleep(ctx, f.Delay); err != nil {
			return f, err
		}
	}
	if f.Gate != nil {
		if err := f.Gate.pass(ctx, call); err != nil {
			return f, err
		}
	}
	return f, nil
}

// do runs one call that either happens or not.
func (s *Store) do(ctx context.Context, op Op, key string, call func() error) error {
	f, err := s.enter(ctx, op, key)
	if err != nil {
		return err
	}
	if f.Err != nil && !f.Done {
		return f.Err
	}
	if err := call(); err != nil {
		return err
	}
	return f.Err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
