package sluice

import (
	"context"
	"slices"
	"time"

	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// CommitOptions are what every statement that changes rows takes. The zero value is
// right for most.
type CommitOptions struct {
	// AppID and AppVersion make the operation idempotent: it is skipped when
	// the application has committed that version or a later one already.
	AppID      string
	AppVersion int64
	// UserMetadata is recorded in the commit.
	UserMetadata string
	// BeforePublish runs once, after the work is prepared and before the first
	// try to publish it. An error gives the operation up.
	BeforePublish func(ctx context.Context) error
}

func (o CommitOptions) internal() merge.Options {
	return merge.Options{AppID: o.AppID, AppVersion: o.AppVersion, UserMetadata: o.UserMetadata,
		Commit: txn.Options{BeforePublish: o.BeforePublish}}
}

// Commit says how an operation ended in the log.
type Commit struct {
	Version   int64 // the version it published; what it read when it changed nothing
	Committed bool  // false: nothing had to be changed, or Skipped
	// Skipped says that the application transaction had been committed before.
	Skipped     bool
	TxnID       string
	Timestamp   time.Time
	Attempts    int // tries to publish
	Runs        int // runs of the statement; more than one when metadata changed under it
	BlindAppend bool
	Isolation   string
	// WrittenTwice counts the bytes of data, change data and deletion vectors that were
	// written for it and are not in it, because a winner made them out of date.
	WrittenTwice int64
	// Winners are the commits of other writers that this one was fitted behind.
	Winners []Winner
}

// Winner is a commit of another writer that was published first, and what was
// done about it.
type Winner struct {
	Version   int64
	Operation string
	// Verdict is "independent", "repair" or "re-execute".
	Verdict string
	// Evidence lists where the two commits met.
	Evidence []Evidence
	Dropped  int   // input files whose effects were dropped
	Computed int   // files that were computed anew
	Rows     int64 // rows whose fate changed
	Elapsed  time.Duration
	// SparkClass is the error class with which delta-spark would have failed
	// here, "" when it would not have.
	SparkClass string
}

// Evidence is one place where a winner meets a transaction: a file added,
// removed, re-marked or removed by both, metadata, protocol, an application or a
// domain. Errors, results, explanations and scenarios all have it.
type Evidence = conflict.Evidence

// Strength says how sure evidence is: by partition, statistics, row or name.
type Strength = conflict.Strength

func commitOf(r txn.Result, winners []txn.Reconciliation, skipped bool, runs int) Commit {
	c := Commit{Version: r.Version, Committed: r.Committed, Skipped: skipped, TxnID: r.TxnID, Timestamp: r.Timestamp, Attempts: r.Attempts,
		Runs: runs, WrittenTwice: r.WrittenTwice, BlindAppend: r.BlindAppend, Isolation: string(r.Isolation)}
	for _, w := range winners {
		out := Winner{Version: w.Winner, Operation: w.Operation, Verdict: w.Verdict.Kind.String(), Dropped: w.Repaired.Dropped,
			Computed: w.Repaired.Computed, Rows: w.Repaired.Rows, Elapsed: w.Elapsed, SparkClass: w.Reference.Class, Evidence: w.Verdict.Evidence}
		c.Winners = append(c.Winners, out)
	}
	return c
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// SparkException names the exception that Spark users see for an error class of
// a conflict, for example ConcurrentAppendException; "" for other classes.
func SparkException(class string) string { return conflict.Exceptions[conflict.ClassName(class)] }
