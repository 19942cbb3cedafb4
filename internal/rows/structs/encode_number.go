package structs

import (
	"math"
	"math/big"
	"reflect"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// integer reads a Go integer; ok is false above the largest int64.
type integer func(p unsafe.Pointer) (n int64, ok bool)

func signed[T int | int8 | int16 | int32 | int64](p unsafe.Pointer) (int64, bool) {
	return int64(*(*T)(p)), true
}

func unsigned[T uint | uint8 | uint16 | uint32 | uint64](p unsafe.Pointer) (int64, bool) {
	n := uint64(*(*T)(p))
	return int64(n), n <= math.MaxInt64
}

var integers = map[reflect.Kind]integer{
	reflect.Int: signed[int], reflect.Int8: signed[int8], reflect.Int16: signed[int16], reflect.Int32: signed[int32], reflect.Int64: signed[int64],
	reflect.Uint: unsigned[uint], reflect.Uint8: unsigned[uint8], reflect.Uint16: unsigned[uint16], reflect.Uint32: unsigned[uint32], reflect.Uint64: unsigned[uint64],
}

// integerEncoder writes any integer to any column for whole numbers; what does
// not fit is an error of its row.
func integerEncoder(k reflect.Kind, to types.Type) encoder {
	read := integers[k]
	if read == nil {
		return nil
	}
	switch {
	case k == reflect.Int64 && to == types.Long:
		return direct[int64, *array.Int64Builder]
	case k == reflect.Int32 && to == types.Integer:
		return direct[int32, *array.Int32Builder]
	}
	switch to {
	case types.Byte:
		return ranged(read, to, math.MinInt8, math.MaxInt8, func(b array.Builder, n int64) { b.(*array.Int8Builder).Append(int8(n)) })
	case types.Short:
		return ranged(read, to, math.MinInt16, math.MaxInt16, func(b array.Builder, n int64) { b.(*array.Int16Builder).Append(int16(n)) })
	case types.Integer:
		return ranged(read, to, math.MinInt32, math.MaxInt32, func(b array.Builder, n int64) { b.(*array.Int32Builder).Append(int32(n)) })
	case types.Long:
		return ranged(read, to, math.MinInt64, math.MaxInt64, func(b array.Builder, n int64) { b.(*array.Int64Builder).Append(n) })
	}
	if d, ok := to.(types.Decimal); ok {
		return func(b array.Builder) appender {
			add := decimalAppender(b, d)
			return func(p unsafe.Pointer) error {
				n, ok := read(p)
				v := big.NewInt(n)
				if !ok {
					v.SetUint64(uint64(n))
				}
				return add(expr.Decimal{Unscaled: v})
			}
		}
	}
	return nil
}

func ranged(read integer, to types.Type, least, most int64, add func(array.Builder, int64)) encoder {
	return func(b array.Builder) appender {
		return func(p unsafe.Pointer) error {
			n, ok := read(p)
			switch {
			case !ok:
				return failRow(0, "%d is outside the range of %s", uint64(n), strings.ToUpper(to.String()))
			case n < least || n > most:
				return failRow(0, "%d is outside the range of %s", n, strings.ToUpper(to.String()))
			}
			add(b, n)
			return nil
		}
	}
}

func powerOfTen(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// decimalAppender writes a decimal without rounding it.
func decimalAppender(b array.Builder, to types.Decimal) func(expr.Decimal) error {
	x := b.(*array.Decimal128Builder)
	bound := powerOfTen(to.Precision)
	return func(d expr.Decimal) error {
		n := d.Unscaled
		switch {
		case d.Scale < to.Scale:
			n = new(big.Int).Mul(n, powerOfTen(to.Scale-d.Scale))
		case d.Scale > to.Scale:
			var rest big.Int
			if n, _ = new(big.Int).QuoRem(n, powerOfTen(d.Scale-to.Scale), &rest); rest.Sign() != 0 {
				return failRow(0, "%s has more than %d digits after the point", d, to.Scale)
			}
		}
		if n.CmpAbs(bound) >= 0 {
			return failRow(0, "%s is outside the range of %s", d, strings.ToUpper(to.String()))
		}
		x.Append(decimal128.FromBigInt(n))
		return nil
	}
}
