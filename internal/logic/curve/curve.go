package curve

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
)

// Sample is rows of the columns of a curve.
type Sample struct {
	shapes []shape
	parts  [][]arrow.Array // by column
	rows   int
}

// NewSample is an empty sample of columns of some types, which need an order.
func NewSample(columns []types.Type) (*Sample, error) {
	if len(columns) == 0 {
		return nil, fmt.Errorf("a curve needs at least one column")
	}
	s := &Sample{parts: make([][]arrow.Array, len(columns))}
	for _, t := range columns {
		sh, err := shapeOf(t)
		if err != nil {
			return nil, err
		}
		s.shapes = append(s.shapes, sh)
	}
	return s, nil
}

// Add takes in rows.
func (s *Sample) Add(cols []arrow.Array) {
	for i, a := range cols {
		s.parts[i] = append(s.parts[i], a)
	}
	s.rows += cols[0].Len()
}

// Rows is the number of rows in the sample.
func (s *Sample) Rows() int { return s.rows }

const (
	mostBits   = 12 // of the number of a range; more tell no page from another
	singleBits = 14 // of one column alone
	mostKeys   = 64 // columns that have a bit in the key
)

// Curve gives rows their keys. It does not change.
type Curve struct {
	columns []ranges
	kind    Kind
	bits    int        // of the number of a range
	spread  [][]uint64 // by column and number: its bits at their places in the key
}

// Curve cuts ranges by the sample.
func (s *Sample) Curve(k Kind) *Curve {
	n := min(len(s.shapes), mostKeys)
	c := &Curve{kind: k, bits: min(mostBits, 64/n)}
	if n == 1 {
		c.bits = singleBits
	}
	for i := range n {
		c.columns = append(c.columns, newRanges(s.shapes[i], s.parts[i], c.bits))
	}
	if n == 1 {
		return c
	}
	for i := range n {
		table := make([]uint64, 1<<c.bits)
		for v := range table {
			table[v] = spread(uint64(v), c.bits, n, n-1-i)
		}
		c.spread = append(c.spread, table)
	}
	return c
}

// spread puts bit b of v at n*b+at.
func spread(v uint64, bits, n, at int) (out uint64) {
	for b := range bits {
		out |= v >> b & 1 << (n*b + at)
	}
	return out
}

// Keys is the memory of one goroutine that computes keys.
type Keys struct {
	c     *Curve
	ids   [][]uint32
	words []uint64
	order []uint64
}

// Keys prepares to compute keys.
func (c *Curve) Keys() *Keys { return &Keys{c: c, ids: make([][]uint32, len(c.columns))} }

// Of returns the key of each row: rows in the order of their keys lie along the
// curve. The result is overwritten by the next call.
func (k *Keys) Of(cols []arrow.Array) []uint64 {
	n := cols[0].Len()
	k.words, k.order = sized(k.words, n), sized(k.order, n)
	for i := range k.ids {
		k.ids[i] = sized(k.ids[i], n)
	}
	if len(k.c.columns) == 1 {
		k.c.columns[0].order(k.order, cols[0], k.ids[0])
		return k.order
	}
	for i, r := range k.c.columns {
		r.number(k.ids[i], cols[i], k.words)
	}
	if k.c.kind == Hilbert {
		hilbert(k.ids, k.c.bits)
	}
	clear(k.order)
	for i, ids := range k.ids {
		table := k.c.spread[i]
		for row, id := range ids {
			k.order[row] |= table[id]
		}
	}
	return k.order
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
