package query

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// batch is rows of a node: columns by ordinal, nil for those that are not needed.
type batch = eval.Input

// node is one step of a plan.
type node interface {
	// fields are the columns that the node gives.
	fields() []types.Field
	// need says once, before the first run, which columns are read above; with
	// several nodes above (shared) it is called for each.
	need(cols []bool)
	// run gives the rows. Batches have as many columns as there are fields.
	run(r *run) iter.Seq2[batch, error]
}

// batchRows is how many rows a node puts together at most.
const batchRows = 8192

// run is one execution of a plan.
type run struct {
	ctx     context.Context
	env     *env.Env
	plan    *Plan
	held    int64
	results []*expr.Literal // by slot of a scalar subquery
	lists   map[*subplan][]expr.Expr
	sets    map[*subplan]*rowSet
	shared  map[*shared]*held
}

func newRun(ctx context.Context, e *env.Env, p *Plan) *run {
	return &run{ctx: ctx, env: e, plan: p, results: make([]*expr.Literal, len(p.results)), lists: map[*subplan][]expr.Expr{}, sets: map[*subplan]*rowSet{}, shared: map[*shared]*held{}}
}

// hold counts bytes that a node keeps.
func (r *run) hold(what string, n int64) error {
	r.held += n
	if r.env.Memory > 0 && r.held > r.env.Memory {
		return &MemoryError{What: what, Need: r.held, Budget: r.env.Memory}
	}
	return nil
}

// sizeOf is how many bytes the rows of a batch take. Slices count in full.
func sizeOf(b batch) (n int64) {
	for _, c := range b.Columns {
		if c != nil {
			n += int64(c.Data().SizeInBytes())
		}
	}
	return n
}

// maxColumn is how much text one column of rows held together may have.
const maxColumn = 1 << 31

// materialise reads all rows of a node into one batch.
func (r *run) materialise(n node, what string) (batch, error) {
	var parts [][]arrow.Array
	out := batch{}
	sizes := make([]int64, len(n.fields()))
	for b, err := range n.run(r) {
		if err != nil {
			return batch{}, err
		}
		if b.Rows == 0 {
			continue
		}
		if err := r.hold(what, sizeOf(b)); err != nil {
			return batch{}, err
		}
		for i, c := range b.Columns {
			if c != nil {
				if sizes[i] += int64(c.Data().SizeInBytes()); sizes[i] > maxColumn {
					return batch{}, &MemoryError{What: what + " (column " + n.fields()[i].Name + ")", Need: sizes[i], Budget: maxColumn}
				}
			}
		}
		if b, err = conform(b, n.fields()); err != nil {
			return batch{}, err
		}
		parts = append(parts, b.Columns)
		out.Rows += b.Rows
	}
	if len(parts) == 0 {
		out.Columns = make([]arrow.Array, len(n.fields()))
		for i, f := range n.fields() {
			a, err := eval.Eval(&expr.Literal{T: f.Type}, batch{})
			if err != nil {
				return batch{}, err
			}
			out.Columns[i] = a
		}
		return out, nil
	}
	var err error
	out.Columns, err = columns.ConcatColumns(parts)
	return out, err
}

func take(b batch, idx []int32) batch {
	return batch{Columns: columns.TakeColumns(b.Columns, idx), Rows: len(idx)}
}

func slice(b batch, from, n int) batch {
	if from == 0 && n == b.Rows {
		return b
	}
	return batch{Columns: columns.Slice(b.Columns, from, n), Rows: n}
}

// emit hands a batch on in pieces of batchRows.
func emit(b batch, yield func(batch, error) bool) bool {
	for from := 0; from < b.Rows; from += batchRows {
		if !yield(slice(b, from, min(batchRows, b.Rows-from)), nil) {
			return false
		}
	}
	return true
}

// markRefs marks the columns that an expression reads.
func markRefs(cols []bool, e expr.Expr) {
	if e == nil {
		return
	}
	for _, i := range expr.Refs(e) {
		if i < len(cols) {
			cols[i] = true
		}
	}
}

// Run gives the rows of the result, batch by batch.
func (p *Plan) Run(ctx context.Context, e *env.Env) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		schema, err := columns.ArrowSchema(p.schema)
		if err != nil {
			yield(nil, failf("UNSUPPORTED_FEATURE.RESULT_TYPE", "the result cannot hold a column (%v): cast it to STRING", err))
			return
		}
		for b, err := range caught(p.root.run(newRun(ctx, e, p))) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				b, err = conform(b, p.schema.Fields)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if b.Rows > 0 && !yield(array.NewRecordBatch(schema, b.Columns, int64(b.Rows)), nil) {
				return
			}
		}
	}
}

// caught ends a sequence with an error where a join or a generator makes more text
// than an array holds; a panic of whoever takes the batches is none of its business.
func caught(seq iter.Seq2[batch, error]) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		away := false
		run := func() (err error) {
			defer func() {
				if !away {
					columns.Recovered(recover(), &err)
				}
			}()
			seq(func(b batch, err error) bool {
				away = true
				more := yield(b, err)
				away = false
				return more
			})
			return nil
		}
		if err := run(); err != nil {
			yield(batch{}, err)
		}
	}
}
