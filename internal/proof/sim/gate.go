package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"testing/synctest"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// gate holds every call of every writer to the store, and lets one at a time go:
// when all goroutines wait for something, those that wait here are who may go on.
type gate struct {
	mu      sync.Mutex
	open    bool
	waiting []*call
	record  []line
}

// call is a goroutine that waits.
type call struct {
	actor, op, key string
	free           chan struct{}
}

// line is something that happened.
type line struct {
	actor, op, key string
	err            error
	text           string // in place of a call
}

func (l line) String() string {
	if l.text != "" {
		return l.text
	}
	text := fmt.Sprintf("    %s %s %s", l.actor, l.op, l.key)
	if l.err != nil {
		text += fmt.Sprintf(": %v", l.err)
	}
	return text
}

func (g *gate) note(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.record = append(g.record, line{text: fmt.Sprintf(format, args...)})
}

func (g *gate) did(actor, op, key string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.record = append(g.record, line{actor: actor, op: op, key: key, err: err})
}

// pass waits for its turn.
func (g *gate) pass(ctx context.Context, actor, op, key string) error {
	g.mu.Lock()
	if g.open {
		g.mu.Unlock()
		return ctx.Err()
	}
	c := &call{actor, op, key, make(chan struct{})}
	g.waiting = append(g.waiting, c)
	g.mu.Unlock()
	select {
	case <-c.free:
		return ctx.Err()
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		g.waiting = slices.DeleteFunc(g.waiting, func(x *call) bool { return x == c })
		return ctx.Err()
	}
}

// next is the call of an actor that may go on, once nobody moves; nil is none. Of
// several the order does not depend on which goroutine was faster.
func (g *gate) next(actor string) *call {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	var found *call
	for _, c := range g.waiting {
		if c.actor == actor && (found == nil || c.op+c.key < found.op+found.key) {
			found = c
		}
	}
	return found
}

// release lets a call go.
func (g *gate) release(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, c); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		close(c.free)
	}
}

// all lets everybody go, from now on.
func (g *gate) all() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
	for _, c := range g.waiting {
		close(c.free)
	}
	g.waiting = nil
}

// gated is the store as one writer sees it.
type gated struct {
	storage.Driver
	g     *gate
	actor string

	mu   sync.Mutex
	late uint64
}

// Below is the driver without the gate.
func (s *gated) Below() storage.Driver { return s.Driver }

// delayed reports whether the next answer is held back.
func (s *gated) delayed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.late == 0 {
		return false
	}
	s.late ^= s.late << 13
	s.late ^= s.late >> 7
	s.late ^= s.late << 17
	return s.late%4 == 0
}

// do is one call: the store does it when it is let go, or at once and the answer
// waits.
func (s *gated) do(ctx context.Context, op, key string, fn func() error) error {
	late := s.delayed()
	if !late {
		if err := s.g.pass(ctx, s.actor, op, key); err != nil {
			return err
		}
	}
	err := fn()
	s.g.did(s.actor, op, key, err)
	if late {
		s.g.pass(context.WithoutCancel(ctx), s.actor, "hears of "+op, key)
		s.g.did(s.actor, "hears of "+op, key, nil)
	}
	return err
}

func (s *gated) Get(ctx context.Context, key string) (data []byte, o storage.Object, err error) {
	err = s.do(ctx, "get", key, func() error { data, o, err = s.Driver.Get(ctx, key); return err })
	return data, o, err
}

func (s *gated) GetRange(ctx context.Context, key string, offset, length int64) (data []byte, err error) {
	err = s.do(ctx, "get-range", key, func() error { data, err = s.Driver.GetRange(ctx, key, offset, length); return err })
	return data, err
}

// ReaderAt is one call; reads in place cost the store nothing.
func (s *gated) ReaderAt(ctx context.Context, key string, size int64) (at io.ReaderAt, c io.Closer, err error) {
	err = s.do(ctx, "open", key, func() error {
		r, ok := storage.As[storage.RandomReader](s.Driver)
		if !ok {
			return storage.ErrUnsupported
		}
		at, c, err = r.ReaderAt(ctx, key, size)
		return err
	})
	return at, c, err
}

func (s *gated) Stat(ctx context.Context, key string) (o storage.Object, err error) {
	err = s.do(ctx, "stat", key, func() error { o, err = s.Driver.Stat(ctx, key); return err })
	return o, err
}

func (s *gated) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return s.do(ctx, "put-if-absent", key, func() error { return s.Driver.PutIfAbsent(ctx, key, data) })
}

func (s *gated) Put(ctx context.Context, key string, data []byte) error {
	return s.do(ctx, "put", key, func() error { return s.Driver.Put(ctx, key, data) })
}

func (s *gated) Delete(ctx context.Context, key string) error {
	return s.do(ctx, "delete", key, func() error { return s.Driver.Delete(ctx, key) })
}

// List is one call: a listing is of one moment.
func (s *gated) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		var list []storage.Object
		err := s.do(ctx, "list", prefix, func() error {
			for o, err := range s.Driver.List(ctx, prefix, startAfter) {
				if err != nil {
					return err
				}
				list = append(list, o)
			}
			return nil
		})
		for _, o := range list {
			if !yield(o, nil) {
				return
			}
		}
		if err != nil {
			yield(storage.Object{}, err)
		}
	}
}

func (s *gated) Create(ctx context.Context, key string) (w storage.Writer, err error) {
	err = s.do(ctx, "create", key, func() error { w, err = s.Driver.Create(ctx, key); return err })
	if err != nil {
		return nil, err
	}
	return &gatedWriter{w, s, ctx, key}, nil
}

type gatedWriter struct {
	storage.Writer
	s   *gated
	ctx context.Context
	key string
}

func (w *gatedWriter) Commit() error {
	err := w.s.do(w.ctx, "commit", w.key, w.Writer.Commit)
	if err != nil && errors.Is(err, w.ctx.Err()) {
		w.Writer.Abort()
	}
	return err
}

// elsewhere is the same store at another address, so that writers do not meet
// in one commit lane.
type elsewhere struct {
	*memory.Store
	url string
}

func (e *elsewhere) URL() string { return e.url }
