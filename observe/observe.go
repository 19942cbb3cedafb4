// Package observe lets a program watch sluice work: events as plain structs, a
// Listener of optional functions.
package observe

import "time"

// Listener receives events. Nil functions are skipped; functions must be quick
// and safe for concurrent use.
type Listener struct {
	Attempt    func(Attempt)
	Lost       func(Lost)
	Reconciled func(Reconciled)
	Committed  func(Committed)
	BackOff    func(BackOff)
	Waited     func(Waited)
	Reserved   func(Reserved)
	Progress   func(Progress)
}

// Attempt is one try to publish a version.
type Attempt struct {
	Table   string
	TxnID   string
	Version int64
	Number  int // 1 for the first try
}

// Lost is a version that another writer published first.
type Lost struct {
	Table   string
	TxnID   string
	Version int64
}

// Reconciled says what was made of a winner: how the transaction was fitted behind
// it, that its statement runs again, or that it ends in a conflict.
type Reconciled struct {
	Table     string
	TxnID     string
	Winner    int64
	Operation string // of the winner
	Verdict   string // independent, repair, re-execute, conflict (the transaction ends)
	Dropped   int    // own input files whose effects were dropped
	Computed  int    // files computed anew
	Rows      int64  // rows flipped
	Elapsed   time.Duration
}

// Committed is a published version.
type Committed struct {
	Table     string
	TxnID     string
	Version   int64
	Operation string
	Attempts  int
}

// BackOff is a pause before the next try.
type BackOff struct {
	Table string
	TxnID string
	Pause time.Duration
}

// Waited is the time that a transaction let others go first.
type Waited struct {
	Table  string
	TxnID  string
	For    string // turn (between processes of one machine), reservation (of a transaction that fell behind)
	Waited time.Duration
	Served bool // false: whoever was waited for took too long and was passed by
}

// Reserved is a commit without effects that asks other writers to let a
// transaction go first, which had fallen behind again and again.
type Reserved struct {
	Table   string
	TxnID   string
	Version int64 // of the request
	Span    time.Duration
}

// Progress is work done so far in a phase.
type Progress struct {
	Table string
	Phase string
	Done  int64
	Total int64
	Unit  string
}
