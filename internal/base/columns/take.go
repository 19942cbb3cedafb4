package columns

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Take returns the rows of a at the given positions, in that order; position -1
// gives NULL. It copies, except when the positions are one ascending run: then
// the result is a slice of a. Any other position outside of a is a programming
// error, and so is a result with 2 GiB of text or more in one column.
func Take(a arrow.Array, idx []int32) arrow.Array {
	if from, ok := run(idx); ok {
		if from == 0 && len(idx) == a.Len() {
			return a
		}
		return array.NewSlice(a, from, from+int64(len(idx)))
	}
	return array.MakeFromData(takeData(a.Data(), idx))
}

// TakeColumns is Take of every column; nil columns stay nil.
func TakeColumns(cols []arrow.Array, idx []int32) []arrow.Array {
	out := make([]arrow.Array, len(cols))
	for i, c := range cols {
		if c != nil {
			out[i] = Take(c, idx)
		}
	}
	return out
}

// Slice returns rows [from, from+n) of every column without copying; nil columns stay nil.
func Slice(cols []arrow.Array, from, n int) []arrow.Array {
	out := make([]arrow.Array, len(cols))
	for i, c := range cols {
		switch {
		case c == nil:
		case from == 0 && n == c.Len():
			out[i] = c
		default:
			out[i] = array.NewSlice(c, int64(from), int64(from+n))
		}
	}
	return out
}

// run reports whether the positions are from, from+1, from+2, ...
func run(idx []int32) (from int64, ok bool) {
	if len(idx) == 0 {
		return 0, false
	}
	first := idx[0]
	if first < 0 || idx[len(idx)-1] != first+int32(len(idx)-1) {
		return 0, false
	}
	for i, v := range idx {
		if v != first+int32(i) {
			return 0, false
		}
	}
	return int64(first), true
}

func takeData(d arrow.ArrayData, idx []int32) arrow.ArrayData {
	n := len(idx)
	dt := d.DataType()
	switch x := dt.(type) {
	case *arrow.NullType:
		return array.NewData(dt, n, []*memory.Buffer{nil}, nil, n, 0)
	case arrow.ExtensionType:
		inner := array.NewData(x.StorageType(), d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
		out := takeData(inner, idx)
		return array.NewData(dt, n, out.Buffers(), out.Children(), out.NullN(), 0)
	}
	valid, nulls := takeValidity(d, idx)
	bufs := d.Buffers()
	switch x := dt.(type) {
	case *arrow.BooleanType:
		return array.NewData(dt, n, []*memory.Buffer{valid, takeBits(bufs[1], d.Offset(), idx)}, nil, nulls, 0)
	case *arrow.StringType, *arrow.BinaryType:
		off, data := takeBytes[int32](bufs, d, idx, math.MaxInt32)
		return array.NewData(dt, n, []*memory.Buffer{valid, off, data}, nil, nulls, 0)
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		off, data := takeBytes[int64](bufs, d, idx, math.MaxInt64)
		return array.NewData(dt, n, []*memory.Buffer{valid, off, data}, nil, nulls, 0)
	case arrow.BinaryViewDataType:
		out := append([]*memory.Buffer{valid, takeFixed(bufs[1], d.Offset(), 16, idx)}, bufs[2:]...)
		return array.NewData(dt, n, out, nil, nulls, 0)
	case *arrow.ListType, *arrow.MapType:
		off, kid := takeList[int32](bufs[1], d, idx)
		return array.NewData(dt, n, []*memory.Buffer{valid, off}, []arrow.ArrayData{kid}, nulls, 0)
	case *arrow.LargeListType:
		off, kid := takeList[int64](bufs[1], d, idx)
		return array.NewData(dt, n, []*memory.Buffer{valid, off}, []arrow.ArrayData{kid}, nulls, 0)
	case *arrow.FixedSizeListType:
		kid := takeData(d.Children()[0], repeatPositions(shift(idx, d.Offset()), int(x.Len())))
		return array.NewData(dt, n, []*memory.Buffer{valid}, []arrow.ArrayData{kid}, nulls, 0)
	case *arrow.StructType:
		at := shift(idx, d.Offset())
		kids := make([]arrow.ArrayData, len(d.Children()))
		for i, c := range d.Children() {
			kids[i] = takeData(c, at)
		}
		return array.NewData(dt, n, []*memory.Buffer{valid}, kids, nulls, 0)
	case *arrow.DictionaryType:
		w := x.IndexType.(arrow.FixedWidthDataType).BitWidth() / 8
		return array.NewDataWithDictionary(dt, n, []*memory.Buffer{valid, takeFixed(bufs[1], d.Offset(), w, idx)}, nulls, 0, d.Dictionary().(*array.Data))
	case arrow.FixedWidthDataType:
		return array.NewData(dt, n, []*memory.Buffer{valid, takeFixed(bufs[1], d.Offset(), x.BitWidth()/8, idx)}, nil, nulls, 0)
	}
	panic(fmt.Sprintf("columns: cannot take rows of Arrow type %s", dt))
}

// takeValidity returns nil when no taken row is NULL.
func takeValidity(d arrow.ArrayData, idx []int32) (*memory.Buffer, int) {
	hasNulls := d.NullN() != 0 && len(d.Buffers()) > 0 && d.Buffers()[0] != nil
	if !hasNulls && !negative(idx) {
		return nil, 0
	}
	out := make([]byte, bitutil.BytesForBits(int64(len(idx))))
	nulls := 0
	if !hasNulls {
		for i, at := range idx {
			if at < 0 {
				nulls++
			} else {
				out[i>>3] |= 1 << (i & 7)
			}
		}
		return memory.NewBufferBytes(out), nulls
	}
	src, base := d.Buffers()[0].Bytes(), d.Offset()
	for i, at := range idx {
		if at < 0 {
			nulls++
			continue
		}
		p := int(at) + base
		bit := src[p>>3] >> (p & 7) & 1
		out[i>>3] |= bit << (i & 7)
		nulls += int(bit ^ 1)
	}
	if nulls == 0 {
		return nil, 0
	}
	return memory.NewBufferBytes(out), nulls
}

func takeBits(b *memory.Buffer, base int, idx []int32) *memory.Buffer {
	out := make([]byte, bitutil.BytesForBits(int64(len(idx))))
	src := bytesOf(b)
	for i, at := range idx {
		if at >= 0 {
			p := int(at) + base
			out[i>>3] |= (src[p>>3] >> (p & 7) & 1) << (i & 7)
		}
	}
	return memory.NewBufferBytes(out)
}

func takeFixed(b *memory.Buffer, base, width int, idx []int32) *memory.Buffer {
	src := bytesOf(b)
	switch width {
	case 1:
		return takeTyped(view[uint8](src), base, idx)
	case 2:
		return takeTyped(view[uint16](src), base, idx)
	case 4:
		return takeTyped(view[uint32](src), base, idx)
	case 8:
		return takeTyped(view[uint64](src), base, idx)
	case 16:
		return takeTyped(view[[2]uint64](src), base, idx)
	}
	out := make([]byte, len(idx)*width)
	for i, at := range idx {
		if at >= 0 {
			p := (int(at) + base) * width
			copy(out[i*width:(i+1)*width], src[p:p+width])
		}
	}
	return memory.NewBufferBytes(out)
}

func takeTyped[T any](src []T, base int, idx []int32) *memory.Buffer {
	out := make([]T, len(idx))
	if len(src) >= base {
		src = src[base:]
	}
	if negative(idx) {
		for i, at := range idx {
			if at >= 0 {
				out[i] = src[at]
			}
		}
	} else {
		for i, at := range idx {
			out[i] = src[at]
		}
	}
	return wrap(out)
}

func takeBytes[O int32 | int64](bufs []*memory.Buffer, d arrow.ArrayData, idx []int32, limit int64) (*memory.Buffer, *memory.Buffer) {
	out := make([]O, len(idx)+1)
	if d.Len() == 0 {
		return wrap(out), memory.NewBufferBytes(nil)
	}
	offsets := view[O](bytesOf(bufs[1]))[d.Offset():]
	data := bytesOf(bufs[2])
	var total int64
	for i, at := range idx {
		if at >= 0 {
			total += int64(offsets[at+1] - offsets[at])
		}
		out[i+1] = O(total)
	}
	if total > limit {
		panic(&TooLarge{Rows: len(idx), Bytes: total})
	}
	text := make([]byte, total)
	pos := 0
	for i := 0; i < len(idx); {
		at := idx[i]
		if at < 0 {
			i++
			continue
		}
		j := i + 1
		for j < len(idx) && idx[j] == at+int32(j-i) { // neighbours are copied together
			j++
		}
		pos += copy(text[pos:], data[offsets[at]:offsets[int(at)+j-i]])
		i = j
	}
	return wrap(out), memory.NewBufferBytes(text)
}

func takeList[O int32 | int64](b *memory.Buffer, d arrow.ArrayData, idx []int32) (*memory.Buffer, arrow.ArrayData) {
	out := make([]O, len(idx)+1)
	var at32 []int32
	if d.Len() > 0 {
		offsets := view[O](bytesOf(b))[d.Offset():]
		var total O
		for i, at := range idx {
			if at >= 0 {
				total += offsets[at+1] - offsets[at]
			}
			out[i+1] = total
		}
		at32 = make([]int32, 0, total)
		for _, at := range idx {
			if at >= 0 {
				for p := offsets[at]; p < offsets[at+1]; p++ {
					at32 = append(at32, int32(p))
				}
			}
		}
	}
	return wrap(out), takeData(d.Children()[0], at32)
}

func shift(idx []int32, by int) []int32 {
	if by == 0 {
		return idx
	}
	out := make([]int32, len(idx))
	for i, at := range idx {
		if at >= 0 {
			at += int32(by)
		}
		out[i] = at
	}
	return out
}

func repeatPositions(idx []int32, n int) []int32 {
	out := make([]int32, 0, len(idx)*n)
	for _, at := range idx {
		for k := range n {
			if at < 0 {
				out = append(out, -1)
			} else {
				out = append(out, at*int32(n)+int32(k))
			}
		}
	}
	return out
}

func negative(idx []int32) bool {
	var all int32
	for _, v := range idx {
		all |= v
	}
	return all < 0
}

func bytesOf(b *memory.Buffer) []byte {
	if b == nil {
		return nil
	}
	return b.Bytes()
}

// view reads a buffer as typed values.
func view[T any](b []byte) []T {
	var z T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(z)))
}

// wrap makes a buffer of typed values, without copying.
func wrap[T any](v []T) *memory.Buffer {
	var z T
	return memory.NewBufferBytes(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(z))))
}
