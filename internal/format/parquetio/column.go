package parquetio

import (
	"errors"
)

// maxPageValues bounds what a hostile page can make the reader allocate.
const maxPageValues = 1 << 27

// span is a run of whole pages of a chunk, in memory.
type span struct {
	data     []byte
	firstRow int64 // of its first data page within the row group
	endRow   int64 // behind its last one
}

// columnReader decodes the rows of one column chunk in ascending order. Its
// pages may have gaps; rows in a gap are never asked for.
type columnReader struct {
	leaf  *parquetNode
	meta  *chunkMeta
	spans []span
	row   int64 // next row to read, within the row group
	keep  bool  // levels are kept, for nested columns

	dict    *dictionary
	vals    pageValues
	page    []byte // decompressed, reused
	left    int    // levels left of the open page
	rep     rleReader
	def     rleReader
	pdefs   []uint8 // repeated columns: all levels of the page
	preps   []uint8
	at      int
	scratch []uint32

	textPerRow int
}

// leafRows are rows of a leaf: flat columns have one slot for each row in vec;
// columns that keep levels have dense values in vec.
type leafRows struct {
	defs, reps []uint8
	vec        *vector
}

func newColumnReader(leaf *parquetNode, meta *chunkMeta, spans []span, keep bool) *columnReader {
	c := &columnReader{leaf: leaf, meta: meta, spans: spans, keep: keep, vals: pageValues{leaf: leaf}}
	if len(spans) > 0 {
		c.row = spans[0].firstRow
	}
	return c
}

// read returns rows [from, from+n), which is at or behind the current row.
func (c *columnReader) read(from int64, n int) (*leafRows, error) {
	if err := c.seek(from); err != nil {
		return nil, err
	}
	out := &leafRows{vec: newVector(c.leaf.physical, n, c.textPerRow*n+c.textPerRow*n/8)}
	var err error
	switch {
	case c.leaf.rep > 0:
		err = c.readRepeated(out, n)
	case c.keep:
		err = c.readLevels(out, n)
	default:
		err = c.readFlat(out.vec, n)
	}
	if err != nil {
		return nil, err
	}
	c.row = from + int64(n)
	if n > 0 {
		c.textPerRow = len(out.vec.data)/n + 1
	}
	return out, nil
}

// seek moves to a row: over whole pages without decoding them, where that is
// possible, and through the rest.
func (c *columnReader) seek(row int64) error {
	for c.row < row {
		if c.left == 0 {
			ok, err := c.nextPage(row)
			if err != nil {
				return err
			}
			if !ok {
				return errShortPage
			}
			continue
		}
		if len(c.spans) > 1 && row >= c.spans[0].endRow { // the row lies behind a gap
			c.spans, c.left = c.spans[1:], 0
			c.row = max(c.row, c.spans[0].firstRow)
			continue
		}
		n := int(min(row-c.row, 1<<14))
		if c.leaf.rep == 0 {
			n = min(n, c.left)
		}
		skipped := &leafRows{vec: newVector(c.leaf.physical, n, 0)}
		var err error
		if c.leaf.rep > 0 {
			err = c.readRepeated(skipped, n)
		} else {
			err = c.readFlat(skipped.vec, n)
		}
		if err != nil {
			return err
		}
		c.row += int64(n)
	}
	return nil
}

// readFlat reads rows of a column without levels above one per row.
func (c *columnReader) readFlat(v *vector, n int) error {
	for n > 0 {
		if c.left == 0 {
			if ok, err := c.nextPage(0); err != nil || !ok {
				return orShort(err)
			}
		}
		k := min(n, c.left)
		if k = c.presentRun(k); k > 0 {
			if err := c.vals.read(v, k); err != nil {
				return err
			}
			v.spread(k, k, nil)
		} else {
			k = min(n, c.left)
			defs, count, err := c.someDefs(k)
			if err != nil {
				return err
			}
			if err := c.vals.read(v, count); err != nil {
				return err
			}
			most := uint32(c.leaf.def)
			v.spread(count, k, func(i int) bool { return defs[i] == most })
		}
		c.left -= k
		n -= k
	}
	return nil
}

// presentRun is how many of the next k values are known to be present without
// looking at single levels.
func (c *columnReader) presentRun(k int) int {
	if c.leaf.def == 0 {
		return k
	}
	if c.def.run == 0 && c.def.at >= c.def.count && !c.def.next() {
		return 0
	}
	if c.def.run > 0 && c.def.value == uint32(c.leaf.def) {
		k = min(k, c.def.run)
		c.def.run -= k
		return k
	}
	return 0
}

// someDefs reads k definition levels and counts the values that are present.
func (c *columnReader) someDefs(k int) ([]uint32, int, error) {
	if cap(c.scratch) < k {
		c.scratch = make([]uint32, max(k, 4096))
	}
	defs := c.scratch[:k]
	if c.def.read(defs) < k {
		return nil, 0, errShortPage
	}
	count := 0
	for _, d := range defs {
		if d == uint32(c.leaf.def) {
			count++
		} else if d > uint32(c.leaf.def) {
			return nil, 0, errors.New("a level is out of range")
		}
	}
	return defs, count, nil
}

// readLevels reads rows of a column inside of a struct, not of a list.
func (c *columnReader) readLevels(out *leafRows, n int) error {
	for n > 0 {
		if c.left == 0 {
			if ok, err := c.nextPage(0); err != nil || !ok {
				return orShort(err)
			}
		}
		k := min(n, c.left)
		count := k
		if c.leaf.def > 0 {
			defs, present, err := c.someDefs(k)
			if err != nil {
				return err
			}
			for _, d := range defs {
				out.defs = append(out.defs, uint8(d))
			}
			count = present
		} else {
			out.defs = append(out.defs, make([]uint8, k)...)
		}
		if err := c.vals.read(out.vec, count); err != nil {
			return err
		}
		c.left -= k
		n -= k
	}
	return nil
}

// readRepeated reads whole rows of a column inside of a list; a row may go on
// in the next page.
func (c *columnReader) readRepeated(out *leafRows, n int) error {
	rows := 0
	for {
		if c.left == 0 {
			if rows == n && len(c.spans) > 1 && len(c.spans[0].data) == 0 {
				return nil // a gap follows; pages that can be skipped begin with a row
			}
			ok, err := c.nextPage(0)
			if err != nil {
				return err
			}
			if !ok {
				if rows < n {
					return errShortPage
				}
				return nil
			}
			if c.left == 0 {
				continue
			}
		}
		from, count := c.at, 0
		for c.at < len(c.preps) {
			if c.preps[c.at] == 0 {
				if rows == n {
					break
				}
				rows++
			} else if rows == 0 {
				return errors.New("a row begins in the middle of a list")
			}
			if c.pdefs[c.at] == c.leaf.def {
				count++
			}
			c.at++
		}
		if err := c.vals.read(out.vec, count); err != nil {
			return err
		}
		out.defs = append(out.defs, c.pdefs[from:c.at]...)
		out.reps = append(out.reps, c.preps[from:c.at]...)
		c.left -= c.at - from
		if c.left > 0 {
			return nil
		}
	}
}

func orShort(err error) error {
	if err == nil {
		return errShortPage
	}
	return err
}
