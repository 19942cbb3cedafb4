package faultstore

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
	storage.Turner
} = (*Store)(nil)

// Below is the wrapped driver.
func (s *Store) Below() storage.Driver { return s.next }

// PutHint may fail with or without effect, as PutIfAbsent may.
func (s *Store) PutHint(ctx context.Context, key string, data []byte) error {
	put := s.next.PutIfAbsent
	if h, ok := s.next.(storage.HintPutter); ok {
		put = h.PutHint
	}
	return s.do(ctx, OpPutIfAbsent, key, func() error { return put(ctx, key, data) })
}

// Turn is passed on: turns are courtesy, and nothing depends on them.
func (s *Store) Turn(ctx context.Context, folder string) (storage.Turn, error) {
	t, ok := storage.As[storage.Turner](s.next)
	if !ok {
		return nil, storage.ErrUnsupported
	}
	return t.Turn(ctx, folder)
}

// DeleteMany is one call, of the first key. When it fails without effect, Keep is
// how many of the objects are deleted all the same.
func (s *Store) DeleteMany(ctx context.Context, keys []string) (n int, err error) {
	d, ok := storage.As[storage.ManyDeleter](s.next)
	if !ok || len(keys) == 0 {
		return 0, storage.ErrUnsupported
	}
	f, err := s.enter(ctx, OpDelete, keys[0])
	if err != nil {
		return 0, err
	}
	if f.Err != nil && !f.Done {
		if keys = keys[:min(f.Keep, len(keys))]; len(keys) == 0 {
			return 0, f.Err
		}
	}
	if n, err = d.DeleteMany(ctx, keys); err != nil {
		return n, err
	}
	return n, f.Err
}

// MaxDeletes is the wrapped driver's.
func (s *Store) MaxDeletes() int {
	if d, ok := storage.As[storage.ManyDeleter](s.next); ok {
		return d.MaxDeletes()
	}
	return 1
}

// Walk is a listing: it may fail at once or after some entries.
func (s *Store) Walk(ctx context.Context, dir string, enter func(key string) bool) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		w, ok := storage.As[storage.Walker](s.next)
		if !ok {
			yield(storage.Entry{}, storage.ErrUnsupported)
			return
		}
		f, err := s.enter(ctx, OpList, dir)
		if err != nil {
			yield(storage.Entry{}, err)
			return
		}
		n := 0
		for e, err := range w.Walk(ctx, dir, enter) {
			if f.Err != nil && n >= f.Keep {
				break
			}
			n++
			if !yield(e, err) {
				return
			}
		}
		if f.Err != nil {
			yield(storage.Entry{}, f.Err)
		}
	}
}

// Look may fail.
func (s *Store) Look(ctx context.Context, key string) (obj storage.Object, err error) {
	w, ok := storage.As[storage.Walker](s.next)
	if !ok {
		return storage.Object{}, storage.ErrUnsupported
	}
	err = s.do(ctx, OpStat, key, func() (err error) {
		obj, err = w.Look(ctx, key)
		return err
	})
	if err != nil {
		return storage.Object{}, err
	}
	return obj, nil
}

// Remove may fail with or without effect.
func (s *Store) Remove(ctx context.Context, key string) (done bool, err error) {
	w, ok := storage.As[storage.Walker](s.next)
	if !ok {
		return false, storage.ErrUnsupported
	}
	err = s.do(ctx, OpDelete, key, func() (err error) {
		done, err = w.Remove(ctx, key)
		return err
	})
	return done && err == nil, err
}
