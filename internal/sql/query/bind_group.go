package query

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// aggBase are ordinals that stand for aggregates while an expression is bound.
const aggBase = 1 << 30

// grouped decides whether rows are grouped and binds the keys.
func (s *selecting) grouped(sel *Select, order []Order) error {
	grouped := len(sel.Group) > 0 || sel.Sets != nil || sel.GroupAll || sel.Having != nil
	for _, it := range s.items {
		grouped = grouped || hasAggregate(it.expr)
	}
	for _, o := range order {
		grouped = grouped || hasAggregate(o.Expr)
	}
	if !grouped {
		return nil
	}
	s.group = &grouping{in: s.in.node}
	if sel.GroupAll {
		for _, it := range s.items {
			if hasAggregate(it.expr) {
				continue
			}
			if err := s.key(it.expr); err != nil {
				return err
			}
		}
		return nil
	}
	if sel.Sets != nil {
		return s.groupedBy(sel.Sets)
	}
	for _, g := range sel.Group {
		e, err := s.groupExpr(g)
		if err != nil {
			return err
		}
		if hasAggregate(e) {
			return failf("GROUP_BY_AGGREGATE", "GROUP BY cannot contain an aggregate: %s", g)
		}
		if hasWindow(e) {
			return failf("UNSUPPORTED_EXPR_FOR_OPERATOR", "GROUP BY cannot contain a window function: %s", g)
		}
		if err := s.key(e); err != nil {
			return err
		}
	}
	return nil
}

// groupExpr is what GROUP BY 2 or GROUP BY alias means.
func (s *selecting) groupExpr(g expr.Expr) (expr.Expr, error) {
	i, ok, err := ordinal(g, len(s.items), "GROUP")
	if err != nil {
		return nil, err
	}
	if ok {
		if hasAggregate(s.items[i].expr) {
			return nil, failf("GROUP_BY_POS_AGGREGATE", "GROUP BY position %d is an aggregate: %s", i+1, s.items[i].expr)
		}
		return s.items[i].expr, nil
	}
	return replace(g, func(e expr.Expr) expr.Expr {
		c, ok := e.(*expr.Column)
		if !ok || c.Ref >= 0 {
			return nil
		}
		if _, err := expr.Bind(c, s.scope(s.in)); !unresolved(err) {
			return nil
		}
		for _, it := range s.items {
			if it.alias && strings.EqualFold(it.name, c.Parts[0]) {
				return members(it.expr, c.Parts[1:])
			}
		}
		return nil
	}), nil
}

// key adds an expression to the keys.
func (s *selecting) key(e expr.Expr) error {
	bound, err := s.bind(e, s.in)
	if err != nil {
		return err
	}
	if !keyable(bound.Type()) {
		return failf("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "GROUP BY cannot compare %s of type %s", bound, types.SQL(bound.Type()))
	}
	print := fingerprint(bound)
	if _, ok := s.keys[print]; !ok {
		s.keys[print] = len(s.group.keys)
		s.group.keys = append(s.group.keys, bound)
	}
	return nil
}

// bindItem binds an expression over the rows that the SELECT list is computed
// from: those of FROM, or the groups with their aggregates.
func (s *selecting) bindItem(e expr.Expr) (expr.Expr, error) {
	e, failed := s.windows(e)
	if failed != nil {
		return nil, failed
	}
	if s.group == nil {
		return s.bind(e, s.in)
	}
	e = replace(e, func(e expr.Expr) expr.Expr {
		x, ok := aggregateOf(e)
		if !ok {
			return nil
		}
		if failed != nil {
			return e
		}
		i, err := s.call(x)
		if err != nil {
			failed = err
			return e
		}
		a := s.group.aggregates[i]
		return &expr.Column{Parts: []string{x.String()}, Ref: aggBase + i, T: a.t, Null: a.null}
	})
	if failed != nil {
		return nil, failed
	}
	bound, err := s.bind(e, s.in)
	if err != nil {
		return nil, err
	}
	out := replace(bound, func(e expr.Expr) expr.Expr {
		if _, ok := e.(*expr.Lambda); !ok {
			if i, ok := s.keys[fingerprint(e)]; ok {
				k := s.group.keys[i]
				return &expr.Column{Parts: []string{k.String()}, Ref: i, T: k.Type(), Null: k.Nullable()}
			}
		}
		c, ok := e.(*expr.Column)
		switch {
		case ok && c.Ref == gidRef:
			d := *c
			d.Ref = s.gid
			return &d
		case !ok || c.Ref >= slotBase || c.Ref >= winBase && c.Ref < aggBase:
			return nil
		case c.Ref >= aggBase:
			d := *c
			d.Ref = len(s.group.keys) + c.Ref - aggBase
			return &d
		case failed == nil && len(s.group.keys) == 0:
			failed = failf("MISSING_GROUP_BY", "%s is not aggregated and there is no GROUP BY", c)
		case failed == nil:
			failed = failf("MISSING_AGGREGATION", "%s is neither aggregated nor in GROUP BY: add it to GROUP BY or use any_value(%s)", c, c)
		}
		return nil
	})
	return out, failed
}

// call gives the number of an aggregate; equal calls are one.
func (s *selecting) call(x *expr.Aggregate) (int, error) {
	a, err := s.aggregate(x, s.in)
	if err != nil {
		return 0, err
	}
	print := fmt.Sprint(a.fn, a.distinct, x.IgnoreNulls)
	for _, e := range a.args {
		print += ", " + fingerprint(e)
	}
	if len(x.Args) == 2 && len(a.args) == 1 {
		print += " and " + x.Args[1].String()
	}
	if a.filter != nil {
		print += " where " + fingerprint(a.filter)
	}
	if i, ok := s.calls[print]; ok && deterministic(a) {
		return i, nil
	}
	s.calls[print] = len(s.group.aggregates)
	s.group.aggregates = append(s.group.aggregates, a)
	return s.calls[print], nil
}

func deterministic(a *aggregate) bool {
	for _, e := range a.args {
		if !expr.Deterministic(e) {
			return false
		}
	}
	return true
}
