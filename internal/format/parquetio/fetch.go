package parquetio

import (
	"slices"
)

// fetcher brings the bytes of a row group into memory with few requests, and
// reuses the memory from group to group.
type fetcher struct {
	bufs  [][]byte
	bytes int64 // of the last group
}

// maxGap is how many bytes that nobody wants are read to save a request.
const maxGap = 256 << 10

// piece is a run of bytes of a column chunk.
type piece struct {
	from, to int64
	leaf     int // index into leaves
	firstRow int64
	endRow   int64
}

// load returns the spans of each leaf that cover the ranges.
func (f *fetcher) load(file *File, g *rowGroup, leaves []int, ranges []rowRange) ([][]span, error) {
	var pieces []piece
	for i, l := range leaves {
		p, err := wanted(file, g, &g.chunks[l], i, ranges)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, p...)
	}
	order := make([]int, len(pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(pieces[a].from - pieces[b].from) })
	datas := make([][]byte, len(pieces))
	f.bytes = 0
	used := 0
	for i := 0; i < len(order); {
		from, to, j := pieces[order[i]].from, pieces[order[i]].to, i+1
		for j < len(order) && pieces[order[j]].from <= to+maxGap {
			to = max(to, pieces[order[j]].to)
			j++
		}
		var data []byte
		if m, ok := file.r.(inMemory); ok && to <= int64(len(m)) {
			data = m[from:to]
		} else {
			data = f.buffer(used, int(to-from))
			used++
			if err := readFull(file.r, data, from); err != nil {
				return nil, err
			}
		}
		for _, k := range order[i:j] {
			datas[k] = data[pieces[k].from-from : pieces[k].to-from]
		}
		i = j
	}
	out := make([][]span, len(leaves))
	for i, p := range pieces {
		f.bytes += p.to - p.from
		out[p.leaf] = append(out[p.leaf], span{data: datas[i], firstRow: p.firstRow, endRow: p.endRow})
	}
	return out, nil
}

func (f *fetcher) buffer(i, n int) []byte {
	for len(f.bufs) <= i {
		f.bufs = append(f.bufs, nil)
	}
	if cap(f.bufs[i]) < n {
		f.bufs[i] = make([]byte, n)
	}
	return f.bufs[i][:n]
}

// wanted lists the bytes of a chunk that the ranges need: all of it, or, with an
// offset index, its dictionary and the pages that overlap a range.
func wanted(file *File, g *rowGroup, c *chunkMeta, leaf int, ranges []rowRange) ([]piece, error) {
	from, to, err := c.chunkRange(file.size)
	if err != nil {
		return nil, err
	}
	whole := []piece{{from: from, to: to, leaf: leaf, endRow: g.rows}}
	if len(ranges) == 1 && ranges[0] == (rowRange{0, g.rows}) {
		return whole, nil
	}
	at, err := file.offsetIndex(c, g.rows)
	if err != nil || len(at) == 0 {
		return whole, nil
	}
	var out []piece
	if at[0].at > from {
		out = append(out, piece{from: from, to: at[0].at, leaf: leaf})
	}
	for i, p := range at {
		end := g.rows
		if i+1 < len(at) {
			end = at[i+1].firstRow
		}
		if len(intersect(ranges, []rowRange{{p.firstRow, end}})) == 0 {
			continue
		}
		stop := p.at + int64(p.size)
		if n := len(out); n > 0 && out[n-1].to == p.at {
			out[n-1].to, out[n-1].endRow = stop, end
			continue
		}
		out = append(out, piece{from: p.at, to: stop, leaf: leaf, firstRow: p.firstRow, endRow: end})
	}
	return out, nil
}
