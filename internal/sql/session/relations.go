package session

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/types"
)

// tableRelation is a table at one version.
type tableRelation struct{ s *snapshot.Snapshot }

func (r *tableRelation) Schema() *types.Struct { return r.s.Schema() }

func (r *tableRelation) Scan(ctx context.Context, o query.ScanOptions) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		schema, err := columns.ArrowSchema(picked(r.s.Schema(), o.Columns))
		if err != nil {
			yield(nil, err)
			return
		}
		p := r.pruner(o.Where)
		shares := func(yield func(scan.Share) bool) {
			files := r.s.Files()
			for i := range files.Select(p) {
				if !yield(scan.Share{Add: files.Bare(i)}) {
					return
				}
			}
		}
		ordinals := append([]int{}, o.Columns...)
		for b, err := range scan.Stream(ctx, r.s.Env(), scan.SourceOf(r.s), shares, scan.Options{Columns: ordinals, Predicate: o.Where}) {
			if err != nil {
				yield(nil, err)
				return
			}
			cols := make([]arrow.Array, len(ordinals))
			for i, c := range ordinals {
				cols[i] = b.Columns[c]
			}
			if !yield(array.NewRecordBatch(schema, cols, int64(b.Rows)), nil) {
				return
			}
		}
	}
}

// picked is a schema of some columns.
func picked(s *types.Struct, ordinals []int) *types.Struct {
	out := &types.Struct{}
	for _, i := range ordinals {
		out.Fields = append(out.Fields, s.Fields[i])
	}
	return out
}

// choose takes columns out of batches.
func choose(from iter.Seq2[arrow.RecordBatch, error], s *types.Struct, ordinals []int) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		schema, err := columns.ArrowSchema(picked(s, ordinals))
		if err != nil {
			yield(nil, err)
			return
		}
		for b, err := range from {
			if err != nil {
				yield(nil, err)
				return
			}
			cols := make([]arrow.Array, len(ordinals))
			for i, c := range ordinals {
				cols[i] = b.Column(c)
			}
			if !yield(array.NewRecordBatch(schema, cols, b.NumRows()), nil) {
				return
			}
		}
	}
}

// sourceRelation is a file.
type sourceRelation struct{ src source.Source }

func (r *sourceRelation) Schema() *types.Struct { return r.src.Schema() }

func (r *sourceRelation) Scan(ctx context.Context, o query.ScanOptions) iter.Seq2[arrow.RecordBatch, error] {
	return choose(r.src.Batches(ctx), r.src.Schema(), o.Columns)
}

// changesRelation is the change data feed of a table.
type changesRelation struct{ plan *changes.Plan }

func (r *changesRelation) Schema() *types.Struct { return r.plan.Schema() }

func (r *changesRelation) Scan(ctx context.Context, o query.ScanOptions) iter.Seq2[arrow.RecordBatch, error] {
	return choose(func(yield func(arrow.RecordBatch, error) bool) {
		for b, err := range r.plan.Rows(ctx) {
			if err == nil && b.Record.NumRows() == 0 {
				continue
			}
			if !yield(b.Record, err) || err != nil {
				return
			}
		}
	}, r.plan.Schema(), o.Columns)
}

// Function is part of query.Functions: table_changes(table, from [, to]).
func (x *execution) Function(ctx context.Context, name string, args []*expr.Literal) (query.Relation, bool, error) {
	if name != "table_changes" && name != "table_changes_by_path" {
		return nil, false, nil
	}
	if len(args) < 2 || len(args) > 3 {
		return nil, true, refuse("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "%s takes a table, a first version or timestamp, and perhaps a last one; %d arguments are given", name, len(args))
	}
	table, ok := args[0].Value.(string)
	if !ok {
		return nil, true, refuse("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "the first argument of %s is the name of a table as text", name)
	}
	parts := []string{"delta", table}
	if name == "table_changes" {
		p := expr.NewParser(table)
		var err error
		if parts, err = p.ParseQualifiedName(); err != nil {
			return nil, true, err
		}
	}
	l, s, err := x.existing(ctx, parts)
	if err != nil {
		return nil, true, err
	}
	spec := changes.Spec{Options: x.options}
	if spec.From, err = place(args[1]); err == nil && len(args) == 3 {
		spec.To, err = place(args[2])
	}
	if err != nil {
		return nil, true, err
	}
	plan, err := changes.NewPlan(ctx, l.Env(), s, spec)
	if err != nil {
		return nil, true, err
	}
	return &changesRelation{plan}, true, nil
}

// place is a version or a time.
func place(e *expr.Literal) (snapshot.At, error) {
	if n, ok := e.Value.(int64); ok && types.IsIntegral(e.T) {
		return snapshot.Version(n), nil
	}
	t, err := instant(e)
	return snapshot.Time(t), err
}

// layouts of times in text.
var layouts = []string{"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02"}

// instant is the time of a literal.
func instant(e expr.Expr) (time.Time, error) {
	lit, ok := e.(*expr.Literal)
	if ok {
		switch v := lit.Value.(type) {
		case int64:
			if lit.T.Kind() == types.KindDate {
				return time.Unix(v*86400, 0).UTC(), nil
			}
			if lit.T.Kind() == types.KindTimestamp || lit.T.Kind() == types.KindTimestampNTZ {
				return time.UnixMicro(v).UTC(), nil
			}
		case string:
			for _, layout := range layouts {
				if t, err := time.Parse(layout, strings.TrimSpace(v)); err == nil {
					return t, nil
				}
			}
		}
	}
	return time.Time{}, &expr.BindError{Class: "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR", SQLState: "42K0E", Msg: fmt.Sprintf("%s is no time", e)}
}
