package colstats

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Collector gathers the statistics of one data file while it is written.
type Collector struct {
	rows  int64
	roots []*node
}

// node is a column on the way to a leaf, or a leaf.
type node struct {
	name     string
	ordinal  int
	children []*node
	leaf     *leafStats
}

type leafStats struct {
	nulls  int64
	bounds accumulator // nil when the type has none
}

// NewCollector collects for the given leaves and keeps prefix characters of
// strings (none: strings have no bounds). Ordinal[0] of a leaf is the index into
// the columns that Add gets.
func NewCollector(leaves []Leaf, prefix int) *Collector {
	c := &Collector{}
	for _, l := range leaves {
		level := &c.roots
		for depth, name := range l.Path {
			var n *node
			for _, x := range *level {
				if x.ordinal == l.Ordinal[depth] {
					n = x
				}
			}
			if n == nil {
				n = &node{name: name, ordinal: l.Ordinal[depth]}
				*level = append(*level, n)
			}
			if depth == len(l.Path)-1 {
				n.leaf = &leafStats{bounds: newAccumulator(l.Type, prefix)}
			}
			level = &n.children
		}
	}
	return c
}

// Rows is the number of rows seen.
func (c *Collector) Rows() int64 { return c.rows }

// Add takes in a batch. A column that is nil counts as NULL throughout.
func (c *Collector) Add(cols []arrow.Array, rows int) {
	c.rows += int64(rows)
	for _, n := range c.roots {
		var a arrow.Array
		if n.ordinal < len(cols) {
			a = cols[n.ordinal]
		}
		n.add(a, rows, nil)
	}
}

// add takes in a column; alive says which rows have a parent that is not NULL
// (nil: all).
func (n *node) add(a arrow.Array, rows int, alive []bool) {
	if n.leaf != nil {
		n.leaf.add(a, rows, alive)
		return
	}
	s, ok := a.(*array.Struct)
	if !ok || s.NumField() == 0 { // absent, or all NULL
		for _, child := range n.children {
			child.add(nil, rows, alive)
		}
		return
	}
	alive = both(s, rows, alive)
	for _, child := range n.children {
		var f arrow.Array
		if child.ordinal < s.NumField() {
			f = s.Field(child.ordinal)
		}
		child.add(f, rows, alive)
	}
}

// both narrows alive to the rows where a is not NULL.
func both(a arrow.Array, rows int, alive []bool) []bool {
	if a.NullN() == 0 {
		return alive
	}
	out := make([]bool, rows)
	for i := range out {
		out[i] = (alive == nil || alive[i]) && a.IsValid(i)
	}
	return out
}

func (l *leafStats) add(a arrow.Array, rows int, alive []bool) {
	if a == nil || a.DataType().ID() == arrow.NULL {
		l.nulls += int64(rows)
		return
	}
	alive = both(a, rows, alive)
	if alive != nil {
		for _, ok := range alive {
			if !ok {
				l.nulls++
			}
		}
	}
	if l.bounds != nil {
		l.bounds.add(a, alive)
	}
}
