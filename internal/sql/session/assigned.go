package session

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/types"
)

// assigned is the rows of a query as a source: the columns that a statement
// writes, with their names and types. Read again, the query is bound again, at
// the newest version of each table.
type assigned struct {
	x      *execution
	plan   *query.Plan
	bind   func(ctx context.Context) (*query.Plan, error)
	schema *types.Struct
	values []expr.Expr // over the query's columns; nil takes these as they are
	reads  atomic.Int64
}

func (a *assigned) add(name string, value expr.Expr) {
	a.schema.Fields = append(a.schema.Fields, types.Field{Name: name, Type: value.Type(), Nullable: true})
	a.values = append(a.values, value)
}

func (a *assigned) Schema() *types.Struct { return a.schema }

// Rewindable is part of source.Rewindable.
func (a *assigned) Rewindable() bool { return true }

func (a *assigned) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		plan := a.plan
		if a.reads.Add(1) > 1 {
			a.x.forget()
			var err error
			if plan, err = a.bind(ctx); err != nil {
				yield(nil, err)
				return
			}
		}
		schema, err := columns.ArrowSchema(a.schema)
		if err != nil {
			yield(nil, err)
			return
		}
		for b, err := range plan.Run(ctx, a.x.s.world.Env) {
			if err == nil && a.values != nil {
				b, err = a.convert(schema, b)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

func (a *assigned) convert(schema *arrow.Schema, b arrow.RecordBatch) (arrow.RecordBatch, error) {
	in := eval.Input{Columns: b.Columns(), Rows: int(b.NumRows())}
	cols := make([]arrow.Array, len(a.values))
	for i, v := range a.values {
		var err error
		if cols[i], err = eval.Eval(v, in); err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(a.schema.Fields[i].Name), err)
		}
		cols[i] = columns.Retype(cols[i], schema.Field(i).Type)
	}
	return array.NewRecordBatch(schema, cols, b.NumRows()), nil
}

// queried is the rows of a query with its own columns.
func (x *execution) queried(ctx context.Context, q *query.Query) (*assigned, error) {
	bind := func(ctx context.Context) (*query.Plan, error) { return query.Bind(ctx, q, x, x.options) }
	plan, err := bind(ctx)
	if err != nil {
		return nil, err
	}
	return &assigned{x: x, plan: plan, bind: bind, schema: plan.Schema()}, nil
}

// forget has the statement read the newest versions again.
func (x *execution) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.snaps = map[*txn.Log]*snapshot.Snapshot{}
}
