package query

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// maxViews bounds views that name views.
const maxViews = 50

// from binds the relations of FROM; without any there is one row without columns.
func (b *binder) from(list []Source) (rel, error) {
	if len(list) == 0 {
		return rel{node: once{}}, nil
	}
	out, err := b.source(list[0])
	for _, s := range list[1:] {
		if err != nil {
			return rel{}, err
		}
		if f, ok := s.(*FunctionRef); ok && f.Lateral {
			out, err = b.besideGenerated(out, f, false)
			continue
		}
		var right rel
		if right, err = b.source(s); err == nil {
			out = beside(out, right, &join{kind: Cross, left: out.node, right: right.node})
		}
	}
	return out, err
}

func (b *binder) source(s Source) (rel, error) {
	switch x := s.(type) {
	case *TableRef:
		return b.table(x)
	case *Derived:
		r, err := b.query(x.Query)
		if err != nil {
			return rel{}, err
		}
		return aliased(r.node, x.As, "")
	case *FunctionRef:
		return b.function(x)
	case *Join:
		r, err := b.join(x)
		if err != nil || x.As.Name == "" {
			return r, err
		}
		return aliased(visible(r), x.As, "")
	}
	if r, ok, err := b.reshaped(s); ok {
		return r, err
	}
	return rel{}, failf("INTERNAL_ERROR", "an unknown relation: %T", s)
}

// visible is the columns of * alone.
func visible(r rel) node {
	var exprs []expr.Expr
	var names []string
	for _, i := range r.star {
		exprs, names = append(exprs, column(r.node, i)), append(names, r.node.fields()[i].Name)
	}
	return newProject(r.node, exprs, names)
}

// aliased names a relation: by its alias, or else by its own name.
func aliased(n node, as Alias, name string) (rel, error) {
	n, err := renamed(n, as.Columns)
	if err != nil {
		return rel{}, err
	}
	if as.Name != "" {
		name = as.Name
	}
	return newRel(n, name), nil
}

// table binds a name: a CTE, a view or a relation of the catalog.
func (b *binder) table(t *TableRef) (rel, error) {
	last := t.Name[len(t.Name)-1]
	if len(t.Name) == 1 && t.Version == nil && t.Timestamp == nil {
		if c := b.ctes.find(last); c != nil {
			c.node.refs++
			return aliased(c.node, t.As, last)
		}
	}
	if v, ok := b.catalog.(Views); ok && t.Version == nil && t.Timestamp == nil {
		q, in, ok, err := v.View(b.ctx, t.Name)
		if err != nil {
			return rel{}, err
		}
		if ok {
			return b.view(t, q, in)
		}
	}
	at, err := b.at(t)
	if err != nil {
		return rel{}, err
	}
	if b.catalog == nil {
		return rel{}, NotFound(t.Name, b.ctes.names())
	}
	r, err := b.catalog.Relation(b.ctx, t.Name, at)
	var missing *expr.BindError
	if errors.As(err, &missing) && missing.Class == notFound {
		return rel{}, NotFound(t.Name, append(b.ctes.names(), missing.Candidates...))
	}
	if err != nil {
		return rel{}, err
	}
	return aliased(b.scan(r, t.Name), t.As, last)
}

// view binds the query of a view among its own names.
func (b *binder) view(t *TableRef, q *Query, in Catalog) (rel, error) {
	if b.views >= maxViews {
		return rel{}, failf("VIEW_EXCEED_MAX_NESTED_DEPTH", "the view %s is nested deeper than %d views: perhaps it names itself", expr.NewColumn(t.Name...), maxViews)
	}
	below := *b
	below.catalog, below.ctes, below.views = in, nil, b.views+1
	r, err := below.query(q)
	if err != nil {
		return rel{}, err
	}
	return aliased(r.node, t.As, t.Name[len(t.Name)-1])
}

// at computes VERSION AS OF and TIMESTAMP AS OF.
func (b *binder) at(t *TableRef) (At, error) {
	switch {
	case t.Version != nil:
		lit, err := b.constant(t.Version, nil)
		if err != nil {
			return At{}, err
		}
		switch v := lit.Value.(type) {
		case int64:
			return At{Version: &v}, nil
		case string:
			if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
				return At{Version: &n}, nil
			}
		}
		return At{}, failf("INVALID_PARAMETER_VALUE", "VERSION AS OF needs a version number, not %s", t.Version)
	case t.Timestamp != nil:
		lit, err := b.constant(t.Timestamp, types.Timestamp)
		if err != nil {
			return At{}, err
		}
		if lit.Value == nil {
			return At{}, failf("INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT", "TIMESTAMP AS OF needs a point in time, not %s", t.Timestamp)
		}
		return At{Timestamp: lit}, nil
	}
	return At{}, nil
}

// besideGenerated joins a relation with the rows that a generator makes of each row.
func (b *binder) besideGenerated(left rel, f *FunctionRef, outer bool) (rel, error) {
	as := f.As
	if as.Name == "" {
		as.Name = f.Name
	}
	width := len(left.node.fields())
	r, err := b.generated(left, &expr.Call{Fn: f.Name, Args: f.Args}, outer, as)
	if err != nil {
		return rel{}, err
	}
	r.star = append([]int(nil), r.star...)
	for i := range r.node.fields()[width:] {
		r.star = append(r.star, width+i)
	}
	return r, nil
}

// function binds a table-valued function.
func (b *binder) function(f *FunctionRef) (rel, error) {
	if generators[f.Name] {
		return b.besideGenerated(rel{node: once{}}, f, false)
	}
	args := make([]*expr.Literal, len(f.Args))
	for i, e := range f.Args {
		var err error
		if args[i], err = b.constant(e, nil); err != nil {
			return rel{}, err
		}
	}
	if c, ok := b.catalog.(Functions); ok {
		r, ok, err := c.Function(b.ctx, f.Name, args)
		if err != nil {
			return rel{}, err
		}
		if ok {
			return aliased(b.scan(r, []string{f.Name}), f.As, f.Name)
		}
	}
	if f.Name == "range" {
		r, err := newRange(args)
		if err != nil {
			return rel{}, err
		}
		return aliased(b.scan(r, []string{f.Name}), f.As, f.Name)
	}
	return rel{}, failf("UNRESOLVABLE_TABLE_VALUED_FUNCTION", "there is no table-valued function %s", f.Name)
}

// values binds an inline table: each column has the common type of its rows, which
// strings do not join.
func (b *binder) values(v *Values) (rel, error) {
	n := &constants{}
	width := len(v.Rows[0])
	for i, row := range v.Rows {
		if len(row) != width {
			return rel{}, failf("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "row %d of VALUES has %d columns and the first has %d", i+1, len(row), width)
		}
		bound := make([]expr.Expr, width)
		for c, e := range row {
			if named, ok := e.(*expr.Named); ok {
				e = named.Arg
			}
			var err error
			if bound[c], err = b.bind(e, rel{}); unresolved(err) {
				return rel{}, failf("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "VALUES cannot read a column: %s", e)
			} else if err != nil {
				return rel{}, err
			}
		}
		n.rows = append(n.rows, bound)
	}
	for c := range width {
		t, null := b.inlineType(n.rows, c)
		if t == nil {
			return rel{}, failf("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "the values of column %d of VALUES have no common type", c+1)
		}
		for _, row := range n.rows {
			row[c] = b.options.Convert(row[c], t)
		}
		n.schema = append(n.schema, types.Field{Name: "col" + strconv.Itoa(c+1), Type: t, Nullable: null})
	}
	return newRel(n, ""), nil
}

func (b *binder) inlineType(rows [][]expr.Expr, c int) (t types.Type, null bool) {
	list := make([]types.Type, 0, len(rows))
	text, other, float, wide := false, false, false, false
	for _, row := range rows {
		rt := row[c].Type()
		null = null || row[c].Nullable()
		text = text || rt == types.String
		other = other || rt != types.String && rt != types.Void
		float = float || rt == types.Float
		wide = wide || types.IsNumeric(rt) && !types.IsIntegral(rt) && rt != types.Float
		list = append(list, rt)
	}
	if text && other {
		return nil, null
	}
	t = b.options.CommonType(list...)
	if t == types.Double && float && !wide { // integers beside floats stay floats here
		t = types.Float
	}
	return t, null
}

// Moment computes the version or the time that a statement names; without either
// it is the zero At.
func Moment(version, timestamp expr.Expr, o expr.Options) (At, error) {
	return (&binder{options: o}).at(&TableRef{Version: version, Timestamp: timestamp})
}
