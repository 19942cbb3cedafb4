package query

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// outBase are ordinals that stand for columns of the SELECT list while ORDER BY is bound.
const outBase = 1 << 29

// selecting is the state of binding one SELECT.
type selecting struct {
	*binder
	in     rel
	items  []item
	group  *grouping      // nil when rows are not grouped
	keys   map[string]int // by fingerprint: the group key
	calls  map[string]int // by fingerprint: the aggregate
	order  []sortKey
	hidden []expr.Expr // sort keys that are not in the SELECT list
	win    windowed
	gid    int // which group key is the number of the grouping set; -1 without sets
	exprs  []expr.Expr
	prints []string // fingerprints of exprs
}

// selection binds a SELECT with the ORDER BY that belongs to it.
func (b *binder) selection(sel *Select, order []Order) (rel, error) {
	in, err := b.from(sel.From)
	for _, v := range sel.Views {
		if err == nil {
			in, err = b.besideGenerated(in, &FunctionRef{Name: v.Call.Fn, Args: v.Call.Args, As: v.As}, v.Outer)
		}
	}
	if err != nil {
		return rel{}, err
	}
	if sel.Where != nil {
		if in, err = b.where(sel.Where, in); err != nil {
			return rel{}, err
		}
	}
	items, in, err := b.generates(sel, in)
	if err != nil {
		return rel{}, err
	}
	s := &selecting{binder: b, in: in, keys: map[string]int{}, calls: map[string]int{}, gid: -1, win: windowed{named: map[string]expr.Over{}, calls: map[string]int{}}}
	for _, w := range sel.Windows {
		s.win.named[strings.ToLower(w.Name)] = w.Over
	}
	list, err := s.overs(items)
	if err != nil {
		return rel{}, err
	}
	if s.items, err = b.items(list, in); err != nil {
		return rel{}, err
	}
	if err := s.grouped(sel, order); err != nil {
		return rel{}, err
	}
	for _, it := range s.items {
		e, err := s.bindItem(it.expr)
		if err != nil {
			return rel{}, err
		}
		s.exprs, s.prints = append(s.exprs, e), append(s.prints, fingerprint(e))
	}
	var having expr.Expr
	if sel.Having != nil {
		if having, err = s.having(sel.Having); err != nil {
			return rel{}, err
		}
	}
	if err := s.orders(order, sel.Distinct); err != nil {
		return rel{}, err
	}
	return s.build(sel, having)
}

// reshaped binds the relations that are made of another one.
func (b *binder) reshaped(s Source) (rel, bool, error) {
	switch x := s.(type) {
	case *boundSource:
		return x.rel, true, nil
	case *Pivot:
		r, err := b.pivoted(x)
		return r, true, err
	case *Unpivot:
		r, err := b.unpivoted(x)
		return r, true, err
	}
	return rel{}, false, nil
}

// having binds HAVING; outside of aggregates a name means the column of the SELECT
// list before one of FROM.
func (s *selecting) having(e expr.Expr) (expr.Expr, error) {
	if err := noWindow("HAVING", e); err != nil {
		return nil, err
	}
	e, err := s.outputs(e, func(i int) expr.Expr { return s.items[i].expr })
	if err != nil {
		return nil, err
	}
	bound, err := s.bindItem(e)
	if err != nil {
		return nil, err
	}
	return s.boolean("HAVING", bound)
}

// outputs replaces names of columns of the SELECT list outside of aggregates.
func (s *selecting) outputs(e expr.Expr, by func(i int) expr.Expr) (expr.Expr, error) {
	var failed error
	out := replace(e, func(e expr.Expr) expr.Expr {
		if _, ok := aggregateOf(e); ok {
			return e
		}
		c, ok := e.(*expr.Column)
		if !ok {
			if _, lambda := e.(*expr.Lambda); lambda {
				return e
			}
			return nil
		}
		if c.Ref >= 0 {
			return nil
		}
		found := -1
		for i, it := range s.items {
			if !strings.EqualFold(it.name, c.Parts[0]) {
				continue
			}
			if found >= 0 && s.prints[found] != s.prints[i] {
				if failed == nil {
					failed = failf("AMBIGUOUS_REFERENCE", "the name %s is ambiguous: the SELECT list has it twice", c)
				}
				return e
			}
			found = i
		}
		if found < 0 {
			return nil
		}
		return members(by(found), c.Parts[1:])
	})
	return out, failed
}

// build puts the nodes together.
func (s *selecting) build(sel *Select, having expr.Expr) (rel, error) {
	n := s.in.node
	if s.group != nil {
		s.group.schemaOf()
		n = s.group
	}
	if having != nil {
		n = &filter{in: n, cond: having}
	}
	n, move := s.placed(n)
	exprs := make([]expr.Expr, 0, len(s.exprs)+len(s.hidden))
	for _, e := range append(s.exprs[:len(s.exprs):len(s.exprs)], s.hidden...) {
		exprs = append(exprs, move(e))
	}
	names := make([]string, 0, len(s.items)+len(s.hidden))
	for _, it := range s.items {
		names = append(names, it.name)
	}
	for range s.hidden {
		names = append(names, "sort key")
	}
	n = newProject(n, exprs, names)
	if sel.Distinct {
		for _, f := range n.fields() {
			if !keyable(f.Type) {
				return rel{}, failf("UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "DISTINCT cannot compare the column %s of type %s", f.Name, types.SQL(f.Type))
			}
		}
		n = &distinct{n}
	}
	if len(s.order) > 0 {
		n = &sorter{in: n, keys: s.order}
	}
	if len(s.hidden) > 0 {
		var exprs []expr.Expr
		for i := range s.items {
			exprs = append(exprs, column(n, i))
		}
		n = newProject(n, exprs, names[:len(s.items)])
	}
	return newRel(n, ""), nil
}
