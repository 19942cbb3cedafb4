package session

import (
	"context"
	"slices"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// selects is a query by itself.
func (x *execution) selects(ctx context.Context, st *parse.Select) (*Result, error) {
	plan, err := query.Bind(ctx, st.Query, x, x.options)
	if err != nil {
		return nil, err
	}
	r := none("SELECT")
	r.Schema, r.Rows = plan.Schema(), plan.Run(ctx, x.s.world.Env)
	return r, nil
}

// change is UPDATE and DELETE.
func (x *execution) change(ctx context.Context, st *parse.Change) (*Result, error) {
	return x.until(func() (*Result, error) { return x.changeOnce(ctx, st) })
}

func (x *execution) changeOnce(ctx context.Context, st *parse.Change) (*Result, error) {
	l, s, err := x.existing(ctx, st.Target.Parts)
	if err != nil {
		return nil, err
	}
	spec := st.Spec
	spec.Set = slices.Clone(spec.Set)
	for i, a := range spec.Set {
		if isDefault(a.Value) {
			if f, ok := s.Schema().Field(a.Column[len(a.Column)-1]); ok {
				spec.Set[i].Value = defaultOf(f)
			}
		}
	}
	if spec.Set, err = x.scalars(ctx, spec.Set, expr.Table{Alias: spec.Alias, Name: st.Target.Parts[len(st.Target.Parts)-1], Schema: s.Schema()}); err != nil {
		return nil, err
	}
	o := x.merging()
	o.Snapshot, o.ReadsItself, o.FileSize = s, x.reads(l), x.fileSize(s)
	if o.CopyRows = !x.conf.on(updateMarks); spec.Delete {
		o.CopyRows = !x.conf.on(deleteMarks)
	}
	res, err := dml.Run(ctx, l, spec, o)
	if err != nil {
		return nil, err
	}
	if res.Commit.Again {
		return x.again(res.Commit), nil
	}
	if spec.Delete {
		return counted(committed("DELETE", res.Commit), []string{"num_affected_rows"}, res.Metrics.Deleted())
	}
	return counted(committed("UPDATE", res.Commit), []string{"num_affected_rows"}, res.Metrics.Updated())
}

// merge is MERGE. Its source is a query; a name is all columns of what it means.
func (x *execution) merge(ctx context.Context, st *parse.Merge) (*Result, error) {
	return x.until(func() (*Result, error) { return x.mergeOnce(ctx, st) })
}

func (x *execution) mergeOnce(ctx context.Context, st *parse.Merge) (*Result, error) {
	l, s, err := x.existing(ctx, st.Target.Parts)
	if err != nil {
		return nil, err
	}
	q := st.Query
	if q == nil {
		q = &query.Query{Body: &query.Select{Items: []query.Item{{Expr: &expr.Star{}}}, From: []query.Source{&query.TableRef{Name: st.Source.Parts}}}}
	}
	src, err := x.queried(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := merge.Materialise(ctx, src, x.s.world.Env.Memory)
	if err != nil {
		return nil, err
	}
	spec := st.Spec
	spec.Clauses = slices.Clone(spec.Clauses)
	for i, c := range spec.Clauses {
		if spec.Clauses[i].Set, err = x.scalars(ctx, c.Set, expr.Table{Alias: spec.TargetAlias, Schema: s.Schema()}, expr.Table{Alias: spec.SourceAlias, Schema: src.Schema()}); err != nil {
			return nil, err
		}
	}
	spec.Evolve = spec.Evolve || x.conf.on(autoMerge)
	o := x.merging()
	o.Snapshot, o.ReadsItself, o.CopyRows, o.FileSize = s, x.reads(l), !x.conf.on(mergeMarks), x.fileSize(s)
	res, err := merge.Run(ctx, l, spec, rows, o)
	if err != nil {
		return nil, err
	}
	if res.Commit.Again {
		return x.again(res.Commit), nil
	}
	m := res.Metrics
	return counted(committed("MERGE", res.Commit), []string{"num_affected_rows", "num_updated_rows", "num_deleted_rows", "num_inserted_rows"},
		m.Updated()+m.Deleted()+m.Inserted, m.Updated(), m.Deleted(), m.Inserted)
}

// reads reports whether the statement reads a table besides writing to it.
func (x *execution) reads(l *txn.Log) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.read[l]
}
