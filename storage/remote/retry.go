package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// Policy says how often and how patiently requests are sent again. The zero
// value is the default. Pauses have full jitter: writers that lost together do
// not come back together.
type Policy struct {
	Attempts int           // of one request; 0 is 6
	First    time.Duration // longest first pause; 0 is 100 ms
	Longest  time.Duration // longest pause at all; 0 is 10 s
	// Sleep and Float are the clock and the dice, for tests; nil are the real ones.
	Sleep func(ctx context.Context, d time.Duration) error
	Float func() float64
}

// Repeat sends a request that may be carried out more than once: it reads, or
// its effect is the same each time.
func (p Policy) Repeat(ctx context.Context, send func(ctx context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := send(ctx)
		if err == nil || ctx.Err() != nil || !Transient(err) {
			return err
		}
		if attempt >= p.attempts() {
			return fmt.Errorf("given up after %d attempts: %w", attempt, err)
		}
		if p.pause(ctx, attempt, err) != nil {
			return err
		}
	}
}

// Once sends a put-if-absent. It is sent again only when it cannot have had an
// effect. An answer that settles nothing (a time-out, a cut connection, a server
// error, a cancelled context) becomes storage.ErrOutcomeUnknown. What the store
// answers when the object exists is for send to return as storage.ErrExist.
func (p Policy) Once(ctx context.Context, send func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err // nothing was sent
	}
	for attempt := 1; ; attempt++ {
		err := send(ctx)
		switch {
		case err == nil, errors.Is(err, storage.ErrExist), errors.Is(err, storage.ErrOutcomeUnknown):
			return err
		case !NotDone(err):
			return &unknown{err}
		case !Transient(err) || attempt >= p.attempts() || ctx.Err() != nil:
			return err
		}
		if p.pause(ctx, attempt, err) != nil {
			return err
		}
	}
}

func (p Policy) attempts() int {
	if p.Attempts <= 0 {
		return 6
	}
	return p.Attempts
}

// pause waits before the attempt after this one; an error means that there is no
// time left.
func (p Policy) pause(ctx context.Context, attempt int, cause error) error {
	first, longest := p.First, p.Longest
	if first <= 0 {
		first = 100 * time.Millisecond
	}
	if longest <= 0 {
		longest = 10 * time.Second
	}
	most := longest
	if attempt < 16 {
		most = min(longest, first<<(attempt-1))
	}
	float := p.Float
	if float == nil {
		float = rand.Float64
	}
	d := time.Duration(float() * float64(most))
	var r *Reply
	if errors.As(cause, &r) && r.After > 0 {
		d += r.After // the store knows best; the jitter keeps its clients apart
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	if p.Sleep != nil {
		return p.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
