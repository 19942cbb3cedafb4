package parquetio

import "github.com/sluicelake/sluice/types"

// Known is what the footer says of a column of the file, a leaf of the schema, in
// all row groups together.
type Known struct {
	// Nulls counts the rows without a value, those with a parent that is NULL among
	// them; -1 is unknown.
	Nulls int64
	// Bounds are pairs of the least and the greatest value of row groups that have
	// values; Bounded says that every such row group has its pair.
	Bounds  [][2]any
	Bounded bool
}

// Known looks up what the footer says of the leaf at a path of fields of structs,
// whose values have a type. ok is false when the file has no such column.
func (f *File) Known(path []string, t types.Type) (k Known, ok bool) {
	defer func() {
		if recover() != nil { // a damaged footer says nothing
			k, ok = Known{}, false
		}
	}()
	n := f.meta.root
	for _, name := range path {
		var err error
		if n, err = n.child(name); err != nil || n == nil {
			return Known{}, false
		}
	}
	conv, convertible := converter(n, t)
	if n.leaf < 0 || n.rep > 0 || !convertible {
		return Known{}, false
	}
	k.Bounded = true
	for i := range f.meta.groups {
		g := &f.meta.groups[i]
		b := bounds{nulls: -1, rows: g.rows}
		if c := &g.chunks[n.leaf]; c.hasStats {
			b = literalBounds(n, t, conv, c.stats, g.rows)
		}
		switch {
		case b.nulls < 0 || k.Nulls < 0:
			k.Nulls = -1
		default:
			k.Nulls += b.nulls
		}
		switch {
		case b.allNull():
		case b.lo == nil || b.hi == nil:
			k.Bounded, k.Bounds = false, nil
		case k.Bounded:
			k.Bounds = append(k.Bounds, [2]any{b.lo, b.hi})
		}
	}
	return k, true
}
