package query

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// item is one column of a SELECT list.
type item struct {
	expr  expr.Expr // unbound, or a bound column of a star
	bound expr.Expr // for a star, the bound column
	name  string
	alias bool
}

// items expands the stars of a SELECT list and puts earlier aliases in the place of
// names that are no columns.
func (b *binder) items(list []Item, r rel) ([]item, error) {
	var out []item
	for _, it := range list {
		if star, ok := it.Expr.(*expr.Star); ok {
			cols, err := b.expandStar(star, it.Except, r)
			if err != nil {
				return nil, err
			}
			out = append(out, cols...)
			continue
		}
		i := item{expr: b.lateral(it.Expr, out, r), name: it.Alias, alias: it.Alias != ""}
		if i.name == "" {
			i.name = columnName(it.Expr)
		}
		out = append(out, i)
	}
	return out, nil
}

// lateral replaces names that only an earlier alias of the list has.
func (b *binder) lateral(e expr.Expr, earlier []item, r rel) expr.Expr {
	aliases := map[string]expr.Expr{}
	for _, it := range earlier {
		if it.alias {
			aliases[strings.ToLower(it.name)] = it.expr
		}
	}
	if len(aliases) == 0 {
		return e
	}
	return replace(e, func(e expr.Expr) expr.Expr {
		switch x := e.(type) {
		case *expr.Lambda:
			return e
		case *expr.Column:
			to, ok := aliases[strings.ToLower(x.Parts[0])]
			if !ok || x.Ref >= 0 {
				return nil
			}
			if _, err := expr.Bind(x, b.scope(r)); !unresolved(err) {
				return nil
			}
			return members(to, x.Parts[1:])
		}
		return nil
	})
}

func members(e expr.Expr, names []string) expr.Expr {
	for _, n := range names {
		e = &expr.Field{Base: e, Name: n, Index: -1}
	}
	return e
}

// expandStar lists the columns of *, of t.* or the members of s.* for a struct s.
func (b *binder) expandStar(s *expr.Star, except []string, r rel) ([]item, error) {
	var out []item
	add := func(i int) {
		c := column(r.node, i)
		out = append(out, item{expr: c, bound: c, name: r.node.fields()[i].Name})
	}
	switch {
	case len(s.Qualifier) == 0:
		if len(r.tables) == 0 {
			return nil, failf("INVALID_USAGE_OF_STAR_OR_REGEX", "* needs a FROM")
		}
		for _, i := range r.star {
			add(i)
		}
	default:
		found := false
		if len(s.Qualifier) == 1 {
			for _, t := range r.tables {
				if strings.EqualFold(t.Alias, s.Qualifier[0]) {
					found = true
					for i := range t.Schema.Fields {
						add(t.Base + i)
					}
				}
			}
		}
		if !found {
			var err error
			if out, err = b.structStar(s, r); err != nil {
				return nil, err
			}
		}
	}
	return without(out, except, s)
}

func (b *binder) structStar(s *expr.Star, r rel) ([]item, error) {
	e, err := expr.Bind(expr.NewColumn(s.Qualifier...), b.scope(r))
	var st *types.Struct
	if err == nil {
		st, _ = e.Type().(*types.Struct)
	}
	if st == nil {
		f := failf("CANNOT_RESOLVE_STAR_EXPAND", "%s names no relation of FROM", s)
		for _, t := range r.tables {
			if t.Alias != "" {
				f.Candidates = append(f.Candidates, t.Alias)
			}
		}
		return nil, f
	}
	var out []item
	for _, f := range st.Fields {
		m, err := expr.Bind(&expr.Field{Base: e, Name: f.Name, Index: -1}, b.scope(r))
		if err != nil {
			return nil, err
		}
		out = append(out, item{expr: &expr.Named{Arg: expr.NewColumn(append(append([]string(nil), s.Qualifier...), f.Name)...), Name: f.Name}, bound: m, name: f.Name})
	}
	return out, nil
}

// without leaves out the columns of EXCEPT.
func without(list []item, except []string, s *expr.Star) ([]item, error) {
	for k, name := range except {
		for _, before := range except[:k] {
			if strings.EqualFold(before, name) {
				return nil, failf("EXCEPT_OVERLAPPING_COLUMNS", "EXCEPT names %s twice", name)
			}
		}
		kept := list[:0:0]
		for _, it := range list {
			if !strings.EqualFold(it.name, name) {
				kept = append(kept, it)
			}
		}
		if len(kept) == len(list) {
			f := failf("UNRESOLVED_COLUMN.WITH_SUGGESTION", "%s has no column %s that EXCEPT could leave out", s, name)
			for _, it := range list {
				f.Candidates = append(f.Candidates, it.name)
			}
			return nil, f
		}
		list = kept
	}
	return list, nil
}

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
	exprs  []expr.Expr
	prints []string // fingerprints of exprs
}

// selection binds a SELECT with the ORDER BY that belongs to it.
func (b *binder) selection(sel *Select, order []Order) (rel, error) {
	in, err := b.from(sel.From)
	if err != nil {
		return rel{}, err
	}
	if sel.Where != nil {
		if in, err = b.where(sel.Where, in); err != nil {
			return rel{}, err
		}
	}
	s := &selecting{binder: b, in: in, keys: map[string]int{}, calls: map[string]int{}}
	if s.items, err = b.items(sel.Items, in); err != nil {
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

// having binds HAVING; outside of aggregates a name means the column of the SELECT
// list before one of FROM.
func (s *selecting) having(e expr.Expr) (expr.Expr, error) {
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
	names := make([]string, 0, len(s.items)+len(s.hidden))
	for _, it := range s.items {
		names = append(names, it.name)
	}
	for range s.hidden {
		names = append(names, "sort key")
	}
	n = newProject(n, append(s.exprs[:len(s.exprs):len(s.exprs)], s.hidden...), names)
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
