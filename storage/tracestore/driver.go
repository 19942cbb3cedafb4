package tracestore

import (
	"context"
	"iter"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// URL is the wrapped driver's.
func (s *Store) URL() string { return s.next.URL() }

// Close closes the wrapped driver.
func (s *Store) Close() error { return s.next.Close() }

// Get is recorded with the bytes read.
func (s *Store) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	start := s.now()
	data, obj, err := s.next.Get(ctx, key)
	s.record(start, Entry{Op: "get", Key: key, Bytes: int64(len(data)), Err: err})
	return data, obj, err
}

// GetRange is recorded with the range that was read.
func (s *Store) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	start := s.now()
	data, err := s.next.GetRange(ctx, key, offset, length)
	s.record(start, Entry{Op: "get-range", Key: key, Offset: offset, Bytes: int64(len(data)), Err: err})
	return data, err
}

// PutIfAbsent is recorded with the bytes offered.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	start := s.now()
	err := s.next.PutIfAbsent(ctx, key, data)
	s.record(start, Entry{Op: "put-if-absent", Key: key, Bytes: int64(len(data)), Err: err})
	return err
}

// Put is recorded with the bytes offered.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	start := s.now()
	err := s.next.Put(ctx, key, data)
	s.record(start, Entry{Op: "put", Key: key, Bytes: int64(len(data)), Err: err})
	return err
}

// List is recorded when the loop over it ends, with the objects it gave.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		start := s.now()
		e := Entry{Op: "list", Key: prefix}
		defer func() { s.record(start, e) }()
		for o, err := range s.next.List(ctx, prefix, startAfter) {
			if e.Err = err; err == nil {
				e.Objects++
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// Delete is recorded.
func (s *Store) Delete(ctx context.Context, key string) error {
	start := s.now()
	err := s.next.Delete(ctx, key)
	s.record(start, Entry{Op: "delete", Key: key, Err: err})
	return err
}

// Stat is recorded.
func (s *Store) Stat(ctx context.Context, key string) (storage.Object, error) {
	start := s.now()
	o, err := s.next.Stat(ctx, key)
	s.record(start, Entry{Op: "stat", Key: key, Err: err})
	return o, err
}

// Create is recorded once, when the Writer ends or cannot be made.
func (s *Store) Create(ctx context.Context, key string) (storage.Writer, error) {
	start := s.now()
	w, err := s.next.Create(ctx, key)
	if err != nil {
		s.record(start, Entry{Op: "create", Key: key, Err: err})
		return nil, err
	}
	return &writer{s: s, key: key, start: start, next: w}, nil
}

type writer struct {
	s     *Store
	key   string
	start time.Time
	next  storage.Writer
	bytes int64
	ended bool
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.next.Write(p)
	w.bytes += int64(n)
	return n, err
}

func (w *writer) Commit() error {
	err := w.next.Commit()
	w.end("create", err)
	return err
}

func (w *writer) Abort() error {
	err := w.next.Abort()
	w.end("abort", err)
	return err
}

func (w *writer) end(op string, err error) {
	if !w.ended {
		w.ended = true
		w.s.record(w.start, Entry{Op: op, Key: w.key, Bytes: w.bytes, Err: err})
	}
}

// Describe is the wrapped driver's.
func (s *Store) Describe() map[string]string {
	if d, ok := s.next.(storage.Describer); ok {
		return d.Describe()
	}
	return nil
}
