package vacuum

import "github.com/zeebo/xxh3"

// hashes is a set of keys by their hashes, 16 bytes a key: a table with open
// addressing, half full. Zero marks an empty place.
type hashes struct {
	slots []uint64
	n     int
}

func newHashes(n int) *hashes {
	size := 64
	for size < 2*n {
		size *= 2
	}
	return &hashes{slots: make([]uint64, size)}
}

func hashOf(key string) uint64 { return max(xxh3.HashString(key), 1) }

func (h *hashes) add(key string) {
	if 2*(h.n+1) > len(h.slots) {
		old := h.slots
		h.slots = make([]uint64, 2*len(old))
		for _, v := range old {
			if v != 0 {
				h.slots[h.place(v)] = v
			}
		}
	}
	v := hashOf(key)
	if i := h.place(v); h.slots[i] == 0 {
		h.slots[i] = v
		h.n++
	}
}

func (h *hashes) has(key string) bool {
	return h != nil && h.slots[h.place(hashOf(key))] != 0
}

// place is where a hash is, or where it would go.
func (h *hashes) place(v uint64) int {
	mask := uint64(len(h.slots) - 1)
	for i := v & mask; ; i = (i + 1) & mask {
		if h.slots[i] == 0 || h.slots[i] == v {
			return int(i)
		}
	}
}
