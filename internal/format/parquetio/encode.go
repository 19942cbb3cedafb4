package parquetio

import (
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/types"
)

// encoder collects the values of one page after the other of a column chunk.
// Arrays that it gets have no NULL.
type encoder interface {
	add(a arrow.Array) error
	size() int // bytes that the open page would take, about
	// flush appends the values of the open page and starts the next one.
	flush(dst []byte) (out []byte, dict bool)
	// bounds are the least and the greatest value of the open page, in PLAIN
	// form without a length; nil when unknown.
	bounds() (lo, hi []byte)
	// dictionary is the dictionary page of the chunk, when a page uses it.
	dictionary() (plain []byte, n int)
	reset() // starts a new chunk
	less(a, b []byte) bool
}

const (
	dictBlock   = 1024    // values between two looks at whether a dictionary pays
	dictEntries = 1 << 16 // a larger dictionary does not pay
	dictBytes   = 1 << 20
)

// dictPays compares what a dictionary and its indices take with plain values.
func dictPays(entries, entryBytes, seen, plainBytes int) bool {
	if entries > dictEntries || entryBytes > dictBytes {
		return false
	}
	index := seen * bits.Len(uint(max(entries-1, 1))) / 8
	return seen < dictBlock && entries*2 <= seen || seen >= dictBlock && (index+entryBytes)*5 < plainBytes*4
}

func newEncoder(t types.Type) encoder {
	p, width := physicalOf(t)
	switch p {
	case physBoolean:
		return &boolEncoder{}
	case physInt32, physFloat:
		return &fixedEncoder[int32]{typ: t, dictOn: true}
	case physInt64, physDouble:
		return &fixedEncoder[int64]{typ: t, dictOn: true}
	}
	return &bytesEncoder{width: int(width), dictOn: true}
}

type boolEncoder struct {
	page       []byte
	n          int
	has, isnot bool
}

func (e *boolEncoder) add(a arrow.Array) error {
	b, ok := a.(*array.Boolean)
	if !ok {
		return wrongArray(a, types.Boolean)
	}
	for i := range b.Len() {
		if e.n&7 == 0 {
			e.page = append(e.page, 0)
		}
		if b.Value(i) {
			e.page[e.n>>3] |= 1 << (e.n & 7)
			e.has = true
		} else {
			e.isnot = true
		}
		e.n++
	}
	return nil
}

func (e *boolEncoder) size() int { return len(e.page) }

func (e *boolEncoder) flush(dst []byte) ([]byte, bool) {
	dst = append(dst, e.page...)
	e.page, e.n, e.has, e.isnot = e.page[:0], 0, false, false
	return dst, false
}

func (e *boolEncoder) bounds() (lo, hi []byte) {
	if !e.has && !e.isnot {
		return nil, nil
	}
	lo, hi = []byte{1}, []byte{0}
	if e.isnot {
		lo[0] = 0
	}
	if e.has {
		hi[0] = 1
	}
	return lo, hi
}

func (e *boolEncoder) dictionary() ([]byte, int) { return nil, 0 }
func (e *boolEncoder) reset()                    {}
func (e *boolEncoder) less(a, b []byte) bool     { return a[0] < b[0] }

// appendIndices writes a page of dictionary indices.
func appendIndices(dst []byte, idx []uint32, entries int) []byte {
	width := bits.Len(uint(max(entries-1, 0)))
	return appendRLE(append(dst, byte(width)), idx, width)
}

func wrongArray(a arrow.Array, t types.Type) error {
	return fmt.Errorf("an array of Arrow type %s was given for a column of type %s", a.DataType(), t)
}

// view reads bytes as typed values; bytesOf is its inverse.
func view[T any](b []byte) []T {
	var z T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(z)))
}

func bytesOf[T any](v []T) []byte {
	var z T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(z)))
}
