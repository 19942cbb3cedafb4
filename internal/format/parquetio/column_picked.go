package parquetio

import (
	"math"
	"sort"
)

// plain reports whether each row has one slot.
func (c *columnReader) plain() bool { return c.leaf.rep == 0 && !c.keep }

// readPicked reads the rows from+sel, ascending. What lies between them is
// decoded into scratch memory, or, where whole pages hold none of them, not at all.
func (c *columnReader) readPicked(from int64, sel []int32) (*leafRows, error) {
	out := newVector(c.leaf.physical, len(sel), c.textPerRow*len(sel)+c.textPerRow*len(sel)/8)
	for len(sel) > 0 {
		n := c.stretch(from, sel)
		lo, hi := sel[0], sel[n-1]+1
		if err := c.seek(from + int64(lo)); err != nil {
			return nil, err
		}
		scratch := c.blank(int(hi - lo))
		if err := c.readFlat(scratch, int(hi-lo)); err != nil {
			return nil, err
		}
		c.row = from + int64(hi)
		if scratch.width == 0 && hi > lo {
			c.textPerRow = len(scratch.data)/int(hi-lo) + 1
		}
		if err := out.gather(scratch, sel[:n], lo); err != nil {
			return nil, err
		}
		sel = sel[n:]
	}
	return &leafRows{vec: out}, nil
}

// stretch is how many of the rows lie in pages that follow each other.
func (c *columnReader) stretch(from int64, sel []int32) int {
	if len(c.pages) < 2 {
		return len(sel)
	}
	row := from + int64(sel[0])
	page := sort.Search(len(c.pages), func(i int) bool { return c.pages[i].firstRow > row }) - 1
	for n := 0; ; page++ {
		if page+1 >= len(c.pages) {
			return len(sel)
		}
		end := c.pages[page+1].firstRow - from
		next := n + sort.Search(len(sel)-n, func(i int) bool { return int64(sel[n+i]) >= end })
		if next == n || next == len(sel) {
			return next
		}
		n = next
	}
}

// blank is scratch memory for n rows whose values are copied out of it.
func (c *columnReader) blank(n int) *vector {
	v := c.scratch
	if v == nil {
		c.scratch = newVector(c.leaf.physical, n, c.textPerRow*n)
		return c.scratch
	}
	v.n, v.nulls, v.valid, v.most, v.drop = 0, 0, nil, 0, false
	v.fixed, v.data = v.fixed[:0], v.data[:0]
	if v.width == 0 {
		v.offsets = v.offsets[:1]
	}
	return v
}

// gather appends the slots at-base of w.
func (v *vector) gather(w *vector, at []int32, base int32) error {
	before := v.n
	if w.nulls > 0 {
		v.markValid(before, before+len(at), false, func(i int) bool { p := at[i] - base; return w.valid[p>>3]&(1<<(p&7)) != 0 })
	} else {
		v.markValid(before, before+len(at), true, nil)
	}
	v.n += len(at)
	switch v.width {
	case 1:
		gatherFixed[byte](v, w, at, base)
	case 4:
		gatherFixed[uint32](v, w, at, base)
	case 8:
		gatherFixed[uint64](v, w, at, base)
	default:
		data, offsets := v.data, v.offsets
		for _, p := range at {
			b := w.data[w.offsets[p-base]:w.offsets[p-base+1]]
			if len(data)+len(b) > math.MaxInt32 {
				return errTooMuchText
			}
			data = append(data, b...)
			offsets = append(offsets, int32(len(data)))
		}
		v.data, v.offsets = data, offsets
	}
	return nil
}

func gatherFixed[T any](v, w *vector, at []int32, base int32) {
	out, in := view[T](v.grow(len(at))), view[T](w.fixed)
	for i, p := range at {
		out[i] = in[p-base]
	}
}
