package query

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// set binds a set operation.
func (b *binder) set(s *Set) (rel, error) {
	l, err := b.body(s.Left)
	if err != nil {
		return rel{}, err
	}
	r, err := b.body(s.Right)
	if err != nil {
		return rel{}, err
	}
	left, right, want, err := b.coerced(s.Op, l.node, r.node)
	if err != nil {
		return rel{}, err
	}
	if !(s.Op == Union && s.All) {
		for _, f := range left.fields() {
			if !keyable(f.Type) {
				return rel{}, failf("UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "%s cannot compare the column %s of type %s", s.Op, f.Name, types.SQL(f.Type))
			}
		}
	}
	switch {
	case s.Op != Union:
		return newRel(&matching{left: left, right: right, except: s.Op == Except, all: s.All}, ""), nil
	case s.All:
		return newRel(&union{[]node{left, right}, want}, ""), nil
	}
	return newRel(&distinct{&union{[]node{left, right}, want}}, ""), nil
}

// coerced gives the columns of two nodes their common types.
func (b *binder) coerced(op SetOp, l, r node) (node, node, []types.Type, error) {
	lf, rf := l.fields(), r.fields()
	if len(lf) != len(rf) {
		return nil, nil, nil, failf("NUM_COLUMNS_MISMATCH", "%s needs queries with the same number of columns, and these have %d and %d", op, len(lf), len(rf))
	}
	want := make([]types.Type, len(lf))
	for i := range lf {
		if want[i] = b.options.CommonType(lf[i].Type, rf[i].Type); want[i] == nil {
			return nil, nil, nil, failf("INCOMPATIBLE_COLUMN_TYPE", "%s needs columns of compatible types; column %d is %s on the left and %s on the right",
				op, i+1, types.SQL(lf[i].Type), types.SQL(rf[i].Type))
		}
	}
	return b.typed(l, want), b.typed(r, want), want, nil
}

// typed casts the columns of a node.
func (b *binder) typed(n node, want []types.Type) node {
	same := true
	fields := n.fields()
	for i, f := range fields {
		same = same && types.SameIgnoringNullability(f.Type, want[i])
	}
	if same {
		return n
	}
	exprs, names := make([]expr.Expr, len(fields)), make([]string, len(fields))
	for i, f := range fields {
		exprs[i], names[i] = b.options.Convert(column(n, i), want[i]), f.Name
	}
	return newProject(n, exprs, names)
}

// keyable reports whether values of a type can be told apart by GROUP BY, DISTINCT and joins.
func keyable(t types.Type) bool {
	switch x := t.(type) {
	case *types.Array:
		return keyable(x.Element)
	case *types.Struct:
		for _, f := range x.Fields {
			if !keyable(f.Type) {
				return false
			}
		}
		return true
	case *types.Map:
		return false
	}
	return t != types.Variant
}
