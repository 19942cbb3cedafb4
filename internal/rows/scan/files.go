package scan

import (
	"context"
	"iter"
	"math"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
)

// Share is a file to read, or some of its rows.
type Share struct {
	Add  *action.Add
	Rows []Range // as in Options; nil: all
}

// Files yields the rows of many files, which Env.Workers goroutines read ahead
// of the caller; from afar, as many more wait for the next bytes. The rows of one file come in their order; files come in any.
// An error comes once, last. Leaving the loop ends the goroutines before the
// loop statement is left.
func Files(ctx context.Context, e *env.Env, src Source, adds []*action.Add, o Options) iter.Seq2[Batch, error] {
	shares := func(yield func(Share) bool) {
		for _, add := range adds {
			if !yield(Share{add, o.Rows}) {
				return
			}
		}
	}
	return stream(ctx, e, src, shares, len(adds), o, false)
}

// Stream is Files for shares that come one by one, so that not all of them are
// in memory at a time, and for rows in any order: several workers may read one
// large file. Options.Rows does not count.
func Stream(ctx context.Context, e *env.Env, src Source, shares iter.Seq[Share], o Options) iter.Seq2[Batch, error] {
	return stream(ctx, e, src, shares, math.MaxInt, o, true)
}

func stream(ctx context.Context, e *env.Env, src Source, shares iter.Seq[Share], most int, o Options, cut bool) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		workers, turns := crew(e, src, o)
		workers, src.turns = min(workers, most), turns
		if workers <= 1 {
			src.turns = nil
			inOrder(ctx, e, src, shares, o, yield)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		next, stop := iter.Pull(shares)
		defer stop()
		type result struct {
			batch Batch
			err   error
		}
		results := make(chan result, workers)
		send := func(r result) bool {
			select {
			case results <- r:
				return true
			case <-ctx.Done():
				return false
			}
		}
		work := &feed{next: next, cut: cut && o.Limit == 0, src: src, o: o, budget: budgetOf(e, workers)}
		work.wake.L = &work.lock
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for t, ok := work.take(); ok; t, ok = work.take() {
					turns.begin()
					err := work.do(ctx, t, func(b Batch) bool { return send(result{batch: b}) })
					turns.end()
					if err != nil {
						if err != errStop {
							send(result{err: src.fileError(t.share.Add, err)})
						}
						return
					}
				}
			})
		}
		go func() {
			group.Wait()
			work.abandon()
			close(results)
		}()
		defer func() { // whatever happens, no goroutine outlives the loop
			cancel()
			for range results {
			}
		}()
		for r := range results {
			if r.err != nil {
				yield(Batch{}, r.err)
				return
			}
			if !yield(r.batch, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Batch{}, err)
		}
	}
}

func inOrder(ctx context.Context, e *env.Env, src Source, shares iter.Seq[Share], o Options, yield func(Batch, error) bool) {
	for share := range shares {
		o.Rows = share.Rows
		for b, err := range File(ctx, e, src, share.Add, o) {
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}
