package query

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// where keeps the rows for which a condition is TRUE. EXISTS and IN that are
// conditions by themselves become joins.
func (b *binder) where(cond expr.Expr, r rel) (rel, error) {
	if hasAggregate(cond) {
		return rel{}, failf("INVALID_WHERE_CONDITION", "WHERE cannot contain an aggregate: %s; use HAVING", cond)
	}
	if hasGenerator(cond) {
		return rel{}, failf("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "WHERE cannot contain a generator: %s", cond)
	}
	if err := noWindow("WHERE", cond); err != nil {
		return rel{}, err
	}
	var rest, joins []expr.Expr
	for _, c := range expr.Conjuncts(cond) {
		if s, _ := subqueryCondition(c); s != nil {
			joins = append(joins, c)
		} else {
			rest = append(rest, c)
		}
	}
	conds, err := b.conjuncts("WHERE", rest, r)
	if err != nil {
		return rel{}, err
	}
	r.node = filtered(r.node, conds)
	for _, c := range joins {
		n, err := b.semi(c, r)
		if err != nil {
			return rel{}, err
		}
		r.node = n
	}
	return r, nil
}

// subqueryCondition recognises [NOT] EXISTS (query) and value [NOT] IN (query).
func subqueryCondition(e expr.Expr) (*expr.Subquery, bool) {
	negated := false
	for {
		c, ok := e.(*expr.Call)
		if !ok || c.Fn != "not" {
			break
		}
		e, negated = c.Args[0], !negated
	}
	switch x := e.(type) {
	case *expr.Subquery:
		if x.Exists {
			return x, negated
		}
	case *expr.Call:
		if x.Fn == "in" && len(x.Args) == 2 {
			s, _ := x.Args[1].(*expr.Subquery)
			return s, negated
		}
	}
	return nil, false
}

// semi binds EXISTS or IN as a join with the query.
func (b *binder) semi(cond expr.Expr, r rel) (node, error) {
	s, negated := subqueryCondition(cond)
	call := cond
	for {
		if c, ok := call.(*expr.Call); ok && c.Fn == "not" {
			call = c.Args[0]
			continue
		}
		break
	}
	in, on, err := b.correlatedQuery(s, r)
	if err != nil {
		return nil, err
	}
	j := &join{kind: Semi, left: r.node, right: in.node}
	if negated {
		j.kind = Anti
	}
	width := len(r.node.fields())
	if s.Exists {
		j.on = on
		return j, nil
	}
	n, err := b.comparable(call.(*expr.Call), r, visible(in))
	if err != nil {
		return nil, err
	}
	// The columns of the select list come first; those that the conditions read follow.
	j.right = in.node
	var eqs []expr.Expr
	for i, v := range n.value {
		c := b.options.Convert(column(in.node, in.star[i]), v.Type())
		eqs = append(eqs, &expr.Call{Fn: "=", Args: []expr.Expr{v, shift(c, width)}, T: types.Boolean, Null: true})
	}
	if !negated {
		j.on = append(eqs, on...)
		return j, nil
	}
	if len(eqs) == 1 && len(on) == 0 && side(n.value[0], width) == leftSide {
		j.nullAware, j.on = true, eqs
		return j, nil
	}
	all := expr.And(eqs...)
	j.on = append(on, expr.Or(all, &expr.Call{Fn: "isnull", Args: []expr.Expr{all}, T: types.Boolean}))
	return j, nil
}

// correlatedQuery binds the query of EXISTS or IN and the conditions of its WHERE
// that name columns of the query around it, over the columns of both. The star of
// the result is its select list.
func (b *binder) correlatedQuery(s *expr.Subquery, outer rel) (rel, []expr.Expr, error) {
	q, ok := s.Query.(*Query)
	if !ok {
		var err error
		if q, err = ParseText(s.Text); err != nil {
			return rel{}, nil, err
		}
	}
	in, err := b.query(q)
	if err == nil || !unresolved(err) {
		return in, nil, err
	}
	sel, ok := q.Body.(*Select)
	if !ok || sel.Where == nil || !plainSelect(q, sel) {
		in, err := b.inner(s, outer)
		return in, nil, err
	}
	old := b.ctes
	defer func() { b.ctes = old }()
	for _, c := range q.With {
		if err := b.cte(c); err != nil {
			return rel{}, nil, err
		}
	}
	in, on, found := rel{}, []expr.Expr(nil), false
	if in, err = b.from(sel.From); err != nil {
		return rel{}, nil, err
	}
	var local []expr.Expr
	for _, c := range expr.Conjuncts(sel.Where) {
		_, lerr := b.bind(c, in)
		switch {
		case unresolved(lerr):
			e, err := b.correlation(c, outer, in)
			if err != nil {
				return rel{}, nil, err
			}
			on, found = append(on, e), true
		default:
			local = append(local, c)
		}
	}
	if !found {
		in, err := b.inner(s, outer)
		return in, nil, err
	}
	if len(local) > 0 {
		if in, err = b.where(expr.And(local...), in); err != nil {
			return rel{}, nil, err
		}
	}
	if s.Exists {
		in.star = nil
		return in, on, nil
	}
	return b.withItems(sel, in, on)
}

// withItems adds the select list behind the columns of a relation.
func (b *binder) withItems(sel *Select, in rel, on []expr.Expr) (rel, []expr.Expr, error) {
	items, err := b.items(sel.Items, in)
	if err != nil {
		return rel{}, nil, err
	}
	var exprs []expr.Expr
	var names []string
	for i, f := range in.node.fields() {
		exprs, names = append(exprs, column(in.node, i)), append(names, f.Name)
	}
	in.star = nil
	for _, it := range items {
		bound, err := b.bind(it.expr, in)
		if err != nil {
			return rel{}, nil, err
		}
		in.star = append(in.star, len(exprs))
		exprs, names = append(exprs, bound), append(names, it.name)
	}
	in.node = newProject(in.node, exprs, names)
	return in, on, nil
}

// plainSelect is a SELECT whose rows are rows of FROM.
func plainSelect(q *Query, s *Select) bool {
	if len(s.Views) > 0 || len(s.Group) > 0 || s.Sets != nil || s.GroupAll || s.Having != nil || q.Limit != nil || q.Offset != nil {
		return false
	}
	for _, it := range s.Items {
		if hasAggregate(it.Expr) || hasWindow(it.Expr) || hasGenerator(it.Expr) {
			return false
		}
	}
	return true
}

// correlation binds a condition over the columns of the outer relation and, behind
// them, those of the inner, which hide outer ones of the same name.
func (b *binder) correlation(c expr.Expr, outer, in rel) (expr.Expr, error) {
	width := len(outer.node.fields())
	var failed error
	mixed := replace(c, func(e expr.Expr) expr.Expr {
		col, ok := e.(*expr.Column)
		if !ok || col.Ref >= 0 {
			return nil
		}
		bound, err := expr.Bind(col, b.scope(in))
		if err == nil {
			return shift(bound, width)
		}
		if unresolved(err) {
			if bound, oerr := expr.Bind(col, b.scope(outer)); oerr == nil {
				return bound
			}
		}
		if failed == nil {
			failed = err
		}
		return e
	})
	if failed != nil {
		return nil, failed
	}
	bound, err := expr.Bind(mixed, expr.Scope{Options: b.options})
	if err != nil {
		return nil, err
	}
	return b.boolean("WHERE", bound)
}
