package read

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// Rows yields the rows of the plan in batches. Files are read in parallel, so
// the order of rows is not defined. An error comes once, last.
func (p *Plan) Rows(ctx context.Context, e *env.Env) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		schema, err := columns.ArrowSchema(p.schema)
		if err != nil {
			yield(nil, err)
			return
		}
		left := p.limit
		if left == 0 {
			return
		}
		o := scan.Options{Columns: p.load, Predicate: p.where}
		for b, err := range scan.Files(ctx, e, scan.SourceOf(p.snap), p.Kept(), o) {
			if err != nil {
				yield(nil, err)
				return
			}
			cols, rows, err := p.filter(b)
			if err != nil {
				yield(nil, err)
				return
			}
			if left > 0 && int64(rows) > left {
				for i, c := range cols {
					cols[i] = array.NewSlice(c, 0, left)
				}
				rows = int(left)
			}
			if rows == 0 {
				continue
			}
			if !yield(array.NewRecordBatch(schema, cols, int64(rows)), nil) {
				return
			}
			if left > 0 {
				if left -= int64(rows); left == 0 {
					return
				}
			}
		}
	}
}

// filter keeps the rows of a batch that satisfy the condition, as output columns.
func (p *Plan) filter(b scan.Batch) ([]arrow.Array, int, error) {
	cols := make([]arrow.Array, len(p.out))
	for i, ref := range p.out {
		cols[i] = b.Columns[ref]
	}
	if p.where == nil {
		return cols, b.Rows, nil
	}
	sel, err := eval.Filter(p.where, eval.Input{Columns: b.Columns, Rows: b.Rows})
	if err != nil {
		return nil, 0, err
	}
	if len(sel) < b.Rows {
		for i, c := range cols {
			cols[i] = columns.Take(c, sel)
		}
	}
	return cols, len(sel), nil
}

// Count counts the rows of the plan, from statistics when these suffice.
func (p *Plan) Count(ctx context.Context, e *env.Env) (int64, error) {
	if n, ok := p.CountByStats(ctx); ok {
		return n, nil
	}
	var n int64
	load := []int{}
	if p.where != nil {
		load = expr.Refs(p.where)
	}
	for b, err := range scan.Files(ctx, e, scan.SourceOf(p.snap), p.Kept(), scan.Options{Columns: load, Predicate: p.where}) {
		if err != nil {
			return 0, err
		}
		rows := b.Rows
		if p.where != nil {
			sel, err := eval.Filter(p.where, eval.Input{Columns: b.Columns, Rows: b.Rows})
			if err != nil {
				return 0, err
			}
			rows = len(sel)
		}
		n += int64(rows)
	}
	return n, nil
}

// Any reports whether a file holds a row for which the bound condition is true.
func Any(ctx context.Context, e *env.Env, s *snapshot.Snapshot, a *action.Add, pred expr.Expr) (bool, error) {
	for b, err := range scan.File(ctx, e, scan.SourceOf(s), a, scan.Options{Columns: expr.Refs(pred), Predicate: pred}) {
		if err != nil {
			return false, err
		}
		sel, err := eval.Filter(pred, eval.Input{Columns: b.Columns, Rows: b.Rows})
		if err != nil || len(sel) > 0 {
			return len(sel) > 0, err
		}
	}
	return false, nil
}
