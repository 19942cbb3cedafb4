package parquetio

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// fetcher brings the bytes of a row group into memory with few requests, and
// reuses the memory from group to group. From a source whose requests cost
// little it leaves them there until they are decoded.
type fetcher struct {
	bufs [][]byte
}

// maxGap is how many bytes that nobody wants are read to save a request.
const maxGap = 512 << 10

// piece is a run of bytes of a column chunk.
type piece struct{ from, to int64 }

// load returns the spans of the leaves that cover the ranges.
func (f *fetcher) load(src *source, g *rowGroup, leaves []int, pages map[int][]pageLocation, ranges []rowRange) ([]span, error) {
	var pieces []piece
	for _, l := range leaves {
		p, err := wanted(src.size, g, &g.chunks[l], pages[l], ranges)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, p...)
	}
	slices.SortFunc(pieces, func(a, b piece) int { return order(a.from, b.from) })
	out := make([]span, 0, len(pieces))
	if src.cheap {
		for _, p := range pieces {
			s := span{at: p.from, end: p.to}
			if p.from >= src.at {
				s.data = src.tail[p.from-src.at : p.to-src.at]
			}
			out = append(out, s)
		}
		return out, nil
	}
	var jobs []func() error
	used := 0
	for i := 0; i < len(pieces); {
		from, to, j := pieces[i].from, pieces[i].to, i+1
		for j < len(pieces) && pieces[j].from <= to+maxGap {
			to = max(to, pieces[j].to)
			j++
		}
		var data []byte
		if from >= src.at {
			data = src.tail[from-src.at : to-src.at]
		} else {
			data = f.buffer(used, int(to-from))
			used++
			next := from
			for part := range slices.Chunk(data, mostAtOnce) {
				at := next
				jobs = append(jobs, func() error { return readFull(src.r, part, at) })
				next += int64(len(part))
			}
		}
		for _, p := range pieces[i:j] {
			out = append(out, span{at: p.from, end: p.to, data: data[p.from-from : p.to-from]})
		}
		i = j
	}
	return out, together(jobs)
}

// mostRequests of one load are under way at a time, each for mostAtOnce bytes at
// most: a store sends several parts faster than one.
const (
	mostRequests = 8
	mostAtOnce   = 16 << 20
)

// together runs functions side by side and returns the first error.
func together(jobs []func() error) error {
	if len(jobs) == 1 {
		return jobs[0]()
	}
	errs := make([]error, len(jobs))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(len(jobs), mostRequests) {
		group.Go(func() {
			for k := next.Add(1) - 1; k < int64(len(jobs)); k = next.Add(1) - 1 {
				errs[k] = jobs[k]()
			}
		})
	}
	group.Wait()
	return cmp.Or(errs...)
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

// wanted lists the bytes of a chunk that the ranges need: all of it, or, where
// its pages are known, its dictionary and the pages that overlap a range.
func wanted(size int64, g *rowGroup, c *chunkMeta, at []pageLocation, ranges []rowRange) ([]piece, error) {
	from, to, err := c.bytes(size)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return []piece{{from, to}}, nil
	}
	var out []piece
	if at[0].at > from {
		out = append(out, piece{from, at[0].at})
	}
	for i, p := range at {
		if len(intersect(ranges, []rowRange{{p.firstRow, pageEnd(at, i, g.rows)}})) == 0 {
			continue
		}
		stop := p.at + p.size
		if n := len(out); n > 0 && out[n-1].to == p.at {
			out[n-1].to = stop
			continue
		}
		out = append(out, piece{p.at, stop})
	}
	return out, nil
}

// pageEnd is the row behind a page's last one.
func pageEnd(at []pageLocation, i int, rows int64) int64 {
	if i+1 < len(at) {
		return at[i+1].firstRow
	}
	return rows
}
