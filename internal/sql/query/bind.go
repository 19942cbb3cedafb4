package query

import (
	"context"
	"strings"
	"time"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// Plan is a bound query. It can be run several times, also at once.
type Plan struct {
	root    node
	results []*subplan // queries whose one result is a constant, in order of their slots
	schema  *types.Struct
	scans   []named // in the order in which the relations were opened
}

// Schema is the columns of the result; names may occur twice.
func (p *Plan) Schema() *types.Struct { return p.schema }

// Bind resolves names and types of a query. The relations it names are opened,
// none is read.
func Bind(ctx context.Context, q *Query, c Catalog, o expr.Options) (*Plan, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	b := &binder{ctx: ctx, catalog: c, options: o, plan: &Plan{}}
	r, err := b.query(q)
	if err != nil {
		return nil, err
	}
	b.plan.root, b.plan.schema = r.node, types.NewStruct(r.node.fields()...)
	all := make([]bool, len(r.node.fields()))
	for i := range all {
		all[i] = true
	}
	r.node.need(all)
	return b.plan, nil
}

// binder turns the tree of a query into nodes.
type binder struct {
	ctx     context.Context
	catalog Catalog
	options expr.Options
	plan    *Plan
	ctes    *cteScope
	views   int // how many views are open around
}

// cteScope is the names of WITH that are visible, innermost first.
type cteScope struct {
	name  string
	node  *shared
	outer *cteScope
}

func (s *cteScope) find(name string) *cteScope {
	for ; s != nil; s = s.outer {
		if strings.EqualFold(s.name, name) {
			return s
		}
	}
	return nil
}

func (s *cteScope) names() (out []string) {
	for ; s != nil; s = s.outer {
		out = append(out, s.name)
	}
	return out
}

// rel is a node with the names by which its columns are known.
type rel struct {
	node   node
	tables []expr.Table
	star   []int // the columns of *, in order
}

// newRel is a relation under one name.
func newRel(n node, alias string) rel {
	r := rel{node: n, tables: []expr.Table{{Alias: alias, Schema: types.NewStruct(n.fields()...)}}}
	for i := range n.fields() {
		r.star = append(r.star, i)
	}
	return r
}

func (b *binder) scope(r rel) expr.Scope { return expr.Scope{Tables: r.tables, Options: b.options} }

// bind binds a scalar expression over a relation.
func (b *binder) bind(e expr.Expr, r rel) (expr.Expr, error) {
	e, err := b.subqueries(e, r)
	if err != nil {
		return nil, err
	}
	bound, err := expr.Bind(e, b.scope(r))
	if err != nil {
		return nil, err
	}
	return expr.Fold(bound, eval.Literal), nil
}

// condition binds an expression that must be boolean.
func (b *binder) condition(what string, e expr.Expr, r rel) (expr.Expr, error) {
	bound, err := b.bind(e, r)
	if err != nil {
		return nil, err
	}
	return b.boolean(what, bound)
}

// conjuncts binds the operands of AND one by one. An operand may be a string, the
// whole condition may not.
func (b *binder) conjuncts(what string, list []expr.Expr, r rel) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		bound, err := b.bind(e, r)
		if err == nil && bound.Type() == types.String && len(list) > 1 {
			bound = b.options.Convert(bound, types.Boolean)
		}
		if err == nil {
			out[i], err = b.boolean(what, bound)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *binder) boolean(what string, bound expr.Expr) (expr.Expr, error) {
	switch bound.Type() {
	case types.Boolean:
		return bound, nil
	case types.Void:
		return b.options.Convert(bound, types.Boolean), nil
	}
	return nil, failf("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "%s needs a boolean, not %s: %s", what, types.SQL(bound.Type()), bound)
}

// constant computes an expression that reads no column.
func (b *binder) constant(e expr.Expr, to types.Type) (*expr.Literal, error) {
	bound, err := b.bind(e, rel{})
	if err != nil {
		return nil, err
	}
	if to != nil {
		bound = b.options.Convert(bound, to)
	}
	lit, err := eval.Literal(bound)
	return &lit, err
}

// column is a bound reference to an output column of a node.
func column(n node, i int) *expr.Column {
	f := n.fields()[i]
	return &expr.Column{Parts: []string{f.Name}, Ref: i, T: f.Type, Null: f.Nullable}
}

// query binds a query; its result has one table without a name.
func (b *binder) query(q *Query) (rel, error) {
	outer := b.ctes
	defer func() { b.ctes = outer }()
	for i, c := range q.With {
		for _, before := range q.With[:i] {
			if strings.EqualFold(before.Name, c.Name) {
				return rel{}, failf("DUPLICATED_CTE_NAMES", "WITH defines %s twice", c.Name)
			}
		}
		if err := b.cte(c); err != nil {
			return rel{}, err
		}
	}
	r, err := b.ordered(q)
	if err != nil {
		return rel{}, err
	}
	if q.Limit == nil && q.Offset == nil {
		return r, nil
	}
	l := &limit{in: r.node, count: -1}
	if q.Limit != nil {
		if l.count, err = b.rowCount("LIMIT", q.Limit); err != nil {
			return rel{}, err
		}
	}
	if q.Offset != nil {
		if l.offset, err = b.rowCount("OFFSET", q.Offset); err != nil {
			return rel{}, err
		}
	}
	r.node = l
	return r, nil
}

func (b *binder) cte(c CTE) error {
	r, err := b.query(c.Query)
	if err != nil {
		return err
	}
	n, err := renamed(r.node, c.Columns)
	if err != nil {
		return err
	}
	b.ctes = &cteScope{name: c.Name, node: &shared{in: n}, outer: b.ctes}
	return nil
}

func (b *binder) body(body Body) (rel, error) {
	switch x := body.(type) {
	case *Select:
		return b.selection(x, nil)
	case *Values:
		return b.values(x)
	case *Query:
		return b.query(x)
	case *Set:
		return b.set(x)
	}
	return rel{}, failf("INTERNAL_ERROR", "an unknown body of a query: %T", body)
}
