package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/prose"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// On says what the names of an explained statement mean, where they are not
// those of the session.
type On struct {
	Log    *txn.Log      // the target; nil: by its name
	Source source.Source // of a MERGE; nil: by its name
}

// Explain says what a statement would read and what it collides with. It reads
// the log and a MERGE's source, no data file of the target, and changes nothing.
func (s *Session) Explain(ctx context.Context, st parse.Statement, on On) (*merge.Explanation, error) {
	if e, ok := st.(*parse.Explain); ok {
		st = e.Statement
	}
	var name []string
	switch st := st.(type) {
	case *parse.Select:
	case *parse.Merge:
		name = st.Target.Parts
	case *parse.Change:
		name = st.Target.Parts
	case *parse.Insert:
		name = st.Target
	case *parse.Optimize:
		name = st.Table
	default:
		return nil, refuse("UNSUPPORTED_FEATURE.EXPLAIN", "SELECT, MERGE, UPDATE, DELETE, INSERT and OPTIMIZE are explained; this is another statement")
	}
	if on.Log != nil && len(name) == 1 {
		s.AddLog(name[0], on.Log) // a query of the statement may read it
	}
	x, err := s.begin()
	if err != nil {
		return nil, err
	}
	if st, ok := st.(*parse.Select); ok {
		return x.explainSelect(ctx, st, on.Log)
	}
	l := on.Log
	if l == nil {
		if l, err = x.target(ctx, name); err != nil {
			return nil, err
		}
	}
	at, err := x.snapshot(ctx, l)
	if err != nil {
		return nil, err
	}
	e := &explaining{x: x, l: l, at: at, name: expr.NewColumn(name...).String()}
	switch st := st.(type) {
	case *parse.Merge:
		return e.merge(ctx, st, on.Source)
	case *parse.Change:
		return e.rows(merge.Clause{Kind: merge.NotMatchedBySource, Cond: st.Spec.Where, Set: st.Spec.Set, Action: map[bool]merge.Action{true: merge.Delete, false: merge.Update}[st.Spec.Delete]}, st.Spec.Alias)
	case *parse.Insert:
		return e.insert(ctx, st)
	default:
		return e.optimize(st.(*parse.Optimize))
	}
}

// explaining is one statement looked at.
type explaining struct {
	x    *execution
	l    *txn.Log
	at   *snapshot.Snapshot
	name string
}

func (e *explaining) merge(ctx context.Context, st *parse.Merge, src source.Source) (*merge.Explanation, error) {
	name := "(" + strings.TrimSpace(queryText(st.Query)) + ")"
	if st.Query == nil {
		name = expr.NewColumn(st.Source.Parts...).String()
	}
	if src == nil {
		q := st.Query
		if q == nil {
			q = &query.Query{Body: &query.Select{Items: []query.Item{{Expr: &expr.Star{}}}, From: []query.Source{&query.TableRef{Name: st.Source.Parts}}}}
		}
		var err error
		if src, err = e.x.queried(ctx, q); err != nil {
			return nil, err
		}
	}
	rows, err := merge.Materialise(ctx, src, e.x.s.world.Env.Memory)
	if err != nil {
		return nil, err
	}
	spec := st.Spec
	spec.Evolve = spec.Evolve || e.x.conf.on(autoMerge)
	p, err := merge.NewPlan(spec, e.at.Schema(), rows.Schema, e.x.options)
	if err != nil {
		conds := []expr.Expr{spec.On}
		for _, c := range spec.Clauses {
			conds = append(conds, c.Cond)
		}
		return e.refused("MERGE", err, conds...)
	}
	return merge.Explain(e.x.s.world.Env, e.at, p, rows, merge.Names{Target: e.name, Source: name})
}

func queryText(q *query.Query) string {
	if q == nil {
		return ""
	}
	return q.Text
}

// rows is a statement with one condition: UPDATE, DELETE, and what REPLACE WHERE deletes.
func (e *explaining) rows(c merge.Clause, alias string) (*merge.Explanation, error) {
	none := merge.NoSource()
	name := "UPDATE"
	if c.Action == merge.Delete {
		name = "DELETE"
	}
	p, err := merge.NewPlan(merge.Spec{TargetAlias: alias, Clauses: []merge.Clause{c}}, e.at.Schema(), none.Schema, e.x.options)
	if err != nil {
		return e.refused(name, err, c.Cond)
	}
	return merge.Explain(e.x.s.world.Env, e.at, p, none, merge.Names{Target: e.name})
}

// refused explains a statement that cannot run because a condition gives another
// answer each time; other errors stay errors.
func (e *explaining) refused(op string, err error, conds ...expr.Expr) (*merge.Explanation, error) {
	var st *merge.StatementError
	if !errors.As(err, &st) || !strings.Contains(st.Class, "NON_DETERMINISTIC") {
		return nil, err
	}
	out := e.whole(op, "")
	out.Reference = merge.ReferenceReading{} // it never runs
	for _, c := range conds {
		if c != nil && !expr.Deterministic(c) {
			out.Findings = append(out.Findings, merge.NewFinding(merge.NonDeterministic, "condition",
				fmt.Sprintf("%s gives another answer each time it is computed: the statement is refused (%s), here and on Spark. Compute the value once, in the source, and compare with that.", c, st.Class), ""))
		}
	}
	return out, nil
}

// whole is the explanation of what concerns every file; "" has no clause.
func (e *explaining) whole(op, clause string) *merge.Explanation {
	out := &merge.Explanation{Operation: op, Version: e.at.Version(), FilesTotal: e.at.NumFiles(), RowsTotal: -1}
	if n, ok := e.at.NumRecords(); ok {
		out.RowsTotal = n
	}
	if clause != "" {
		out.Clauses = []merge.ClauseReading{{Clause: clause, Files: out.FilesTotal}}
	}
	out.Reference = merge.ReferenceReading{WholeTable: true, Files: out.FilesTotal, Collides: "any commit that adds or removes a file, in any partition"}
	return out
}

func (e *explaining) insert(ctx context.Context, st *parse.Insert) (*merge.Explanation, error) {
	static, err := e.x.static(st, e.at)
	if err != nil {
		return nil, err
	}
	in := &intoTable{x: e.x, st: st, static: static, table: e.at.Schema()}
	if st.Query != nil {
		if _, err := query.Bind(ctx, st.Query, e.x, e.x.options); err != nil {
			return nil, err
		}
		if _, err := in.goal(); err != nil {
			return nil, err
		}
	}
	dynamic := strings.EqualFold(e.x.conf.get(overwriteMode), "dynamic")
	var out *merge.Explanation
	where := st.Where
	if st.Overwrite && len(static) > 0 && !dynamic {
		where = condition(static)
	}
	switch {
	case where != nil:
		if out, err = e.rows(merge.Clause{Kind: merge.NotMatchedBySource, Cond: where, Action: merge.Delete}, ""); err != nil {
			return nil, err
		}
		out.Clauses[0].Clause, out.Rewritten = "REPLACE WHERE", ""
		for i := range out.Findings {
			out.Findings[i].Clause = "REPLACE WHERE"
		}
		if out.Mended != nil && st.Where != nil && st.Query != nil {
			out.Rewritten = fmt.Sprintf("INSERT INTO %s REPLACE WHERE %s\n%s", e.name, out.Mended, strings.TrimSpace(queryText(st.Query)))
		}
	case !st.Overwrite:
		out = e.whole("WRITE", "")
		out.Reference = merge.ReferenceReading{Collides: "any change of metadata, and one of the protocol that drops a feature"}
	case dynamic && len(e.at.PartitionColumns()) > len(static):
		out = e.whole("WRITE", "")
		out.Reference = merge.ReferenceReading{Predicate: "the partitions that receive rows", Collides: "any commit that adds a file to a partition that receives rows, or removes one there"}
	default:
		out = e.whole("WRITE", "overwrite")
		out.FilesWhole = out.FilesTotal
		e.static(out, st)
	}
	out.Operation = "WRITE"
	if e.x.reads(e.l) {
		out.Findings = append(out.Findings, merge.NewFinding(merge.ReadsItself, "query", fmt.Sprintf(
			"The query reads %s, the table that it writes to. The append depends on what it read, so it is no blind append: on Spark any commit to what it reads makes it fail, and sluice runs it again behind one.", e.name), ""))
		out.Reference.Collides = "any commit that adds or removes a file that the query reads"
		if len(out.Reference.Predicate) == 0 {
			out.Reference.WholeTable, out.Reference.Files = true, out.FilesTotal
		}
	}
	return out, nil
}

// static is an overwrite of all partitions of a partitioned table.
func (e *explaining) static(out *merge.Explanation, st *parse.Insert) {
	parts := e.at.PartitionColumns()
	if len(parts) == 0 {
		return
	}
	seen := map[string]bool{}
	files := e.at.Files()
	for i := range files.All() {
		f := files.Ref(i)
		key := ""
		for c := range parts {
			v, null := f.Partition(c)
			key += fmt.Sprint(len(v), null, v, ";")
		}
		seen[key] = true
	}
	dynamic := fmt.Sprintf("SET %s = dynamic;\nINSERT OVERWRITE %s %s;\nRESET %s;", overwriteMode, e.name, strings.TrimSpace(queryText(st.Query)), overwriteMode)
	out.Findings = append(out.Findings, merge.NewFinding(merge.StaticOverwrite, "OVERWRITE", fmt.Sprintf(
		"Every row of the table is replaced: %s in %s, also of partitions that receive no row. To replace only those that do, overwrite dynamically, name the partition (PARTITION (%s = ...)), or use REPLACE WHERE.",
		prose.Plural(int64(out.FilesTotal), "file"), prose.Plural(int64(len(seen)), "partition"), expr.NewColumn(parts[0])), ""))
	if st.Query != nil && len(st.Columns) == 0 {
		out.Rewritten = dynamic
	}
}

func (e *explaining) optimize(st *parse.Optimize) (*merge.Explanation, error) {
	out := e.whole("OPTIMIZE", "WHERE")
	out.Reference = merge.ReferenceReading{WholeTable: st.Spec.Where == nil, Files: out.FilesTotal, Collides: "any commit that removes one of the files that it rewrites, or changes metadata"}
	parts := e.at.PartitionColumns()
	if st.Spec.Where == nil {
		if len(parts) > 0 {
			suggestion := fmt.Sprintf("OPTIMIZE %s WHERE %s = ...", e.name, expr.NewColumn(parts[0]))
			out.Findings = append(out.Findings, merge.NewFinding(merge.OptimizeEverything, "WHERE",
				"There is no WHERE: small files of every partition are rewritten. On Spark that makes every UPDATE, DELETE and MERGE fail that reads one of them meanwhile, although no row changes; with sluice on both sides nobody fails.\nFor a partition that nobody writes to: "+suggestion, suggestion))
		}
		return out, nil
	}
	bound, err := expr.Bind(st.Spec.Where, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: e.at.Schema()}}, Options: e.x.options})
	if err != nil {
		return nil, err
	}
	p := prune.New(bound, e.at.Schema(), parts)
	n := 0
	files := e.at.Files()
	for i := range files.All() {
		if p.Keep(files.Ref(i)).Keep {
			n++
		}
	}
	out.Clauses[0].Condition, out.Clauses[0].Files = bound.String(), n
	out.Reference.Predicate, out.Reference.Files = bound.String(), n
	return out, nil
}
