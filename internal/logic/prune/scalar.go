package prune

import (
	"slices"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
)

// scalar compiles an expression. ok is false when nothing at all is known of
// its values; the scalar is of use all the same.
func (t *table) scalar(e expr.Expr) (x scalar, ok bool) {
	switch e := e.(type) {
	case *expr.Literal:
		i := interval{null: true}
		if e.Value != nil {
			i = unknown
			if v, ok := colstats.Of(e.Value, e.T); ok {
				i = point(v)
			}
			i.null = false
		}
		return func(*state) interval { return i }, true
	case *expr.Column, *expr.Field:
		return t.column(e)
	case *expr.Cast:
		x, ok := t.cast(e)
		return t.prefer(e, x, ok)
	case *expr.Case:
		x, ok := t.cases(e)
		return t.prefer(e, x, ok)
	case *expr.Named:
		return t.scalar(e.Arg)
	case *expr.Call:
		if isBoolean(e.T) {
			if cond := t.call(e); cond != nil {
				return func(s *state) interval { return cond(s).asInterval() }, true
			}
		}
		if e.In != (expr.Session{}) && (e.Fn == "+" || e.Fn == "-" || e.Fn == "date_trunc") {
			return anyValue, false // wraps outside ANSI mode, and follows the zone
		}
		x, ok := t.function(e)
		return t.prefer(e, x, ok)
	}
	return anyValue, false
}

// prefer takes the exact value of an expression where there is one.
func (t *table) prefer(e expr.Expr, x scalar, ok bool) (scalar, bool) {
	if exact := t.exact(e, x); exact != nil {
		return exact, true
	}
	return x, ok
}

// column compiles a column or a member of a struct column.
func (t *table) column(e expr.Expr) (scalar, bool) {
	var path []int
	for {
		if f, ok := e.(*expr.Field); ok {
			path = append(path, f.Index)
			e = f.Base
			continue
		}
		c, ok := e.(*expr.Column)
		if !ok || c.Ref < 0 || c.Ref >= len(t.schema.Fields) {
			return anyValue, false
		}
		path = append(path, c.Ref)
		break
	}
	slices.Reverse(path)
	if place := t.partition[path[0]]; place >= 0 {
		if len(path) > 1 {
			return anyValue, false
		}
		typ := t.schema.Fields[path[0]].Type
		return func(s *state) interval { return *s.partitionValue(place, typ) }, true
	}
	leaf := t.leaf(path)
	if leaf < 0 {
		return anyValue, false
	}
	x := func(s *state) interval {
		if s.bare {
			return unknown
		}
		return s.leafInterval(leaf)
	}
	if by := t.generatedFrom(path); by != nil {
		return t.narrowed(x, by), true
	}
	return x, true
}

// cases compiles CASE: any branch whose condition may be true.
func (t *table) cases(e *expr.Case) (scalar, bool) {
	type branch struct {
		cond condition
		then scalar
	}
	branches := make([]branch, len(e.Whens))
	for i, w := range e.Whens {
		then, _ := t.scalar(w.Then)
		branches[i] = branch{t.condition(w.Cond), then}
	}
	var otherwise scalar = func(*state) interval { return interval{null: true} }
	if e.Else != nil {
		otherwise, _ = t.scalar(e.Else)
	}
	return func(s *state) (out interval) {
		for _, b := range branches {
			o := b.cond(s)
			if o&canTrue != 0 {
				i := b.then(s)
				out = union(&out, &i)
			}
			if o == canTrue {
				return out
			}
		}
		i := otherwise(s)
		return union(&out, &i)
	}, true
}
