package query

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// beside puts the names of two relations together over a node that joins them.
func beside(l, r rel, n *join) rel {
	out := rel{node: n, star: slices.Clone(l.star)}
	width := len(l.node.fields())
	fields := n.fields()
	add := func(tables []expr.Table, shift int) {
		for _, t := range tables {
			t.Base += shift
			t.Schema = types.NewStruct(fields[t.Base : t.Base+len(t.Schema.Fields)]...) // outer joins make columns nullable
			out.tables = append(out.tables, t)
		}
	}
	add(l.tables, 0)
	if n.kind == Semi || n.kind == Anti {
		return out
	}
	add(r.tables, width)
	for _, i := range r.star {
		out.star = append(out.star, i+width)
	}
	return out
}

// join binds a join and its condition.
func (b *binder) join(j *Join) (rel, error) {
	l, err := b.source(j.Left)
	if err != nil {
		return rel{}, err
	}
	if f, ok := j.Right.(*FunctionRef); ok && f.Lateral {
		lit, constant := j.On.(*expr.Literal)
		if always := j.On == nil || constant && lit.Value == true; !always || j.Kind != Inner && j.Kind != Cross && j.Kind != Left || len(j.Using) > 0 || j.Natural {
			return rel{}, failf("UNSUPPORTED_FEATURE.LATERAL_JOIN_TYPE", "LATERAL %s is joined by INNER, CROSS or LEFT JOIN, without a condition", f.Name)
		}
		return b.besideGenerated(l, f, j.Kind == Left)
	}
	r, err := b.source(j.Right)
	if err != nil {
		return rel{}, err
	}
	if j.Natural {
		j = natural(j, l, r)
	}
	n := &join{kind: j.Kind, left: l.node, right: r.node}
	if len(j.Using) > 0 {
		return b.using(j, l, r, n)
	}
	out := beside(l, r, n)
	if j.On != nil {
		// the condition sees both sides, whatever the join gives
		both := beside(l, r, &join{kind: Inner, left: l.node, right: r.node})
		if hasAggregate(j.On) {
			return rel{}, failf("INVALID_WHERE_CONDITION", "the condition of a JOIN cannot contain an aggregate: %s", j.On)
		}
		conds, err := b.conjuncts("JOIN ... ON", expr.Conjuncts(j.On), both)
		if err != nil {
			return rel{}, err
		}
		n.restrict(conds)
	}
	return out, nil
}

// restrict adds conditions of ON to a join; those of one side that only decide
// which rows can match move below it.
func (n *join) restrict(conds []expr.Expr) {
	if n.kind == Cross {
		n.kind = Inner
	}
	width := len(n.left.fields())
	down, _ := movable(conds)
	var left, right []expr.Expr
	for _, c := range conds {
		s := side(c, width)
		switch free := slices.Contains(down, c); {
		case free && s == rightSide && n.kind != Right && n.kind != Full:
			right = append(right, shift(c, -width))
		case free && s == leftSide && (n.kind == Inner || n.kind == Right || n.kind == Semi):
			left = append(left, c)
		default:
			n.on = append(n.on, c)
		}
	}
	n.left, n.right = filtered(n.left, left), filtered(n.right, right)
}

// natural joins using the columns that both sides have.
func natural(j *Join, l, r rel) *Join {
	out := *j
	for _, i := range l.star {
		name := l.node.fields()[i].Name
		for _, k := range r.star {
			if strings.EqualFold(name, r.node.fields()[k].Name) {
				out.Using = append(out.Using, name)
				break
			}
		}
	}
	return &out
}

// using binds JOIN ... USING: each key is one column of *, and its bare name means
// the side that has the row; on a full join, the value of either.
func (b *binder) using(j *Join, l, r rel, n *join) (rel, error) {
	width := len(l.node.fields())
	var conds []expr.Expr
	var leftKeys, rightKeys []int
	for _, name := range j.Using {
		x, err := b.usingColumn(name, "left", l)
		if err != nil {
			return rel{}, err
		}
		y, err := b.usingColumn(name, "right", r)
		if err != nil {
			return rel{}, err
		}
		c, err := expr.Bind(&expr.Call{Fn: "=", Args: []expr.Expr{x, shift(y, width)}}, expr.Scope{Options: b.options})
		if err != nil {
			return rel{}, err
		}
		conds = append(conds, c)
		leftKeys, rightKeys = append(leftKeys, x.Ref), append(rightKeys, y.Ref+width)
	}
	n.on = conds
	out := beside(l, r, n)
	if j.Kind == Semi || j.Kind == Anti {
		return out, nil
	}
	keys := leftKeys
	switch j.Kind {
	case Right:
		keys = rightKeys
		hide(out.tables, leftKeys)
	case Full:
		var err error
		if out, keys, err = b.merged(out, j.Using, leftKeys, rightKeys); err != nil {
			return rel{}, err
		}
	default:
		hide(out.tables, rightKeys)
	}
	star := slices.Clone(keys)
	for _, i := range out.star {
		if !slices.Contains(leftKeys, i) && !slices.Contains(rightKeys, i) {
			star = append(star, i)
		}
	}
	out.star = star
	return out, nil
}

func (b *binder) usingColumn(name, side string, r rel) (*expr.Column, error) {
	e, err := expr.Bind(expr.NewColumn(name), b.scope(r))
	if c, ok := e.(*expr.Column); ok && err == nil {
		return c, nil
	}
	if err != nil && !unresolved(err) {
		return nil, err
	}
	f := failf("UNRESOLVED_USING_COLUMN_FOR_JOIN", "USING names %s, which is no column on the %s side of the join", expr.NewColumn(name), side)
	for _, i := range r.star {
		f.Candidates = append(f.Candidates, r.node.fields()[i].Name)
	}
	return nil, f
}

// hide leaves columns to qualified names.
func hide(tables []expr.Table, cols []int) {
	for i, t := range tables {
		hidden := make([]bool, len(t.Schema.Fields))
		copy(hidden, t.Hidden)
		for _, c := range cols {
			if c >= t.Base && c < t.Base+len(hidden) {
				hidden[c-t.Base] = true
			}
		}
		tables[i].Hidden = hidden
	}
}

// merged adds the keys of a full join as columns of their own.
func (b *binder) merged(r rel, names []string, left, right []int) (rel, []int, error) {
	fields := r.node.fields()
	var exprs []expr.Expr
	var all []string
	for i, f := range fields {
		exprs, all = append(exprs, column(r.node, i)), append(all, f.Name)
	}
	hide(r.tables, left)
	hide(r.tables, right)
	var keys []int
	for i, name := range names {
		e, err := expr.Bind(&expr.Call{Fn: "coalesce", Args: []expr.Expr{column(r.node, left[i]), column(r.node, right[i])}}, expr.Scope{Options: b.options})
		if err != nil {
			return rel{}, nil, err
		}
		keys = append(keys, len(exprs))
		exprs, all = append(exprs, e), append(all, name)
	}
	p := newProject(r.node, exprs, all)
	r.node = p
	r.tables = append(r.tables, expr.Table{Schema: types.NewStruct(p.schema[len(fields):]...), Base: len(fields)})
	return r, keys, nil
}
