package source

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// validity is an Arrow bitmap that can take back its last bits.
type validity struct {
	bits  []byte
	n     int
	nulls int
}

func (v *validity) push(valid bool) {
	if v.n&7 == 0 {
		v.bits = append(v.bits, 0)
	}
	if valid {
		v.bits[v.n>>3] |= 1 << (v.n & 7)
	} else {
		v.nulls++
	}
	v.n++
}

func (v *validity) truncate(n int) {
	for v.n > n {
		v.n--
		if mask := byte(1) << (v.n & 7); v.bits[v.n>>3]&mask == 0 {
			v.nulls--
		} else {
			v.bits[v.n>>3] &^= mask
		}
		if v.n&7 == 0 {
			v.bits = v.bits[:v.n>>3]
		}
	}
}

// buffer is the bitmap, or nil when everything is valid.
func (v *validity) buffer() *memory.Buffer {
	if v.nulls == 0 {
		return nil
	}
	return memory.NewBufferBytes(v.bits)
}

// offsets are the ends of variable-size values in an Arrow array.
type offsets []int32

func newOffsets(hint int) offsets { return append(make(offsets, 0, hint+1), 0) }

func (o offsets) last() int32 { return o[len(o)-1] }

func (o offsets) buffer() *memory.Buffer { return memory.NewBufferBytes(arrow.GetBytes([]int32(o))) }
