package azure

import (
	"context"
	"errors"
	"sync"
)

// upload is one object on its way, at one of the endpoints.
type upload interface {
	// all writes an object that fits in one block.
	all(ctx context.Context, data []byte) error
	// block sends one block; blocks go in parallel. data is the callee's until it returns.
	block(ctx context.Context, n int, offset int64, data []byte) error
	// finish makes the object of its blocks appear.
	finish(ctx context.Context, blocks int, size int64) error
	// drop removes what was sent, as well as it can.
	drop(ctx context.Context)
}

// writer cuts what is written into blocks and sends some at a time. It holds at most
// one block more than are under way.
type writer struct {
	ctx    context.Context
	cancel context.CancelFunc
	up     upload
	size   int           // of a block
	slots  chan struct{} // blocks under way
	spare  chan []byte

	buf    []byte
	blocks int
	sent   int64
	ended  bool
	wg     sync.WaitGroup

	mu  sync.Mutex
	err error // the first of a block
}

var errEnded = errors.New("the writer has been committed or aborted")

// growAfter is how many blocks have one size; then it doubles, since an object has
// at most 50,000 blocks.
const growAfter = 8000

func newWriter(ctx context.Context, up upload, size, parallel int) *writer {
	w := &writer{up: up, size: size, slots: make(chan struct{}, parallel), spare: make(chan []byte, parallel)}
	w.ctx, w.cancel = context.WithCancel(ctx)
	return w
}

func (w *writer) Write(p []byte) (int, error) {
	if w.ended {
		return 0, errEnded
	}
	n := 0
	for len(p) > 0 {
		if err := w.failed(); err != nil {
			return n, err
		}
		if len(w.buf) == w.size {
			w.send()
		}
		k := min(len(p), w.size-len(w.buf))
		w.buf = append(w.buf, p[:k]...)
		p, n = p[k:], n+k
	}
	return n, nil
}

// send hands the buffer over; it waits while enough blocks are under way.
func (w *writer) send() {
	select {
	case w.slots <- struct{}{}:
	case <-w.ctx.Done():
		return
	}
	data, n, offset := w.buf, w.blocks, w.sent
	w.blocks, w.sent = w.blocks+1, w.sent+int64(len(data))
	if w.blocks%growAfter == 0 {
		w.size *= 2
	}
	w.wg.Go(func() {
		err := w.up.block(w.ctx, n, offset, data)
		if err != nil {
			w.fail(err)
		}
		select {
		case w.spare <- data[:0]:
		default:
		}
		<-w.slots
	})
	select {
	case w.buf = <-w.spare:
	default:
		w.buf = make([]byte, 0, w.size)
	}
}

func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
		w.cancel()
	}
}

func (w *writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	return w.ctx.Err()
}

// Commit makes the object appear.
func (w *writer) Commit() error {
	if w.ended {
		return errEnded
	}
	w.ended = true
	defer w.cancel()
	err := w.failed()
	if err == nil && w.blocks == 0 {
		return w.up.all(w.ctx, w.buf)
	}
	if err == nil && len(w.buf) > 0 {
		w.send()
	}
	w.wg.Wait()
	if err == nil {
		err = w.failed()
	}
	if err == nil {
		err = w.up.finish(w.ctx, w.blocks, w.sent)
	}
	if err != nil {
		w.up.drop(context.WithoutCancel(w.ctx))
	}
	return err
}

// Abort forgets the object.
func (w *writer) Abort() error {
	if w.ended {
		return nil
	}
	w.ended = true
	w.cancel()
	w.wg.Wait()
	if w.blocks > 0 {
		w.up.drop(context.WithoutCancel(w.ctx))
	}
	w.buf = nil
	return nil
}
