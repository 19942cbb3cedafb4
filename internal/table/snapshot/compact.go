package snapshot

import (
	"fmt"
	"slices"
)

// compact copies the living rows of a view into fresh columns, and reports the
// new places of those that have an owner.
func (v *view) compact(cols *columns, own *owners) view {
	out := view{cols: cols, state: 1}
	p := &partBuilder{part: part{chunk: &chunk{}}}
	p.reset()
	var id []byte
	var of []int // the owner of each row in p, -1 for none
	flush := func() {
		q := p.take()
		at, err := cols.adopt(&out, &q, 0)
		if err != nil { // fewer files than before fit
			panic(fmt.Sprintf("snapshot: %v", err))
		}
		for i := range q.chunk.len() {
			id = identity(id[:0], q.chunk.path(i), q.chunk.vector(i))
			cols.replace(&out, at(i), hashOf(id), id)
			own.placed(of[i], at(i))
		}
		of = of[:0]
	}
	v.all(func(r ref) bool {
		c, k := v.chunks[r.chunk()], r.row()
		stats, rest, err := c.record(k)
		if err != nil { // damaged memory
			panic("snapshot: " + err.Error())
		}
		of = append(of, own.of(r))
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

// owners follow the rows of sidecars into fresh columns.
type owners struct {
	from []owned // sorted once all are added
	next int
	at   map[int][]rows
}

type owned struct {
	rows
	owner int
}

func (o *owners) add(of []rows, owner int) {
	for _, r := range of {
		o.from = append(o.from, owned{r, owner})
	}
	slices.SortFunc(o.from, func(a, b owned) int { return int(makeRef(a.chunk, a.from)) - int(makeRef(b.chunk, b.from)) })
}

// of is the owner of a row, -1 for none. Rows are asked for in their order.
func (o *owners) of(r ref) int {
	for o.next < len(o.from) && (o.from[o.next].chunk < r.chunk() || o.from[o.next].chunk == r.chunk() && o.from[o.next].to <= r.row()) {
		o.next++
	}
	if o.next < len(o.from) && o.from[o.next].chunk == r.chunk() && o.from[o.next].from <= r.row() {
		return o.from[o.next].owner
	}
	return -1
}

func (o *owners) placed(owner int, r ref) {
	if owner < 0 {
		return
	}
	if o.at == nil {
		o.at = map[int][]rows{}
	}
	list := o.at[owner]
	if n := len(list) - 1; n >= 0 && list[n].chunk == r.chunk() && list[n].to == r.row() {
		list[n].to++
	} else {
		list = append(list, rows{r.chunk(), r.row(), r.row() + 1})
	}
	o.at[owner] = list
}
