package write

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// arrayPrice is what an array costs besides its values.
const arrayPrice = 512

// size is about how many bytes rows take in memory. Buffers may be shared with
// other slices, so it counts the rows, not the buffers.
func size(cols []arrow.Array, rows int) (n int64) {
	for _, a := range cols {
		if a != nil {
			n += arraySize(a) + arrayPrice
		}
	}
	return n + int64(rows)
}

// Size is about how many bytes the rows of a column take in memory.
func Size(a arrow.Array) int64 { return arraySize(a) }

func arraySize(a arrow.Array) int64 {
	switch x := a.(type) {
	case *array.String:
		n := x.Len()
		if n == 0 {
			return 0
		}
		return int64(x.ValueOffset(n-1)+len(x.Value(n-1))-x.ValueOffset(0)) + 4*int64(n)
	case *array.Binary:
		return int64(len(x.ValueBytes())) + 4*int64(x.Len())
	case *array.Struct:
		var n int64
		for i := range x.NumField() {
			n += arraySize(x.Field(i))
		}
		return n
	case array.ListLike:
		if x.Len() == 0 {
			return 0
		}
		from, _ := x.ValueOffsets(0)
		_, to := x.ValueOffsets(x.Len() - 1)
		below := x.ListValues()
		if below.Len() == 0 {
			return 4 * int64(x.Len())
		}
		return arraySize(below)*(to-from)/int64(below.Len()) + 4*int64(x.Len())
	}
	if t, ok := a.DataType().(arrow.FixedWidthDataType); ok {
		return int64(a.Len()) * int64(t.BitWidth()) / 8
	}
	return int64(a.Len())
}
