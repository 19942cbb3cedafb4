package vacuum

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// remover deletes what was found, many at a time.
type remover struct {
	env    *env.Env
	bucket *storage.Bucket
	walker storage.Walker // nil: the store has no directories
	keep   func(key string) bool
	rate   float64
	res    *Result

	deleted, freed, spared atomic.Int64

	mu     sync.Mutex
	failed error
	due    time.Time // when the next delete may go
}

type victim struct {
	key  string
	size int64
}

// files deletes the files of a list. Those that are kept after all are passed over.
func (r *remover) files(ctx context.Context, list *keyList) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batch := 1
	if r.walker == nil {
		batch = r.bucket.BatchSize()
	}
	work := make(chan []victim)
	var wg sync.WaitGroup
	for range 4 * max(r.env.Workers, 1) {
		wg.Go(func() {
			for some := range work {
				if err := r.some(ctx, some); err != nil {
					r.mu.Lock()
					if r.failed == nil {
						r.failed = err
					}
					r.mu.Unlock()
					cancel()
				}
			}
		})
	}
	var next []victim
	send := func() bool {
		if len(next) == 0 {
			return true
		}
		select {
		case work <- next:
			next = nil
			return true
		case <-ctx.Done():
			return false
		}
	}
	for key, size := range list.all() {
		if r.keep(key) {
			r.spared.Add(1)
			continue
		}
		if next = append(next, victim{key, size}); len(next) >= batch && !send() {
			break
		}
	}
	if ctx.Err() == nil {
		send()
	}
	close(work)
	wg.Wait()
	r.res.Deleted, r.res.Freed = r.deleted.Load(), r.freed.Load()
	if r.failed == nil {
		r.failed = ctx.Err()
	}
	return r.failed
}

// some deletes a few files.
func (r *remover) some(ctx context.Context, list []victim) error {
	if err := r.pace(ctx, len(list)); err != nil {
		return err
	}
	if r.walker != nil {
		for _, v := range list {
			done, err := r.walker.Remove(ctx, v.key)
			if err != nil {
				return err
			}
			if done {
				r.count(1, v.size)
			}
		}
		return nil
	}
	keys := make([]string, len(list))
	for i, v := range list {
		keys[i] = v.key
	}
	n, err := r.bucket.DeleteMany(ctx, keys)
	var size int64
	for _, v := range list[:min(n, len(list))] {
		size += v.size
	}
	r.count(int64(n), size)
	return err
}

func (r *remover) count(n, size int64) {
	deleted := r.deleted.Add(n)
	r.freed.Add(size)
	if fn := r.env.Listener.Progress; fn != nil {
		fn(observe.Progress{Table: r.res.Table, Phase: "deleting", Done: deleted, Total: r.res.Found, Unit: "files"})
	}
}

// pace waits until n more deletes are allowed.
func (r *remover) pace(ctx context.Context, n int) error {
	if r.rate <= 0 {
		return ctx.Err()
	}
	r.mu.Lock()
	now := r.env.Now()
	if r.due.Before(now) {
		r.due = now
	}
	wait := r.due.Sub(now)
	r.due = r.due.Add(time.Duration(float64(n) / r.rate * float64(time.Second)))
	r.mu.Unlock()
	if wait <= 0 {
		return ctx.Err()
	}
	return r.env.Sleep(ctx, wait)
}

// leftovers removes temporary files; they count for nothing.
func (r *remover) leftovers(ctx context.Context, list *keyList) error {
	for key := range list.all() {
		if err := r.pace(ctx, 1); err != nil {
			return err
		}
		if _, err := r.walker.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// directories removes those that are empty, children before parents.
func (r *remover) directories(ctx context.Context, list []string) error {
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(strings.Count(b, "/"), strings.Count(a, "/")) })
	for _, key := range list {
		done, err := r.walker.Remove(ctx, key)
		if err != nil {
			return err
		}
		if done {
			r.res.Removed++
		}
	}
	return nil
}

// parents are the directories that hold the files of a list, and those above.
func parents(list *keyList) []string {
	seen := map[string]bool{}
	var out []string
	for key := range list.all() {
		for d := path.Dir(key); d != "." && !seen[d]; d = path.Dir(d) {
			seen[d] = true
			out = append(out, d)
		}
	}
	return out
}
