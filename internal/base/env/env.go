// Package env is what the outside world gives to sluice: clock, identifiers,
// randomness, sleep, parallelism, memory, logging and listeners. Nothing below
// the door reads a global; a simulation replaces the whole struct.
package env

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/google/uuid"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/observe"
)

// Env is passed by pointer and never changed after it is built.
type Env struct {
	Now      func() time.Time
	NewID    func() string // a random UUID
	Float    func() float64
	Sleep    func(ctx context.Context, d time.Duration) error
	Workers  int   // goroutines that one operation may use
	Memory   int64 // bytes that one operation may hold; 0 = no limit
	Log      *slog.Logger
	Listener *observe.Listener

	// Outside opens files that a log names but that lie outside of its table
	// (shallow clones have such files). Nil refuses them.
	Outside *address.Allowed
}

// New returns the real world.
func New() *Env {
	return &Env{
		Now:   time.Now,
		NewID: uuid.NewString,
		Float: rand.Float64,
		Sleep: func(ctx context.Context, d time.Duration) error {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-t.C:
				return nil
			}
		},
		Workers:  runtime.GOMAXPROCS(0),
		Log:      slog.New(slog.DiscardHandler),
		Listener: &observe.Listener{},
	}
}

// Share is what one of n operations has that run side by side.
func (e *Env) Share(n int) *Env {
	if n <= 1 {
		return e
	}
	out := *e
	out.Workers = max(e.Workers/n, 1)
	if e.Memory > 0 {
		out.Memory = max(e.Memory/int64(n), 1)
	}
	return &out
}

// Letters draws a name of letters and digits, of which a store may have many.
func (e *Env) Letters(n int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[min(int(e.Float()*float64(len(alphabet))), len(alphabet)-1)]
	}
	return string(b)
}
