package colstats

import (
	"strconv"

	"github.com/sluicelake/sluice/internal/base/columns"
)

// Known is what is known of a leaf of a file that was not read: its footer says so.
type Known struct {
	Nulls   int64    // -1: unknown
	Bounds  [][2]any // least and greatest values of parts of the file, as literal values
	Bounded bool     // every part that has values has its pair
}

// FromKnown writes statistics from what is known of the leaves, in their order;
// nil for a leaf that nothing is known of. The greatest of floating-point numbers
// is left out: footers do not count NaN, which is greater than all of them.
func FromKnown(leaves []Leaf, prefix int, rows int64, known []*Known) string {
	c := NewCollector(leaves, prefix)
	c.rows = rows
	silent := map[*leafStats]bool{}
	for i, l := range leaves {
		n := c.find(l)
		k := known[i]
		if k == nil {
			k = &Known{Nulls: -1}
		}
		if n.nulls = k.Nulls; k.Nulls < 0 {
			silent[n] = true
		}
		if n.bounds == nil {
			continue
		}
		fresh := newAccumulator(l.Type, prefix)
		for _, b := range k.Bounds {
			a, err := columns.FromValues(l.Type, b[0], b[1])
			if err != nil {
				k.Bounded = false
				break
			}
			fresh.add(a, nil)
		}
		if k.Bounded {
			n.bounds = fresh
		}
		if ClassOf(l.Type) == Float {
			n.bounds = leastOnly{n.bounds}
		}
	}
	return c.json(func(dst []byte, l *leafStats) ([]byte, bool) {
		if silent[l] {
			return dst, false
		}
		return strconv.AppendInt(dst, l.nulls, 10), true
	}, false)
}

// leastOnly has no upper bound.
type leastOnly struct{ accumulator }

func (leastOnly) appendMax(dst []byte) ([]byte, bool) { return dst, false }

// find is the statistics of a leaf.
func (c *Collector) find(l Leaf) *leafStats {
	level := c.roots
	for depth := range l.Ordinal {
		for _, n := range level {
			if n.ordinal != l.Ordinal[depth] {
				continue
			}
			if n.leaf != nil {
				return n.leaf
			}
			level = n.children
			break
		}
	}
	return nil
}
