package cluster

import (
	"math"
	"sync"

	"github.com/sluicelake/sluice/internal/base/env"
)

// budget says how much is held, out of what the operation may hold: readers and
// writers of files take the other half.
type budget struct {
	workers int
	hold    int64 // rows that wait for their turn; what is more goes into a local file
	most    int64 // rows that one goroutine works on
}

const (
	// mostHeld bounds what waits in memory: a local file costs little more, since
	// the system keeps as much of it in memory as there is.
	mostHeld  = 128 << 20
	unlimited = 4 << 30 // what is assumed where there is no limit
	leastWork = 1 << 20
	usualWork = 16 << 20
	mostWork  = 512 << 20 // an array holds 2 GiB of text
	chunk     = 64 << 10  // bytes of a run that go to one piece, for which a read is worth while
)

func budgetOf(e *env.Env) budget {
	all := e.Memory
	if all <= 0 {
		all = unlimited
	}
	workers := max(e.Workers, 1)
	return budget{workers: workers, hold: min(all/8, mostHeld), most: max(min(all/int64(16*workers), mostWork), leastWork)}
}

// work is the size of runs and of pieces for so many bytes: a run gives a chunk to
// each piece, so both grow with the square root.
func (m budget) work(bytes int64) int64 {
	return min(max(int64(math.Sqrt(float64(bytes)*chunk)), usualWork), m.most)
}

// progress adds up what goroutines do.
type progress struct {
	tell func(rows, bytes int64)

	mu         sync.Mutex
	half       int64 // rows that were read, and rows that were written
	rows       int64 // that are expected
	bytes      int64
	said, size int64
}

// add counts rows that were read or written.
func (p *progress) add(rows int64) {
	if p.tell == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.half += rows
	done := min(p.half/2, p.rows)
	p.said = max(p.said, done)
	p.size = max(p.size, int64(float64(p.bytes)*float64(p.said)/float64(max(p.rows, 1))))
	p.tell(p.said, p.size)
}

// expect says how many rows a partition has.
func (p *progress) expect(rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows += rows
}
