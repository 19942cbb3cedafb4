package checkpoint

import (
	"math/bits"
	"sync"
	"unsafe"
)

// A recycler is an allocator whose memory is used again while one file is
// read: the arrays of a batch live until its rows are handed out, and the next
// batch has the same sizes. What is not freed, the garbage collector takes.
type recycler struct {
	mu   sync.Mutex
	free [maxClass + 1][][]byte // by the logarithm of their length
}

const (
	minClass = 8  // 256 bytes; smaller ones take as much
	maxClass = 26 // larger ones are not kept
	align    = 64
)

func classOf(size int) int { return max(bits.Len(uint(max(size, 1)-1)), minClass) }

// Allocate returns zeroed memory.
func (r *recycler) Allocate(size int) []byte {
	k := classOf(size)
	if k > maxClass {
		return aligned(size)[:size:size]
	}
	r.mu.Lock()
	list := r.free[k]
	if n := len(list) - 1; n >= 0 {
		b := list[n]
		r.free[k] = list[:n]
		r.mu.Unlock()
		b = b[:size]
		clear(b)
		return b
	}
	r.mu.Unlock()
	return aligned(1 << k)[:size]
}

func aligned(size int) []byte {
	b := make([]byte, size+align)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (align - 1))
	return b[skip : skip+size : skip+size]
}

// Reallocate returns memory that begins as b does; the rest is zeroed.
func (r *recycler) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) && size >= len(b) {
		clear(b[len(b):size])
		return b[:size]
	}
	if size < len(b) {
		return b[:size]
	}
	out := r.Allocate(size)
	copy(out, b)
	r.Free(b)
	return out
}

// Free takes memory back. Only whole blocks of the recycler are kept.
func (r *recycler) Free(b []byte) {
	size := cap(b)
	k := classOf(size)
	if size == 0 || k > maxClass || size != 1<<k {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free[k] = append(r.free[k], b[:0])
}
