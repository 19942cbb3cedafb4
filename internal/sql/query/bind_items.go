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
