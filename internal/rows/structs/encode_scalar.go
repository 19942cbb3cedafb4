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
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// direct copies a value whose Go type is the one that the builder takes.
func direct[T any, B interface{ Append(T) }](b array.Builder) appender {
	x := any(b).(B)
	return func(p unsafe.Pointer) error {
		x.Append(*(*T)(p))
		return nil
	}
}

// scalarEncoder compiles types that are one value; nil when they do not fit.
func scalarEncoder(t reflect.Type, to types.Type) encoder {
	switch t {
	case timeType:
		return timeEncoder(to)
	case dayType:
		if to == types.Date {
			return direct[arrow.Date32, *array.Date32Builder]
		}
		return nil
	case decimalType, ratType, intType:
		return exactEncoder(t, to)
	}
	if isText(t) {
		if to == types.String {
			return textEncoder(t)
		}
		return nil
	}
	switch k := t.Kind(); k {
	case reflect.Bool:
		if to == types.Boolean {
			return direct[bool, *array.BooleanBuilder]
		}
	case reflect.String:
		return stringEncoder(to)
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return bytesEncoder(t, to)
		}
	case reflect.Float32:
		switch to {
		case types.Float:
			return direct[float32, *array.Float32Builder]
		case types.Double:
			return func(b array.Builder) appender {
				x := b.(*array.Float64Builder)
				return func(p unsafe.Pointer) error { x.Append(float64(*(*float32)(p))); return nil }
			}
		}
	case reflect.Float64:
		if to == types.Double {
			return direct[float64, *array.Float64Builder]
		}
	default:
		return integerEncoder(k, to)
	}
	return nil
}

func stringEncoder(to types.Type) encoder {
	switch x := to.(type) {
	case types.Decimal:
		return func(b array.Builder) appender {
			add := decimalAppender(b, x)
			return func(p unsafe.Pointer) error {
				d, ok := expr.ParseDecimal(*(*string)(p))
				if !ok {
					return failRow(0, "%q is no number", *(*string)(p))
				}
				return add(d)
			}
		}
	case types.Primitive:
		switch x {
		case types.String:
			return direct[string, *array.StringBuilder]
		case types.Binary:
			return func(b array.Builder) appender {
				x := b.(*array.BinaryBuilder)
				return func(p unsafe.Pointer) error { x.AppendString(*(*string)(p)); return nil }
			}
		}
	}
	return nil
}

// bytesEncoder is for []byte and arrays of bytes.
func bytesEncoder(t reflect.Type, to types.Type) encoder {
	size := -1
	if t.Kind() == reflect.Array {
		size = t.Len()
	}
	var add func(array.Builder, []byte)
	switch to {
	case types.Binary:
		add = func(b array.Builder, v []byte) { b.(*array.BinaryBuilder).Append(v) }
	case types.String:
		add = func(b array.Builder, v []byte) { b.(*array.StringBuilder).BinaryBuilder.Append(v) }
	default:
		return nil
	}
	return func(b array.Builder) appender {
		return func(p unsafe.Pointer) error {
			var v []byte
			if size >= 0 {
				v = unsafe.Slice((*byte)(p), size)
			} else if v = *(*[]byte)(p); v == nil {
				b.AppendNull()
				return nil
			}
			add(b, v)
			return nil
		}
	}
}

func timeEncoder(to types.Type) encoder {
	switch to {
	case types.Date:
		return func(b array.Builder) appender {
			x := b.(*array.Date32Builder)
			return func(p unsafe.Pointer) error {
				t := *(*time.Time)(p)
				if y := t.Year(); y > maxYear || y < -maxYear {
					return failRow(0, "the year %d is outside the range of DATE", y)
				}
				x.Append(arrow.Date32(civil.DayOf(t)))
				return nil
			}
		}
	case types.Timestamp, types.TimestampNTZ:
		local := to == types.TimestampNTZ
		return func(b array.Builder) appender {
			x := b.(*array.TimestampBuilder)
			return func(p unsafe.Pointer) error {
				t := *(*time.Time)(p)
				if y := t.Year(); y > maxYear || y < -maxYear {
					return failRow(0, "the year %d is outside the range of a timestamp", y)
				}
				micros := t.UnixMicro()
				if local {
					_, seconds := t.Zone()
					micros += int64(seconds) * 1_000_000
				}
				x.Append(arrow.Timestamp(micros))
				return nil
			}
		}
	case types.String:
		return textEncoder(timeType)
	}
	return nil
}

// maxYear bounds times whose microseconds fit into 64 bits.
const maxYear = 290_000

// textEncoder writes what a value says of itself.
func textEncoder(t reflect.Type) encoder {
	return func(b array.Builder) appender {
		x := b.(*array.StringBuilder)
		return func(p unsafe.Pointer) error {
			text, err := reflect.NewAt(t, p).Interface().(encoding.TextMarshaler).MarshalText()
			if err != nil {
				return failRow(0, "%v", err)
			}
			x.BinaryBuilder.Append(text)
			return nil
		}
	}
}

// exactEncoder is for numbers with many digits.
func exactEncoder(t reflect.Type, to types.Type) encoder {
	d, ok := to.(types.Decimal)
	if !ok {
		return nil
	}
	return func(b array.Builder) appender {
		add := decimalAppender(b, d)
		return func(p unsafe.Pointer) error {
			switch t {
			case decimalType:
				v := *(*expr.Decimal)(p)
				if v.Unscaled == nil {
					v.Unscaled = new(big.Int)
				}
				return add(v)
			case intType:
				return add(expr.Decimal{Unscaled: (*big.Int)(p)})
			}
			r := (*big.Rat)(p)
			scaled := new(big.Int).Mul(r.Num(), powerOfTen(d.Scale))
			whole, rest := scaled.QuoRem(scaled, r.Denom(), new(big.Int))
			if rest.Sign() != 0 {
				return failRow(0, "%s has more than %d digits after the point", r.RatString(), d.Scale)
			}
			return add(expr.Decimal{Unscaled: whole, Scale: d.Scale})
		}
	}
}
