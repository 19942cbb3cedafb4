package parquetio

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// integers views or converts an array without NULL as an integer type of Parquet.
func integers[T int32 | int64](a arrow.Array, t types.Type, scratch *[]T) ([]T, error) {
	n, off := a.Len(), a.Data().Offset()
	if n == 0 {
		return nil, nil
	}
	if want, err := columns.ArrowType(t); err != nil || want.ID() != a.DataType().ID() {
		return nil, wrongArray(a, t)
	}
	out := (*scratch)[:0]
	switch x := a.(type) {
	case *array.Int8:
		for _, v := range x.Int8Values() {
			out = append(out, T(v))
		}
	case *array.Int16:
		for _, v := range x.Int16Values() {
			out = append(out, T(v))
		}
	case *array.Decimal128:
		limit := pow10(t.(types.Decimal).Precision)
		for _, v := range x.Values() {
			lo := int64(v.LowBits())
			if v.HighBits() != lo>>63 || lo >= limit || lo <= -limit {
				return nil, fmt.Errorf("the number %s has more digits than %s holds", v.ToString(x.DataType().(*arrow.Decimal128Type).Scale), t)
			}
			out = append(out, T(lo))
		}
	default:
		return view[T](a.Data().Buffers()[1].Bytes())[off : off+n], nil
	}
	*scratch = out
	return out, nil
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

func (l *leafWriter) booleans(a arrow.Array) ([]bool, error) {
	if a.Len() == 0 {
		return nil, nil
	}
	x, ok := a.(*array.Boolean)
	if !ok {
		return nil, wrongArray(a, l.node.typ)
	}
	l.bools = l.bools[:0]
	for i := range x.Len() {
		l.bools = append(l.bools, x.Value(i))
	}
	return l.bools, nil
}

// bigDecimals are the big-endian two's complements of decimals.
func (l *leafWriter) bigDecimals(a arrow.Array) ([]byte, error) {
	l.fixed = l.fixed[:0]
	if a.Len() == 0 {
		return nil, nil
	}
	x, ok := a.(*array.Decimal128)
	if !ok {
		return nil, wrongArray(a, l.node.typ)
	}
	width := decimalBytes(l.node.typ.(types.Decimal).Precision)
	for _, v := range x.Values() {
		var ok bool
		if l.fixed, ok = appendDecimal(l.fixed, v, width); !ok {
			return nil, fmt.Errorf("the number %s does not fit into %d bytes", v.ToString(x.DataType().(*arrow.Decimal128Type).Scale), width)
		}
	}
	return l.fixed, nil
}

func appendDecimal(dst []byte, v decimal128.Num, width int) ([]byte, bool) {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(v.HighBits()))
	binary.BigEndian.PutUint64(b[8:], v.LowBits())
	sign := byte(v.HighBits() >> 63)
	for _, c := range b[:16-width] {
		if c != sign {
			return dst, false
		}
	}
	out := b[16-width:]
	return append(dst, out...), out[0]>>7 == sign&1
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
