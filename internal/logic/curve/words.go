package curve

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/types"
)

// signBit turns the order of signed numbers into that of unsigned ones.
const signBit = 1 << 63

// shapeOf is the form in which values of a type are compared.
type shape uint8

const (
	shapeWord shape = iota // a uint64
	shapeWide              // two, the high one first
	shapeText              // bytes
)

func shapeOf(t types.Type) (shape, error) {
	switch x := t.(type) {
	case types.Decimal:
		if x.Precision > 18 {
			return shapeWide, nil
		}
		return shapeWord, nil
	case types.Primitive:
		switch x {
		case types.Boolean, types.Byte, types.Short, types.Integer, types.Long, types.Float, types.Double, types.Date, types.Timestamp, types.TimestampNTZ:
			return shapeWord, nil
		case types.String, types.Binary:
			return shapeText, nil
		}
	}
	return 0, fmt.Errorf("values of type %s have no order", t)
}

// Ordered reports whether a column of the type can be part of a curve.
func Ordered(t types.Type) bool {
	_, err := shapeOf(t)
	return err == nil
}

// words gives each value a number that grows with it. NULL is the smallest, NaN
// the largest, and -0.0 equals 0.0.
func words(dst []uint64, a arrow.Array) {
	switch x := a.(type) {
	case *array.Boolean:
		for i := range dst {
			dst[i] = 1
			if x.Value(i) {
				dst[i] = 2
			}
		}
	case *array.Int8:
		integers(dst, x.Int8Values())
	case *array.Int16:
		integers(dst, x.Int16Values())
	case *array.Int32:
		integers(dst, x.Int32Values())
	case *array.Int64:
		integers(dst, x.Int64Values())
	case *array.Date32:
		integers(dst, x.Date32Values())
	case *array.Timestamp:
		integers(dst, x.TimestampValues())
	case *array.Float32:
		floats(dst, x.Float32Values())
	case *array.Float64:
		floats(dst, x.Float64Values())
	case *array.Decimal128:
		for i, v := range x.Values() {
			dst[i] = v.LowBits() ^ signBit
		}
	default:
		clear(dst)
	}
	eraseNulls(dst, a)
}

func integers[T ~int8 | ~int16 | ~int32 | ~int64](dst []uint64, vals []T) {
	for i, v := range vals {
		dst[i] = uint64(int64(v)) ^ signBit
	}
}

func floats[T float32 | float64](dst []uint64, vals []T) {
	for i, v := range vals {
		f := float64(v)
		switch b := math.Float64bits(f); {
		case f != f:
			dst[i] = math.MaxUint64
		case f == 0:
			dst[i] = signBit
		case b&signBit != 0:
			dst[i] = ^b
		default:
			dst[i] = b | signBit
		}
	}
}

func eraseNulls(dst []uint64, a arrow.Array) {
	if a.NullN() == 0 {
		return
	}
	for i := range dst {
		if a.IsNull(i) {
			dst[i] = 0
		}
	}
}

// wide is a number of 128 bits.
type wide struct{ hi, lo uint64 }

func (a wide) less(b wide) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// minus is a-b; 0 when b is larger.
func (a wide) minus(b wide) wide {
	if a.less(b) {
		return wide{}
	}
	d := wide{a.hi - b.hi, a.lo - b.lo}
	if a.lo < b.lo {
		d.hi--
	}
	return d
}

// bits is the length of the number.
func (a wide) bits() int {
	if a.hi > 0 {
		return 64 + bits.Len64(a.hi)
	}
	return bits.Len64(a.lo)
}

// shifted is a>>by, or the largest uint64 when that does not hold it.
func (a wide) shifted(by int) uint64 {
	switch {
	case by >= 64:
		return a.hi >> (by - 64)
	case a.hi>>by > 0:
		return math.MaxUint64
	}
	return a.lo>>by | a.hi<<(64-by)
}

// wideAt is the decimal of a row, as words does it.
func wideAt(x *array.Decimal128, i int) wide {
	if x.IsNull(i) {
		return wide{}
	}
	v := x.Value(i)
	return wide{uint64(v.HighBits()) ^ signBit, v.LowBits()}
}

// textAt is the bytes of a row; none for NULL.
func textAt(a arrow.Array, i int) []byte {
	if a.IsNull(i) {
		return nil
	}
	switch x := a.(type) {
	case *array.String:
		return bytesOf(x.Value(i))
	case *array.Binary:
		return x.Value(i)
	}
	return nil
}
