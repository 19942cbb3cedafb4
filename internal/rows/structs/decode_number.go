package structs

import (
	"math"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

type stored interface{ int8 | int16 | int32 | int64 }

type whole interface {
	int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64
}

// integerDecoder reads any whole number into any Go integer; what does not fit is
// an error of its row.
func integerDecoder(k reflect.Kind, from arrow.DataType) decoder {
	switch from.ID() {
	case arrow.INT8:
		return wholeFrom(k, (*array.Int8).Int8Values)
	case arrow.INT16:
		return wholeFrom(k, (*array.Int16).Int16Values)
	case arrow.INT32:
		return wholeFrom(k, (*array.Int32).Int32Values)
	case arrow.INT64:
		return wholeFrom(k, (*array.Int64).Int64Values)
	case arrow.DECIMAL128:
		if from.(*arrow.Decimal128Type).Scale == 0 {
			return wholeDecimal(k)
		}
	}
	return nil
}

func wholeFrom[S stored, A arrow.Array](k reflect.Kind, values func(A) []S) decoder {
	switch k {
	case reflect.Int:
		return wholes[int](values)
	case reflect.Int8:
		return wholes[int8](values)
	case reflect.Int16:
		return wholes[int16](values)
	case reflect.Int32:
		return wholes[int32](values)
	case reflect.Int64:
		return wholes[int64](values)
	case reflect.Uint:
		return wholes[uint](values)
	case reflect.Uint8:
		return wholes[uint8](values)
	case reflect.Uint16:
		return wholes[uint16](values)
	case reflect.Uint32:
		return wholes[uint32](values)
	case reflect.Uint64:
		return wholes[uint64](values)
	}
	return nil
}

func wholes[D whole, S stored, A arrow.Array](values func(A) []S) decoder {
	return func(a arrow.Array, from, n int, to place) error {
		x, err := cast[A](a)
		if err != nil {
			return err
		}
		list := values(x)[from : from+n]
		nulls := x.NullN() > 0
		for i, v := range list {
			if nulls && x.IsNull(from+i) {
				continue
			}
			d := D(v)
			if S(d) != v || (d < 0) != (v < 0) {
				return failRow(i, "%d is outside the range of %T", v, d)
			}
			set(to, i, d)
		}
		return nil
	}
}

// wholeDecimal reads decimals without a fraction.
func wholeDecimal(k reflect.Kind) decoder {
	t, ok := kindTypes[k]
	if !ok {
		return nil
	}
	return func(a arrow.Array, from, n int, to place) error {
		x, err := cast[*array.Decimal128](a)
		if err != nil {
			return err
		}
		for i := range n {
			if x.IsNull(from + i) {
				continue
			}
			v := reflect.NewAt(t, to.at(i)).Elem()
			b := x.Value(from + i).BigInt()
			switch {
			case v.CanInt() && b.IsInt64() && !v.OverflowInt(b.Int64()):
				v.SetInt(b.Int64())
			case v.CanUint() && b.IsUint64() && !v.OverflowUint(b.Uint64()):
				v.SetUint(b.Uint64())
			default:
				return failRow(i, "%s is outside the range of %s", b, t)
			}
		}
		return nil
	}
}

var kindTypes = map[reflect.Kind]reflect.Type{
	reflect.Int: reflect.TypeFor[int](), reflect.Int8: reflect.TypeFor[int8](), reflect.Int16: reflect.TypeFor[int16](), reflect.Int32: reflect.TypeFor[int32](), reflect.Int64: reflect.TypeFor[int64](),
	reflect.Uint: reflect.TypeFor[uint](), reflect.Uint8: reflect.TypeFor[uint8](), reflect.Uint16: reflect.TypeFor[uint16](), reflect.Uint32: reflect.TypeFor[uint32](), reflect.Uint64: reflect.TypeFor[uint64](),
}

// floatDecoder reads numbers that the Go type holds exactly.
func floatDecoder(k reflect.Kind, from arrow.DataType) decoder {
	double := k == reflect.Float64
	switch id := from.ID(); {
	case id == arrow.FLOAT32 && double:
		return each(func(x *array.Float32, i int) (float64, error) { return float64(x.Value(i)), nil })
	case id == arrow.FLOAT32:
		return each(func(x *array.Float32, i int) (float32, error) { return x.Value(i), nil })
	case id == arrow.FLOAT64 && double:
		return each(func(x *array.Float64, i int) (float64, error) { return x.Value(i), nil })
	case id == arrow.INT32 && double:
		return each(func(x *array.Int32, i int) (float64, error) { return float64(x.Value(i)), nil })
	case id == arrow.INT64 && double:
		return each(func(x *array.Int64, i int) (float64, error) {
			const exact = 1 << 53
			if v := x.Value(i); v > exact || v < -exact {
				return math.NaN(), failRow(i, "%d has more digits than float64 holds", v)
			}
			return float64(x.Value(i)), nil
		})
	}
	return nil
}
