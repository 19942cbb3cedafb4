package changes

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// Batch is some change rows, in the order of the feed, and the place behind them.
type Batch struct {
	Record arrow.RecordBatch
	Cursor Cursor
}

// Rows yields the changes, version by version. Goroutines read files ahead; the
// order is that of the feed. A batch may be empty: it moves the cursor over what
// has no rows. An error comes once, last; what was yielded before it holds, and
// reading can go on from its cursor.
func (p *Plan) Rows(ctx context.Context) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		schema, err := columns.ArrowSchema(p.schema)
		if err != nil {
			yield(Batch{}, err)
			return
		}
		told := p.after
		for w, err := range (&reading{p: p, arrow: schema}).results(ctx) {
			if err != nil {
				yield(Batch{}, err)
				return
			}
			told = w.to
			if !yield(Batch{Record: w.record, Cursor: w.to.cursor()}, nil) {
				return
			}
		}
		end := place{version: p.span.end + 1, table: p.after.table}
		if p.span.end >= p.span.start && told != end {
			yield(Batch{Record: nothing(schema), Cursor: end.cursor()}, nil)
		}
	}
}

func nothing(schema *arrow.Schema) arrow.RecordBatch {
	cols := make([]arrow.Array, schema.NumFields())
	for k := range cols {
		cols[k] = columns.Nulls(schema.Field(k).Type, 0)
	}
	return array.NewRecordBatch(schema, cols, 0)
}

// reading is one pass over the changes.
type reading struct {
	p     *Plan
	arrow *arrow.Schema
}

// result is some rows, and the place behind them.
type result struct {
	record arrow.RecordBatch
	to     place
	err    error
}

// results yields the rows of the files in their order. As many files as there are
// workers are read at once, each at most two batches ahead.
func (r *reading) results(ctx context.Context) iter.Seq2[result, error] {
	return func(yield func(result, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		workers := max(r.p.env.Workers, 1)
		strands := make(chan chan result, workers)
		var group sync.WaitGroup
		defer func() { // no goroutine outlives the loop
			cancel()
			group.Wait()
		}()
		group.Go(func() {
			defer close(strands)
			slots := make(chan struct{}, workers)
			for t, err := range r.tasks(ctx) {
				strand := make(chan result, 1)
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				select {
				case strands <- strand:
				case <-ctx.Done():
					return
				}
				group.Go(func() {
					defer func() { <-slots }()
					defer close(strand)
					send := func(w result) bool {
						select {
						case strand <- w:
							return true
						case <-ctx.Done():
							return false
						}
					}
					if err == nil {
						err = r.read(ctx, &t, send)
					}
					if err != nil && err != errStop {
						send(result{err: err})
					}
				})
			}
		})
		for strand := range strands {
			for w := range strand {
				if !yield(w, w.err) || w.err != nil {
					return
				}
			}
		}
		if err := ctx.Err(); err != nil {
			yield(result{}, err)
		}
	}
}

// errStop ends the reading of a file whose rows nobody wants any more.
var errStop = errors.New("the caller has stopped")

// read reads the changes in one file. One batch is held back, so that the last
// one leads behind the file.
func (r *reading) read(ctx context.Context, t *task, send func(result) bool) error {
	src, load := t.layout.plain, r.p.load
	if t.file.kind == "" {
		src, load = t.layout.feed, append(append([]int{}, load...), len(r.p.read.Logical.Fields))
	}
	if err := t.file.resolve(ctx, src); err != nil {
		return r.explain(err, t.at.version)
	}
	o := scan.Options{Columns: load, Filter: r.p.filter, Positions: true, Rows: t.file.stretches(t.at.row)}
	if o.Rows != nil && len(o.Rows) == 0 {
		return nil
	}
	var held result
	tell := func(to place) error {
		if held.record == nil || held.record.NumRows() == 0 {
			return nil
		}
		held.to = to
		if !send(held) {
			return errStop
		}
		return nil
	}
	var reached place
	for batch, err := range scan.File(ctx, r.p.env, src, t.file.add, o) {
		if err != nil {
			return r.explain(err, t.at.version)
		}
		if batch.Rows == 0 {
			continue
		}
		if err := tell(reached); err != nil {
			return err
		}
		rec, err := r.record(batch, t)
		if err != nil {
			return err
		}
		held, reached = result{record: rec}, t.at
		reached.row = batch.Positions[batch.Rows-1] + 1
	}
	return tell(t.next)
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

// record makes the output of a batch of a file.
func (r *reading) record(b scan.Batch, t *task) (arrow.RecordBatch, error) {
	n := len(r.p.read.Logical.Fields)
	cols := make([]arrow.Array, n, n+len(feedColumns))
	copy(cols, b.Columns)
	if t.file.kind == "" {
		cols = append(cols, b.Columns[n])
	} else {
		cols = append(cols, columns.Constant(t.file.kind, types.String, b.Rows))
	}
	cols = append(cols, columns.Constant(t.at.version, types.Long, b.Rows), columns.Constant(t.stamp, types.Timestamp, b.Rows))
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
