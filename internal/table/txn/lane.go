package txn

import (
	"context"
	"sync"
)

// lane lets the writers of one process commit to a table in the order in which
// they arrived, so that they never race each other through the store.
type lane struct {
	mu      sync.Mutex
	busy    bool
	waiting []chan struct{}
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

// lanes holds one lane for each table of this process, by canonical address:
// handles opened separately share it.
var lanes sync.Map

func laneOf(url string) *lane {
	l, _ := lanes.LoadOrStore(url, &lane{})
	return l.(*lane)
}
