package txn

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// Work is what a statement wants to publish and how it is fitted behind a winner.
type Work interface {
	// Depends says what the effects depend on, as they stand now.
	Depends() Dependencies
	// Effects returns the actions to publish, as they stand now.
	Effects(ctx context.Context) (Effects, error)
	// Repair changes the effects to those the statement has on the given
	// snapshot, which is the one at the winner's version. It is called for
	// each winner whose verdict is not a conflict, so that work that depends
	// on the whole file set can follow it.
	Repair(ctx context.Context, v conflict.Verdict, at *snapshot.Snapshot) (Repaired, error)
}

// Writes is what Work may add that writes files before it commits them.
type Writes interface {
	// Written counts the bytes of the files written so far, and those of them that
	// the effects as last derived do not have.
	Written() (all, superseded int64)
}

// Dependencies are the facts of a statement that conflict.Check judges.
type Dependencies struct {
	Reads      []conflict.Read
	Files      map[conflict.FileID]*action.Add
	Whole      bool
	Apps       map[string]int64
	Repairable bool // Repair works
	Rebindable bool // the statement may be run again from the start
	// Reference states the reads as delta-spark would have recorded them for the
	// same statement, as far as the winner can have met them: of the files only those
	// that it removes matter. Nil when the reads are the same.
	Reference func(w *conflict.Winner) Recorded
}

// Recorded is a set of recorded reads.
type Recorded struct {
	Reads []conflict.Read
	Files map[conflict.FileID]*action.Add
	Whole bool
}

// Effects is a commit before it has a version.
type Effects struct {
	Actions   []action.Action
	Operation Operation
	// Always publishes even when there are no actions.
	Always bool
	// NotBlind says that the files depend on what is there although no read was
	// recorded: isBlindAppend is false then.
	NotBlind bool
}

// Repaired says what a repair did.
type Repaired struct {
	Dropped  int   // own input files whose effects were dropped
	Computed int   // files computed anew
	Rows     int64 // rows whose fate changed
}

// Operation describes a commit for commitInfo.
type Operation struct {
	Name         string
	Parameters   map[string]json.RawMessage // each value is JSON text
	Metrics      map[string]string
	UserMetadata string
	Tags         map[string]string
	// ChangesData marks the operations that may change rows; it decides the isolation level.
	ChangesData bool
}

// Options of one commit.
type Options struct {
	// BeforePublish runs once, when everything is prepared and before the first try.
	BeforePublish func(ctx context.Context) error
	// SeesRow settles what partition values and statistics leave undecided for
	// a low-level transaction: does the added file hold a row that the read selects?
	SeesRow func(ctx context.Context, at *snapshot.Snapshot, a *action.Add, r conflict.Read) (bool, error)
	// After takes the place of the policy's when it is not nil.
	After []After
}

// Result is how a commit ended.
type Result struct {
	Version   int64 // the published version; the read version when nothing was published
	Committed bool
	// Again asks the caller to run the statement again: the winner changed
	// something that its effects cannot be fitted to.
	Again     bool
	TxnID     string
	Timestamp time.Time
	Attempts  int
	Winners   []Reconciliation
	Snapshot  *snapshot.Snapshot // at Version
	// WrittenTwice counts the bytes of data, change data and deletion vectors that
	// were written and are not in the commit: a winner had made them out of date. When
	// the statement is to run again, or failed, that is all it had written.
	WrittenTwice int64
	BlindAppend  bool
	Isolation    conflict.Isolation
}

// Reconciliation is how the transaction was fitted behind one winner.
type Reconciliation struct {
	Winner    int64
	Operation string
	Verdict   conflict.Verdict
	Reference conflict.Verdict // what delta-spark would have said to the same reads
	Repaired  Repaired
	Elapsed   time.Duration
}

// UnknownError means that the store did not say whether the commit landed and
// could not be read back in time.
type UnknownError struct {
	Table   string
	Version int64
	TxnID   string
	Cause   error
}

func (e *UnknownError) Error() string {
	return "commit outcome unknown: version " + itoa(e.Version) + " of " + e.Table + " may or may not hold transaction " + e.TxnID +
		" (" + e.Cause.Error() + "); look for that txnId in the commitInfo of the version before trying again"
}

func (e *UnknownError) Unwrap() error { return e.Cause }
