package snapshot

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
)

// Errors of opening a table.
var (
	ErrNotTable        = errors.New("not a Delta table")
	ErrVersionNotFound = errors.New("version not found")
)

// CorruptError is a log that cannot be replayed.
type CorruptError struct {
	Table   string
	File    string // of the log, "" when none is to blame
	Line    int    // from 1, 0 when unknown
	Version int64
	Class   string // Delta's error class
	Cause   error
}

func (e *CorruptError) Error() string {
	var b strings.Builder
	if e.Class != "" {
		b.WriteString("[" + e.Class + "] ")
	}
	fmt.Fprintf(&b, "the log of %s is damaged at version %d", e.Table, e.Version)
	var at *action.SyntaxError
	if errors.As(e.Cause, &at) { // which names the file itself
		return b.String() + ": " + at.Error()
	}
	if e.File != "" {
		b.WriteString(": " + e.File)
	}
	fmt.Fprintf(&b, ": %v", e.Cause)
	return b.String()
}

func (e *CorruptError) Unwrap() error { return e.Cause }

// NotTableError is a place without a Delta log.
type NotTableError struct {
	Table, Why string
}

func (e *NotTableError) Error() string {
	return fmt.Sprintf("[DELTA_TABLE_NOT_FOUND] %s is not a Delta table: %s", e.Table, e.Why)
}

// Is matches ErrNotTable.
func (e *NotTableError) Is(target error) bool { return target == ErrNotTable }

// VersionError is a version, or a time, that the log cannot give.
type VersionError struct {
	Table    string
	Wanted   string // "version 7" or a time
	Earliest int64  // the oldest version that can be rebuilt
	Latest   int64
	Class    string
	Why      string
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("[%s] %s of %s cannot be read: %s (versions %d to %d are available)",
		e.Class, e.Wanted, e.Table, e.Why, e.Earliest, e.Latest)
}

// Is matches ErrVersionNotFound.
func (e *VersionError) Is(target error) bool { return target == ErrVersionNotFound }
