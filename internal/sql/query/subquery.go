package query

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/types"
)

// slotBase and listBase are ordinals that stand for the result of a subquery: its
// one value, or the list of its rows. Each is computed once in a run, when first met.
const (
	slotBase = 1 << 40
	listBase = 1 << 41
)

// subplan is a query that does not depend on the rows around it.
type subplan struct {
	root   node
	exists bool
}

// subqueries puts references to results in the place of the subqueries of an
// unbound expression.
func (b *binder) subqueries(e expr.Expr, r rel) (expr.Expr, error) {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*expr.Subquery)
		found = found || ok
		return !found
	})
	if !found {
		return e, nil
	}
	var failed error
	fail := func(e expr.Expr, err error) expr.Expr {
		if failed == nil {
			failed = err
		}
		return e
	}
	e = expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		c, ok := e.(*expr.Call)
		if !ok || c.Fn != "in" || len(c.Args) != 2 {
			return e
		}
		if _, ok := c.Args[1].(*expr.Subquery); !ok {
			return e
		}
		list, err := b.membership(c, r)
		if err != nil {
			return fail(e, err)
		}
		return list
	})
	e = expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		s, ok := e.(*expr.Subquery)
		if !ok {
			return e
		}
		c, err := b.scalar(s, r)
		if err != nil {
			return fail(e, err)
		}
		return c
	})
	return e, failed
}

// inner binds the query of a subquery by itself.
func (b *binder) inner(s *expr.Subquery, r rel) (rel, error) {
	q, ok := s.Query.(*Query)
	if !ok {
		var err error
		if q, err = ParseText(s.Text); err != nil {
			return rel{}, err
		}
	}
	in, err := b.query(q)
	if unresolved(err) && b.correlated(err, r) {
		return rel{}, failf("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
			"a subquery can name columns of the query around it only as EXISTS or IN that is a condition of WHERE by itself: %s", s)
	}
	return in, err
}

// unknownName is a name that could not be resolved.
func (b *binder) correlated(err error, r rel) bool {
	var e *expr.BindError
	if !errors.As(err, &e) || len(r.tables) == 0 {
		return false
	}
	name, perr := expr.Parse(lastWord(e.Msg))
	if perr != nil {
		return false
	}
	_, berr := expr.Bind(name, b.scope(r))
	return berr == nil
}

// lastWord is the name at the end of "no column is called x".
func lastWord(msg string) string {
	const before = "no column is called "
	if len(msg) > len(before) && msg[:len(before)] == before {
		return msg[len(before):]
	}
	return ""
}

func (b *binder) scalar(s *expr.Subquery, r rel) (expr.Expr, error) {
	in, err := b.inner(s, r)
	if err != nil {
		return nil, err
	}
	fields := in.node.fields()
	if s.Exists {
		in.node = &limit{in: in.node, count: 1}
		in.node.need(make([]bool, len(fields)))
		return b.slot(&subplan{root: in.node, exists: true}, slotBase, types.Boolean, false), nil
	}
	if len(fields) != 1 {
		return nil, failf("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
			"a subquery that is a value has one column, not %d: %s", len(fields), s)
	}
	in.node.need([]bool{true})
	return b.slot(&subplan{root: in.node}, slotBase, fields[0].Type, true), nil
}

func (b *binder) slot(s *subplan, base int, t types.Type, null bool) expr.Expr {
	b.plan.results = append(b.plan.results, s)
	return &expr.Column{Parts: []string{"subquery"}, Ref: base + len(b.plan.results) - 1, T: t, Null: null}
}

// membership binds value IN (query) to a call of in whose list is filled in a run.
func (b *binder) membership(c *expr.Call, r rel) (expr.Expr, error) {
	s := c.Args[1].(*expr.Subquery)
	in, err := b.inner(s, r)
	if err != nil {
		return nil, err
	}
	n, err := b.comparable(c, r, in.node)
	if err != nil {
		return nil, err
	}
	n.node.need([]bool{true})
	return &expr.Call{Fn: "in", T: types.Boolean, Null: true, Args: []expr.Expr{n.value[0],
		b.slot(&subplan{root: n.node}, listBase, n.value[0].Type(), true)}}, oneColumn(n, s)
}

func oneColumn(n compared, s *expr.Subquery) error {
	if len(n.value) != 1 {
		return failf("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY", "a row can be IN a subquery only as a condition of WHERE by itself: %s", s)
	}
	return nil
}

// compared is the two sides of IN with their common types.
type compared struct {
	value []expr.Expr
	node  node
}

// comparable binds the left side of IN and casts both sides to common types.
func (b *binder) comparable(c *expr.Call, r rel, in node) (compared, error) {
	list := []expr.Expr{c.Args[0]}
	if row, ok := c.Args[0].(*expr.Call); ok && row.Fn == "struct" {
		if f := in.fields(); len(f) != 1 || f[0].Type.Kind() != types.KindStruct {
			list = row.Args
		}
	}
	fields := in.fields()
	if len(list) != len(fields) {
		return compared{}, failf("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "%d values cannot be IN a subquery with %d columns: %s", len(list), len(fields), c)
	}
	out := compared{value: make([]expr.Expr, len(list))}
	want := make([]types.Type, len(list))
	for i, e := range list {
		bound, err := b.bind(e, r)
		if err != nil {
			return compared{}, err
		}
		want[i] = b.options.CommonType(bound.Type(), fields[i].Type)
		if want[i] == nil || !keyable(want[i]) {
			return compared{}, failf("DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", "%s cannot be IN a subquery of %s: %s",
				types.SQL(bound.Type()), types.SQL(fields[i].Type), c)
		}
		out.value[i] = b.options.Convert(bound, want[i])
	}
	out.node = b.typed(in, want)
	return out, nil
}

// Scalar computes a subquery that is a value in a statement which is no query. It
// cannot read columns of the statement, which are given to tell such a name from one
// that means nothing.
func Scalar(ctx context.Context, e *env.Env, s *expr.Subquery, c Catalog, o expr.Options, outer ...expr.Table) (*expr.Literal, error) {
	if s.Exists {
		return nil, failf("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "EXISTS and IN with a subquery are no values that a column can be set to: %s", s)
	}
	b := &binder{ctx: ctx, catalog: c, options: o, plan: &Plan{}}
	v, err := b.scalar(s, rel{node: once{}, tables: outer})
	if err != nil {
		return nil, err
	}
	return newRun(ctx, e, b.plan).value(v.(*expr.Column).Ref-slotBase, v.Type())
}
