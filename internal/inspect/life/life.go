// Package life tells what happened to one file of a table: when it came, how
// many of its rows were deleted, when it went, and whether it may be removed
// from the store, as far as the log still knows.
package life

import (
	"encoding/json"
	"time"

	"github.com/sluicelake/sluice/action"
)

// The kinds of files that have a life.
const (
	KindData   = "data file"
	KindVector = "deletion vector file"
	KindChange = "change data file"
)

// What happens to a file.
const (
	Added     = "added"
	Known     = "known" // a checkpoint lists it; the commit that added it is gone
	Marked    = "marked"
	Restated  = "restated" // added again while it was there
	Removed   = "removed"
	Tombstone = "known as removed"
	Readded   = "added again"
	Change    = "change data"
)

// Life is the story of a file.
type Life struct {
	Table   string `json:"table"`
	Path    string `json:"path"` // as the log has it
	Key     string `json:"key"`  // where it lies below the table's root; "" when outside
	Kind    string `json:"kind,omitempty"`
	Live    bool   `json:"live"`    // the newest version needs it
	Version int64  `json:"version"` // the newest version
	// FirstCommit is the oldest commit that the log still has, and Checkpoint the
	// version of the checkpoint that tells what was before; -1 for none.
	FirstCommit int64   `json:"firstCommit"`
	Checkpoint  int64   `json:"checkpoint"`
	Events      []Event `json:"events"`
	Store       *Store  `json:"store,omitempty"`
	Vacuum      *Vacuum `json:"vacuum,omitempty"`
	// Near are paths like the one that was asked for, when nothing matched.
	Near  []string `json:"near,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// Event is what one version did to the file.
type Event struct {
	Version   int64      `json:"version"`
	Time      *time.Time `json:"time,omitempty"`
	What      string     `json:"what"`
	Operation string     `json:"operation,omitempty"`
	Engine    string     `json:"engine,omitempty"`
	User      string     `json:"user,omitempty"`
	// Data is the data file that a deletion vector file belongs to.
	Data            string                 `json:"dataFile,omitempty"`
	Size            *int64                 `json:"size,omitempty"`
	Rows            *int64                 `json:"rows,omitempty"` // those under a vector included
	PartitionValues action.PartitionValues `json:"partitionValues,omitempty"`
	Stats           json.RawMessage        `json:"stats,omitempty"`
	BaseRowID       *int64                 `json:"baseRowId,omitempty"`
	RowVersion      *int64                 `json:"defaultRowCommitVersion,omitempty"`
	DataChange      *bool                  `json:"dataChange,omitempty"`
	Deleted         *time.Time             `json:"deletionTimestamp,omitempty"`
	Vector          *Vector                `json:"deletionVector,omitempty"`
}

// Vector is a deletion vector in an event.
type Vector struct {
	ID          string `json:"id"`
	Cardinality int64  `json:"cardinality"`
	Offset      *int32 `json:"offset,omitempty"`
	Before      int64  `json:"before"` // rows that were deleted before the event
}

// Store is the file as the store has it.
type Store struct {
	Exists   bool       `json:"exists"`
	Size     int64      `json:"size,omitempty"`
	Modified *time.Time `json:"modified,omitempty"`
	Agrees   *bool      `json:"sizeAgrees,omitempty"` // with the log; nil: the log has no size
	Problem  string     `json:"problem,omitempty"`
}

// Vacuum says when the file may be removed from the store: once it is no part of
// the table and was neither removed nor written within the retention
// (delta.deletedFileRetentionDuration).
type Vacuum struct {
	Since     time.Time `json:"since"`
	Now       bool      `json:"now"`
	Retention string    `json:"retention"`
}
