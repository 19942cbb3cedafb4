package query

import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// maxGroupingSets bounds what CUBE makes of a list.
const maxGroupingSets = 1 << 12

// groupElement is one element of GROUP BY: the lists of expressions that it groups
// by in turn. A plain expression is one list of one.
type groupElement [][]expr.Expr

// groupElements takes what stands behind GROUP BY; sets is nil for plain grouping.
func (p *parser) groupElements() (plain []expr.Expr, sets [][]expr.Expr, err error) {
	var list []groupElement
	for {
		el, err := p.groupElement()
		if err != nil {
			return nil, nil, err
		}
		list = append(list, el)
		if !p.Accept(",") {
			break
		}
	}
	var all []expr.Expr // by which WITH ROLLUP and GROUPING SETS behind the list group
	for _, el := range list {
		if len(el) > 0 {
			all = append(all, el[0]...)
		}
	}
	switch {
	case p.Accept("WITH", "ROLLUP"):
		sets = rollup(each(all))
	case p.Accept("WITH", "CUBE"):
		sets = cube(each(all))
	case p.Accept("GROUPING", "SETS"):
		sets, err = p.groupSets()
	default:
		sets = [][]expr.Expr{nil}
		for _, el := range list {
			var next [][]expr.Expr
			for _, s := range sets {
				for _, more := range el {
					next = append(next, append(s[:len(s):len(s)], more...))
				}
			}
			if sets = next; len(sets) > maxGroupingSets {
				break
			}
		}
		if len(sets) == 1 && !many(list) {
			return sets[0], nil, nil
		}
	}
	if err == nil && len(sets) > maxGroupingSets {
		err = p.Errorf(p.Peek(), "GROUP BY means more than %d grouping sets", maxGroupingSets)
	}
	return nil, sets, err
}

// many reports whether an element is more than an expression.
func many(list []groupElement) bool {
	for _, el := range list {
		if len(el) != 1 || len(el[0]) != 1 {
			return true
		}
	}
	return false
}

func (p *parser) groupElement() (groupElement, error) {
	t := p.Peek()
	switch {
	case (t.Is("ROLLUP") || t.Is("CUBE")) && p.PeekSecond().Is("("):
		p.Next()
		list, err := p.groupSets()
		if t.Is("ROLLUP") {
			return rollup(list), err
		}
		return cube(list), err
	case t.Is("GROUPING") && p.PeekSecond().Is("SETS"):
		p.Next()
		p.Next()
		return p.groupSets()
	}
	e, err := p.ParseExpr()
	return groupElement{{e}}, err
}

// groupSets takes (a, (b, c), (), ROLLUP (...), ...).
func (p *parser) groupSets() ([][]expr.Expr, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	var out [][]expr.Expr
	for {
		t := p.Peek()
		switch {
		case t.Is("(") && p.PeekSecond().Is(")"):
			p.Next()
			p.Next()
			out = append(out, nil)
		case (t.Is("ROLLUP") || t.Is("CUBE")) && p.PeekSecond().Is("("), t.Is("GROUPING") && p.PeekSecond().Is("SETS"):
			if err := p.enter(); err != nil {
				return nil, err
			}
			el, err := p.groupElement()
			p.leave()
			if err != nil {
				return nil, err
			}
			out = append(out, el...)
		default:
			e, err := p.ParseExpr()
			if err != nil {
				return nil, err
			}
			list := []expr.Expr{e}
			if c, ok := e.(*expr.Call); ok && c.Fn == "struct" && t.Is("(") {
				list = c.Args
			}
			out = append(out, list)
		}
		if len(out) > maxGroupingSets {
			return nil, p.Errorf(t, "GROUP BY means more than %d grouping sets", maxGroupingSets)
		}
		if !p.Accept(",") {
			return out, p.Expect(")")
		}
	}
}

func each(list []expr.Expr) (out [][]expr.Expr) {
	for _, e := range list {
		out = append(out, []expr.Expr{e})
	}
	return out
}

// rollup gives the list and its beginnings down to none.
func rollup(list [][]expr.Expr) (out [][]expr.Expr) {
	for n := len(list); n >= 0; n-- {
		var set []expr.Expr
		for _, e := range list[:n] {
			set = append(set, e...)
		}
		out = append(out, set)
	}
	return out
}

// cube gives all parts of the list; too many are cut off behind the bound.
func cube(list [][]expr.Expr) (out [][]expr.Expr) {
	if len(list) > 12 {
		return make([][]expr.Expr, maxGroupingSets+1)
	}
	for mask := range 1 << len(list) {
		var set []expr.Expr
		for i, e := range list {
			if mask&(1<<(len(list)-1-i)) == 0 {
				set = append(set, e...)
			}
		}
		out = append(out, set)
	}
	return out
}

// gidRef is the ordinal that stands for the number of a grouping set while an
// expression is bound: a bit for each key that the set leaves out, the first the highest.
const gidRef = winBase - 1

// groupedBy binds GROUPING SETS: each row is grouped once for each set, with NULL in
// the place of the keys that the set leaves out.
func (s *selecting) groupedBy(sets [][]expr.Expr) error {
	x := &expanding{in: s.in.node}
	width := len(s.in.node.fields())
	var bound []expr.Expr
	for _, set := range sets {
		for _, g := range set {
			e, err := s.groupExpr(g)
			if err != nil {
				return err
			}
			if hasAggregate(e) {
				return failf("GROUP_BY_AGGREGATE", "GROUP BY cannot contain an aggregate: %s", g)
			}
			n := len(s.group.keys)
			if err := s.key(e); err != nil {
				return err
			}
			if len(s.group.keys) > n {
				bound = append(bound, s.group.keys[n])
			}
		}
	}
	if len(bound) > 63 {
		return failf("GROUPING_SIZE_LIMIT_EXCEEDED", "grouping sets are made of at most 63 expressions, not %d", len(bound))
	}
	for _, set := range sets {
		gid := int64(1)<<len(bound) - 1
		for _, g := range set {
			e, err := s.groupExpr(g)
			if err == nil {
				e, err = s.bind(e, s.in)
			}
			if err != nil {
				return err
			}
			gid &^= 1 << (len(bound) - 1 - s.keys[fingerprint(e)])
		}
		x.sets = append(x.sets, gid)
	}
	x.keys = bound
	s.group.in = x
	for i, k := range bound {
		s.group.keys[i] = &expr.Column{Parts: []string{k.String()}, Ref: width + i, T: k.Type(), Null: true}
	}
	s.gid = len(bound)
	for i, name := range []string{"grouping_id", "grouping_set"} { // equal sets group by themselves
		s.group.keys = append(s.group.keys, &expr.Column{Parts: []string{name}, Ref: width + len(bound) + i, T: types.Long})
	}
	return nil
}

// groupingCall binds grouping and grouping_id.
func (s *selecting) groupingCall(c *expr.Call) (expr.Expr, error) {
	if s.group == nil || s.gid < 0 {
		return nil, failf("UNSUPPORTED_GROUPING_EXPRESSION", "%s belongs to GROUPING SETS, ROLLUP and CUBE", c)
	}
	gid := &expr.Column{Parts: []string{"grouping_id"}, Ref: gidRef, T: types.Long}
	var at []int
	for _, a := range c.Args {
		e, err := s.bind(a, s.in)
		if err != nil {
			return nil, err
		}
		i, ok := s.keys[fingerprint(e)]
		if !ok {
			return nil, failf("GROUPING_COLUMN_MISMATCH", "%s is no expression of GROUP BY: %s", a, c)
		}
		at = append(at, i)
	}
	bit := func(i int) expr.Expr {
		by := &expr.Literal{Value: int64(s.gid - 1 - i), T: types.Integer}
		return &expr.Call{Fn: "&", Args: []expr.Expr{&expr.Call{Fn: ">>", Args: []expr.Expr{gid, by}, T: types.Long}, &expr.Literal{Value: int64(1), T: types.Long}}, T: types.Long}
	}
	if c.Fn == "grouping" {
		if len(at) != 1 {
			return nil, failf("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "grouping takes one argument: %s", c)
		}
		return &expr.Cast{Arg: bit(at[0]), To: types.Byte}, nil
	}
	if len(at) == 0 {
		return gid, nil
	}
	for i, k := range at {
		if k != i || len(at) != s.gid {
			return nil, failf("GROUPING_ID_COLUMN_MISMATCH", "grouping_id takes all expressions of GROUP BY in their order, or none: %s", c)
		}
	}
	return gid, nil
}

// expanding gives each row once for each grouping set: its columns, the keys, the
// bits of those that are left out and which set it is.
type expanding struct {
	in   node
	keys []expr.Expr
	sets []int64
}

func (n *expanding) fields() []types.Field {
	out := append([]types.Field(nil), n.in.fields()...)
	for _, k := range n.keys {
		out = append(out, types.Field{Name: k.String(), Type: k.Type(), Nullable: true})
	}
	return append(out, types.Field{Name: "grouping_id", Type: types.Long}, types.Field{Name: "grouping_set", Type: types.Long})
}

func (n *expanding) need(cols []bool) {
	below := append([]bool(nil), cols[:len(n.in.fields())]...)
	for _, k := range n.keys {
		markRefs(below, k)
	}
	n.in.need(below)
}

func (n *expanding) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		exprs, err := r.resolveAll(n.keys)
		if err != nil {
			yield(batch{}, err)
			return
		}
		for b, err := range n.in.run(r) {
			var keys []arrow.Array
			if err == nil {
				keys, err = evalAll(exprs, b)
			}
			if err != nil {
				yield(batch{}, err)
				return
			}
			for set, gid := range n.sets {
				out := batch{Rows: b.Rows, Columns: append([]arrow.Array(nil), b.Columns...)}
				for i, k := range keys {
					if gid&(1<<(len(keys)-1-i)) != 0 {
						k = columns.Nulls(k.DataType(), b.Rows)
					}
					out.Columns = append(out.Columns, k)
				}
				for _, v := range []int64{gid, int64(set)} {
					id, err := eval.Eval(&expr.Literal{Value: v, T: types.Long}, batch{Rows: b.Rows})
					if err != nil {
						yield(batch{}, err)
						return
					}
					out.Columns = append(out.Columns, id)
				}
				if !yield(out, nil) {
					return
				}
			}
		}
	}
}
