package storage

import (
	"context"
	"iter"
	"strings"
)

// EntryKind is what an Entry is.
type EntryKind uint8

// The kinds of entries.
const (
	EntryFile      EntryKind = iota // an object
	EntryDirectory                  // a directory; it is no object
	EntryLink                       // a symbolic link; List shows it when it leads to a file
	EntryTemporary                  // a file that a writer did not finish; List never shows it
)

// Entry is one name below the root of a store that has real directories.
type Entry struct {
	Key  string
	Kind EntryKind
	// Seen describes the entry when the store said it with the name. On other
	// stores it is nil, and Look costs a call for each.
	Seen *Object
}

// Walker is what a Driver may add when its store has directories: List shows
// neither them nor what unfinished writes leave behind, and whoever cleans up
// has to see both.
type Walker interface {
	// Walk yields what lies below a directory ("" is the root), a directory before
	// what is in it. enter says whether a directory is walked into; a link never is.
	// An error is yielded once, last.
	Walk(ctx context.Context, dir string, enter func(key string) bool) iter.Seq2[Entry, error]
	// Look describes an entry of any kind; of a link, the link itself.
	Look(ctx context.Context, key string) (Object, error)
	// Remove takes an entry of any kind away, a directory only when it is empty.
	// It reports whether it did.
	Remove(ctx context.Context, key string) (bool, error)
}

// Walker gives the directories of the bucket's store; ok is false when it has none.
func (b *Bucket) Walker() (w Walker, ok bool) {
	d, ok := As[Walker](b.driver)
	if !ok {
		return nil, false
	}
	return &bucketWalker{b, d}, true
}

type bucketWalker struct {
	b *Bucket
	w Walker
}

func (w *bucketWalker) Walk(ctx context.Context, dir string, enter func(key string) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		full := strings.TrimSuffix(w.b.prefix+dir, "/")
		if full != "" {
			if err := CheckKey(full); err != nil {
				yield(Entry{}, w.b.wrap("list", dir, err))
				return
			}
		}
		w.b.count.lists.Add(1)
		below := func(key string) bool { return enter == nil || enter(strings.TrimPrefix(key, w.b.prefix)) }
		for e, err := range w.w.Walk(ctx, full, below) {
			if err != nil {
				yield(Entry{}, w.b.wrap("list", dir, err))
				return
			}
			e.Key = strings.TrimPrefix(e.Key, w.b.prefix)
			if e.Seen != nil {
				seen := *e.Seen
				seen.Key = e.Key
				e.Seen = &seen
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (w *bucketWalker) Look(ctx context.Context, key string) (Object, error) {
	full, err := w.b.enter(ctx, "stat", key)
	if err != nil {
		return Object{}, err
	}
	w.b.count.stats.Add(1)
	obj, err := w.w.Look(ctx, full)
	obj.Key = key
	return obj, w.b.wrap("stat", key, err)
}

func (w *bucketWalker) Remove(ctx context.Context, key string) (bool, error) {
	full, err := w.b.enter(ctx, "delete", key)
	if err != nil {
		return false, err
	}
	w.b.count.deletes.Add(1)
	done, err := w.w.Remove(ctx, full)
	return done, w.b.wrap("delete", key, err)
}

// ManyDeleter is what a Driver may add when one request deletes many objects.
type ManyDeleter interface {
	// DeleteMany removes objects, as Delete does each of them, at most MaxDeletes in
	// one call. When it fails some may be gone; removed are those known to be.
	DeleteMany(ctx context.Context, keys []string) (removed int, err error)
	MaxDeletes() int
}

// DeleteMany removes objects, several in one request where the store can. When it
// fails, deleted says how many are known to be gone.
func (b *Bucket) DeleteMany(ctx context.Context, keys []string) (deleted int, err error) {
	d, ok := As[ManyDeleter](b.driver)
	if !ok {
		for _, key := range keys {
			if err := b.Delete(ctx, key); err != nil {
				return deleted, err
			}
			deleted++
		}
		return deleted, nil
	}
	full := make([]string, len(keys))
	for i, key := range keys {
		if full[i], err = b.enter(ctx, "delete", key); err != nil {
			return 0, err
		}
	}
	for len(full) > 0 {
		n := min(max(d.MaxDeletes(), 1), len(full))
		b.count.deletes.Add(1)
		done, err := d.DeleteMany(ctx, full[:n])
		deleted += done
		if err != nil {
			return deleted, b.wrap("delete", strings.TrimPrefix(full[0], b.prefix), err)
		}
		full = full[n:]
	}
	return deleted, nil
}

// BatchSize is how many keys DeleteMany takes in one request, 1 when the store
// has no such request.
func (b *Bucket) BatchSize() int {
	if d, ok := As[ManyDeleter](b.driver); ok {
		return max(d.MaxDeletes(), 1)
	}
	return 1
}
