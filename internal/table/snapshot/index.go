package snapshot

import (
	"bytes"

	"github.com/zeebo/xxh3"
)

// A ref is the number of a row: its chunk above, its place in the chunk below.
type ref uint32

func makeRef(chunk, row int) ref { return ref(chunk<<16 | row) }

func (r ref) chunk() int { return int(r >> 16) }
func (r ref) row() int   { return int(r & 0xffff) }

// An index finds rows by the identity of their file. It is an open-addressing
// table of 32 hash bits and 32 bits of ref+1; equal identities (a file that was
// added again) stand behind each other.
type index struct {
	slots []uint64
	used  int
}

func hashOf(id []byte) uint32 { return uint32(xxh3.Hash(id) >> 16) }

func (x *index) insert(h uint32, r ref) {
	if 4*(x.used+1) > 3*len(x.slots) {
		x.grow(max(64, 2*len(x.slots)))
	}
	x.put(uint64(h)<<32 | uint64(r+1))
	x.used++
}

func (x *index) put(slot uint64) {
	mask := len(x.slots) - 1
	i := int(slot>>32) & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = slot
}

func (x *index) grow(n int) {
	old := x.slots
	x.slots = make([]uint64, n)
	for _, s := range old {
		if s != 0 {
			x.put(s)
		}
	}
}

// reserve makes room for n more rows.
func (x *index) reserve(n int) {
	want := max(64, len(x.slots))
	for 4*(x.used+n+1) > 3*want {
		want *= 2
	}
	if want > len(x.slots) {
		x.grow(want)
	}
}

// each visits the rows whose hash matches until visit says false.
func (x *index) each(h uint32, visit func(ref) bool) {
	if len(x.slots) == 0 {
		return
	}
	mask := len(x.slots) - 1
	for i := int(h) & mask; x.slots[i] != 0; i = (i + 1) & mask {
		if s := x.slots[i]; uint32(s>>32) == h && !visit(ref(uint32(s))-1) {
			return
		}
	}
}

// same compares a row with an identity; buf is scratch space.
func (c *chunk) same(i int, id, buf []byte) (bool, []byte) {
	buf = identity(buf[:0], c.path(i), c.vector(i))
	return bytes.Equal(buf, id), buf
}
