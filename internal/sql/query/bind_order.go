package query

import (
	"errors"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// ordered binds the body of a query and its ORDER BY.
func (b *binder) ordered(q *Query) (rel, error) {
	if s, ok := q.Body.(*Select); ok {
		return b.selection(s, q.Order)
	}
	r, err := b.body(q.Body)
	if err != nil || len(q.Order) == 0 {
		return r, err
	}
	var keys []sortKey
	for _, o := range q.Order {
		e, err := b.orderKey(o.Expr, r)
		if err != nil {
			return rel{}, err
		}
		keys = append(keys, sortKey{expr: e, desc: o.Desc, nullsFirst: o.NullsFirst})
	}
	r.node = &sorter{in: r.node, keys: keys}
	return r, checkOrder(keys)
}

// orderKey binds a sort key over the columns of the result alone.
func (b *binder) orderKey(e expr.Expr, r rel) (expr.Expr, error) {
	if i, ok, err := ordinal(e, len(r.node.fields()), "ORDER"); ok || err != nil {
		return columnAt(r.node, i), err
	}
	return b.bind(e, r)
}

func columnAt(n node, i int) expr.Expr {
	if i < 0 {
		return nil
	}
	return column(n, i)
}

// ordinal reads 2 in ORDER BY 2 as the position 1.
func ordinal(e expr.Expr, n int, clause string) (int, bool, error) {
	lit, ok := e.(*expr.Literal)
	if !ok || lit.T != types.Integer {
		return -1, false, nil
	}
	v, ok := lit.Value.(int64)
	if !ok {
		return -1, false, nil
	}
	if v < 1 || v > int64(n) {
		return -1, false, failf(clause+"_BY_POS_OUT_OF_RANGE", "%s BY position %d is not in the SELECT list, which has %d columns", clause, v, n)
	}
	return int(v) - 1, true, nil
}

// rowCount computes the number of LIMIT or OFFSET.
func (b *binder) rowCount(what string, e expr.Expr) (int64, error) {
	bound, err := b.bind(e, rel{})
	if unresolved(err) {
		return 0, failf("INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "%s needs a constant: %s", what, e)
	}
	if err != nil {
		return 0, err
	}
	switch bound.Type() {
	case types.Byte, types.Short, types.Integer:
	default:
		return 0, failf("INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "%s needs an integer, not %s: %s", what, types.SQL(bound.Type()), e)
	}
	lit, err := eval.Literal(bound)
	if err != nil {
		return 0, err
	}
	n, ok := lit.Value.(int64)
	switch {
	case !ok:
		return 0, failf("INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL", "%s cannot be NULL: %s", what, e)
	case n < 0:
		return 0, failf("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "%s cannot be negative: %s", what, e)
	}
	return n, nil
}

// orders binds ORDER BY over the SELECT list and, for names it lacks, over FROM.
func (s *selecting) orders(list []Order, distinct bool) error {
	for _, o := range list {
		e, err := s.orderKey(o.Expr)
		if err != nil {
			return err
		}
		if distinct && len(s.hidden) > 0 {
			f := failf("UNRESOLVED_COLUMN.WITH_SUGGESTION", "ORDER BY of SELECT DISTINCT needs columns of the SELECT list: %s", o.Expr)
			for _, it := range s.items {
				f.Candidates = append(f.Candidates, it.name)
			}
			return f
		}
		s.order = append(s.order, sortKey{expr: e, desc: o.Desc, nullsFirst: o.NullsFirst})
	}
	return checkOrder(s.order)
}

func (s *selecting) orderKey(e expr.Expr) (expr.Expr, error) {
	if i, ok, err := ordinal(e, len(s.items), "ORDER"); ok || err != nil {
		return s.output(i), err
	}
	e, err := s.outputs(e, func(i int) expr.Expr {
		return &expr.Column{Parts: []string{s.items[i].name}, Ref: outBase + i, T: s.exprs[i].Type(), Null: s.exprs[i].Nullable()}
	})
	if err != nil {
		return nil, err
	}
	bound, err := s.bindItem(e)
	var missing *expr.BindError
	if c, ok := e.(*expr.Column); ok && unresolved(err) && errors.As(err, &missing) {
		names := missing.Candidates
		for _, it := range s.items {
			names = append(names, it.name)
		}
		missing.Candidates = expr.Nearest(c.Parts[len(c.Parts)-1], names)
	}
	if err != nil {
		return nil, err
	}
	mixed := false
	for _, i := range expr.Refs(bound) {
		mixed = mixed || i >= outBase && i < aggBase
	}
	if !mixed {
		return s.aside(bound), nil
	}
	return replace(bound, func(e expr.Expr) expr.Expr {
		c, ok := e.(*expr.Column)
		switch {
		case !ok || c.Ref < 0 || c.Ref >= slotBase:
			return nil
		case c.Ref >= outBase:
			return s.output(c.Ref - outBase)
		}
		return s.aside(e)
	}), nil
}

// output refers to a column of the SELECT list.
func (s *selecting) output(i int) expr.Expr {
	if i < 0 {
		return nil
	}
	return &expr.Column{Parts: []string{s.items[i].name}, Ref: i, T: s.exprs[i].Type(), Null: s.exprs[i].Nullable()}
}

// aside refers to an expression that is in the SELECT list or is added behind it.
func (s *selecting) aside(e expr.Expr) expr.Expr {
	print := fingerprint(e)
	for i, p := range s.prints {
		if p == print && expr.Deterministic(e) {
			return s.output(i)
		}
	}
	s.hidden = append(s.hidden, e)
	return &expr.Column{Parts: []string{"sort key"}, Ref: len(s.items) + len(s.hidden) - 1, T: e.Type(), Null: e.Nullable()}
}
