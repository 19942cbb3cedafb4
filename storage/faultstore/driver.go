package faultstore

import (
	"context"
	"iter"

	"github.com/sluicelake/sluice/storage"
)

// URL is the wrapped driver's.
func (s *Store) URL() string { return s.next.URL() }

// Close closes the wrapped driver.
func (s *Store) Close() error { return s.next.Close() }

// Get may fail; there is no half of it.
func (s *Store) Get(ctx context.Context, key string) (data []byte, obj storage.Object, err error) {
	err = s.do(ctx, OpGet, key, func() (err error) {
		data, obj, err = s.next.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, storage.Object{}, err
	}
	return data, obj, nil
}

// GetRange may fail; there is no half of it.
func (s *Store) GetRange(ctx context.Context, key string, offset, length int64) (data []byte, err error) {
	err = s.do(ctx, OpGetRange, key, func() (err error) {
		data, err = s.next.GetRange(ctx, key, offset, length)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// PutIfAbsent may fail with or without effect.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return s.do(ctx, OpPutIfAbsent, key, func() error { return s.next.PutIfAbsent(ctx, key, data) })
}

// Put may fail with or without effect.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.do(ctx, OpPut, key, func() error { return s.next.Put(ctx, key, data) })
}

// Delete may fail with or without effect.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.do(ctx, OpDelete, key, func() error { return s.next.Delete(ctx, key) })
}

// Stat may fail.
func (s *Store) Stat(ctx context.Context, key string) (obj storage.Object, err error) {
	err = s.do(ctx, OpStat, key, func() (err error) {
		obj, err = s.next.Stat(ctx, key)
		return err
	})
	if err != nil {
		return storage.Object{}, err
	}
	return obj, nil
}

// List may fail at once or after some objects.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		f, err := s.enter(ctx, OpList, prefix)
		if err != nil {
			yield(storage.Object{}, err)
			return
		}
		if f.Err != nil && f.Keep == 0 {
			yield(storage.Object{}, f.Err)
			return
		}
		n := 0
		for o, err := range s.next.List(ctx, prefix, startAfter) {
			if f.Err != nil && n == f.Keep {
				yield(storage.Object{}, f.Err)
				return
			}
			n++
			if !yield(o, err) {
				return
			}
		}
		if f.Err != nil {
			yield(storage.Object{}, f.Err)
		}
	}
}

// Create may fail; so may each Write, Commit and Abort of the Writer.
func (s *Store) Create(ctx context.Context, key string) (w storage.Writer, err error) {
	var inner storage.Writer
	err = s.do(ctx, OpCreate, key, func() (err error) {
		inner, err = s.next.Create(ctx, key)
		return err
	})
	if err != nil {
		if inner != nil {
			inner.Abort()
		}
		return nil, err
	}
	return &writer{ctx: ctx, s: s, key: key, next: inner}, nil
}

type writer struct {
	ctx  context.Context
	s    *Store
	key  string
	next storage.Writer
}

func (w *writer) Write(p []byte) (int, error) {
	f, err := w.s.enter(w.ctx, OpWrite, w.key)
	if err != nil {
		return 0, err
	}
	if f.Err == nil || f.Done {
		n, err := w.next.Write(p)
		if err == nil {
			err = f.Err
		}
		return n, err
	}
	n, err := w.next.Write(p[:min(f.Keep, len(p))])
	if err == nil {
		err = f.Err
	}
	return n, err
}

// Commit that fails without effect gives up what was streamed, as a store does
// whose upload never completed.
func (w *writer) Commit() error {
	f, err := w.s.enter(w.ctx, OpCommit, w.key)
	if err == nil && f.Err != nil && !f.Done {
		err = f.Err
	}
	if err != nil {
		w.next.Abort()
		return err
	}
	if err := w.next.Commit(); err != nil {
		return err
	}
	return f.Err
}

// Abort always aborts below, so that nothing leaks, and may report failure. It
// works with a cancelled context.
func (w *writer) Abort() error {
	f, _ := w.s.enter(context.WithoutCancel(w.ctx), OpAbort, w.key)
	if err := w.next.Abort(); err != nil {
		return err
	}
	return f.Err
}
