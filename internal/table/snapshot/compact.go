package snapshot

import "fmt"

// compact copies the living rows of a view into fresh columns.
func (v *view) compact(cols *columns) view {
	out := view{cols: cols, state: 1}
	p := &partBuilder{part: part{chunk: &chunk{}}}
	p.reset()
	var id []byte
	flush := func() {
		q := p.take()
		at, err := cols.adopt(&out, &q, 0)
		if err != nil { // fewer files than before fit
			panic(fmt.Sprintf("snapshot: %v", err))
		}
		for i := range q.chunk.len() {
			id = identity(id[:0], q.chunk.path(i), q.chunk.vector(i))
			cols.replace(&out, at(i), hashOf(id), id)
		}
	}
	v.all(func(r ref) bool {
		c, k := v.chunks[r.chunk()], r.row()
		stats, rest, err := c.record(k)
		if err != nil { // damaged memory
			panic("snapshot: " + err.Error())
		}
		p.chunk.paths = append(p.chunk.paths, c.path(k)...)
		p.chunk.add(row{size: c.size[k], modTime: c.modTime[k], records: c.numRecords(k),
			tuple: p.dict.ofString(v.texts[c.tuple[k]]), vector: c.vector(k), stats: stats, rest: rest})
		if p.chunk.len() >= batchRows {
			flush()
		}
		return true
	})
	flush()
	return out
}
