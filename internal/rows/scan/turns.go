package scan

import (
	"io"
	"sync"
)

// turns let more goroutines read files from afar than may work at a time: one that
// waits for the store leaves its turn to another. So the next bytes are under way
// while earlier ones are decoded. Nil gives everybody a turn.
type turns chan struct{}

func newTurns(n int) turns { return make(turns, n) }

func (t turns) begin() {
	if t != nil {
		t <- struct{}{}
	}
}

func (t turns) end() {
	if t != nil {
		<-t
	}
}

// waits gives the turn of its only user away while a read is under way. Several
// reads at a time count as one.
type waits struct {
	io.ReaderAt
	turns turns

	lock  sync.Mutex
	reads int
}

// ReadAt implements io.ReaderAt.
func (w *waits) ReadAt(b []byte, at int64) (int, error) {
	w.lock.Lock()
	if w.reads++; w.reads == 1 {
		w.turns.end()
	}
	w.lock.Unlock()
	defer func() {
		w.lock.Lock()
		last := w.reads == 1
		w.reads--
		w.lock.Unlock()
		if last {
			w.turns.begin()
		}
	}()
	return w.ReaderAt.ReadAt(b, at)
}
