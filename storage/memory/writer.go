package memory

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/storage"
)

// Create streams an object into a buffer; Commit stores it.
func (s *Store) Create(ctx context.Context, key string) (storage.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &writer{ctx: ctx, s: s, key: key}, nil
}

type writer struct {
	ctx  context.Context
	s    *Store
	key  string
	data []byte
	done bool
}

var errEnded = errors.New("the writer has been committed or aborted")

func (w *writer) Write(p []byte) (int, error) {
	if w.done {
		return 0, errEnded
	}
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	w.data = append(w.data, p...)
	return len(p), nil
}

func (w *writer) Commit() error {
	if w.done {
		return errEnded
	}
	w.done = true
	if err := w.ctx.Err(); err != nil {
		return err
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.set(w.key, w.data)
	return nil
}

func (w *writer) Abort() error {
	w.done, w.data = true, nil
	return nil
}
