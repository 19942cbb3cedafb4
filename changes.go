package sluice

import (
	"context"
	"iter"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/types"
)

// ChangeCursor is a place in the change feed of a table, behind the rows that a
// consumer has handled. It is text without spaces, holds in every process, for
// every choice of columns and condition, and may be stored with what the consumer
// did. "" is no place.
type ChangeCursor = changes.Cursor

// ChangeError is a range of versions whose changes cannot be told.
type ChangeError = changes.Error

// ChangeOptions say which changes are read. The zero value is those of the newest
// version.
type ChangeOptions struct {
	// From is the first version: Version, or Time for the first that was committed
	// at or after it.
	From At
	// To is the last version: Version, Time for the last that was committed at or
	// before it, or the newest when it is left out.
	To At
	// After goes on behind a place, instead of From.
	After ChangeCursor
	// SchemaAt is the version whose columns the rows have, where the table got other
	// columns in its life. When it is left out, rows have the newest columns or, of
	// a table with column mapping, those of the last version of the range.
	SchemaAt At
	// Columns are columns of the table and of the feed (_change_type,
	// _commit_version, _commit_timestamp), in this order; none are all of them.
	Columns []string
	// Where is a SQL condition over the same columns.
	Where string
}

// Changes is the change data feed of a table over a range of versions: its rows
// with _change_type (insert, update_preimage, update_postimage, delete),
// _commit_version and _commit_timestamp (PROTOCOL.md, Change Data Files). The
// feed must have been on (delta.enableChangeDataFeed) at each of the versions.
// The range and the schema are settled by what is called first, and stay. It is
// safe for concurrent use.
type Changes struct {
	t *Table
	o ChangeOptions

	lock    sync.Mutex
	planned *changes.Plan
	version int64 // of the table when it was planned
}

// Changes prepares to read changes. Errors of the options come from what is called on it.
func (t *Table) Changes(o ChangeOptions) *Changes { return &Changes{t: t, o: o} }

func (c *Changes) plan(ctx context.Context) (*changes.Plan, error) {
	const op = "changes of"
	if err := c.t.use(); err != nil {
		return nil, err
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.planned != nil {
		return c.planned, nil
	}
	where, err := condition(c.o.Where)
	if err != nil {
		return nil, c.t.fail(op, err)
	}
	s, err := c.t.log.Update(ctx)
	if err != nil {
		return nil, c.t.fail("open", err)
	}
	p, err := changes.NewPlan(ctx, c.t.config.env, s, changes.Spec{From: c.o.From.at, To: c.o.To.at, After: c.o.After, Schema: c.o.SchemaAt.at,
		Columns: c.o.Columns, Where: where, Options: expr.Options{Now: c.t.config.env.Now()}})
	if err != nil {
		return nil, c.t.failAt(op, s.Version(), err)
	}
	c.planned, c.version = p, s.Version()
	return p, nil
}

// Schema is the schema of the rows.
func (c *Changes) Schema(ctx context.Context) (*types.Struct, error) {
	p, err := c.plan(ctx)
	if err != nil {
		return nil, err
	}
	return p.Schema(), nil
}

// ChangeBatch is some changes, and the place behind them.
type ChangeBatch struct {
	arrow.RecordBatch
	Cursor ChangeCursor
}

// Batches yields the changes, version by version and always in the same order:
// within a version what it deleted before what it inserted, or the order in which
// the writer recorded its changes. No batch spans two versions.
//
// Each batch has the cursor with which another Changes goes on behind it, so a
// consumer that stores the cursor together with its own work handles every change
// once, whatever happens in between; to follow a growing table it asks again
// with its last cursor. A batch without rows moves the cursor over versions that
// changed no rows.
//
// An error comes once, last; the batches before it hold.
func (c *Changes) Batches(ctx context.Context) iter.Seq2[ChangeBatch, error] {
	return func(yield func(ChangeBatch, error) bool) {
		p, err := c.plan(ctx)
		if err != nil {
			yield(ChangeBatch{}, err)
			return
		}
		for b, err := range p.Rows(ctx) {
			if !yield(ChangeBatch{b.Record, b.Cursor}, c.t.failAt("changes of", c.version, err)) || err != nil {
				return
			}
		}
	}
}

// ChangeCursor is the place behind everything that led to this version: who has
// read the rows of the snapshot goes on from here with its changes.
func (s *Snapshot) ChangeCursor() ChangeCursor {
	return changes.Behind(s.Version(), s.Metadata().ID)
}
