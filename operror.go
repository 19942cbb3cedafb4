package sluice

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/repair"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
)

// OpError says which operation failed, on which table and on which version of
// it. Err is the reason. A writing operation that ends in an OpError has
// committed nothing.
type OpError struct {
	Op      string // for example "MERGE into"
	Table   string
	Version int64 // the newest version that was known; -1 when none was
	Err     error
}

// Error names operation, table and version before the reason.
func (e *OpError) Error() string {
	reason := e.Err.Error()
	where := e.Op + " " + e.Table
	if strings.Contains(reason, e.Table) {
		where, _, _ = strings.Cut(e.Op, " ")
	}
	if e.Version >= 0 {
		where += fmt.Sprintf(" at version %d", e.Version)
	}
	return where + ": " + reason
}

// Unwrap returns the reason.
func (e *OpError) Unwrap() error { return e.Err }

// fail says where an operation on the table failed.
func (t *Table) fail(op string, err error) error {
	return t.failAt(op, t.log.KnownVersion(), err)
}

func (t *Table) failAt(op string, version int64, err error) error {
	if err == nil || tellsAll(err) || strings.HasPrefix(err.Error(), op+" ") {
		return mark(err)
	}
	return mark(&OpError{Op: op, Table: t.URL(), Version: version, Err: err})
}

// tellsAll reports whether an error names operation, table and version by itself.
func tellsAll(err error) bool {
	return as[*OpError](err) || as[*conflict.Error](err) || as[*txn.UnknownError](err) || as[*snapshot.CorruptError](err) || as[*snapshot.VersionError](err) ||
		as[*snapshot.NotTableError](err) || as[*create.ExistsError](err) || as[*vacuum.Error](err) || as[*vacuum.StoppedError](err) || as[*repair.VectorError](err) || errors.Is(err, ErrClosed)
}
