package parquetio

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/internal/base/columns"
)

var errLevels = errors.New("the columns of a nested value do not agree on its shape")

// assemble makes the array of a column with n slots out of the decoded leaves.
func (c *column) assemble(leaves map[int]*leafRows, n int) (arrow.Array, error) {
	if c.pq == nil {
		return columns.Nulls(c.dt, n), nil
	}
	rows := leaves[c.levels.leaf]
	switch {
	case c.flat:
		return c.conv(rows.vec)
	case c.pieces != nil:
		a, err := c.kids[0].assemble(leaves, n)
		if err != nil {
			return nil, err
		}
		return unshred(c.dt, a.(*array.Struct), c.pieces)
	case c.conv != nil:
		return c.leafArray(rows, n)
	case c.rep != nil:
		return c.listArray(leaves, rows, n)
	}
	return c.structArray(leaves, rows, n)
}

// leafArray puts NULL into the slots that have no value.
func (c *column) leafArray(rows *leafRows, n int) (arrow.Array, error) {
	set := make([]bool, 0, n)
	count := 0
	for _, d := range rows.defs {
		if d >= c.pq.anc {
			set = append(set, d == c.pq.def)
			if d == c.pq.def {
				count++
			}
		}
	}
	if len(set) != n {
		return nil, errLevels
	}
	v := *rows.vec
	v.spread(count, n, func(i int) bool { return set[i] })
	return c.conv(&v)
}

func (c *column) structArray(leaves map[int]*leafRows, rows *leafRows, n int) (arrow.Array, error) {
	valid := bitmap{}
	for i, d := range rows.defs {
		if d >= c.pq.anc && (len(rows.reps) == 0 || rows.reps[i] <= c.pq.rep) {
			valid.add(d >= c.pq.def)
		}
	}
	if valid.n != n {
		return nil, errLevels
	}
	kids := make([]arrow.ArrayData, len(c.kids))
	for i, k := range c.kids {
		a, err := k.assemble(leaves, n)
		if err != nil {
			return nil, err
		}
		if a.Len() != n {
			return nil, errLevels
		}
		kids[i] = a.Data()
	}
	return array.MakeFromData(array.NewData(c.dt, n, []*memory.Buffer{valid.buffer()}, kids, valid.nulls, 0)), nil
}

func (c *column) listArray(leaves map[int]*leafRows, rows *leafRows, n int) (arrow.Array, error) {
	anc, rep, def := c.pq.anc, c.pq.rep, c.pq.def
	if c.pq == c.rep { // a bare repeated field is a list that is never NULL
		rep, def = rep-1, def-1
		anc = 0
		if rep > 0 {
			return nil, errors.New("repeated fields inside of each other without a list around them")
		}
	}
	valid := bitmap{}
	offsets := make([]int32, 0, n+1)
	elements := int32(0)
	for i, d := range rows.defs {
		r := rows.reps[i]
		if r <= rep && d >= anc {
			valid.add(d >= def)
			offsets = append(offsets, elements)
		}
		if d >= c.rep.def && r <= c.rep.rep {
			elements++
		}
	}
	offsets = append(offsets, elements)
	if valid.n != n {
		return nil, errLevels
	}
	kids := make([]arrow.ArrayData, len(c.kids))
	for i, k := range c.kids {
		a, err := k.assemble(leaves, int(elements))
		if err != nil {
			return nil, err
		}
		if a.Len() != int(elements) {
			return nil, errLevels
		}
		kids[i] = a.Data()
	}
	if m, ok := c.dt.(*arrow.MapType); ok {
		kids = []arrow.ArrayData{array.NewData(m.Elem(), int(elements), []*memory.Buffer{nil}, kids, 0, 0)}
	}
	return array.MakeFromData(array.NewData(c.dt, n, []*memory.Buffer{valid.buffer(), memory.NewBufferBytes(bytesOf(offsets))}, kids, valid.nulls, 0)), nil
}

// bitmap collects validity.
type bitmap struct {
	bits     []byte
	n, nulls int
}

func (b *bitmap) add(v bool) {
	if b.n&7 == 0 {
		b.bits = append(b.bits, 0)
	}
	if v {
		b.bits[b.n>>3] |= 1 << (b.n & 7)
	} else {
		b.nulls++
	}
	b.n++
}

func (b *bitmap) buffer() *memory.Buffer {
	if b.nulls == 0 {
		return nil
	}
	return memory.NewBufferBytes(b.bits)
}
