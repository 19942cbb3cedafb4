package tablekit

import (
	"sync/atomic"
	"time"
)

// Clock is a time that a test moves on while work behind commits may look at it.
type Clock struct{ nanos atomic.Int64 }

// NewClock begins at a time.
func NewClock(t time.Time) *Clock {
	c := &Clock{}
	c.nanos.Store(t.UnixNano())
	return c
}

// Now is the time.
func (c *Clock) Now() time.Time { return time.Unix(0, c.nanos.Load()).UTC() }

// Pass moves the clock on.
func (c *Clock) Pass(d time.Duration) { c.nanos.Add(int64(d)) }
