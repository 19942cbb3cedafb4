package columns

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// AppendKey appends bytes that are equal exactly for values that SQL groups
// together: NULL is one value, -0.0 equals 0.0, every NaN equals every other. The
// bytes of several columns may be put one after the other. Maps have no key: their
// entries count in the order in which they are stored.
func AppendKey(dst []byte, a arrow.Array, i int) []byte {
	if IsNull(a, i) {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	switch x := a.(type) {
	case *array.Boolean:
		if x.Value(i) {
			return append(dst, 1)
		}
		return append(dst, 0)
	case *array.Int8:
		return append(dst, byte(x.Value(i)))
	case *array.Int16:
		return binary.LittleEndian.AppendUint16(dst, uint16(x.Value(i)))
	case *array.Int32:
		return binary.LittleEndian.AppendUint32(dst, uint32(x.Value(i)))
	case *array.Int64:
		return binary.LittleEndian.AppendUint64(dst, uint64(x.Value(i)))
	case *array.Date32:
		return binary.LittleEndian.AppendUint32(dst, uint32(x.Value(i)))
	case *array.Timestamp:
		return binary.LittleEndian.AppendUint64(dst, uint64(x.Value(i)))
	case *array.Float32:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(oneFloat(float64(x.Value(i)))))
	case *array.Float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(oneFloat(x.Value(i))))
	case *array.Decimal128:
		v := x.Value(i)
		dst = binary.LittleEndian.AppendUint64(dst, v.LowBits())
		return binary.LittleEndian.AppendUint64(dst, uint64(v.HighBits()))
	case *array.String:
		v := x.Value(i)
		return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
	case *array.Binary:
		v := x.Value(i)
		return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
	case *array.Struct:
		for f := range x.NumField() {
			dst = AppendKey(dst, x.Field(f), i)
		}
		return dst
	case *array.Map:
		from, to := x.ValueOffsets(i)
		dst = binary.AppendUvarint(dst, uint64(to-from))
		for p := from; p < to; p++ {
			dst = AppendKey(AppendKey(dst, x.Keys(), int(p)), x.Items(), int(p))
		}
		return dst
	case *array.List:
		from, to := x.ValueOffsets(i)
		dst = binary.AppendUvarint(dst, uint64(to-from))
		for p := from; p < to; p++ {
			dst = AppendKey(dst, x.ListValues(), int(p))
		}
		return dst
	}
	return AppendCanonicalValue(dst, a, nil, i)
}

// oneFloat is the representative of equal numbers.
func oneFloat(f float64) float64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return math.NaN()
	}
	return f
}
