package conflict

import (
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/types"
)

// Isolation is the level under which a transaction is judged.
type Isolation string

// The isolation levels of Delta.
const (
	Serializable      Isolation = "Serializable"
	WriteSerializable Isolation = "WriteSerializable"
	SnapshotIsolation Isolation = "SnapshotIsolation"
)

// Mode selects the rules.
type Mode int

// The two modes of judgement.
const (
	Precise Mode = iota
	Reference
)

func (m Mode) String() string {
	if m == Reference {
		return "reference"
	}
	return "precise"
}

// FileID identifies the image of a data file: its path as in the log and the
// ID of its deletion vector, "" for none.
type FileID struct{ Path, DV string }

// IDOf names the image that an add makes live.
func IDOf(a *action.Add) FileID { return FileID{a.Path, a.DeletionVector.ID()} }

// IDOfRemove names the image that a remove takes away.
func IDOfRemove(r *action.Remove) FileID { return FileID{r.Path, r.DeletionVector.ID()} }

// Read is one reason why a transaction looked at rows.
type Read struct {
	// Clause names the part of the statement, for example
	// "ON" or "WHEN NOT MATCHED BY SOURCE".
	Clause string
	// Predicate, bound to the table's schema, selects the rows; nil selects all.
	Predicate expr.Expr
	// Filters are the conditions as a scan was given them. Reference takes each
	// as a whole: one that also speaks of other columns than those of partitions
	// limits nothing. None: the conjuncts of Predicate, as statements give them.
	Filters []expr.Expr
	// Keep, when set, judges more sharply than Predicate alone (a MERGE knows
	// the keys of its source).
	Keep func(f prune.File) prune.Verdict
}

// SQL spells the predicate, "TRUE" for all rows.
func (r Read) SQL() string {
	if r.Predicate == nil {
		return "TRUE"
	}
	return r.Predicate.String()
}

// Facts is what a transaction has read and wants to do, as of Version.
type Facts struct {
	Version  int64 // the version it is based on: read version, then each winner it was fitted behind
	Protocol *action.Protocol
	// ReadProtocol is the protocol of the version that was read; nil is Protocol.
	ReadProtocol     *action.Protocol
	Metadata         *action.Metadata
	Schema           *types.Struct // logical
	PartitionColumns []string      // logical names
	Reads            []Read
	ReadFiles        map[FileID]*action.Add // file images that scans returned
	WholeTable       bool
	ReadApps         map[string]int64 // application ids asked for, with the version seen
	Actions          []action.Action
	Operation        string
	Isolation        Isolation
	// Uses reports whether the table, as the winner leaves it, makes use of a
	// feature; nil when it is not known. Reference asks it for a transaction that
	// drops one.
	Uses func(feature string) bool
	// Repairable says that the statement can compute its effects file by file
	// and be fitted behind a winner; Rebindable that it can be run again.
	Repairable, Rebindable bool
}

// BlindAppend reports whether the transaction only adds files and has read nothing.
func (f *Facts) BlindAppend() bool {
	if len(f.Reads) > 0 || len(f.ReadFiles) > 0 || f.WholeTable {
		return false
	}
	for _, a := range f.Actions {
		switch a.(type) {
		case *action.Remove, *action.AddCDC:
			return false
		}
	}
	return true
}

// changesMetadata reports whether the transaction writes metadata.
func (f *Facts) changesMetadata() bool {
	for _, a := range f.Actions {
		if _, ok := a.(*action.Metadata); ok {
			return true
		}
	}
	return false
}

// Winner is one commit that another writer published first.
type Winner struct {
	Version int64
	Time    time.Time
	Actions []action.Action
}

// Info returns the winner's commitInfo; an empty one when it has none.
func (w *Winner) Info() *action.CommitInfo {
	for _, a := range w.Actions {
		if ci, ok := a.(*action.CommitInfo); ok {
			return ci
		}
	}
	return &action.CommitInfo{}
}

// Operation returns the winner's operation, "an unnamed operation" when unknown.
func (w *Winner) Operation() string {
	if op := w.Info().Operation; op != "" {
		return op
	}
	return "an unnamed operation"
}

// blindAppend is what the winner recorded; a winner that says nothing is not blind.
func (w *Winner) blindAppend() bool {
	b := w.Info().IsBlindAppend
	return b != nil && *b
}
