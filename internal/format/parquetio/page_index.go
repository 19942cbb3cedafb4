package parquetio

import (
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// pageLocation is where a page of a chunk lies and its first row in the group.
type pageLocation struct{ at, size, firstRow int64 }

// startGroup prepares for a row group: where the pages of its columns are, for
// those whose offset index can be trusted. What arrow-go cannot make sense of
// is treated like an index that is not there: the chunk is then read whole.
func (r *reading) startGroup(g *rowGroup) {
	clear(r.win.memo)
	clear(r.pages)
	r.win.reset()
	r.index = nil
	cols := map[int32]bool{}
	for _, l := range r.leaves {
		cols[int32(l)] = true
	}
	for _, h := range r.hints {
		if h.leaf != nil {
			cols[int32(h.leaf.leaf)] = true
		}
	}
	if len(cols) == 0 {
		return
	}
	index := r.pq.GetPageIndexReader()
	wanted := slices.Sorted(maps.Keys(cols))
	if index.WillNeed([]int32{int32(g.ordinal)}, wanted, metadata.PageIndexSelection{ColumnIndex: true, OffsetIndex: true}) != nil {
		return
	}
	r.index, _ = index.RowGroup(g.ordinal)
}

// locate reads the offset indexes of the columns that are needed for a part of
// a row group.
func (r *reading) locate(g *rowGroup, leaf int) {
	if _, done := r.pages[leaf]; done || r.index == nil || !g.chunks[leaf].offsetIndex {
		return
	}
	r.pages[leaf] = nil
	defer func() { _ = recover() }() // a damaged index is none
	idx, err := r.index.GetOffsetIndex(leaf)
	if err != nil || idx == nil {
		return
	}
	c := &g.chunks[leaf]
	from, to, err := c.bytes(r.f.src.size)
	if err != nil {
		return
	}
	var out []pageLocation
	for i, p := range idx.GetPageLocations() {
		l := pageLocation{p.Offset, int64(p.CompressedPageSize), p.FirstRowIndex}
		ok := l.size > 0 && l.at >= from && l.at+l.size <= to && l.firstRow < g.rows
		if i == 0 {
			ok = ok && l.firstRow == 0
		} else {
			ok = ok && l.firstRow > out[i-1].firstRow && l.at >= out[i-1].at+out[i-1].size
		}
		if !ok {
			return
		}
		out = append(out, l)
	}
	r.pages[leaf] = out
}

// columnIndex is the bounds of each page of a column, nil when unknown.
func (r *reading) columnIndex(g *rowGroup, leaf int) (out []pageBounds) {
	c := &g.chunks[leaf]
	if r.index == nil || !c.columnIndex || !c.offsetIndex {
		return nil
	}
	defer func() {
		if recover() != nil { // a damaged index is none
			out = nil
		}
	}()
	idx, err := r.index.GetColumnIndex(leaf)
	if err != nil || idx == nil {
		return nil
	}
	r.locate(g, leaf)
	los, his, nulls := idx.GetMinValues(), idx.GetMaxValues(), idx.GetNullCounts()
	for i, all := range idx.GetNullPages() {
		p := pageBounds{nulls: -1, allNull: all}
		if len(nulls) > 0 {
			p.nulls = nulls[i]
		}
		if !all {
			p.lo, p.hi = los[i], his[i]
		}
		out = append(out, p)
	}
	return out
}
