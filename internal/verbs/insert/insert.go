// Package insert is INSERT: append, overwrite, and overwrite of the rows that
// a condition selects.
//
// An append reads nothing and only renumbers behind winners. An overwrite
// removes whatever is live when it is published, so behind a winner it just
// derives its list of removes again.
package insert

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// Mode says what becomes of the rows that are there.
type Mode int

// The modes.
const (
	Append Mode = iota
	Overwrite
	ReplaceWhere // overwrite the rows that Options.Where selects
	Dynamic      // overwrite the partitions that receive rows
)

// Options of an insert.
type Options struct {
	merge.Options
	Mode  Mode
	Where expr.Expr // for ReplaceWhere
	// Unchecked lets ReplaceWhere add rows that Where does not select.
	Unchecked bool
	// MergeSchema adds columns and fields that only the source has to the table.
	MergeSchema bool
	// OverwriteSchema makes the source's schema that of the table, partitioned by
	// PartitionBy (nil: as it is); for Overwrite.
	OverwriteSchema bool
	PartitionBy     []string
	// Rearranges says that the rows afterwards are those before in other files: the
	// actions say dataChange false.
	Rearranges bool
}

// Result is what an insert did.
type Result struct {
	Rows         int64
	FilesAdded   int64
	BytesAdded   int64
	FilesRemoved int64
	BytesRemoved int64
	Commit       txn.Result
	Skipped      bool
	Runs         int
	Winners      []txn.Reconciliation
	twice        int64 // bytes written for runs that came to nothing
}

// rerunnable is a source that can be read from the start again.
type rerunnable interface{ Rewindable() bool }

// Run inserts the rows of a source.
func Run(ctx context.Context, l *txn.Log, src source.Source, o Options) (Result, error) {
	if err := o.check(); err != nil {
		return Result{}, err
	}
	if o.Mode == ReplaceWhere {
		return replaceWhere(ctx, l, src, o)
	}
	var res Result
	for {
		res.Runs++
		again, err := once(ctx, l, src, o, &res)
		if err != nil || !again || o.BoundOutside {
			return res, err
		}
		if r, ok := src.(rerunnable); !ok || !r.Rewindable() {
			return res, fmt.Errorf("[DELTA_METADATA_CHANGED] the metadata of %s changed while rows were written, and the source cannot be read twice; nothing was committed: run it again", l.Bucket().URL())
		}
		o.Commit.BeforePublish = nil
	}
}

func begin(ctx context.Context, l *txn.Log, o Options, first bool) (*txn.Txn, error) {
	if first && (o.ReadsItself || o.BoundOutside) && o.Snapshot != nil {
		return l.BeginAt(o.Snapshot)
	}
	if o.Mode == Append && !o.ReadsItself {
		return l.BeginBlind(ctx)
	}
	return l.Begin(ctx)
}

func once(ctx context.Context, l *txn.Log, src source.Source, o Options, res *Result) (again bool, err error) {
	t, err := begin(ctx, l, o, res.Runs == 1)
	if err != nil {
		return false, err
	}
	defer t.Abandon()
	w := &work{t: t, o: o, at: t.Snapshot(), live: t.Snapshot()}
	if o.AppID != "" {
		if t.AppVersion(o.AppID) >= o.AppVersion {
			res.Skipped, res.Commit = true, txn.Result{Version: t.ReadVersion(), Snapshot: t.Snapshot()}
			return false, nil
		}
		now := l.Env().Now().UnixMilli()
		w.extra = []action.Action{&action.Txn{AppID: o.AppID, Version: o.AppVersion, LastUpdated: &now}}
	}
	if o.MergeSchema || o.OverwriteSchema {
		if o.OverwriteSchema {
			w.evolves, err = o.replaced(l, t.Snapshot(), src.Schema())
		} else {
			w.evolves, err = merged(l, t.Snapshot(), src.Schema())
		}
		if err != nil {
			return false, err
		}
		if w.at, err = w.evolves.On(t.Snapshot()); err != nil {
			return false, err
		}
	}
	if w.ids, err = derive.NewIdentities(w.at.Schema()); err != nil {
		return false, err
	}
	spec := write.SpecOf(w.at)
	spec.Rearranged = o.Rearranges
	o.Writing(&spec)
	outs, rows, err := writeWith(ctx, l, spec, src, o.Expr, w.ids, nil)
	if err != nil {
		return false, err
	}
	w.rows = rows
	committed := false
	defer func() {
		if !committed {
			write.Discard(context.WithoutCancel(ctx), l.Bucket(), outs...)
		}
	}()
	for _, out := range outs {
		w.adds = append(w.adds, out.Add)
		w.bytes += out.Add.Size
	}
	commit, err := t.CommitWork(ctx, w, o.Commit)
	res.twice += commit.WrittenTwice
	commit.WrittenTwice = res.twice
	res.Commit = commit
	res.Winners = append(res.Winners, commit.Winners...)
	var unknown *txn.UnknownError
	committed = commit.Committed || errors.As(err, &unknown)
	if err != nil {
		return false, err
	}
	res.Rows, res.FilesAdded, res.BytesAdded = rows, int64(len(w.adds)), w.bytes
	res.FilesRemoved, res.BytesRemoved = w.removed, w.removedBytes
	return commit.Again, nil
}

// merged is the change that gives the table the columns and fields that only
// the source has; nil when there are none.
func merged(l *txn.Log, s *snapshot.Snapshot, src *types.Struct) (*merge.Evolution, error) {
	schema, err := feature.Evolve(s.Schema(), src, feature.TypeWidening(s.Metadata()))
	if err != nil || types.JSON(schema) == types.JSON(s.Schema()) {
		return nil, err
	}
	return merge.EvolutionOf(l.Env(), s, schema)
}

// Write writes the rows of a source as data files of the table, without committing.
// Each batch, laid out as the table's columns, is shown to check first.
func Write(ctx context.Context, l *txn.Log, s *snapshot.Snapshot, src source.Source, o expr.Options, check func(cols []arrow.Array, rows int) error) ([]*write.Output, int64, error) {
	return WriteAs(ctx, l, write.SpecOf(s), src, o, check)
}

// WriteAs is Write for a table that is still to be made; the spec has its schema.
func WriteAs(ctx context.Context, l *txn.Log, spec write.Spec, src source.Source, o expr.Options, check func(cols []arrow.Array, rows int) error) ([]*write.Output, int64, error) {
	return writeWith(ctx, l, spec, src, o, nil, check)
}

// writeWith is WriteAs with generated values for identity columns.
func writeWith(ctx context.Context, l *txn.Log, spec write.Spec, src source.Source, o expr.Options, ids *derive.Identities, check func(cols []arrow.Array, rows int) error) ([]*write.Output, int64, error) {
	values, err := Columns(src.Schema(), spec.Schema, o)
	if err != nil {
		return nil, 0, err
	}
	w, err := write.New(ctx, l.Env(), l.Bucket(), spec)
	if err != nil {
		return nil, 0, err
	}
	var rows int64
	for rec, err := range src.Batches(ctx) {
		if err == nil {
			err = writeBatch(w, rec, spec.Schema, values, ids, check)
		}
		if err != nil {
			w.Abort()
			return nil, 0, err
		}
		rows += rec.NumRows()
	}
	outs, err := w.Close()
	if err != nil {
		w.Abort()
		return nil, 0, err
	}
	return outs, rows, nil
}

func writeBatch(w *write.Writer, rec arrow.RecordBatch, table *types.Struct, values []expr.Expr, ids *derive.Identities, check func([]arrow.Array, int) error) error {
	if rec.NumRows() == 0 {
		return nil
	}
	in := eval.Input{Columns: rec.Columns(), Rows: int(rec.NumRows())}
	cols := make([]arrow.Array, len(values))
	for i, v := range values {
		var err error
		switch {
		case v != nil:
			cols[i], err = eval.Eval(v, in)
		case ids.Is(i):
			cols[i], err = ids.Values(i, in.Rows)
		default: // of a table that is being made
			err = fmt.Errorf("the identity column has no generator here; name the other columns and create the table first")
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", types.QuoteIdentifier(table.Fields[i].Name), err)
		}
	}
	if check != nil {
		if err := check(cols, in.Rows); err != nil {
			return err
		}
	}
	_, err := w.Write(cols, in.Rows)
	return err
}

// Columns says how each table column is filled from the source: by name, with
// the casts of store assignment; a column that the source lacks is generated,
// or has its default, or is NULL.
func Columns(src, table *types.Struct, o expr.Options) ([]expr.Expr, error) {
	used := map[int]bool{}
	values := make([]expr.Expr, len(table.Fields))
	scope := expr.Scope{Tables: []expr.Table{{Name: "source", Schema: src}}, Options: o}
	for i, f := range table.Fields {
		j := src.Index(f.Name)
		if j < 0 {
			continue
		}
		used[j] = true
		if is, explicit := derive.IsIdentity(f); is && !explicit {
			return nil, &merge.StatementError{Class: "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED",
				Message: fmt.Sprintf("the identity column %s is always generated: leave it out of the rows", types.QuoteIdentifier(f.Name))}
		}
		bound, err := expr.Bind(&expr.Column{Parts: []string{src.Fields[j].Name}, Ref: -1}, scope)
		if err != nil {
			return nil, err
		}
		v, err := expr.AssignByName(bound, f.Type, f.Name, true, o)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	var extra []string
	for j, f := range src.Fields {
		if !used[j] {
			extra = append(extra, types.QuoteIdentifier(f.Name)+" "+f.Type.String())
		}
	}
	if len(extra) > 0 {
		return nil, &merge.StatementError{Class: "DELTA_METADATA_MISMATCH",
			Message: fmt.Sprintf("the source has columns that the table has not: %s; the table's columns are %s", strings.Join(extra, ", "), strings.Join(table.Names(), ", "))}
	}
	return values, derive.Insert(table, values, o)
}
