package eval

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// storage is the type whose Arrow form holds values of t: intervals and times
// are kept as numbers.
func storage(t types.Type) types.Type {
	switch t.Kind() {
	case types.KindDayTimeInterval, types.KindTime:
		return types.Long
	case types.KindYearMonthInterval:
		return types.Integer
	case types.KindCalendarInterval:
		return calendarStruct
	}
	switch x := t.(type) {
	case *types.Array:
		return &types.Array{Element: storage(x.Element), ContainsNull: x.ContainsNull}
	case *types.Map:
		return &types.Map{Key: storage(x.Key), Value: storage(x.Value), ValueContainsNull: x.ValueContainsNull}
	case *types.Struct:
		out := &types.Struct{Fields: append([]types.Field(nil), x.Fields...)}
		for i := range out.Fields {
			out.Fields[i].Type = storage(out.Fields[i].Type)
		}
		return out
	}
	return t
}

func arrowType(t types.Type) (arrow.DataType, error) { return columns.ArrowType(storage(t)) }

func fromValues(t types.Type, vals ...any) (arrow.Array, error) {
	return columns.FromValues(storage(t), vals...)
}

// values gives the slice under a fixed-width array.
func values[T arrow.FixedWidthType](a arrow.Array) []T {
	d := a.Data()
	if d.Len() == 0 {
		return nil
	}
	return arrow.GetData[T](d.Buffers()[1].Bytes())[d.Offset() : d.Offset()+d.Len()]
}

// validity is the bitmap of a from bit 0, or nil when no value is NULL.
func validity(a arrow.Array) []byte {
	if a.DataType().ID() == arrow.NULL {
		return make([]byte, (a.Len()+7)/8)
	}
	if a.NullN() == 0 {
		return nil
	}
	return alignBits(a.Data().Buffers()[0].Bytes(), a.Data().Offset(), a.Len())
}

// boolBits are the values of a boolean array from bit 0.
func boolBits(a arrow.Array) []byte {
	if a.DataType().ID() == arrow.NULL || a.Len() == 0 {
		return make([]byte, (a.Len()+7)/8)
	}
	return alignBits(a.Data().Buffers()[1].Bytes(), a.Data().Offset(), a.Len())
}

func alignBits(b []byte, offset, n int) []byte {
	if offset%8 == 0 {
		return b[offset/8 : (offset+n+7)/8]
	}
	out := make([]byte, (n+7)/8)
	bitutil.CopyBitmap(b, offset, n, out, 0)
	return out
}

// andBits joins two bitmaps of which nil means all ones.
func andBits(a, b []byte) []byte {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	out := make([]byte, len(a))
	for i := range out {
		out[i] = a[i] & b[i]
	}
	return out
}

// valid is the bitmap of the rows in which no argument is NULL; nil when there is none.
func valid(n int, args ...vec) []byte {
	var out []byte
	for _, v := range args {
		if v.konst {
			if v.null(0) {
				return make([]byte, (n+7)/8)
			}
			continue
		}
		out = andBits(out, validity(v.arr))
	}
	return out
}

func isSet(b []byte, i int) bool { return b == nil || b[i>>3]&(1<<(i&7)) != 0 }

func setBit(b []byte, i int) { b[i>>3] |= 1 << (i & 7) }

func clearBit(b []byte, i int) { b[i>>3] &^= 1 << (i & 7) }

// onesBits is a bitmap of n ones.
func onesBits(n int) []byte {
	out := make([]byte, (n+7)/8)
	for i := range out {
		out[i] = 0xff
	}
	return out
}

// makeArray wraps buffers; a nil validity means that no value is NULL.
func makeArray(dt arrow.DataType, n int, validity []byte, bufs ...*memory.Buffer) arrow.Array {
	nulls := 0
	list := []*memory.Buffer{nil}
	if validity != nil {
		if nulls = n - popcount(validity, n); nulls > 0 {
			list[0] = memory.NewBufferBytes(validity)
		}
	}
	return array.MakeFromData(array.NewData(dt, n, append(list, bufs...), nil, nulls, 0))
}

func popcount(b []byte, n int) int {
	total := 0
	for _, x := range b[:n/8] {
		total += bits.OnesCount8(x)
	}
	if n%8 != 0 {
		total += bits.OnesCount8(b[n/8] & (1<<(n%8) - 1))
	}
	return total
}

func makeBool(n int, data, validity []byte) arrow.Array {
	return makeArray(arrow.FixedWidthTypes.Boolean, n, validity, memory.NewBufferBytes(data))
}

func makeFixed[T arrow.FixedWidthType](dt arrow.DataType, data []T, validity []byte) arrow.Array {
	return makeArray(dt, len(data), validity, memory.NewBufferBytes(arrow.GetBytes(data)))
}

// trueRows lists the rows in which a boolean is TRUE.
func trueRows(v vec, n int) []int32 {
	sel := make([]int32, 0, n)
	if v.konst {
		if !v.null(0) && isSet(boolBits(v.arr), 0) {
			for i := range n {
				sel = append(sel, int32(i))
			}
		}
		return sel
	}
	return bitRows(sel, andBits(boolBits(v.arr), validity(v.arr)), n)
}

// bitRows appends the positions of ones.
func bitRows(sel []int32, b []byte, n int) []int32 {
	for i, x := range b {
		for ; x != 0; x &= x - 1 {
			if r := i*8 + bits.TrailingZeros8(x); r < n {
				sel = append(sel, int32(r))
			}
		}
	}
	return sel
}
