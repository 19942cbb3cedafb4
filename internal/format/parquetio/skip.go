package parquetio

import "github.com/sluicelake/sluice/expr"

// rowRange is a run of rows of a row group that are read.
type rowRange struct{ from, to int64 }

// convertible is a column of the predicate whose statistics can be used.
type convertible struct {
	leaf *parquetNode // nil: the file lacks the column, so all its values are NULL
	conv convert
}

// planPredicate finds the columns of the predicate in the file.
func (r *reading) planPredicate() {
	r.hints = map[int]*convertible{}
	if r.q.Predicate == nil {
		return
	}
	for _, o := range expr.Refs(r.q.Predicate) {
		if o < 0 || o >= len(r.q.Schema.Fields) {
			continue
		}
		fd := r.q.Schema.Fields[o]
		leaf, err := r.res.member(r.f.meta.root, fd)
		if err != nil {
			continue
		}
		if leaf == nil {
			r.hints[o] = &convertible{}
			continue
		}
		if leaf.leaf < 0 || leaf.rep > 0 {
			continue
		}
		if conv, ok := converter(leaf, fd.Type); ok {
			r.hints[o] = &convertible{leaf, conv}
		}
	}
}

// rangesOf says which rows of a group can match the predicate.
func (r *reading) rangesOf(g *rowGroup) []rowRange {
	if g.rows == 0 {
		return nil
	}
	all := []rowRange{{0, g.rows}}
	if r.q.Predicate == nil {
		return all
	}
	of := func(o int) (bounds, bool) {
		h := r.hints[o]
		switch {
		case h == nil:
			return bounds{}, false
		case h.leaf == nil:
			return bounds{nulls: g.rows, rows: g.rows}, true
		}
		c := &g.chunks[h.leaf.leaf]
		if !c.hasStats {
			return bounds{}, false
		}
		return literalBounds(h.leaf, r.q.Schema.Fields[o].Type, h.conv, c.stats, g.rows), true
	}
	if !mayMatch(r.q.Predicate, of) {
		return nil
	}
	for _, e := range expr.Conjuncts(r.q.Predicate) {
		refs := expr.Refs(e)
		if len(refs) != 1 || r.hints[refs[0]] == nil || r.hints[refs[0]].leaf == nil {
			continue
		}
		kept, ok := r.pagesOf(g, refs[0], e)
		if ok {
			all = intersect(all, kept)
		}
	}
	return all
}

// pagesOf evaluates a conjunct of one column on the column's page index; false
// when there is none that can be used.
func (r *reading) pagesOf(g *rowGroup, o int, e expr.Expr) ([]rowRange, bool) {
	h := r.hints[o]
	pages := r.columnIndex(g, h.leaf.leaf)
	at := r.pages[h.leaf.leaf]
	if len(at) != len(pages) || len(at) < 2 {
		return nil, false
	}
	var out []rowRange
	for i, p := range pages {
		from, to := at[i].firstRow, pageEnd(at, i, g.rows)
		b := literalBounds(h.leaf, r.q.Schema.Fields[o].Type, h.conv, p, to-from)
		if mayMatch(e, func(int) (bounds, bool) { return b, true }) {
			if n := len(out); n > 0 && out[n-1].to == from {
				out[n-1].to = to
			} else {
				out = append(out, rowRange{from, to})
			}
		}
	}
	return out, true
}

// intersect of two ascending lists of ranges.
func intersect(a, b []rowRange) []rowRange {
	var out []rowRange
	for len(a) > 0 && len(b) > 0 {
		from, to := max(a[0].from, b[0].from), min(a[0].to, b[0].to)
		if from < to {
			out = append(out, rowRange{from, to})
		}
		if a[0].to < b[0].to {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// within is the part of the file's ranges that lies in a row group.
func within(rows []RowRange, first, n int64) []rowRange {
	var out []rowRange
	for _, r := range rows {
		from, to := max(r.Start-first, 0), min(r.End-first, n)
		if from < to {
			out = append(out, rowRange{from, to})
		}
	}
	return out
}

// windows cuts the ranges of a row group that is too large to hold at once, where
// a page index tells which bytes each part needs.
func (r *reading) windows(g *rowGroup, ranges []rowRange) [][]rowRange {
	if r.f.src.cheap { // then nothing is held
		return [][]rowRange{ranges}
	}
	for _, l := range r.leaves {
		if !g.chunks[l].offsetIndex {
			return [][]rowRange{ranges}
		}
	}
	n := min(g.bytes(r.leaves)/r.q.Window+1, g.rows)
	if n <= 1 {
		return [][]rowRange{ranges}
	}
	var out [][]rowRange
	for i := range n {
		window := rowRange{g.rows / n * i, g.rows / n * (i + 1)}
		if i == n-1 {
			window.to = g.rows
		}
		if part := intersect(ranges, []rowRange{window}); len(part) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// limited keeps the first rows of ranges, and says how many rows are still missing.
func limited(ranges []rowRange, left int64) ([]rowRange, int64) {
	for i, r := range ranges {
		if n := r.to - r.from; n < left {
			left -= n
			continue
		}
		ranges[i].to = r.from + left
		return ranges[:i+1], 0
	}
	return ranges, left
}
