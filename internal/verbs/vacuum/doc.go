// Package vacuum removes files that no retained version of a table needs.
//
// What may go is decided by what must stay: the live files, those whose tombstone
// is younger than the retention, their deletion vectors, what a shallow clone of
// the table reads, and what a transaction of this process has under way. Everything
// else below the table's root that is old enough and not hidden goes. What must
// stay is a set of hashes, so two keys with one hash keep a file too many and never
// lose one.
package vacuum

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/storage"
)

// Spec is a VACUUM statement.
type Spec struct {
	// Lite takes the files to remove from the log, without listing the table.
	Lite bool
	// Inventory lists the table in place of the store: rows of path, length, isDir
	// and modificationTime (milliseconds).
	Inventory source.Source
	// Retain keeps what was removed or written since then; nil is the table's own
	// delta.deletedFileRetentionDuration.
	Retain *time.Duration
	DryRun bool
}

// Options say how it is carried out.
type Options struct {
	// NoRetentionCheck allows a Retain below the table's own retention.
	NoRetentionCheck bool
	// NoLog leaves out the commits VACUUM START and VACUUM END.
	NoLog bool
	// DeletesPerSecond bounds the rate of deletes; 0 is no bound.
	DeletesPerSecond float64
	// Open opens the tables of shallow clones. Without it a table that has clones
	// is not vacuumed.
	Open func(ctx context.Context, url string) (*storage.Bucket, error)
	// ForgetClones are addresses of clones that need no files any more.
	ForgetClones []string
	UserMetadata string
	// BeforePublish runs once before the first commit.
	BeforePublish func(ctx context.Context) error
}

// Result is what was found and done.
type Result struct {
	Table     string
	Version   int64     // that decided what must stay
	Cutoff    time.Time // files written and removed before may go
	Retention time.Duration
	DryRun    bool
	Mode      string // FULL, LITE or INVENTORY

	Found       int64 // files to delete
	Bytes       int64 // of them
	Deleted     int64
	Freed       int64 // bytes of the deleted files
	Leftovers   int64 // temporary files of unfinished writes, found
	Directories int64 // directories looked at, the root included
	Removed     int64 // directories that were empty, or would be in a dry run

	Listed    int64 // files looked at
	Needed    int64 // of them, those that must stay
	Recent    int64 // those too young
	UnderWay  int64 // those of transactions of this process
	Cloned    int64 // those that only shallow clones need
	Outside   int64 // entries of the inventory or the log that lie outside of the table, or are hidden
	FirstRead int64 // the commits that a LITE vacuum has read; -1 for none
	LastRead  int64
	Start     int64 // the version of VACUUM START, -1 when there is none
	End       int64 // the version of VACUUM END, -1 when there is none
	Notes     []string

	found keyList
}

// Files yields the files that were found, in the order in which they were.
func (r *Result) Files() iter.Seq2[string, int64] { return r.found.all() }

func (r *Result) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// Error is a VACUUM that is refused.
type Error struct {
	Class string
	Table string
	Msg   string
}

func (e *Error) Error() string { return fmt.Sprintf("[%s] VACUUM of %s: %s", e.Class, e.Table, e.Msg) }

// ErrorClass is the class of the error.
func (e *Error) ErrorClass() string { return e.Class }

// StoppedError is a VACUUM that did not get to its end. The table is whole: what
// was deleted was needed by nobody.
type StoppedError struct {
	Table          string
	Deleted, Found int64
	Cause          error
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("VACUUM of %s stopped: %d of %d files are deleted, which no retained version needs; run it again for the others: %v", e.Table, e.Deleted, e.Found, e.Cause)
}

// Unwrap gives the cause.
func (e *StoppedError) Unwrap() error { return e.Cause }
