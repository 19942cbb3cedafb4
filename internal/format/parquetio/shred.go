package parquetio

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// slots are the entries of a column at one depth of nesting: levels and, where
// the path has not ended in a NULL or an empty list, the position in the array.
type slots struct {
	defs, reps []int16
	pos        []int32 // -1: ended above
}

// shred splits a column into the levels and values of its leaves (Dremel).
func (n *node) shred(a arrow.Array, rows int) error {
	if n.leaf != nil && n.rep == 0 && (n.def == 0 || n.optional && n.def == 1) {
		return n.leaf.addFlat(a, rows)
	}
	s := slots{defs: make([]int16, rows), reps: make([]int16, rows), pos: make([]int32, rows)}
	for i := range s.pos {
		s.pos[i] = int32(i)
	}
	return n.descend(a, s, rows)
}

func (n *node) descend(a arrow.Array, s slots, rows int) error {
	if n.optional {
		next := slots{defs: make([]int16, len(s.defs)), reps: s.reps, pos: make([]int32, len(s.pos))}
		for i, p := range s.pos {
			next.defs[i], next.pos[i] = s.defs[i], -1
			if p >= 0 && a.IsValid(int(p)) {
				next.defs[i], next.pos[i] = n.def, p
			}
		}
		s = next
	} else if a.NullN() > 0 {
		for _, p := range s.pos {
			if p >= 0 && a.IsNull(int(p)) {
				return fmt.Errorf("NULL in %s, which is declared NOT NULL", types.QuoteIdentifier(n.name))
			}
		}
	}
	if n.leaf != nil {
		return n.leaf.addNested(a, s, rows)
	}
	switch x := a.(type) {
	case *array.Struct:
		if x.NumField() != len(n.kids) {
			return wrongArray(a, n.typ)
		}
		for i, k := range n.kids {
			if k == nil {
				continue
			}
			if err := k.descend(x.Field(i), s, rows); err != nil {
				return err
			}
		}
		return nil
	case array.ListLike:
		g := n.kids[0]
		if !n.listLike() {
			break
		}
		next := expand(x, s, g)
		if m, ok := a.(*array.Map); ok {
			for i, kv := range []arrow.Array{m.Keys(), m.Items()} {
				if err := g.kids[i].descend(kv, next, rows); err != nil {
					return err
				}
			}
			return nil
		}
		return g.kids[0].descend(x.ListValues(), next, rows)
	}
	return wrongArray(a, n.typ)
}

func (n *node) listLike() bool { return len(n.kids) == 1 && n.kids[0] != nil && n.kids[0].repeated }

// expand replaces each list by its elements.
func expand(l array.ListLike, s slots, g *node) slots {
	var out slots
	for i, p := range s.pos {
		var from, to int64
		if p >= 0 {
			from, to = l.ValueOffsets(int(p))
		}
		if from == to {
			out.defs, out.reps, out.pos = append(out.defs, s.defs[i]), append(out.reps, s.reps[i]), append(out.pos, -1)
			continue
		}
		rep := s.reps[i]
		for k := from; k < to; k++ {
			out.defs, out.reps, out.pos = append(out.defs, g.def), append(out.reps, rep), append(out.pos, int32(k))
			rep = g.rep
		}
	}
	return out
}

// addFlat adds rows of a column that is not nested.
func (l *leafWriter) addFlat(a arrow.Array, rows int) error {
	if a.NullN() == 0 && a.DataType().ID() != arrow.NULL {
		return l.put(a, l.allSet(rows), nil, rows)
	}
	if !l.node.optional {
		return fmt.Errorf("NULL in %s, which is declared NOT NULL", types.QuoteIdentifier(l.node.name))
	}
	defs, valid := make([]int16, rows), make([]int32, 0, rows)
	for i := range defs {
		if a.IsValid(i) && a.DataType().ID() != arrow.NULL {
			defs[i] = 1
			valid = append(valid, int32(i))
		}
	}
	return l.put(columns.Take(a, valid), defs, nil, rows)
}

func (l *leafWriter) addNested(a arrow.Array, s slots, rows int) error {
	valid := make([]int32, 0, len(s.pos))
	for _, p := range s.pos {
		if p >= 0 {
			valid = append(valid, p)
		}
	}
	reps := s.reps
	if l.node.rep == 0 {
		reps = nil
	}
	defs := s.defs
	if l.node.def == 0 {
		defs = nil
	}
	return l.put(columns.Take(a, valid), defs, reps, rows)
}
