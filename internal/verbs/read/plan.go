// Package read is SELECT over one table at one version: which files, which
// columns, which rows, and the counts that need no rows at all.
package read

import (
	"fmt"
	"iter"
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// Spec is what to read.
type Spec struct {
	Where   expr.Expr // not bound; nil is all rows
	Columns []string  // in this order, see choose; nil is all
	Limit   int64     // at most that many rows; negative is all
	Options expr.Options
}

// Plan is a Spec bound to a table: pure, and the files it keeps.
type Plan struct {
	t      *table
	snap   *snapshot.Snapshot // whose files are read; nil for a task
	shares []scan.Share       // the files of a task
	spec   Spec

	where  expr.Expr   // bound; nil is all rows
	pushed expr.Expr   // the conjuncts of where that need columns of the table only
	filter expr.Expr   // those of them that are applied while files are read; nil: none
	rest   expr.Expr   // the conjuncts of where that remain to be applied; nil: none
	byFile []expr.Expr // those that need members of _metadata which a file has as a whole
	out    []output
	schema *types.Struct
	limit  int64
	pruner *prune.Pruner
}

// NewPlan binds a spec to a snapshot.
func NewPlan(s *snapshot.Snapshot, spec Spec) (*Plan, error) {
	p, err := newPlan(tableOf(s), spec)
	if err != nil {
		return nil, err
	}
	p.snap = s
	if p.where != nil {
		compile := prune.New
		if feature.Supports(s.Protocol(), "generatedColumns") {
			compile = prune.NewGenerated
		}
		p.pruner = compile(p.where, s.Schema(), s.PartitionColumns())
	}
	return p, nil
}

func newPlan(t *table, spec Spec) (*Plan, error) {
	p := &Plan{t: t, spec: spec, limit: spec.Limit, schema: &types.Struct{}}
	if spec.Where != nil {
		e, err := t.bind(spec.Where, spec.Options)
		if err != nil {
			return nil, fmt.Errorf("WHERE: %w", err)
		}
		if k := e.Type().Kind(); k != types.KindBoolean && k != types.KindVoid {
			return nil, &expr.BindError{Class: "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", SQLState: "42K09", Msg: fmt.Sprintf("WHERE: %s is %s, a condition must be boolean", spec.Where, e.Type())}
		}
		p.where = expr.Fold(e, eval.Literal)
		p.split()
	}
	var err error
	if p.out, err = t.choose(spec.Columns, spec.Options); err != nil {
		return nil, err
	}
	for _, o := range p.out {
		p.schema.Fields = append(p.schema.Fields, o.field)
	}
	return p, nil
}

// split sorts the conjuncts by what can judge them before rows are read, and by
// who applies them to rows: the scan those that need columns of the table only,
// unless one could fail for a row that a conjunct before it excludes.
func (p *Plan) split() {
	var own, filter, rest []expr.Expr
	for _, c := range expr.Conjuncts(p.where) {
		refs := expr.Refs(c)
		table := len(refs) == 0 || refs[len(refs)-1] < len(p.t.schema().Fields)
		switch {
		case table:
			own = append(own, c)
		case p.t.hidden.constant(c):
			p.byFile = append(p.byFile, c)
		}
		if table && (len(rest) == 0 || !eval.CanFail(c)) {
			filter = append(filter, c)
		} else {
			rest = append(rest, c)
		}
	}
	p.pushed, p.filter, p.rest = conjunction(own), conjunction(filter), conjunction(rest)
}

// conjunction is nil for no conjuncts.
func conjunction(list []expr.Expr) expr.Expr {
	if len(list) == 0 {
		return nil
	}
	return expr.And(list...)
}

// Schema is the schema of the rows that the plan yields.
func (p *Plan) Schema() *types.Struct { return p.schema }

// Where is the bound condition; nil is all rows.
func (p *Plan) Where() expr.Expr { return p.where }

// refs are the ordinals that the columns of the result, or what remains of the
// condition too, need.
func (p *Plan) refs(condition, result bool) []int {
	var out []int
	if condition && p.rest != nil {
		out = expr.Refs(p.rest)
	}
	if result {
		for _, o := range p.out {
			out = append(out, expr.Refs(o.value)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// File is a live file with what pruning says about it.
type File struct {
	Add     *action.Add
	Verdict prune.Verdict
}

// Judge yields every live file with its verdict.
func (p *Plan) Judge(yield func(File) bool) {
	files := p.snap.Files()
	for i := range files.All() {
		v := p.pruner.Keep(files.Ref(i))
		add := files.Add(i)
		if v.Keep {
			v = p.admit(add)
		}
		if !yield(File{add, v}) {
			return
		}
	}
}

// admit judges a file by what _metadata says of it.
func (p *Plan) admit(a *action.Add) prune.Verdict {
	for _, c := range p.byFile {
		if !p.t.hidden.admits(c, a) {
			return prune.Verdict{By: prune.Metadata, Reason: c.String()}
		}
	}
	return prune.Verdict{Keep: true}
}

// Kept yields the files that may hold rows of the result, one by one, without
// their statistics.
func (p *Plan) Kept() iter.Seq[*action.Add] {
	return func(yield func(*action.Add) bool) {
		for s := range p.kept() {
			if !yield(s.Add) {
				return
			}
		}
	}
}

func (p *Plan) kept() iter.Seq[scan.Share] {
	if p.snap == nil {
		return slices.Values(p.shares)
	}
	return func(yield func(scan.Share) bool) {
		files := p.snap.Files()
		for i := range files.Select(p.pruner) {
			add := files.Bare(i)
			if p.admit(add).Keep && !yield(scan.Share{Add: add}) {
				return
			}
		}
	}
}
