package merge

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
)

// matcher finds which rows of a target batch match which rows of the source.
// It is built once for a source and read by all workers.
type matcher struct {
	p       *Plan
	src     *Table
	index   *index  // nil without keys
	sources []int32 // source rows that satisfy the conjuncts over the source alone
	// broken is why the source's keys have no values (a cast that fails). It is an
	// error only when a row of the target has to be compared.
	broken error
}

// crossChunk bounds the pairs held at once when ON has no equality.
const crossChunk = 1 << 16

func newMatcher(p *Plan, src *Table) (*matcher, error) {
	m := &matcher{p: p, src: src}
	if !p.probes() {
		return m, nil
	}
	in := p.sourceInput(src.Columns, src.Rows)
	var err error
	if len(p.sourceConds) > 0 {
		if m.sources, err = eval.Filter(expr.And(p.sourceConds...), in); err != nil {
			return nil, err
		}
	} else {
		m.sources = sequence(src.Rows)
	}
	if len(p.keys) == 0 {
		return m, nil
	}
	cols := make([]arrow.Array, len(p.keys))
	safe := make([]bool, len(p.keys))
	for i, k := range p.keys {
		if cols[i], err = eval.Eval(k.source, in); err != nil {
			m.broken = err
			return m, nil
		}
		safe[i] = k.nullSafe
	}
	m.index, err = newIndex(cols, safe, m.sources, src.Rows)
	return m, err
}

func sequence(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// sourceInput lays source columns out for evaluation, behind the target's ordinals.
func (p *Plan) sourceInput(cols []arrow.Array, rows int) eval.Input {
	all := make([]arrow.Array, p.nt+len(p.source.Fields))
	copy(all[p.nt:], cols)
	return eval.Input{Columns: all, Rows: rows}
}

// targetInput lays target columns out for evaluation.
func (p *Plan) targetInput(cols []arrow.Array, rows int) eval.Input {
	all := make([]arrow.Array, p.nt+len(p.source.Fields))
	copy(all, cols)
	return eval.Input{Columns: all, Rows: rows}
}

// joined gathers the columns that the expressions need for pairs of rows.
func (m *matcher) joined(target []arrow.Array, ti, si []int32, es ...expr.Expr) eval.Input {
	in := eval.Input{Columns: make([]arrow.Array, m.p.nt+len(m.p.source.Fields)), Rows: len(ti)}
	for _, e := range es {
		if e == nil {
			continue
		}
		for _, ref := range expr.Refs(e) {
			switch {
			case in.Columns[ref] != nil:
			case ref < m.p.nt:
				in.Columns[ref] = columns.Take(target[ref], ti)
			default:
				in.Columns[ref] = columns.Take(m.src.Columns[ref-m.p.nt], si)
			}
		}
	}
	return in
}

// pairs lists the matches of a batch's rows, ascending by target row.
func (m *matcher) pairs(cols []arrow.Array, rows int) (ti, si []int32, err error) {
	if len(m.sources) == 0 || !m.p.probes() {
		return nil, nil, nil
	}
	in := m.p.targetInput(cols, rows)
	var eligible []int32 // nil: all
	if len(m.p.targetConds) > 0 {
		if eligible, err = eval.Filter(expr.And(m.p.targetConds...), in); err != nil || len(eligible) == 0 {
			return nil, nil, err
		}
	}
	if m.broken != nil && rows > 0 {
		return nil, nil, inClause("ON", m.broken)
	}
	if m.index == nil {
		return m.cross(cols, eligible, rows)
	}
	keys := make([]arrow.Array, len(m.p.keys))
	for i, k := range m.p.keys {
		if keys[i], err = eval.Eval(k.target, in); err != nil {
			return nil, nil, err
		}
	}
	if ti, si, err = m.index.probe(keys, eligible, rows, nil, nil); err != nil {
		return nil, nil, err
	}
	return m.residual(cols, ti, si)
}

// residual keeps the pairs that satisfy what is left of ON.
func (m *matcher) residual(cols []arrow.Array, ti, si []int32) ([]int32, []int32, error) {
	if m.p.residual == nil || len(ti) == 0 {
		return ti, si, nil
	}
	sel, err := eval.Filter(m.p.residual, m.joined(cols, ti, si, m.p.residual))
	if err != nil {
		return nil, nil, err
	}
	return pick(ti, sel), pick(si, sel), nil
}

// cross compares every eligible row with every source row.
func (m *matcher) cross(cols []arrow.Array, eligible []int32, rows int) (ti, si []int32, err error) {
	if eligible == nil {
		eligible = sequence(rows)
	}
	var a, b []int32
	flush := func() error {
		x, y, err := m.residual(cols, a, b)
		if err != nil {
			return err
		}
		ti, si = append(ti, x...), append(si, y...)
		a, b = a[:0], b[:0]
		return nil
	}
	for _, row := range eligible {
		for _, s := range m.sources {
			a, b = append(a, row), append(b, s)
			if len(a) == crossChunk {
				if err := flush(); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return ti, si, flush()
}

func pick(a, sel []int32) []int32 {
	out := make([]int32, len(sel))
	for i, s := range sel {
		out[i] = a[s]
	}
	return out
}
