package session

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/prose"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// explained is EXPLAIN as a statement: its result is one row with the text.
func (s *Session) explained(ctx context.Context, st *parse.Explain) (*Result, error) {
	if st.Mode == parse.ExplainCodegen {
		return nil, refuse("UNSUPPORTED_FEATURE.EXPLAIN", "EXPLAIN CODEGEN: no code is generated here; EXPLAIN and EXPLAIN EXTENDED say what a statement reads")
	}
	x, err := s.Explain(ctx, st.Statement, On{})
	if err != nil {
		return nil, err
	}
	if st.Mode != parse.ExplainExtended {
		for i := range x.Tables {
			x.Tables[i].Paths = nil
		}
	}
	return rows("EXPLAIN", planSchema, []any{x.Text(prose.Width)})
}

var planSchema = types.NewStruct(field("plan", types.String))

// mostPaths is how many files of a table are named.
const mostPaths = 20

// orElse is the names of a statement, and one table for a name that means nothing.
type orElse struct {
	*execution
	log *txn.Log // nil: no table
}

func (c orElse) Relation(ctx context.Context, name []string, at query.At) (query.Relation, error) {
	r, err := c.execution.Relation(ctx, name, at)
	var missing *expr.BindError
	if c.log != nil && len(name) == 1 && errors.As(err, &missing) {
		return c.version(ctx, c.log, at)
	}
	return r, err
}

// explainSelect explains a SELECT: the files that it reads of each table, and what
// leaves the others out. Names that mean nothing are those of the given table.
func (x *execution) explainSelect(ctx context.Context, st *parse.Select, l *txn.Log) (*merge.Explanation, error) {
	plan, err := query.Bind(ctx, st.Query, orElse{x, l}, x.options)
	if err != nil {
		return nil, err
	}
	out := &merge.Explanation{Operation: "SELECT", Version: -1, RowsTotal: -1}
	for _, r := range plan.Readings() {
		t, ok := r.From.(*tableRelation)
		if !ok {
			continue
		}
		reading := t.reading(r)
		out.Tables = append(out.Tables, reading)
		out.FilesTotal, out.FilesRead, out.BytesRead = out.FilesTotal+reading.FilesTotal, out.FilesRead+reading.FilesRead, out.BytesRead+reading.BytesRead
		out.Findings = append(out.Findings, merge.ReadFindings(t.s, r.Where)...)
	}
	if len(out.Tables) == 1 {
		out.Version = out.Tables[0].Version
	}
	return out, nil
}

// pruner chooses files as a scan of the relation does.
func (r *tableRelation) pruner(where expr.Expr) *prune.Pruner {
	if where == nil {
		return nil
	}
	compile := prune.New
	if feature.Supports(r.s.Protocol(), "generatedColumns") {
		compile = prune.NewGenerated
	}
	return compile(where, r.s.Schema(), r.s.PartitionColumns())
}

// reading counts the files that a scan keeps.
func (r *tableRelation) reading(o query.Reading) merge.TableReading {
	out := merge.TableReading{Name: expr.NewColumn(o.Name...).String(), Version: r.s.Version(), Later: o.Later}
	if o.Where != nil {
		out.Condition = o.Where.String()
	}
	for _, i := range o.Columns {
		out.Columns = append(out.Columns, r.s.Schema().Fields[i].Name)
	}
	p := r.pruner(o.Where)
	dropped := map[merge.DroppedFiles]int{}
	files := r.s.Files()
	for i := range files.All() {
		out.FilesTotal++
		v := prune.Verdict{Keep: true}
		if p != nil {
			v = p.Keep(files.Ref(i))
		}
		if !v.Keep {
			key := merge.DroppedFiles{By: v.By.String(), Reason: v.Reason}
			if _, ok := dropped[key]; !ok {
				out.Dropped = append(out.Dropped, key)
			}
			dropped[key]++
			continue
		}
		out.FilesRead++
		add := files.Add(i)
		out.BytesRead += add.Size
		if len(out.Paths) < mostPaths {
			out.Paths = append(out.Paths, add.Path)
		}
		n, ok := colstats.NumRecords(add.Stats)
		switch {
		case !ok:
			out.RowsRead = -1
		case out.RowsRead >= 0:
			if out.RowsRead += n; add.DeletionVector != nil {
				out.RowsRead -= add.DeletionVector.Cardinality
			}
		}
	}
	for i := range out.Dropped {
		out.Dropped[i].Files = dropped[out.Dropped[i]]
	}
	return out
}
