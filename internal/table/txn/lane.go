package txn

import (
	"context"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/storage"
)

// lane lets the writers of one process commit to a table in the order in which
// they arrived, so that they never race each other through the store.
type lane struct {
	mu      sync.Mutex
	busy    bool
	waiting []chan struct{}
	commits []recent // published by this process, oldest first

	others neighbours

	cleaned cleaning // the last time the log was cleaned up behind a checkpoint

	upkeep chan struct{} // holds a token while a checkpoint or a log compaction is written
}

// recent is a commit that this process published a short while ago, so that
// other handles on the table need not ask the store for it.
type recent struct {
	table   string // the table's id: another table may come to lie at the address
	version int64
	actions []action.Action
	data    []byte
	obj     storage.Object
	here    bool // by this process
}

// keepRecent and keepBytes bound what a lane remembers.
const keepRecent, keepBytes = 64, 1 << 20

func (l *lane) remember(r recent) {
	if len(r.data) > keepBytes {
		return
	}
	r.here = true
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.commits) == keepRecent {
		l.commits = append(l.commits[:0:0], l.commits[keepRecent/2:]...)
	}
	l.commits = append(l.commits, r)
}

// recall finds a commit of the table.
func (l *lane) recall(table string, version int64) (recent, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.commits) - 1; i >= 0; i-- {
		if r := l.commits[i]; r.version == version && r.table == table {
			return r, true
		}
	}
	return recent{}, false
}

// enter waits for its turn; the returned function gives the turn to the next.
func (l *lane) enter(ctx context.Context) (leave func(), err error) {
	l.mu.Lock()
	if !l.busy {
		l.busy = true
		l.mu.Unlock()
		return l.leave, nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return l.leave, nil
	case <-ctx.Done():
		l.mu.Lock()
		for i, w := range l.waiting {
			if w == turn {
				l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
				l.mu.Unlock()
				return nil, ctx.Err()
			}
		}
		l.mu.Unlock()
		l.leave() // the turn was given just now: pass it on
		return nil, ctx.Err()
	}
}

func (l *lane) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.busy = false
		return
	}
	next := l.waiting[0]
	l.waiting = l.waiting[1:]
	close(next)
}
