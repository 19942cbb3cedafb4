package sluice

import (
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/types"
)

// Snapshot is a table at one version. It never changes.
type Snapshot struct {
	t *Table
	s *snapshot.Snapshot
}

// Version is the version's number.
func (s *Snapshot) Version() int64 { return s.s.Version() }

// Timestamp is when the version was committed: the in-commit timestamp where
// the table has them, else the time of the commit file.
func (s *Snapshot) Timestamp() time.Time { return s.s.Timestamp() }

// Schema is the table's schema, with logical names.
func (s *Snapshot) Schema() *types.Struct { return s.s.Schema() }

// PartitionColumns are the columns by which the table is partitioned.
func (s *Snapshot) PartitionColumns() []string { return slices.Clone(s.s.PartitionColumns()) }

// Properties are the table's properties.
func (s *Snapshot) Properties() map[string]string { return maps.Clone(s.s.Metadata().Configuration) }

// Metadata is the table's metadata action. It must not be changed.
func (s *Snapshot) Metadata() *action.Metadata { return s.s.Metadata() }

// Protocol is the table's protocol action. It must not be changed.
func (s *Snapshot) Protocol() *action.Protocol { return s.s.Protocol() }

// NumFiles is the number of live data files.
func (s *Snapshot) NumFiles() int { return s.s.NumFiles() }

// SizeInBytes is the size of the live data files.
func (s *Snapshot) SizeInBytes() int64 { return s.s.SizeInBytes() }

// TxnVersion returns the last version that an application committed.
func (s *Snapshot) TxnVersion(appID string) (int64, bool) { return s.s.AppVersion(appID) }

// Files yields the live data files.
func (s *Snapshot) Files() iter.Seq[*action.Add] {
	return func(yield func(*action.Add) bool) {
		files := s.s.Files()
		for i := range files.All() {
			if !yield(files.Add(i)) {
				return
			}
		}
	}
}

// Paths yields the paths of the live data files as they stand in the log: URL-encoded,
// relative to the table or absolute. It costs less than Files.
func (s *Snapshot) Paths() iter.Seq[string] {
	return func(yield func(string) bool) {
		files := s.s.Files()
		for i := range files.All() {
			if !yield(files.Path(i)) {
				return
			}
		}
	}
}

// ScanOptions say what a scan reads. The zero value reads everything.
//
// A column is the name of a top-level column, a.b for a member of a struct, * for
// all, or a member of the hidden struct column _metadata: file_path, file_name,
// file_size, file_block_start, file_block_length, file_modification_time,
// row_index and, where row tracking is on, row_id, row_commit_version,
// base_row_id and default_row_commit_version. Each may be followed by AS and
// another name. Names with dots and the like stand in backquotes. Where can use
// all of them.
type ScanOptions struct {
	Where   string   // a SQL condition
	Columns []string // in this order; nil is all
	Limit   int64    // at most that many rows; 0 is all
}

// NoRows is a limit that lets no row pass.
const NoRows int64 = math.MinInt64

// Scan is a reading that has not begun.
type Scan struct {
	s *Snapshot
	o ScanOptions
}

// Scan prepares to read rows. Errors of the options come from what is called on it.
func (s *Snapshot) Scan(o ScanOptions) *Scan { return &Scan{s, o} }

func (c *Scan) plan() (*read.Plan, error) {
	where, err := condition(c.o.Where)
	if err != nil {
		return nil, c.fail(err)
	}
	limit := c.o.Limit
	switch {
	case limit == NoRows:
		limit = 0
	case limit <= 0:
		limit = -1
	}
	p, err := read.NewPlan(c.s.s, read.Spec{Where: where, Columns: c.o.Columns, Limit: limit, Options: expr.Options{Now: c.s.t.config.env.Now()}})
	return p, c.fail(err)
}

func (c *Scan) fail(err error) error { return c.s.t.failAt("scan of", c.s.Version(), err) }

// Schema is the schema of the rows.
func (c *Scan) Schema() (*types.Struct, error) {
	p, err := c.plan()
	if err != nil {
		return nil, err
	}
	return p.Schema(), nil
}

// Batches yields the rows. Their order is not defined. An error comes once,
// last; leaving the loop early stops the reading. Inside a context with an
// active transaction on this table, the reading is recorded there.
func (c *Scan) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		if err := c.s.t.use(); err != nil {
			yield(nil, err)
			return
		}
		p, err := c.plan()
		if err != nil {
			yield(nil, err)
			return
		}
		if x := txn.Active(ctx); x != nil && x.Log() == c.s.t.log {
			x.RecordRead(conflict.Read{Clause: "scan", Predicate: p.Where()}, slices.Collect(p.Kept())...)
		}
		for b, err := range p.Rows(ctx, c.s.t.config.env) {
			if !yield(b, c.fail(err)) || err != nil {
				return
			}
		}
	}
}

// Count counts the rows, from statistics when there is no condition.
func (c *Scan) Count(ctx context.Context) (int64, error) {
	p, err := c.plan()
	if err != nil {
		return 0, err
	}
	if x := txn.Active(ctx); x != nil && x.Log() == c.s.t.log {
		x.RecordRead(conflict.Read{Clause: "count", Predicate: p.Where()}, slices.Collect(p.Kept())...)
	}
	n, err := p.Count(ctx, c.s.t.config.env)
	return n, c.fail(err)
}

// PlannedFile is a live data file and why a scan reads it or not.
type PlannedFile struct {
	Add  *action.Add
	Kept bool
	// DroppedBy is "partition values", "statistics" or "file metadata" for a file
	// that is not read, and Reason the condition that no row of it can satisfy.
	DroppedBy string
	Reason    string
}

// Files yields every live file with what pruning says about it.
func (c *Scan) Files() iter.Seq2[PlannedFile, error] {
	return func(yield func(PlannedFile, error) bool) {
		p, err := c.plan()
		if err != nil {
			yield(PlannedFile{}, err)
			return
		}
		for f := range p.Judge {
			out := PlannedFile{Add: f.Add, Kept: f.Verdict.Keep}
			if !out.Kept {
				out.DroppedBy, out.Reason = f.Verdict.By.String(), f.Verdict.Reason
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

// State states the facts of this version that every correct reader agrees on.
func (s *Snapshot) State() (*State, error) {
	st, err := inspect.StateOf(s.s)
	return st, mark(err)
}

// State is a snapshot as facts, in the form of its JSON.
type State = inspect.State

// AsSource makes the rows of this version a source for writing or merging.
func (s *Snapshot) AsSource() Source { return scanSource{s.Scan(ScanOptions{})} }

type scanSource struct{ scan *Scan }

func (c scanSource) Schema() *types.Struct { return c.scan.s.Schema() }

func (c scanSource) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return c.scan.Batches(ctx)
}

func (c scanSource) Rewindable() bool { return true }
