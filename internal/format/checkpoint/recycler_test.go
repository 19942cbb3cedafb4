package checkpoint

import (
	"bytes"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// TestRecycler: blocks in use never overlap, are aligned, and begin with zeros
// or with what they held.
func TestRecycler(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &recycler{}
		type block struct {
			data []byte
			mark byte
		}
		var live []block
		check := func() {
			for _, b := range live {
				if bytes.Count(b.data, []byte{b.mark}) != len(b.data) {
					t.Fatal("a block in use has changed")
				}
			}
		}
		fill := func(b []byte, mark byte) block {
			for i := range b {
				b[i] = mark
			}
			if len(b) > 0 && uintptr(unsafe.Pointer(&b[0]))%align != 0 {
				t.Fatal("a block is not aligned")
			}
			return block{b, mark}
		}
		for n := range rapid.IntRange(1, 60).Draw(t, "steps") {
			size := rapid.IntRange(0, 5000).Draw(t, "size")
			switch what := rapid.IntRange(0, 2).Draw(t, "what"); {
			case what == 0 || len(live) == 0:
				b := r.Allocate(size)
				if len(b) != size || bytes.Count(b, []byte{0}) != size {
					t.Fatal("new memory is not zeroed")
				}
				live = append(live, fill(b, byte(n+1)))
			default:
				i := rapid.IntRange(0, len(live)-1).Draw(t, "which")
				if what == 1 {
					r.Free(live[i].data)
					live = append(live[:i], live[i+1:]...)
					break
				}
				b, old := r.Reallocate(size, live[i].data), live[i]
				keep := min(size, len(old.data))
				if len(b) != size || bytes.Count(b[:keep], []byte{old.mark}) != keep || bytes.Count(b[keep:], []byte{0}) != size-keep {
					t.Fatal("memory was not carried over")
				}
				live[i] = fill(b, byte(n+1))
			}
			check()
		}
	})
}
