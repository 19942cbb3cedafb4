package colstats

import (
	"strconv"

	"github.com/sluicelake/sluice/internal/base/columns"
)

// Merge is the statistics of a file that holds the rows of others, whose statistics
// are given. It reports false when they do not say enough: how many rows there are,
// and bounds that are tight. A leaf of which one file says nothing has nothing.
func Merge(leaves []Leaf, tightBounds bool, files ...string) (string, bool) {
	d := NewDecoder(leaves)
	all := make([]Stats, len(files))
	var rows int64
	for i, text := range files {
		if d.Decode([]byte(text), &all[i]) != nil || all[i].Records < 0 || !all[i].Tight {
			return "", false
		}
		rows += all[i].Records
	}
	merged := make([]LeafStats, len(leaves))
	for k, l := range leaves {
		merged[k] = mergeLeaf(all, k, l)
	}
	m := &merger{d: d, leaves: merged}
	dst := append(make([]byte, 0, 256), `{"numRecords":`...)
	dst = strconv.AppendInt(dst, rows, 10)
	if len(leaves) > 0 {
		dst = m.tree(append(dst, `,"minValues":`...), d.roots, func(l *LeafStats) []byte { return l.min }, true)
		dst = m.tree(append(dst, `,"maxValues":`...), d.roots, func(l *LeafStats) []byte { return l.max }, true)
		dst = m.tree(append(dst, `,"nullCount":`...), d.roots, func(l *LeafStats) []byte {
			if l.Nulls < 0 {
				return nil
			}
			return strconv.AppendInt(nil, l.Nulls, 10)
		}, false)
	}
	if tightBounds {
		dst = append(dst, `,"tightBounds":true`...)
	}
	return string(append(dst, '}')), true
}

// mergeLeaf joins what files say of one leaf.
func mergeLeaf(all []Stats, k int, l Leaf) LeafStats {
	out := LeafStats{}
	bounded, first := HasBounds(l.Type), true
	for i := range all {
		s := all[i].Leaves[k]
		if s.Nulls < 0 || out.Nulls < 0 {
			out.Nulls = -1
		} else {
			out.Nulls += s.Nulls
		}
		switch {
		case !bounded || s.AllNull(all[i].Records):
		case s.min == nil || s.max == nil:
			bounded = false
		case first:
			out.min, out.max, first = s.min, s.max, false
		default:
			lo, ok1 := Compare(s.Min(l.Type), out.Min(l.Type))
			hi, ok2 := Compare(s.Max(l.Type), out.Max(l.Type))
			if bounded = ok1 && ok2; !bounded {
				break
			}
			if lo < 0 {
				out.min = s.min
			}
			if hi > 0 {
				out.max = s.max
			}
		}
	}
	if !bounded {
		out.min, out.max = nil, nil
	}
	return out
}

type merger struct {
	d      *Decoder
	leaves []LeafStats
}

// tree writes one statistic of all leaves, as objects that mirror the schema.
func (m *merger) tree(dst []byte, level []*want, value func(*LeafStats) []byte, bounds bool) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for _, w := range level {
		if bounds && !m.bounded(w) {
			continue
		}
		var v []byte
		if w.index >= 0 {
			if v = value(&m.leaves[w.index]); v == nil {
				continue
			}
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(columns.AppendQuoted(dst, w.name), ':')
		if w.index >= 0 {
			dst = append(dst, v...)
		} else {
			dst = m.tree(dst, w.children, value, bounds)
		}
	}
	return append(dst, '}')
}

// bounded reports whether a leaf below has bounds by its type.
func (m *merger) bounded(w *want) bool {
	if w.index >= 0 {
		return HasBounds(m.d.leaves[w.index].Type)
	}
	for _, c := range w.children {
		if m.bounded(c) {
			return true
		}
	}
	return false
}
