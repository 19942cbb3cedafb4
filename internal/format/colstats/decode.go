package colstats

import (
	"strconv"
)

// Stats are the statistics of one file for the leaves that a Decoder wants.
type Stats struct {
	Records int64 // number of rows in the file, deleted ones included; -1 when unknown
	Tight   bool  // false: rows were deleted after the bounds were taken
	Leaves  []LeafStats
}

// LeafStats are the statistics of one leaf. Bounds stay text until asked for.
type LeafStats struct {
	Nulls    int64 // -1 when unknown
	min, max []byte
}

// AllNull reports that every row of the file is NULL in this leaf; it needs the
// file's number of records.
func (l LeafStats) AllNull(records int64) bool { return records >= 0 && l.Nulls == records }

// NoNull reports that no row of the file is NULL in this leaf. Together with
// AllNull this is all that a count says when bounds are not tight.
func (l LeafStats) NoNull() bool { return l.Nulls == 0 }

// Decoder reads the statistics of some leaves. It is safe for concurrent use.
type Decoder struct {
	leaves []Leaf
	roots  []*want
}

// want is a name on the way to a wanted leaf.
type want struct {
	name     string
	index    int // of the leaf, -1 inside
	children []*want
}

// NewDecoder wants the given leaves, in this order.
func NewDecoder(leaves []Leaf) *Decoder {
	d := &Decoder{leaves: leaves}
	for i, l := range leaves {
		level := &d.roots
		for depth, name := range l.Path {
			w := find(*level, []byte(name))
			if w == nil {
				w = &want{name: name, index: -1}
				*level = append(*level, w)
			}
			if depth == len(l.Path)-1 {
				w.index = i
			}
			level = &w.children
		}
	}
	return d
}

func find(level []*want, name []byte) *want {
	for _, w := range level {
		if w.name == string(name) {
			return w
		}
	}
	return nil
}

// Decode reads statistics into out, whose slices are reused; out refers to the
// bytes of stats. Empty statistics are no error: everything is unknown.
func (d *Decoder) Decode(stats []byte, out *Stats) error {
	out.Records, out.Tight = -1, true
	if cap(out.Leaves) < len(d.leaves) {
		out.Leaves = make([]LeafStats, len(d.leaves))
	}
	out.Leaves = out.Leaves[:len(d.leaves)]
	for i := range out.Leaves {
		out.Leaves[i] = LeafStats{Nulls: -1}
	}
	if len(stats) == 0 {
		return nil
	}
	c := cursor{b: stats}
	ok := c.object(func(key []byte) bool {
		switch string(key) {
		case "numRecords":
			v, ok := c.token()
			if n, good := count(v); good {
				out.Records = n
			}
			return ok
		case "tightBounds":
			v, ok := c.token()
			out.Tight = string(v) != "false"
			return ok
		case "minValues":
			return d.tree(&c, d.roots, func(i int, v []byte) { out.Leaves[i].min = v })
		case "maxValues":
			return d.tree(&c, d.roots, func(i int, v []byte) { out.Leaves[i].max = v })
		case "nullCount":
			return d.tree(&c, d.roots, func(i int, v []byte) {
				if n, ok := count(v); ok {
					out.Leaves[i].Nulls = n
				}
			})
		}
		_, ok := c.token()
		return ok
	})
	if !ok || c.peek() != 0 {
		return errSyntax
	}
	return nil
}

// tree walks one statistic and hands out the tokens of wanted leaves.
func (d *Decoder) tree(c *cursor, level []*want, set func(i int, v []byte)) bool {
	if len(level) == 0 || c.peek() != '{' {
		_, ok := c.token()
		return ok
	}
	return c.object(func(key []byte) bool {
		w := find(level, key)
		if w == nil || w.index < 0 {
			var below []*want
			if w != nil {
				below = w.children
			}
			return d.tree(c, below, set)
		}
		v, ok := c.token()
		if ok && string(v) != "null" {
			set(w.index, v)
		}
		return ok
	})
}

// count reads a number of rows; one with a fraction or an exponent is tolerated
// when it is whole.
func count(v []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, n >= 0
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f < 0 || f > 1<<53 || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

// NumRecords finds the number of records in statistics without reading the rest.
func NumRecords[T ~string | ~[]byte](stats T) (n int64, ok bool) {
	const start = `{"numRecords":`
	if len(stats) > len(start) && string(stats[:len(start)]) == start { // as most writers begin
		for i := len(start); i < len(stats) && i < len(start)+18; i++ {
			switch d := stats[i]; {
			case d >= '0' && d <= '9':
				n = n*10 + int64(d-'0')
				continue
			case (d == ',' || d == '}') && i > len(start):
				return n, true
			}
			break
		}
	}
	n = 0
	c := cursor{b: []byte(stats)}
	c.object(func(key []byte) bool {
		v, good := c.token()
		if good && string(key) == "numRecords" {
			n, ok = count(v)
			return false
		}
		return good
	})
	return n, ok
}

// Loosen marks statistics as outdated by deleted rows: tightBounds becomes
// false, and numRecords, which a file with a deletion vector must have, is added
// when it is missing. Text that is no JSON object is replaced.
func Loosen(stats string, records int64) string {
	c := cursor{b: []byte(stats)}
	from, to, members := -1, -1, 0
	counted := false
	if !c.object(func(key []byte) bool {
		members++
		v, ok := c.token()
		switch string(key) {
		case "tightBounds":
			from, to = c.pos-len(v), c.pos
		case "numRecords":
			_, counted = count(v)
		}
		return ok
	}) {
		return `{"numRecords":` + strconv.FormatInt(records, 10) + `,"tightBounds":false}`
	}
	end := c.pos - 1
	var tail string
	if from < 0 {
		tail = `"tightBounds":false`
	} else {
		stats = stats[:from] + "false" + stats[to:]
		end += len("false") - (to - from)
	}
	if !counted {
		if tail != "" {
			tail += ","
		}
		tail += `"numRecords":` + strconv.FormatInt(records, 10)
	}
	if tail != "" && members > 0 {
		tail = "," + tail
	}
	return stats[:end] + tail + stats[end:]
}
