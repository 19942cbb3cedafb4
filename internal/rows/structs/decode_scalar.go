package structs

import (
	"encoding"
	"math/big"
	"reflect"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types/civil"
)

// scalarDecoder compiles types that are one value; nil when they do not fit.
func scalarDecoder(t reflect.Type, from arrow.DataType) decoder {
	switch t {
	case timeType:
		return timeDecoder(from)
	case dayType:
		if from.ID() == arrow.DATE32 {
			return each(func(x *array.Date32, i int) (civil.Day, error) { return civil.Day(x.Value(i)), nil })
		}
		return nil
	case decimalType, ratType, intType:
		return exactDecoder(t, from)
	}
	if isText(t) {
		if from.ID() == arrow.STRING {
			return textDecoder(t)
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Bool:
		if from.ID() == arrow.BOOL {
			return each(func(x *array.Boolean, i int) (bool, error) { return x.Value(i), nil })
		}
	case reflect.String:
		return stringDecoder(from)
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return bytesDecoder(t, from)
		}
	case reflect.Float32, reflect.Float64:
		return floatDecoder(t.Kind(), from)
	default:
		return integerDecoder(t.Kind(), from)
	}
	return nil
}

// each decodes value by value.
func each[T any, A arrow.Array](get func(x A, i int) (T, error)) decoder {
	return func(a arrow.Array, from, n int, to place) error {
		x, err := cast[A](a)
		if err != nil {
			return err
		}
		nulls := x.NullN() > 0
		for i := range n {
			if nulls && x.IsNull(from+i) {
				continue
			}
			v, err := get(x, from+i)
			if err != nil {
				return atRow(err, i)
			}
			set(to, i, v)
		}
		return nil
	}
}

func timeDecoder(from arrow.DataType) decoder {
	switch from.ID() {
	case arrow.DATE32:
		return each(func(x *array.Date32, i int) (time.Time, error) { return civil.Day(x.Value(i)).Time(), nil })
	case arrow.TIMESTAMP:
		if from.(*arrow.TimestampType).Unit == arrow.Microsecond {
			return each(func(x *array.Timestamp, i int) (time.Time, error) {
				return time.UnixMicro(int64(x.Value(i))).UTC(), nil
			})
		}
	case arrow.STRING:
		return textDecoder(timeType)
	}
	return nil
}

func textDecoder(t reflect.Type) decoder {
	return func(a arrow.Array, from, n int, to place) error {
		x, err := cast[*array.String](a)
		if err != nil {
			return err
		}
		for i := range n {
			if x.IsNull(from + i) {
				continue
			}
			if err := reflect.NewAt(t, to.at(i)).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(x.Value(from + i))); err != nil {
				return failRow(i, "%q: %v", x.Value(from+i), err)
			}
		}
		return nil
	}
}

// exactDecoder is for numbers with many digits.
func exactDecoder(t reflect.Type, from arrow.DataType) decoder {
	d, ok := from.(*arrow.Decimal128Type)
	if !ok {
		return nil
	}
	switch t {
	case decimalType:
		return each(func(x *array.Decimal128, i int) (expr.Decimal, error) {
			return expr.Decimal{Unscaled: x.Value(i).BigInt(), Scale: int(d.Scale)}, nil
		})
	case intType:
		if d.Scale != 0 {
			return nil
		}
	}
	denominator := powerOfTen(int(d.Scale))
	return func(a arrow.Array, from, n int, to place) error {
		x, err := cast[*array.Decimal128](a)
		if err != nil {
			return err
		}
		for i := range n {
			switch {
			case x.IsNull(from + i):
			case t == intType:
				(*big.Int)(to.at(i)).Set(x.Value(from + i).BigInt())
			default:
				(*big.Rat)(to.at(i)).SetFrac(x.Value(from+i).BigInt(), denominator)
			}
		}
		return nil
	}
}

func stringDecoder(from arrow.DataType) decoder {
	switch x := from.(type) {
	case *arrow.StringType, *arrow.BinaryType:
		return texts
	case *arrow.Decimal128Type:
		return each(func(a *array.Decimal128, i int) (string, error) {
			return expr.Decimal{Unscaled: a.Value(i).BigInt(), Scale: int(x.Scale)}.String(), nil
		})
	case *arrow.StructType:
		if isVariant(x) {
			return each(func(a *array.Struct, i int) (string, error) {
				text, err := variantText(a, i)
				return string(text), err
			})
		}
	}
	return nil
}

// flat is a String or Binary array.
type flat interface {
	arrow.Array
	ValueOffset(i int) int
	ValueLen(i int) int
}

// copied is the bytes of all values of a stretch of an array, in memory of their
// own, and where the first one begins in the array.
func copied(a arrow.Array, from, n int) (x flat, data []byte, first int, err error) {
	if x, err = cast[flat](a); err != nil || n == 0 {
		return x, nil, 0, err
	}
	first = x.ValueOffset(from)
	last := x.ValueOffset(from+n-1) + x.ValueLen(from+n-1)
	if last == first {
		return x, []byte{}, first, nil
	}
	return x, append([]byte(nil), x.Data().Buffers()[2].Bytes()[first:last]...), first, nil
}

// texts copies the text of all rows at once.
func texts(a arrow.Array, from, n int, to place) error {
	x, data, first, err := copied(a, from, n)
	if err != nil {
		return err
	}
	all := unsafe.String(unsafe.SliceData(data), len(data))
	nulls := x.NullN() > 0
	for i := range n {
		if nulls && x.IsNull(from+i) {
			continue
		}
		at := x.ValueOffset(from+i) - first
		set(to, i, all[at:at+x.ValueLen(from+i)])
	}
	return nil
}

func bytesDecoder(t reflect.Type, from arrow.DataType) decoder {
	switch from.ID() {
	case arrow.STRING, arrow.BINARY:
	case arrow.STRUCT:
		if t.Kind() == reflect.Slice && isVariant(from.(*arrow.StructType)) {
			return each(func(a *array.Struct, i int) ([]byte, error) { return variantText(a, i) })
		}
		return nil
	default:
		return nil
	}
	return func(a arrow.Array, from, n int, to place) error {
		x, data, first, err := copied(a, from, n)
		if err != nil {
			return err
		}
		for i := range n {
			if x.IsNull(from + i) {
				continue
			}
			at, size := x.ValueOffset(from+i)-first, x.ValueLen(from+i)
			if t.Kind() == reflect.Slice {
				set(to, i, data[at:at+size:at+size])
				continue
			}
			if size != t.Len() {
				return failRow(i, "the value has %d bytes, %s has %d", size, t, t.Len())
			}
			copy(unsafe.Slice((*byte)(to.at(i)), size), data[at:at+size])
		}
		return nil
	}
}

// isVariant knows the Arrow form of VARIANT.
func isVariant(t *arrow.StructType) bool {
	return t.NumFields() == 2 && t.Field(0).Name == "metadata" && t.Field(1).Name == "value" && t.Field(0).Type.ID() == arrow.BINARY && t.Field(1).Type.ID() == arrow.BINARY
}

func variantText(a *array.Struct, i int) ([]byte, error) {
	metadata, ok1 := a.Field(0).(*array.Binary)
	value, ok2 := a.Field(1).(*array.Binary)
	if !ok1 || !ok2 {
		return nil, failRow(i, "no variant")
	}
	text, err := columns.VariantJSON(metadata.Value(i), value.Value(i))
	if err != nil {
		return nil, failRow(i, "%v", err)
	}
	return text, nil
}
