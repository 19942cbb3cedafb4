// Package create is CREATE TABLE and REPLACE TABLE: a table's schema,
// partitioning, properties and the protocol that these demand, and its first
// rows when it is made of a query.
package create

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/types"
)

// Spec is a CREATE TABLE as a value.
type Spec struct {
	// Schema has the columns; defaults, generated and identity columns are in the
	// metadata of fields as the protocol has them. nil takes those of Rows.
	Schema      *types.Struct
	PartitionBy []string
	ClusterBy   [][]string
	Constraints []Constraint
	Properties  map[string]string
	// Defaults are properties of a new table that Properties do not name.
	Defaults map[string]string
	Name     string
	Comment  string
	// IfNotExists accepts a table that is there already, as it is.
	IfNotExists bool
	// Replace makes the table anew if it is there; OrCreate also if it is not.
	Replace, OrCreate bool
	// Rows fills the table: CREATE TABLE AS SELECT.
	Rows source.Source

	Expr         expr.Options
	UserMetadata string
}

// Recommended are the defaults of tables that are made without SQL: SQL makes
// what Spark makes, unless its settings say otherwise.
func Recommended() map[string]string {
	return map[string]string{"delta.enableDeletionVectors": "true"}
}

// Constraint is a CHECK constraint.
type Constraint struct{ Name, Check string }

// Result says what became of it.
type Result struct {
	Created bool // false: the table was there
	Rows    int64
	Commit  txn.Result
}

// ExistsError is a table where one was to be created.
type ExistsError struct {
	Table   string
	Version int64
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("[DELTA_TABLE_ALREADY_EXISTS] %s is a Delta table already (version %d): use IF NOT EXISTS to accept it, or choose another place", e.Table, e.Version)
}

// Run creates the table.
func Run(ctx context.Context, l *txn.Log, spec Spec, o txn.Options) (Result, error) {
	for {
		s, err := Existing(ctx, l)
		switch {
		case err != nil:
			return Result{}, err
		case s != nil && spec.IfNotExists:
			return Result{Commit: txn.Result{Version: s.Version(), Snapshot: s}}, nil
		case s != nil && !spec.Replace:
			return Result{}, &ExistsError{Table: l.Bucket().URL(), Version: s.Version()}
		case s == nil && spec.Replace && !spec.OrCreate:
			return Result{}, refuse("DELTA_CANNOT_REPLACE_MISSING_TABLE", "there is no table at %s to replace: use CREATE OR REPLACE TABLE", l.Bucket().URL())
		}
		res, again, err := once(ctx, l, s, spec, o)
		if err != nil || !again {
			return res, err
		}
		if r, ok := spec.Rows.(interface{ Rewindable() bool }); spec.Rows != nil && (!ok || !r.Rewindable()) {
			return res, fmt.Errorf("[DELTA_CONCURRENT_WRITE] another writer changed %s while its rows were written, and the source cannot be read twice; nothing was committed: run it again", l.Bucket().URL())
		}
		o.BeforePublish = nil // another writer created it first: look again
	}
}

// once tries it behind a version; s is nil when there is no table.
func once(ctx context.Context, l *txn.Log, s *snapshot.Snapshot, spec Spec, o txn.Options) (res Result, again bool, err error) {
	r := Replacement{Log: l, Old: s}
	if err := r.Allowed(); err != nil {
		return res, false, err
	}
	p, err := newPlan(l.Env(), s, spec)
	if err != nil {
		return res, false, err
	}
	w := &work{Replacement: r, plan: p}
	outs, err := w.fill(ctx, l, spec)
	if err != nil {
		return res, false, err
	}
	committed := false
	defer func() {
		if !committed {
			write.Discard(context.WithoutCancel(ctx), l.Bucket(), outs...)
		}
	}()
	t, err := w.Begin()
	if err != nil {
		return res, false, err
	}
	commit, err := t.CommitWork(ctx, w, o)
	var unknown *txn.UnknownError
	committed = commit.Committed || errors.As(err, &unknown)
	return Result{Created: commit.Committed, Rows: w.rows, Commit: commit}, commit.Again, err
}
