package inspect

import (
	"context"
	"iter"
)

// Ordered does n pieces of work with a few goroutines and yields what they give
// in their order. No more than a few results wait to be yielded. Leaving the
// loop ends the goroutines.
func Ordered[T any](ctx context.Context, workers, n int, work func(ctx context.Context, i int) T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		workers = max(1, min(workers, n))
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		waiting := make(chan chan T, workers)
		go func() {
			defer close(waiting)
			for i := range n {
				out := make(chan T, 1)
				select {
				case waiting <- out: // at most so many are under way
				case <-ctx.Done():
					return
				}
				go func() { out <- work(ctx, i) }()
			}
		}()
		defer func() { // whatever happens, no goroutine outlives the loop
			cancel()
			for out := range waiting {
				<-out
			}
		}()
		i := 0
		for out := range waiting {
			if !yield(i, <-out) {
				return
			}
			i++
		}
	}
}
