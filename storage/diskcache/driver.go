package diskcache

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"path"
	"sync/atomic"

	"github.com/sluicelake/sluice/storage"
)

// sent counts what reached the store.
type sent struct{ gets, puts, lists, deletes, stats, read, written atomic.Int64 }

// Requests are the calls and bytes that reached the store, without what the
// folder answered.
func (s *Store) Requests() storage.Counters {
	c := &s.sent
	return storage.Counters{Gets: c.gets.Load(), Puts: c.puts.Load(), Lists: c.lists.Load(), Deletes: c.deletes.Load(), Stats: c.stats.Load(),
		BytesRead: c.read.Load(), BytesWritten: c.written.Load()}
}

// Kept is the number of reads that the folder answered.
func (s *Store) Kept() int64 { return s.kept.Load() }

// URL is the wrapped driver's.
func (s *Store) URL() string { return s.next.URL() }

// Close closes the wrapped driver and leaves the folder.
func (s *Store) Close() error {
	_ = s.disk.root.Close() // what was read through it has been verified
	return s.next.Close()
}

// Describe is the wrapped driver's, and the folder.
func (s *Store) Describe() map[string]string {
	d := map[string]string{}
	if of, ok := s.next.(storage.Describer); ok {
		maps.Copy(d, of.Describe())
	}
	d["cache"] = fmt.Sprintf("%s, at most %d MiB", s.disk.root.Name(), s.disk.limit>>20)
	return d
}

// List passes on, and notes checkpoints.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		s.sent.lists.Add(1)
		for o, err := range s.next.List(ctx, prefix, startAfter) {
			if err == nil && isCheckpoint(path.Base(o.Key)) {
				s.mu.Lock()
				s.listed[o.Key] = o
				s.mu.Unlock()
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// forget drops what was noted of a key that is about to be written.
func (s *Store) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listed, key)
}

// Stat passes on.
func (s *Store) Stat(ctx context.Context, key string) (storage.Object, error) {
	s.sent.stats.Add(1)
	return s.next.Stat(ctx, key)
}

// Delete passes on.
func (s *Store) Delete(ctx context.Context, key string) error {
	s.forget(key)
	s.sent.deletes.Add(1)
	return s.next.Delete(ctx, key)
}

// PutIfAbsent passes on.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return s.put(key, data, func() error { return s.next.PutIfAbsent(ctx, key, data) })
}

// PutHint passes on.
func (s *Store) PutHint(ctx context.Context, key string, data []byte) error {
	h, ok := s.next.(storage.HintPutter)
	if !ok {
		return s.PutIfAbsent(ctx, key, data)
	}
	return s.put(key, data, func() error { return h.PutHint(ctx, key, data) })
}

// Put passes on.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.put(key, data, func() error { return s.next.Put(ctx, key, data) })
}

func (s *Store) put(key string, data []byte, send func() error) error {
	s.forget(key)
	s.sent.puts.Add(1)
	err := send()
	if err == nil {
		s.sent.written.Add(int64(len(data)))
	}
	return err
}

// Create passes on.
func (s *Store) Create(ctx context.Context, key string) (storage.Writer, error) {
	s.forget(key)
	s.sent.puts.Add(1)
	w, err := s.next.Create(ctx, key)
	if err != nil {
		return nil, err
	}
	return &writer{w, s}, nil
}

type writer struct {
	storage.Writer
	s *Store
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.s.sent.written.Add(int64(n))
	return n, err
}
