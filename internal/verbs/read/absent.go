package read

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// Absent lists the paths of files that are not in the store.
func Absent(ctx context.Context, s *snapshot.Snapshot, files []*action.Add) ([]string, error) {
	src := scan.SourceOf(s)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu      sync.Mutex
		missing []string
		wg      sync.WaitGroup
		next    = make(chan *action.Add)
	)
	for range min(max(s.Env().Workers, 1)*requests, len(files)) {
		wg.Go(func() {
			for a := range next {
				err := src.Stat(ctx, a)
				switch {
				case errors.Is(err, storage.ErrNotExist):
					mu.Lock()
					missing = append(missing, a.Path)
					mu.Unlock()
				case err != nil:
					cancel(err)
				}
			}
		})
	}
feed:
	for _, a := range files {
		select {
		case next <- a:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	slices.Sort(missing)
	return missing, nil
}

// requests are the questions that each worker keeps under way: they wait for the store.
const requests = 8
