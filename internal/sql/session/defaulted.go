package session

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/types"
)

// isDefault reports whether an expression is the word DEFAULT.
func isDefault(e expr.Expr) bool {
	c, ok := e.(*expr.Column)
	return ok && len(c.Parts) == 1 && strings.EqualFold(c.Parts[0], "default")
}

// defaultOf is what DEFAULT means for a column.
func defaultOf(f types.Field) expr.Expr {
	if text, ok := f.Metadata.Text(derive.KeyDefault); ok {
		if e, err := expr.Parse(text); err == nil {
			return &expr.Cast{Arg: e, To: f.Type}
		}
	}
	return &expr.Cast{Arg: &expr.Literal{T: types.Void}, To: f.Type}
}

// made reports whether a column's values are generated.
func made(f types.Field) bool {
	_, generated := f.Metadata.Raw(derive.KeyGeneration)
	identity, _ := derive.IsIdentity(f)
	return generated || identity
}

// defaulted replaces DEFAULT in the rows of VALUES, and in the list of a SELECT,
// by the defaults of the columns they go to. Columns that are generated in every
// row are taken out; these are told by their place.
func defaulted(q *query.Query, goal []int, table *types.Struct) (*query.Query, map[int]bool) {
	var lists [][]expr.Expr
	switch b := q.Body.(type) {
	case *query.Values:
		lists = b.Rows
	case *query.Select:
		list := make([]expr.Expr, len(b.Items))
		for i, it := range b.Items {
			if _, star := it.Expr.(*expr.Star); star {
				return q, nil
			}
			list[i] = it.Expr
		}
		lists = [][]expr.Expr{list}
	}
	found := false
	out, without := map[int]bool{}, map[int]bool{}
	for _, list := range lists {
		for i, e := range list {
			found = found || isDefault(e)
			if i < len(goal) && !isDefault(e) {
				without[i] = true
			}
		}
	}
	if !found {
		return q, nil
	}
	for i, g := range goal {
		if len(lists) > 0 && i < len(lists[0]) && !without[i] && made(table.Fields[g]) {
			out[i] = true
		}
	}
	change := func(list []expr.Expr) []expr.Expr {
		var next []expr.Expr
		for i, e := range list {
			if i < len(goal) && isDefault(e) {
				e = defaultOf(table.Fields[goal[i]])
			}
			if !out[i] {
				next = append(next, e)
			}
		}
		return next
	}
	changed := *q
	switch b := q.Body.(type) {
	case *query.Values:
		v := &query.Values{}
		for _, list := range b.Rows {
			v.Rows = append(v.Rows, change(list))
		}
		changed.Body = v
	case *query.Select:
		s := *b
		s.Items = nil
		for i, it := range b.Items {
			if i < len(goal) && isDefault(it.Expr) {
				it.Expr = defaultOf(table.Fields[goal[i]])
			}
			if !out[i] {
				s.Items = append(s.Items, it)
			}
		}
		changed.Body = &s
	}
	return &changed, out
}
