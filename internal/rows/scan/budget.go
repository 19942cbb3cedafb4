package scan

import "github.com/sluicelake/sluice/internal/base/env"

// budget is what one worker may hold of the memory of an operation; 0 is the
// usual. Three batches of a worker can be alive at a time: one that is made, one
// that waits and one that the caller looks at.
type budget struct {
	window int64 // fetched bytes of a row group
	batch  int64 // of one batch
}

// leastShare is memory below which one more worker does more harm than good.
const leastShare = 16 << 20

func budgetOf(e *env.Env, workers int) budget {
	if e.Memory <= 0 {
		return budget{}
	}
	share := e.Memory / int64(max(workers, 1))
	return budget{window: min(max(share/4, 1<<20), 64<<20), batch: min(max(share/8, 64<<10), 64<<20)}
}

// crew is how many goroutines read, and the turns that they take. The memory of
// the operation must carry them.
func crew(e *env.Env, src Source, o Options) (workers int, t turns) {
	workers = max(e.Workers, 1)
	if !near(src.Bucket.URL()) && o.Limit == 0 {
		workers, t = 2*workers, newTurns(workers)
	}
	if e.Memory > 0 {
		workers = int(min(int64(workers), max(e.Memory/leastShare, 1)))
	}
	return workers, t
}
