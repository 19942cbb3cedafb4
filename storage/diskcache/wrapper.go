package diskcache

import (
	"context"
	"iter"

	"github.com/sluicelake/sluice/storage"
)

var _ interface {
	storage.Wrapper
	storage.Walker
	storage.ManyDeleter
	storage.HintPutter
	storage.Meter
} = (*Store)(nil)

// Below is the wrapped driver.
func (s *Store) Below() storage.Driver { return s.next }

// DeleteMany passes on.
func (s *Store) DeleteMany(ctx context.Context, keys []string) (int, error) {
	d, ok := storage.As[storage.ManyDeleter](s.next)
	if !ok {
		return 0, storage.ErrUnsupported
	}
	for _, key := range keys {
		s.forget(key)
	}
	s.sent.deletes.Add(1)
	return d.DeleteMany(ctx, keys)
}

// MaxDeletes is the wrapped driver's.
func (s *Store) MaxDeletes() int {
	if d, ok := storage.As[storage.ManyDeleter](s.next); ok {
		return d.MaxDeletes()
	}
	return 1
}

// Walk passes on.
func (s *Store) Walk(ctx context.Context, dir string, enter func(key string) bool) iter.Seq2[storage.Entry, error] {
	w, ok := storage.As[storage.Walker](s.next)
	if !ok {
		return func(yield func(storage.Entry, error) bool) { yield(storage.Entry{}, storage.ErrUnsupported) }
	}
	s.sent.lists.Add(1)
	return w.Walk(ctx, dir, enter)
}

// Look passes on.
func (s *Store) Look(ctx context.Context, key string) (storage.Object, error) {
	w, ok := storage.As[storage.Walker](s.next)
	if !ok {
		return storage.Object{}, storage.ErrUnsupported
	}
	s.sent.stats.Add(1)
	return w.Look(ctx, key)
}

// Remove passes on.
func (s *Store) Remove(ctx context.Context, key string) (bool, error) {
	w, ok := storage.As[storage.Walker](s.next)
	if !ok {
		return false, storage.ErrUnsupported
	}
	s.forget(key)
	s.sent.deletes.Add(1)
	return w.Remove(ctx, key)
}
