package changes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// bind resolves columns and condition.
func (p *Plan) bind(spec Spec) error {
	p.all = types.NewStruct(append(slices.Clip(p.read.Logical.Fields), feedColumns...)...)
	n := len(p.read.Logical.Fields)
	if spec.Columns == nil {
		for i := range p.all.Fields {
			p.out = append(p.out, i)
		}
	}
	for _, text := range spec.Columns {
		if strings.TrimSpace(text) == "*" {
			for i := range p.all.Fields {
				p.out = append(p.out, i)
			}
			continue
		}
		i, err := p.column(text, spec.Options)
		if err != nil {
			return err
		}
		p.out = append(p.out, i)
	}
	p.schema = &types.Struct{}
	need := map[int]bool{}
	for _, i := range p.out {
		p.schema.Fields = append(p.schema.Fields, p.all.Fields[i])
		need[i] = true
	}
	if spec.Where != nil {
		e, err := expr.Bind(spec.Where, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: p.all}}, Options: spec.Options})
		if err != nil {
			return fmt.Errorf("WHERE: %w", err)
		}
		if k := e.Type().Kind(); k != types.KindBoolean && k != types.KindVoid {
			return &expr.BindError{Class: "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", SQLState: "42K09", Msg: fmt.Sprintf("WHERE: %s is %s, a condition must be boolean", spec.Where, e.Type())}
		}
		p.where = expr.Fold(e, eval.Literal)
		for _, i := range expr.Refs(p.where) {
			need[i] = true
		}
		p.split()
	}
	p.load = []int{}
	for i := range n {
		if need[i] {
			p.load = append(p.load, i)
		}
	}
	return nil
}

// column finds a column by its name, which may stand in backquotes.
func (p *Plan) column(text string, o expr.Options) (int, error) {
	e, err := expr.Parse(text)
	if err == nil {
		e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: p.all}}, Options: o})
	}
	if err != nil {
		return 0, err
	}
	c, ok := e.(*expr.Column)
	if !ok {
		return 0, &expr.BindError{Class: "UNRESOLVED_COLUMN.WITH_SUGGESTION", SQLState: "42703",
			Msg: fmt.Sprintf("%s is no column; the columns are %s", text, strings.Join(p.all.Names(), ", "))}
	}
	return c.Ref, nil
}

// split sorts the conjuncts of the condition by what they look at. Where one
// that is computed for other rows than before could fail, nothing is split off.
func (p *Plan) split() {
	n := len(p.read.Logical.Fields)
	var table, feed, version []expr.Expr
	for _, c := range expr.Conjuncts(p.where) {
		switch refs := expr.Refs(c); {
		case len(refs) == 0:
		case refs[len(refs)-1] < n:
			table = append(table, c)
		case refs[0] > n:
			version = append(version, c)
			feed = append(feed, c)
		case refs[0] == n:
			feed = append(feed, c)
		}
	}
	p.ofTable, p.ofFeed, p.ofVersion = expr.And(table...), expr.And(feed...), expr.And(version...)
	if p.ofTable != nil && !eval.CanFail(p.where) {
		p.filter = p.ofTable
	}
}

// wants reports whether a condition over the columns of the feed can hold for the
// rows of one version and kind. What cannot be computed may hold.
func (p *Plan) wants(cond expr.Expr, kind string, version, stamp int64) bool {
	if cond == nil {
		return true
	}
	cols := make([]arrow.Array, len(p.all.Fields))
	for k, v := range []any{kind, version, stamp} {
		cols[len(p.read.Logical.Fields)+k] = columns.Constant(v, feedColumns[k].Type, 1)
	}
	sel, err := eval.Filter(cond, eval.Input{Columns: cols, Rows: 1})
	return err != nil || len(sel) > 0
}
