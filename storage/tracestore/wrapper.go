package tracestore

import (
	"context"
	"io"
	"iter"

	"github.com/sluicelake/sluice/storage"
)

var _ interface {
	storage.Wrapper
	storage.Walker
	storage.ManyDeleter
	storage.RandomReader
	storage.HintPutter
	storage.Turner
} = (*Store)(nil)

// Below is the wrapped driver.
func (s *Store) Below() storage.Driver { return s.next }

// PutHint is recorded as the put-if-absent that it is.
func (s *Store) PutHint(ctx context.Context, key string, data []byte) error {
	put := s.next.PutIfAbsent
	if h, ok := s.next.(storage.HintPutter); ok {
		put = h.PutHint
	}
	start := s.now()
	err := put(ctx, key, data)
	s.record(start, Entry{Op: "put-if-absent", Key: key, Bytes: int64(len(data)), Err: err})
	return err
}

// Turn is passed on: it is no request.
func (s *Store) Turn(ctx context.Context, folder string) (storage.Turn, error) {
	t, ok := storage.As[storage.Turner](s.next)
	if !ok {
		return nil, storage.ErrUnsupported
	}
	return t.Turn(ctx, folder)
}

// DeleteMany is recorded as one call.
func (s *Store) DeleteMany(ctx context.Context, keys []string) (int, error) {
	d, ok := storage.As[storage.ManyDeleter](s.next)
	if !ok {
		return 0, storage.ErrUnsupported
	}
	start := s.now()
	n, err := d.DeleteMany(ctx, keys)
	e := Entry{Op: "delete", Objects: len(keys), Err: err}
	if len(keys) > 0 {
		e.Key = keys[0]
	}
	s.record(start, e)
	return n, err
}

// MaxDeletes is the wrapped driver's.
func (s *Store) MaxDeletes() int {
	if d, ok := storage.As[storage.ManyDeleter](s.next); ok {
		return d.MaxDeletes()
	}
	return 1
}

// Walk is recorded as a listing when the loop over it ends.
func (s *Store) Walk(ctx context.Context, dir string, enter func(key string) bool) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		w, ok := storage.As[storage.Walker](s.next)
		if !ok {
			yield(storage.Entry{}, storage.ErrUnsupported)
			return
		}
		start := s.now()
		e := Entry{Op: "list", Key: dir}
		defer func() { s.record(start, e) }()
		for o, err := range w.Walk(ctx, dir, enter) {
			if e.Err = err; err == nil {
				e.Objects++
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// Look is recorded as a stat.
func (s *Store) Look(ctx context.Context, key string) (storage.Object, error) {
	w, ok := storage.As[storage.Walker](s.next)
	if !ok {
		return storage.Object{}, storage.ErrUnsupported
	}
	start := s.now()
	o, err := w.Look(ctx, key)
	s.record(start, Entry{Op: "stat", Key: key, Err: err})
	return o, err
}

// Remove is recorded as a delete.
func (s *Store) Remove(ctx context.Context, key string) (bool, error) {
	w, ok := storage.As[storage.Walker](s.next)
	if !ok {
		return false, storage.ErrUnsupported
	}
	start := s.now()
	done, err := w.Remove(ctx, key)
	s.record(start, Entry{Op: "delete", Key: key, Err: err})
	return done, err
}

// ReaderAt is recorded, and each read through the handle.
func (s *Store) ReaderAt(ctx context.Context, key string, size int64) (io.ReaderAt, io.Closer, error) {
	r, ok := storage.As[storage.RandomReader](s.next)
	if !ok {
		return nil, nil, storage.ErrUnsupported
	}
	start := s.now()
	at, closer, err := r.ReaderAt(ctx, key, size)
	s.record(start, Entry{Op: "open", Key: key, Err: err})
	if err != nil {
		return nil, nil, err
	}
	return &handle{s, key, at}, closer, nil
}

type handle struct {
	s   *Store
	key string
	at  io.ReaderAt
}

func (h *handle) ReadAt(p []byte, offset int64) (int, error) {
	start := h.s.now()
	n, err := h.at.ReadAt(p, offset)
	e := Entry{Op: "get-range", Key: h.key, Offset: offset, Bytes: int64(n)}
	if err != io.EOF {
		e.Err = err
	}
	h.s.record(start, e)
	return n, err
}
