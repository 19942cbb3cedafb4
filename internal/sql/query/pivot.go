package query

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// Pivot turns values of columns into columns: PIVOT (aggregates FOR columns IN (values)).
type Pivot struct {
	Of         Source
	Aggregates []Item
	For        []expr.Expr
	In         []Item // a value, or a struct of one for each column
	As         Alias
}

// Unpivot turns columns into rows: UNPIVOT (values FOR name IN (columns)).
type Unpivot struct {
	Of     Source
	Values []string
	Name   string
	In     []Item // a column, or a struct of one for each of the values
	Nulls  bool   // rows whose values are all NULL stay
	As     Alias
}

// boundSource is a relation that is bound already.
type boundSource struct{ rel }

func (*Pivot) source()       {}
func (*Unpivot) source()     {}
func (*boundSource) source() {}

// pivots takes PIVOT and UNPIVOT behind a relation.
func (p *parser) pivots(of Source) (Source, bool, error) {
	switch {
	case p.Peek().Is("PIVOT") && p.PeekSecond().Is("("):
		p.Next()
		s, err := p.pivot(of)
		return s, true, err
	case p.Peek().Is("UNPIVOT"):
		p.Next()
		s, err := p.unpivot(of)
		return s, true, err
	}
	return of, false, nil
}

func (p *parser) pivot(of Source) (Source, error) {
	v := &Pivot{Of: of}
	err := p.Expect("(")
	for err == nil {
		var it Item
		if it.Expr, err = p.ParseExpr(); err == nil && !p.Peek().Is("FOR") {
			it.Alias, err = p.alias()
		}
		v.Aggregates = append(v.Aggregates, it)
		if !p.Accept(",") {
			break
		}
	}
	if err == nil {
		err = p.Expect("FOR")
	}
	if err == nil {
		var names []string
		if p.Peek().Is("(") {
			names, err = p.names()
		} else {
			var n string
			n, err = p.ParseIdentifier()
			names = []string{n}
		}
		for _, n := range names {
			v.For = append(v.For, expr.NewColumn(n))
		}
	}
	if err == nil {
		v.In, err = p.inItems()
	}
	if err == nil {
		err = p.Expect(")")
	}
	if err == nil {
		v.As, err = p.tableAlias()
	}
	return v, err
}

// inItems takes IN (expression [[AS] name], ...).
func (p *parser) inItems() ([]Item, error) {
	err := p.Expect("IN", "(")
	var out []Item
	for err == nil {
		var it Item
		if it, err = p.item(); err == nil {
			out = append(out, it)
			if !p.Accept(",") {
				return out, p.Expect(")")
			}
		}
	}
	return out, err
}

func (p *parser) unpivot(of Source) (Source, error) {
	u := &Unpivot{Of: of, Nulls: p.Accept("INCLUDE", "NULLS")}
	p.Accept("EXCLUDE", "NULLS")
	err := p.Expect("(")
	if err == nil && p.Peek().Is("(") {
		u.Values, err = p.names()
	} else if err == nil {
		var n string
		n, err = p.ParseIdentifier()
		u.Values = []string{n}
	}
	if err == nil {
		err = p.Expect("FOR")
	}
	if err == nil {
		u.Name, err = p.ParseIdentifier()
	}
	if err == nil {
		u.In, err = p.inItems()
	}
	if err == nil {
		err = p.Expect(")")
	}
	if err == nil {
		u.As, err = p.tableAlias()
	}
	return u, err
}

// operands lists those of a struct, or the one expression.
func operands(e expr.Expr) []expr.Expr {
	if c, ok := e.(*expr.Call); ok && c.Fn == "struct" {
		return c.Args
	}
	return []expr.Expr{e}
}

// pivoted groups by the columns that PIVOT does not name, and computes each
// aggregate over the rows of each value; without such rows it is NULL.
func (b *binder) pivoted(v *Pivot) (rel, error) {
	of, err := b.source(v.Of)
	if err != nil {
		return rel{}, err
	}
	used := map[int]bool{}
	note := func(e expr.Expr) {
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok {
				if bound, err := expr.Bind(c, b.scope(of)); err == nil {
					for _, i := range expr.Refs(bound) {
						used[i] = true
					}
				}
			}
			return true
		})
	}
	for _, a := range v.Aggregates {
		if !hasAggregate(a.Expr) {
			return rel{}, failf("_LEGACY_ERROR_TEMP_1006", "PIVOT needs an aggregate, not %s", a.Expr)
		}
		note(a.Expr)
	}
	for _, e := range v.For {
		note(e)
	}
	sel := &Select{From: []Source{&boundSource{of}}}
	for _, i := range of.star {
		if !used[i] {
			c := column(of.node, i)
			sel.Items, sel.Group = append(sel.Items, Item{Expr: c, Alias: c.Parts[0]}), append(sel.Group, c)
		}
	}
	for _, in := range v.In {
		vals := operands(in.Expr)
		if len(vals) != len(v.For) {
			return rel{}, failf("PIVOT_VALUE_DATA_TYPE_MISMATCH", "PIVOT compares %d columns with %d values: %s", len(v.For), len(vals), in.Expr)
		}
		var when expr.Expr
		for i, e := range vals {
			when = expr.And(when, &expr.Call{Fn: "<=>", Args: []expr.Expr{v.For[i], e}})
		}
		name := in.Alias
		if name == "" {
			name = strings.Trim(pretty(in.Expr), "()")
			if len(vals) > 1 {
				name = "{" + prettyList(vals) + "}"
			}
		}
		for _, a := range v.Aggregates {
			it := Item{Expr: &expr.Case{Whens: []expr.When{{Cond: &expr.Call{Fn: ">", Args: []expr.Expr{
				&expr.Aggregate{Fn: "count", Args: []expr.Expr{&expr.Star{}}, Filter: when}, &expr.Literal{Value: int64(0), T: types.Integer}}}, Then: among(a.Expr, when)}}}, Alias: name}
			if len(v.Aggregates) > 1 {
				of := a.Alias
				if of == "" {
					of = columnName(a.Expr)
				}
				it.Alias += "_" + of
			}
			sel.Items = append(sel.Items, it)
		}
	}
	r, err := b.selection(sel, nil)
	if err != nil {
		return rel{}, err
	}
	return aliased(r.node, v.As, "")
}

// among restricts the aggregates of an expression to the rows of a condition.
func among(e expr.Expr, cond expr.Expr) expr.Expr {
	return replace(e, func(e expr.Expr) expr.Expr {
		a, ok := aggregateOf(e)
		if !ok {
			return nil
		}
		c := *a
		c.Filter = expr.And(cond, a.Filter)
		return &c
	})
}

// unpivoted makes a row of each of the columns that UNPIVOT names.
func (b *binder) unpivoted(u *Unpivot) (rel, error) {
	of, err := b.source(u.Of)
	if err != nil {
		return rel{}, err
	}
	used := map[int]bool{}
	stack := &expr.Call{Fn: "stack", Args: []expr.Expr{&expr.Literal{Value: int64(len(u.In)), T: types.Integer}}}
	for _, in := range u.In {
		cols := operands(in.Expr)
		if len(cols) != len(u.Values) {
			return rel{}, failf("UNPIVOT_VALUE_SIZE_MISMATCH", "UNPIVOT makes %d columns of values, and %d columns are given: %s", len(u.Values), len(cols), in.Expr)
		}
		var names []string
		for _, c := range cols {
			bound, err := b.bind(c, of)
			if err != nil {
				return rel{}, err
			}
			for _, i := range expr.Refs(bound) {
				used[i] = true
			}
			names = append(names, columnName(c))
		}
		name := in.Alias
		if name == "" {
			name = strings.Join(names, "_")
		}
		stack.Args = append(append(stack.Args, &expr.Literal{Value: name, T: types.String}), cols...)
	}
	sel := &Select{From: []Source{&boundSource{of}}}
	for _, i := range of.star {
		if !used[i] {
			c := column(of.node, i)
			sel.Items = append(sel.Items, Item{Expr: c, Alias: c.Parts[0]})
		}
	}
	kept := len(sel.Items)
	sel.Items = append(sel.Items, Item{Expr: stack, Names: append([]string{u.Name}, u.Values...)})
	r, err := b.selection(sel, nil)
	if err != nil {
		return rel{}, err
	}
	if !u.Nulls {
		var known []expr.Expr
		for i := range u.Values {
			known = append(known, &expr.Call{Fn: "isnotnull", Args: []expr.Expr{column(r.node, kept+1+i)}, T: types.Boolean})
		}
		r.node = &filter{in: r.node, cond: expr.Or(known...)}
	}
	return aliased(r.node, u.As, "")
}
