package cluster

import (
	"context"
	"sync"
)

// crew runs functions side by side, so many at a time, until one fails.
type crew struct {
	ctx    context.Context
	cancel context.CancelFunc
	slots  chan struct{}
	group  sync.WaitGroup
	mu     sync.Mutex
	failed error
}

func newCrew(ctx context.Context, workers int) *crew {
	g := &crew{slots: make(chan struct{}, workers)}
	g.ctx, g.cancel = context.WithCancel(ctx)
	return g
}

// run starts a function when there is a free place for it.
func (g *crew) run(f func() error) {
	g.slots <- struct{}{}
	g.group.Go(func() {
		defer func() { <-g.slots }()
		if g.ctx.Err() != nil {
			return
		}
		if err := f(); err != nil {
			g.fail(err)
		}
	})
}

// fail records the first error and ends the others.
func (g *crew) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed == nil {
		g.failed = err
	}
	g.cancel()
}

// wait returns the first error when all have ended.
func (g *crew) wait() error {
	g.group.Wait()
	defer g.cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil {
		return g.failed
	}
	return g.ctx.Err()
}
