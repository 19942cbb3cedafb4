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

// workersFor is how many workers the memory of an operation carries.
func workersFor(e *env.Env) int {
	if e.Memory <= 0 {
		return e.Workers
	}
	return int(min(int64(e.Workers), max(e.Memory/leastShare, 1)))
}
