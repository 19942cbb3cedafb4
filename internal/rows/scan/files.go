package scan

import (
	"context"
	"iter"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
)

// Files yields the rows of many files, which Env.Workers goroutines read ahead
// of the caller. The rows of one file come in their order; files come in any.
// An error comes once, last. Leaving the loop ends the goroutines before the
// loop statement is left.
func Files(ctx context.Context, e *env.Env, src Source, adds []*action.Add, o Options) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		workers := min(e.Workers, len(adds))
		if workers <= 1 {
			inOrder(ctx, e, src, adds, o, yield)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		type result struct {
			batch Batch
			err   error
		}
		results := make(chan result, workers)
		var next int
		var lock sync.Mutex
		take := func() *action.Add {
			lock.Lock()
			defer lock.Unlock()
			if next == len(adds) {
				return nil
			}
			next++
			return adds[next-1]
		}
		send := func(r result) bool {
			select {
			case results <- r:
				return true
			case <-ctx.Done():
				return false
			}
		}
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for add := take(); add != nil; add = take() {
					for b, err := range File(ctx, e, src, add, o) {
						if !send(result{b, err}) || err != nil {
							return
						}
					}
				}
			})
		}
		go func() {
			group.Wait()
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

func inOrder(ctx context.Context, e *env.Env, src Source, adds []*action.Add, o Options, yield func(Batch, error) bool) {
	for _, add := range adds {
		for b, err := range File(ctx, e, src, add, o) {
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}
