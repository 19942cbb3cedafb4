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
		leaf := r.res.member(r.f.meta.root, fd)
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
func (r *reading) rangesOf(g *rowGroup) (out []rowRange, err error) {
	defer r.f.guard(&err)
	if g.rows == 0 {
		return nil, nil
	}
	all := []rowRange{{0, g.rows}}
	if r.q.Predicate == nil {
		return all, nil
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
		return nil, nil
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
	return all, nil
}

// pagesOf evaluates a conjunct of one column on the column's page index; false
// when there is none that can be used.
func (r *reading) pagesOf(g *rowGroup, o int, e expr.Expr) ([]rowRange, bool) {
	h := r.hints[o]
	c := &g.chunks[h.leaf.leaf]
	if c.columnIdxLen <= 0 || c.offsetIndexLen <= 0 {
		return nil, false
	}
	raw, err := r.f.bytes(c.columnIndexAt, int64(c.columnIdxLen))
	if err != nil {
		return nil, false
	}
	pages, err := parseColumnIndex(raw)
	if err != nil {
		return nil, false
	}
	at, err := r.f.offsetIndex(c, g.rows)
	if err != nil || len(at) != len(pages) || len(at) < 2 {
		return nil, false
	}
	var out []rowRange
	for i, p := range pages {
		to := g.rows
		if i+1 < len(at) {
			to = at[i+1].firstRow
		}
		from := at[i].firstRow
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

// offsetIndex reads where the pages of a chunk are. Damage is an error; the
// caller then reads the chunk whole.
func (f *File) offsetIndex(c *chunkMeta, rows int64) ([]pageLocation, error) {
	if c.offsetIndexLen <= 0 {
		return nil, nil
	}
	raw, err := f.bytes(c.offsetIndexAt, int64(c.offsetIndexLen))
	if err != nil {
		return nil, err
	}
	at, err := parseOffsetIndex(raw)
	if err != nil {
		return nil, err
	}
	from, to, err := c.chunkRange(f.size)
	if err != nil {
		return nil, err
	}
	ok := len(at) > 0 && at[0].firstRow == 0 && at[len(at)-1].firstRow < rows
	for i, p := range at {
		ok = ok && p.size > 0 && p.at >= from && p.at+int64(p.size) <= to
		if i > 0 {
			ok = ok && p.firstRow > at[i-1].firstRow && p.at >= at[i-1].at+int64(at[i-1].size)
		}
	}
	if !ok {
		return nil, errThrift
	}
	return at, nil
}

// bytes reads a small piece of the file.
func (f *File) bytes(at, n int64) ([]byte, error) {
	if at < 0 || n < 0 || at > f.size-n {
		return nil, errThrift
	}
	b := make([]byte, n)
	return b, readFull(f.r, b, at)
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
	var total int64
	for _, l := range r.leaves {
		if g.chunks[l].offsetIndexLen <= 0 {
			return [][]rowRange{ranges}
		}
		total += max(g.chunks[l].size, 0)
	}
	n := min(total/r.q.Window+1, g.rows)
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
