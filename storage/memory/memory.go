// Package memory is a store inside the process: exact, ordered, with nothing to
// clean up. It is for tests, demonstrations and caches; its semantics are those
// of a strongly consistent object store.
package memory

import (
	"bytes"
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// Store is a storage.Driver that keeps objects in memory.
type Store struct {
	url string
	now func() time.Time

	mu      sync.RWMutex
	keys    []string // sorted
	objects map[string]object
}

// object is immutable once stored.
type object struct {
	data []byte
	mod  time.Time
}

// Option changes a new Store.
type Option func(*Store)

// WithClock sets the source of modification times.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// WithURL sets what URL returns.
func WithURL(url string) Option { return func(s *Store) { s.url = url } }

// New makes an empty store of its own.
func New(opts ...Option) *Store {
	s := &Store{url: "memory://", now: time.Now, objects: map[string]object{}}
	for _, o := range opts {
		o(s)
	}
	return s
}

// URL returns the store's address.
func (s *Store) URL() string { return s.url }

// Close keeps the objects: a named store outlives its handles.
func (s *Store) Close() error { return nil }

// Get returns a copy of an object.
func (s *Store) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	o, err := s.find(ctx, key)
	if err != nil {
		return nil, storage.Object{}, err
	}
	return bytes.Clone(o.data), o.describe(key), nil
}

// GetRange returns a copy of a part of an object.
func (s *Store) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	o, err := s.find(ctx, key)
	if err != nil {
		return nil, err
	}
	size := int64(len(o.data))
	offset = min(offset, size)
	return bytes.Clone(o.data[offset : offset+min(length, size-offset)]), nil
}

// ReaderAt reads an object in place.
func (s *Store) ReaderAt(ctx context.Context, key string, _ int64) (io.ReaderAt, io.Closer, error) {
	o, err := s.find(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	return bytes.NewReader(o.data), io.NopCloser(nil), nil
}

// Stat describes an object.
func (s *Store) Stat(ctx context.Context, key string) (storage.Object, error) {
	o, err := s.find(ctx, key)
	if err != nil {
		return storage.Object{}, err
	}
	return o.describe(key), nil
}

// PutIfAbsent creates an object or returns storage.ErrExist.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[key]; ok {
		return storage.ErrExist
	}
	s.set(key, bytes.Clone(data))
	return nil
}

// Put creates or replaces an object.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(key, bytes.Clone(data))
	return nil
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[key]; ok {
		delete(s.objects, key)
		i, _ := slices.BinarySearch(s.keys, key)
		s.keys = slices.Delete(s.keys, i, i+1)
	}
	return nil
}

// listPage is how many objects List copies under one lock.
const listPage = 1000

// List yields objects in key order, a page at a time, as an object store does:
// an object that is created or deleted while the listing runs may or may not appear.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for {
			if err := ctx.Err(); err != nil {
				yield(storage.Object{}, err)
				return
			}
			page := s.page(prefix, startAfter)
			for _, o := range page {
				if !yield(o, nil) {
					return
				}
			}
			if len(page) < listPage {
				return
			}
			startAfter = page[len(page)-1].Key
		}
	}
}

func (s *Store) page(prefix, startAfter string) []storage.Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, exact := slices.BinarySearch(s.keys, max(prefix, startAfter))
	if exact && startAfter >= prefix && startAfter != "" {
		i++
	}
	var page []storage.Object
	for ; i < len(s.keys) && len(page) < listPage && strings.HasPrefix(s.keys[i], prefix); i++ {
		page = append(page, s.objects[s.keys[i]].describe(s.keys[i]))
	}
	return page
}

func (s *Store) find(ctx context.Context, key string) (object, error) {
	if err := ctx.Err(); err != nil {
		return object{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, ok := s.objects[key]
	if !ok {
		return object{}, storage.ErrNotExist
	}
	return o, nil
}

// set stores data, which nobody changes afterwards. The lock is held.
func (s *Store) set(key string, data []byte) {
	if _, ok := s.objects[key]; !ok {
		i, _ := slices.BinarySearch(s.keys, key)
		s.keys = slices.Insert(s.keys, i, key)
	}
	s.objects[key] = object{data, s.now()}
}

func (o object) describe(key string) storage.Object {
	return storage.Object{Key: key, Size: int64(len(o.data)), ModTime: o.mod}
}
