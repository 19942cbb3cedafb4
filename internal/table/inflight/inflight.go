// Package inflight knows what transactions of this process have written and not
// committed yet, so that cleaning up never takes a file from under one, however
// long it runs.
//
// Handles of one process on one table have to meet here, so the registry is one
// for the process, as the commit lanes are.
package inflight

import (
	"sync"
	"time"
	"weak"
)

// Turn is one transaction under way. It counts as long as somebody holds it and
// it has not ended: one that was forgotten protects nothing.
type Turn struct {
	began time.Time
	ended bool
	table *table
}

// table is what is under way on one table.
type table struct {
	mu      sync.Mutex
	turns   []weak.Pointer[Turn]
	watches int
	keys    map[string]bool // written by transactions; forgotten when none is left
	sweeps  map[string]bool // ids of the commits by which watches said that they delete; forgotten likewise
}

var tables sync.Map // of *table, by canonical address

func of(url string) *table {
	t, _ := tables.LoadOrStore(url, &table{keys: map[string]bool{}, sweeps: map[string]bool{}})
	return t.(*table)
}

// Begin enters a transaction on the table at an address.
func Begin(url string, now time.Time) *Turn {
	t := of(url)
	turn := &Turn{began: now, table: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turns = append(t.live(), weak.Make(turn))
	return turn
}

// End says that the transaction was committed or given up.
func (n *Turn) End() {
	if n == nil {
		return
	}
	t := n.table
	t.mu.Lock()
	defer t.mu.Unlock()
	n.ended = true
	t.forget()
}

// live drops the turns that are over.
func (t *table) live() []weak.Pointer[Turn] {
	kept := t.turns[:0]
	for _, w := range t.turns {
		if n := w.Value(); n != nil && !n.ended {
			kept = append(kept, w)
		}
	}
	t.turns = kept
	return kept
}

// forget drops the keys when nobody can need them.
func (t *table) forget() {
	if len(t.live()) == 0 && t.watches == 0 {
		clear(t.keys)
		clear(t.sweeps)
	}
}

// Wrote enters an object that a transaction on the table writes, has just written,
// or brings back into the table.
func Wrote(url string, keys ...string) {
	t := of(url)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.turns) == 0 && t.watches == 0 {
		return // nobody who could commit it, nobody who could delete it
	}
	for _, k := range keys {
		t.keys[k] = true
	}
}

// Watch sees all that was under way when it began, and what is written until it
// is closed.
type Watch struct {
	t      *table
	oldest time.Time
	any    bool
}

// Watching begins to watch the table at an address. A version that is loaded
// afterwards has the files of every transaction that the watch does not see.
func Watching(url string) *Watch {
	t := of(url)
	t.mu.Lock()
	defer t.mu.Unlock()
	w := &Watch{t: t}
	t.watches++
	for _, p := range t.live() {
		if n := p.Value(); n != nil && (!w.any || n.began.Before(w.oldest)) {
			w.oldest, w.any = n.began, true
		}
	}
	return w
}

// Oldest is when the oldest transaction began of those that were under way when
// the watch began; ok is false when there was none.
func (w *Watch) Oldest() (began time.Time, ok bool) { return w.oldest, w.any }

// Holds reports whether a transaction wrote the object.
func (w *Watch) Holds(key string) bool {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	return w.t.keys[key]
}

// Announces enters the id of the transaction by which the table's log is told that
// files are about to be deleted. They are, unless the watch holds them.
func (w *Watch) Announces(txnID string) {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	w.t.sweeps[txnID] = true
}

// Announced reports whether a watch of this process has announced the transaction:
// what it deletes, it knows what is under way here.
func Announced(url, txnID string) bool {
	t := of(url)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sweeps[txnID]
}

// Close ends the watch.
func (w *Watch) Close() {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	w.t.watches--
	w.t.forget()
}
