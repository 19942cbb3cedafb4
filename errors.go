package sluice

import (
	"errors"
	"regexp"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
)

// Sentinels, to be used with errors.Is.
var (
	// ErrNotTable: there is no Delta table at that place.
	ErrNotTable = snapshot.ErrNotTable
	// ErrVersionNotFound: the table has no such version, or not any more.
	ErrVersionNotFound = snapshot.ErrVersionNotFound
	// ErrExists: there is a table already where one was to be created.
	ErrExists = errors.New("the table exists already")
	// ErrUnsupportedFeature: the table needs a feature that sluice lacks; see FeatureError.
	ErrUnsupportedFeature = errors.New("unsupported table feature")
	// ErrConflict: another writer changed what was read; see ConflictError.
	ErrConflict = errors.New("conflict with another writer")
	// ErrCommitUnknown: the store did not say whether the commit landed; see CommitUnknownError.
	ErrCommitUnknown = errors.New("commit outcome unknown")
	// ErrConstraint: a row breaks a constraint of the table; see ConstraintError.
	ErrConstraint = errors.New("constraint violated")
	// ErrMissingFile: a data file that the log lists is not there; see FileError.
	ErrMissingFile = errors.New("missing data file")
	// ErrUnsafePath: the log names a file outside of the table; see PathError.
	ErrUnsafePath = errors.New("path outside of the table")
	// ErrCorrupt: the table's log or a file of it cannot be read as what it is; see CorruptError.
	ErrCorrupt = errors.New("corrupt table")
	// ErrClosed: the handle or transaction has been closed.
	ErrClosed = errors.New("closed")
	// ErrActiveTransaction: a second transaction was made active in one context.
	ErrActiveTransaction = errors.New("a transaction is active already")
)

// ConflictError tells the story of a conflict that could not be reconciled: Class,
// Table, Operation and ReadVersion of the loser; Winner (a version), WinnerTime,
// WinnerOp, WinnerUser and WinnerEngine; the Evidence of where they met, and Advice.
type ConflictError = conflict.Error

// FeatureError names the table feature that stands in the way: Feature is the first,
// Names are all, and Op is "read" or "write".
type FeatureError = feature.Error

// CorruptError names the File of the log that is broken, its Line (0 when that is
// unknown), the Version and the Cause.
type CorruptError = snapshot.CorruptError

// FileError names the data file that cannot be read: its Path as in the log, and why (Err).
type FileError = scan.FileError

// PathError names the Path in the log that leads out of the table, and Why that is so.
type PathError = scan.PathError

// VersionError names the versions that a table has: from Earliest to Latest, when
// another was Wanted.
type VersionError = snapshot.VersionError

// ConstraintError names the constraint and the row that breaks it: Column of a NOT
// NULL constraint or of a length; Name and Expr of a CHECK constraint, and the Values
// of the columns that it reads.
type ConstraintError = write.ConstraintError

// StatementError is a statement that cannot be run as it stands: its Class is Delta's
// or Spark's, its Message says what to write instead.
type StatementError = merge.StatementError

// CommitUnknownError names the Version and the transaction (TxnID, as
// commitInfo.txnId) to look for.
type CommitUnknownError = txn.UnknownError

// Errors get their sentinel through this wrapper, so that both
// errors.Is(err, ErrConflict) and errors.As(err, *ConflictError) work.
type marked struct {
	error
	sentinel error
}

func (m marked) Is(target error) bool { return target == m.sentinel }
func (m marked) Unwrap() error        { return m.error }

// mark adds the sentinel that an error's type stands for.
func mark(err error) error {
	if err == nil {
		return nil
	}
	for _, c := range []struct {
		is       bool
		sentinel error
	}{
		{as[*conflict.Error](err), ErrConflict},
		{as[*feature.Error](err), ErrUnsupportedFeature},
		{as[*snapshot.CorruptError](err), ErrCorrupt},
		{as[*scan.PathError](err), ErrUnsafePath},
		{as[*scan.FileError](err) && errors.Is(err, storage.ErrNotExist), ErrMissingFile},
		{as[*scan.FileError](err) && !as[*storage.Error](err), ErrCorrupt},
		{as[*write.ConstraintError](err), ErrConstraint},
		{as[*txn.UnknownError](err), ErrCommitUnknown},
		{as[*txn.ActiveError](err), ErrActiveTransaction},
		{as[*create.ExistsError](err), ErrExists},
		{errors.Is(err, txn.ErrEnded), ErrClosed},
	} {
		if c.is {
			return marked{err, c.sentinel}
		}
	}
	return err
}

func as[T error](err error) bool {
	var t T
	return errors.As(err, &t)
}

var bracketed = regexp.MustCompile(`\[([A-Z][A-Z0-9_]{3,}(?:\.[A-Z0-9_]+)?)\]`)

// ErrorClass returns the error class that Delta and Spark use for an error, for
// example DELTA_CONCURRENT_APPEND, and "" when there is none.
func ErrorClass(err error) string {
	var (
		c *conflict.Error
		f *feature.Error
		w *write.ConstraintError
		s *merge.StatementError
		b *expr.BindError
		p *expr.ParseError
		v *eval.Error
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &c):
		return c.Class
	case errors.As(err, &f):
		return f.Class
	case errors.As(err, &w):
		return w.Class
	case errors.As(err, &s):
		return s.Class
	case errors.As(err, &b):
		return b.Class
	case errors.As(err, &p):
		return p.Class
	case errors.As(err, &v):
		return v.Class
	}
	if m := bracketed.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	var file *scan.FileError
	switch {
	case errors.As(err, &file) && errors.Is(err, storage.ErrNotExist):
		return "FAILED_READ_FILE.FILE_NOT_EXIST"
	case errors.As(err, &file) && !as[*storage.Error](err):
		return "FAILED_READ_FILE.NO_HINT"
	}
	return ""
}
