package changes

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// Batch is some change rows, in the order of the feed, and the place behind them.
type Batch struct {
	Record arrow.RecordBatch
	Cursor Cursor
}

// Rows yields the changes, version by version. A batch may be empty: it moves the
// cursor over what has no rows. An error comes once, last; what was yielded before
// it holds, and reading can go on from its cursor.
func (p *Plan) Rows(ctx context.Context) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		r := &reading{p: p, told: p.after, yield: func(b Batch) bool { return yield(b, nil) }}
		if err := r.run(ctx); err != nil && err != errStop {
			yield(Batch{}, err)
		}
	}
}

// errStop ends a reading that the caller has left.
var errStop = errors.New("the caller has stopped")

type reading struct {
	p     *Plan
	told  place // the last cursor that the caller has
	yield func(Batch) bool
	arrow *arrow.Schema
	plain scan.Source // of data files
	feed  scan.Source // of change data files
}

func (r *reading) run(ctx context.Context) error {
	var err error
	if r.arrow, err = columns.ArrowSchema(r.p.schema); err != nil {
		return err
	}
	r.plain = scan.SourceOf(r.p.latest)
	r.plain.Columns = r.p.read
	r.feed = r.plain
	r.feed.Columns = withKind(r.p.read)
	for i := range r.p.commits {
		if err := r.version(ctx, i); err != nil {
			return err
		}
	}
	end := place{version: r.p.span.end + 1, table: r.p.after.table}
	if r.p.span.end < r.p.span.start || r.told == end {
		return nil
	}
	return r.move(end)
}

// withKind is the table's columns with the one of change data files.
func withKind(c *feature.Columns) *feature.Columns {
	out := *c
	out.Logical = types.NewStruct(append(slices.Clip(c.Logical.Fields), feedColumns[0])...)
	out.Physical = types.NewStruct(append(slices.Clip(c.Physical.Fields), feedColumns[0])...)
	return &out
}

// move tells the caller a place and no rows.
func (r *reading) move(to place) error {
	cols := make([]arrow.Array, len(r.p.out))
	for k := range cols {
		cols[k] = columns.Nulls(r.arrow.Field(k).Type, 0)
	}
	r.told = to
	if !r.yield(Batch{Record: array.NewRecordBatch(r.arrow, cols, 0), Cursor: to.cursor()}) {
		return errStop
	}
	return nil
}

// version yields the changes of one commit.
func (r *reading) version(ctx context.Context, i int) error {
	c := &r.p.commits[i]
	files, err := r.p.files(ctx, c)
	c.data = nil
	if err != nil {
		return err
	}
	at := place{version: c.version, table: r.p.after.table}
	if r.p.after.version == c.version {
		at = r.p.after
		if at.file > len(files) {
			return &CursorError{at.cursor(), fmt.Sprintf("version %d has %d files of changes", c.version, len(files))}
		}
	}
	stamp := c.stamp(r.p.stamps[i]).UnixMicro()
	for ; at.file < len(files); at.file, at.row = at.file+1, 0 {
		next := place{version: at.version, file: at.file + 1, table: at.table}
		if next.file == len(files) {
			next = place{version: at.version + 1, table: at.table}
		}
		if err := r.file(ctx, &files[at.file], at, next, stamp); err != nil {
			return r.explain(err, c.version)
		}
	}
	return nil
}

// explain says what a missing file means here.
func (r *reading) explain(err error, version int64) error {
	var f *scan.FileError
	if !errors.As(err, &f) || !errors.Is(err, storage.ErrNotExist) {
		return err
	}
	return &Error{Class: classMissingFile, Table: f.Table, From: r.p.span.start, To: r.p.span.end, Version: version, Cause: err,
		Why: fmt.Sprintf("the file %s with changes of version %d is not there any more; VACUUM removes it when the retention time of the table has passed: begin behind that version, or read the table as it is now and go on from there", f.Path, version)}
}

// file yields the changes in one file from a place on. The batch that ends the
// file leads behind it.
func (r *reading) file(ctx context.Context, f *file, at, next place, stamp int64) error {
	if r.p.pruner != nil && !r.p.pruner.Keep(prune.FileOf(f.add, r.p.read.Logical, r.p.read.Partition)).Keep {
		return nil
	}
	src, load := r.plain, r.p.load
	if f.kind == "" {
		src, load = r.feed, append(slices.Clip(load), len(r.p.read.Logical.Fields))
	}
	if err := f.resolve(ctx, src); err != nil {
		return err
	}
	o := scan.Options{Columns: load, Positions: true, Rows: f.stretches(at.row)}
	if o.Rows != nil && len(o.Rows) == 0 {
		return nil
	}
	// One batch is held back, so that the last one of the file is known to be.
	var held *Batch
	tell := func(b *Batch, to place) error {
		if b == nil || b.Record.NumRows() == 0 {
			return nil
		}
		b.Cursor, r.told = to.cursor(), to
		if !r.yield(*b) {
			return errStop
		}
		return nil
	}
	var reached place
	for batch, err := range scan.File(ctx, r.p.env, src, f.add, o) {
		if err != nil {
			return err
		}
		if batch.Rows == 0 {
			continue
		}
		if err := tell(held, reached); err != nil {
			return err
		}
		rec, err := r.record(batch, f.kind, at.version, stamp)
		if err != nil {
			return err
		}
		held, reached = &Batch{Record: rec}, place{at.version, at.file, batch.Positions[batch.Rows-1] + 1, at.table}
	}
	return tell(held, next)
}

// record makes the output of a batch of a file.
func (r *reading) record(b scan.Batch, kind string, version, stamp int64) (arrow.RecordBatch, error) {
	n := len(r.p.read.Logical.Fields)
	cols := make([]arrow.Array, n, n+len(feedColumns))
	copy(cols, b.Columns)
	if kind == "" {
		cols = append(cols, b.Columns[n])
	} else {
		cols = append(cols, columns.Constant(kind, types.String, b.Rows))
	}
	cols = append(cols, columns.Constant(version, types.Long, b.Rows), columns.Constant(stamp, types.Timestamp, b.Rows))
	out, rows := make([]arrow.Array, len(r.p.out)), b.Rows
	for k, i := range r.p.out {
		out[k] = cols[i]
	}
	if r.p.where != nil {
		sel, err := eval.Filter(r.p.where, eval.Input{Columns: cols, Rows: b.Rows})
		if err != nil {
			return nil, err
		}
		if rows = len(sel); rows < b.Rows {
			for k := range out {
				out[k] = columns.Take(out[k], sel)
			}
		}
	}
	return array.NewRecordBatch(r.arrow, out, int64(rows)), nil
}
