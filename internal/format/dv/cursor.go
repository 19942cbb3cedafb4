package dv

import "github.com/RoaringBitmap/roaring/v2/roaring64"

// Cursor turns a vector into row masks for a scan that goes forward through a
// file. It walks the bitmap once.
type Cursor struct {
	it   roaring64.IntPeekable64
	done bool
}

// NewCursor starts at the first row. A nil bitmap deletes nothing.
func NewCursor(rows *roaring64.Bitmap) *Cursor {
	if rows == nil || rows.IsEmpty() {
		return &Cursor{done: true}
	}
	return &Cursor{it: rows.Iterator()}
}

// Live lists the rows of [start, start+n) that are not deleted, relative to
// start, appended to dst. all is true, and dst unchanged, when none of them is
// deleted. start must not decrease from call to call.
func (c *Cursor) Live(start int64, n int, dst []int32) (sel []int32, all bool) {
	if c.done {
		return dst, true
	}
	c.it.AdvanceIfNeeded(uint64(start))
	if !c.it.HasNext() {
		c.done = true
		return dst, true
	}
	end := uint64(start) + uint64(n)
	if c.it.PeekNext() >= end {
		return dst, true
	}
	next := int32(0)
	for c.it.HasNext() && c.it.PeekNext() < end {
		dead := int32(c.it.Next() - uint64(start))
		for ; next < dead; next++ {
			dst = append(dst, next)
		}
		next = dead + 1
	}
	for ; next < int32(n); next++ {
		dst = append(dst, next)
	}
	return dst, false
}
