package snapshot

import (
	"fmt"
	"sync"
)

// columns are the rows that all versions of a table share: live files and dead
// ones, or tombstones. Only the newest version appends to them and marks rows
// dead, under the lock; reading a version needs no lock, except to use the index.
type columns struct {
	mu      sync.RWMutex
	chunks  []*chunk // replaced, never changed, when a chunk is replaced
	index   index
	dict    dictionary
	garbage int    // dead rows
	id, buf []byte // scratch space of the writer
}

// view is what one version sees of the columns.
type view struct {
	cols    *columns
	chunks  []*chunk
	texts   []string
	state   uint32
	live    int
	bytes   int64
	vectors int
	deleted int64 // rows under deletion vectors
}

// replace enters a row, and kills the one that lived under its identity.
func (c *columns) replace(v *view, r ref, h uint32, id []byte) {
	old, ok := c.find(v.chunks, h, id, v.state, &c.buf)
	if ok {
		c.kill(v, old)
	}
	c.index.insert(h, r)
	v.count(v.chunks[r.chunk()], r.row())
}

// find returns the living row of an identity, as state sees it.
func (c *columns) find(chunks []*chunk, h uint32, id []byte, state uint32, buf *[]byte) (found ref, ok bool) {
	c.index.each(h, func(r ref) bool {
		if r.chunk() >= len(chunks) || r.row() >= chunks[r.chunk()].len() || !chunks[r.chunk()].alive(r.row(), state) {
			return true
		}
		ok, *buf = chunks[r.chunk()].same(r.row(), id, *buf)
		found = r
		return !ok
	})
	return found, ok
}

// kill marks a row dead from state on.
func (c *columns) kill(v *view, r ref) {
	ch := v.chunks[r.chunk()]
	markDead(ch, r.row(), v.state)
	c.garbage++
	v.live--
	v.bytes -= ch.size[r.row()]
	if dv := ch.vector(r.row()); dv != nil {
		v.vectors--
		v.deleted -= dv.Cardinality
	}
}

// count enters a new row into the totals of a view.
func (v *view) count(ch *chunk, i int) {
	v.live++
	v.bytes += ch.size[i]
	if dv := ch.vector(i); dv != nil {
		v.vectors++
		v.deleted += dv.Cardinality
	}
}

// adopt appends the rows of a parsed chunk and returns where they are. A long
// chunk becomes part of the columns as it is; a short one is copied behind the
// last chunk, so that many small commits do not make many chunks.
// following is how many more rows are known to come.
func (c *columns) adopt(v *view, p *part, following int) (func(i int) ref, error) {
	n := p.chunk.len()
	if n == 0 {
		return nil, nil
	}
	local := make([]uint32, len(p.dict.texts))
	for i, t := range p.dict.texts {
		local[i] = c.dict.ofString(t)
	}
	v.texts = c.dict.texts
	c.index.reserve(n + following)
	if n >= wholeFrom || n >= blockRows && len(v.chunks) < fewChunks || p.chunk.left != nil {
		for i, t := range p.chunk.tuple {
			p.chunk.tuple[i] = local[t]
		}
		at := len(v.chunks)
		if at >= 1<<16-1 {
			return nil, fmt.Errorf("snapshot: more than %d files", 1<<32)
		}
		v.chunks = append(v.chunks[:at:at], p.chunk)
		return func(i int) ref { return makeRef(at, i) }, nil
	}
	last := len(v.chunks) - 1
	if last < 0 || !v.chunks[last].tail || v.chunks[last].len()+n > tailRows || len(v.chunks[last].paths)+len(p.chunk.paths) > maxPaths {
		if last+1 >= 1<<16-1 {
			return nil, fmt.Errorf("snapshot: more than %d files", 1<<32)
		}
		last++
		v.chunks = append(v.chunks[:last:last], &chunk{tail: true, cold: newCold()})
	} else {
		v.chunks = append([]*chunk(nil), v.chunks...)
	}
	longer := *v.chunks[last]
	base := longer.len()
	for i := range n {
		stats, rest, err := p.chunk.cold.record(i)
		if err != nil {
			return nil, err
		}
		longer.paths = append(longer.paths, p.chunk.path(i)...)
		longer.add(row{
			size: p.chunk.size[i], modTime: p.chunk.modTime[i], records: p.chunk.records[i],
			tuple: local[p.chunk.tuple[i]], vector: p.chunk.vector(i), stats: stats, rest: rest,
		})
	}
	v.chunks[last] = &longer
	return func(i int) ref { return makeRef(last, base+i) }, nil
}

// drop kills the living row of an identity, if there is one.
func (c *columns) drop(v *view, h uint32, id []byte) bool {
	if v.live == 0 {
		return false
	}
	r, ok := c.find(v.chunks, h, id, v.state, &c.buf)
	if ok {
		c.kill(v, r)
	}
	return ok
}
