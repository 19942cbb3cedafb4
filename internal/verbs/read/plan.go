// Package read is SELECT over one table at one version: which files, which
// columns, which rows, and the counts that need no rows at all.
package read

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// Spec is what to read.
type Spec struct {
	Where   expr.Expr // not bound; nil is all rows
	Columns []string  // top-level columns in this order; nil is all
	Limit   int64     // at most that many rows; negative is all
	Options expr.Options
}

// Plan is a Spec bound to a snapshot: pure, and the files it keeps.
type Plan struct {
	snap   *snapshot.Snapshot
	where  expr.Expr // bound; nil is all rows
	out    []int     // ordinals of the output columns
	load   []int     // ordinals to read: output and condition
	schema *types.Struct
	limit  int64
	pruner *prune.Pruner
}

// NewPlan binds a spec.
func NewPlan(s *snapshot.Snapshot, spec Spec) (*Plan, error) {
	p := &Plan{snap: s, limit: spec.Limit}
	table := s.Schema()
	if spec.Where != nil {
		e, err := expr.Bind(spec.Where, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: table}}, Options: spec.Options})
		if err != nil {
			return nil, fmt.Errorf("WHERE: %w", err)
		}
		if k := e.Type().Kind(); k != types.KindBoolean && k != types.KindVoid {
			return nil, &expr.BindError{Class: "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", SQLState: "42K09", Msg: fmt.Sprintf("WHERE: %s is %s, a condition must be boolean", spec.Where, e.Type())}
		}
		p.where = expr.Fold(e, eval.Literal)
		p.pruner = prune.New(p.where, table, s.PartitionColumns())
	}
	fields := []types.Field{}
	if spec.Columns == nil {
		for i, f := range table.Fields {
			p.out, fields = append(p.out, i), append(fields, f)
		}
	}
	for _, name := range spec.Columns {
		i := table.Index(name)
		if i < 0 {
			return nil, &expr.BindError{Class: "UNRESOLVED_COLUMN.WITH_SUGGESTION", SQLState: "42703",
				Msg: fmt.Sprintf("there is no column %s; the columns are %s", types.QuoteIdentifier(name), strings.Join(table.Names(), ", "))}
		}
		p.out, fields = append(p.out, i), append(fields, table.Fields[i])
	}
	p.schema = types.NewStruct(fields...)
	seen := map[int]bool{}
	for _, i := range p.out {
		seen[i] = true
	}
	if p.where != nil {
		for _, i := range expr.Refs(p.where) {
			seen[i] = true
		}
	}
	for i := range table.Fields {
		if seen[i] {
			p.load = append(p.load, i)
		}
	}
	return p, nil
}

// Schema is the schema of the rows that the plan yields.
func (p *Plan) Schema() *types.Struct { return p.schema }

// File is a live file with what pruning says about it.
type File struct {
	Add     *action.Add
	Verdict prune.Verdict
}

// Judge yields every live file with its verdict.
func (p *Plan) Judge(yield func(File) bool) {
	files := p.snap.Files()
	for i := range files.All() {
		v := prune.Verdict{Keep: true}
		if p.pruner != nil {
			v = p.pruner.Keep(files.Ref(i))
		}
		if !yield(File{files.Add(i), v}) {
			return
		}
	}
}

// Kept lists the files that may hold rows of the result.
func (p *Plan) Kept() []*action.Add {
	files := p.snap.Files()
	var out []*action.Add
	for i := range files.All() {
		if p.pruner == nil || p.pruner.Keep(files.Ref(i)).Keep {
			out = append(out, files.Add(i))
		}
	}
	return out
}

// CountByStats counts the rows without reading any, when there is no condition
// and every file says how many it has.
func (p *Plan) CountByStats(ctx context.Context) (int64, bool) {
	if p.where != nil || ctx.Err() != nil {
		return 0, false
	}
	var n int64
	files := p.snap.Files()
	for i := range files.All() {
		rows, ok := colstats.NumRecords(files.StatsJSON(i))
		if !ok {
			return 0, false
		}
		if d := files.DV(i); d != nil {
			rows -= d.Cardinality
		}
		n += rows
	}
	return n, true
}

// Where is the bound condition; nil is all rows.
func (p *Plan) Where() expr.Expr { return p.where }
