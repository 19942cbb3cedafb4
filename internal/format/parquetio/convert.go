package parquetio

import (
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// convert turns decoded values into the Arrow form of a Delta type.
type convert func(v *vector) (arrow.Array, error)

var errOutOfRange = errors.New("a value does not fit into the type of the column")

// converter chooses how a leaf of a file becomes a column of type t. Besides the
// plain cases it widens as Delta's type widening allows (PROTOCOL.md, Type
// Widening) and reads what other writers store: unsigned integers, other units
// of time, any physical form of a decimal. ok is false when the two do not fit.
func converter(leaf *parquetNode, t types.Type) (c convert, ok bool) {
	dt, err := columns.ArrowType(t)
	if err != nil {
		return nil, false
	}
	unsigned := leaf.logical.kind == logicalInteger && !leaf.logical.signed
	isDate := leaf.logical.kind == logicalDate
	_, isDecimal := leaf.decimalScale()
	old := leaf.old
	if leaf.logical.kind == logicalForeign {
		return nil, false
	}
	switch leaf.physical {
	case parquet.Types.Boolean:
		return boolColumn, t.Kind() == types.KindBoolean
	case parquet.Types.Int32:
		switch t.Kind() {
		case types.KindInteger:
			if unsigned && leaf.logical.bits == 32 {
				return checked(dt, func(v int32) (int32, bool) { return v, v >= 0 }), true
			}
			return asIs(dt), !isDecimal
		case types.KindDate:
			if old != nil {
				return checked(dt, func(v int32) (int32, bool) { return int32(old.day(int64(v))), true }), !isDecimal
			}
			return asIs(dt), !isDecimal
		case types.KindByte:
			return checked(dt, func(v int32) (int8, bool) { return int8(v), v == int32(int8(v)) }), !isDecimal
		case types.KindShort:
			return checked(dt, func(v int32) (int16, bool) { return int16(v), v == int32(int16(v)) }), !isDecimal
		case types.KindLong:
			if unsigned {
				return checked(dt, func(v int32) (int64, bool) { return int64(uint32(v)), true }), true
			}
			return checked(dt, func(v int32) (int64, bool) { return int64(v), true }), !isDecimal && !isDate
		case types.KindDouble:
			return checked(dt, func(v int32) (float64, bool) { return float64(v), true }), !isDecimal && !isDate
		case types.KindTimestampNTZ:
			return checked(dt, func(v int32) (int64, bool) {
				day := int64(v)
				if old != nil {
					day = old.day(day)
				}
				return day * microsPerDay, day <= math.MaxInt64/microsPerDay && day >= math.MinInt64/microsPerDay
			}), isDate
		case types.KindDecimal:
			return integerDecimal[int32](t.(types.Decimal), dt, leaf.fileDecimal(), unsigned), !isDate
		}
	case parquet.Types.Int64:
		switch t.Kind() {
		case types.KindLong:
			if unsigned && leaf.logical.bits == 64 {
				return checked(dt, func(v int64) (int64, bool) { return v, v >= 0 }), true
			}
			return asIs(dt), !isDecimal && !leaf.isTimestamp()
		case types.KindInteger: // a file that is wider than the table
			return checked(dt, func(v int64) (int32, bool) { return int32(v), v == int64(int32(v)) }), !isDecimal && !leaf.isTimestamp()
		case types.KindTimestamp, types.KindTimestampNTZ:
			switch leaf.timeUnit() {
			case schema.TimeUnitMillis:
				return old.moments(t, checked(dt, func(v int64) (int64, bool) { return v * 1000, v <= math.MaxInt64/1000 && v >= math.MinInt64/1000 })), true
			case schema.TimeUnitNanos:
				return checked(dt, func(v int64) (int64, bool) { return floorDiv(v, 1000), true }), true
			}
			return old.moments(t, asIs(dt)), !isDecimal
		case types.KindDecimal:
			return integerDecimal[int64](t.(types.Decimal), dt, leaf.fileDecimal(), unsigned), !leaf.isTimestamp()
		}
	case parquet.Types.Int96:
		return old.moments(t, asIs(dt)), t.Kind() == types.KindTimestamp || t.Kind() == types.KindTimestampNTZ
	case parquet.Types.Float:
		switch t.Kind() {
		case types.KindFloat:
			return asIs(dt), true
		case types.KindDouble:
			return checked(dt, func(v float32) (float64, bool) { return float64(v), true }), true
		}
	case parquet.Types.Double:
		return asIs(dt), t.Kind() == types.KindDouble
	case parquet.Types.ByteArray, parquet.Types.FixedLenByteArray:
		switch t.Kind() {
		case types.KindString:
			return asIs(dt), !isDecimal && leaf.physical == parquet.Types.ByteArray
		case types.KindBinary:
			return asIs(dt), !isDecimal
		case types.KindFloat:
			return halfFloat, leaf.logical.kind == logicalHalf && leaf.width == 2
		case types.KindDouble:
			return halfDouble, leaf.logical.kind == logicalHalf && leaf.width == 2
		case types.KindDecimal:
			return bytesDecimal(t.(types.Decimal), dt, leaf.fileDecimal()), isDecimal
		}
	}
	return nil, false
}

// decimalScale is the scale of a column that is annotated as a decimal.
func (n *parquetNode) decimalScale() (int, bool) {
	return n.logical.scale, n.logical.kind == logicalDecimal
}

func (n *parquetNode) isTimestamp() bool { return n.logical.kind == logicalTimestamp }

// timeUnit is microseconds where nothing is said.
func (n *parquetNode) timeUnit() schema.TimeUnitType {
	if n.isTimestamp() {
		return n.logical.unit
	}
	return schema.TimeUnitMicros
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// asIs wraps the decoded buffers without copying them.
func asIs(dt arrow.DataType) convert {
	return func(v *vector) (arrow.Array, error) {
		bufs := []*memory.Buffer{v.validity(), memory.NewBufferBytes(v.fixed)}
		if v.width == 0 {
			bufs = []*memory.Buffer{v.validity(), memory.NewBufferBytes(bytesOf(v.offsets)), memory.NewBufferBytes(v.data)}
		}
		return array.MakeFromData(array.NewData(dt, v.n, bufs, nil, v.nulls, 0)), nil
	}
}

// checked converts value by value; NULL slots hold zero and are not checked.
func checked[F, T any](dt arrow.DataType, f func(F) (T, bool)) convert {
	return func(v *vector) (arrow.Array, error) {
		in, out := view[F](v.fixed), make([]T, v.n)
		for i, x := range in[:v.n] {
			y, ok := f(x)
			if !ok {
				return nil, errOutOfRange
			}
			out[i] = y
		}
		return array.MakeFromData(array.NewData(dt, v.n, []*memory.Buffer{v.validity(), memory.NewBufferBytes(bytesOf(out))}, nil, v.nulls, 0)), nil
	}
}

func boolColumn(v *vector) (arrow.Array, error) {
	out := make([]byte, (v.n+7)/8)
	for i, b := range v.fixed[:v.n] {
		out[i>>3] |= (b & 1) << (i & 7)
	}
	return array.MakeFromData(array.NewData(arrow.FixedWidthTypes.Boolean, v.n, []*memory.Buffer{v.validity(), memory.NewBufferBytes(out)}, nil, v.nulls, 0)), nil
}

func halfFloat(v *vector) (arrow.Array, error) { return half[float32](v, arrow.PrimitiveTypes.Float32) }

func halfDouble(v *vector) (arrow.Array, error) {
	return half[float64](v, arrow.PrimitiveTypes.Float64)
}

func half[T float32 | float64](v *vector, dt arrow.DataType) (arrow.Array, error) {
	out := make([]T, v.n)
	for i := range out {
		if b := v.data[v.offsets[i]:v.offsets[i+1]]; len(b) == 2 {
			out[i] = T(float16.FromLEBytes(b).Float32())
		}
	}
	return array.MakeFromData(array.NewData(dt, v.n, []*memory.Buffer{v.validity(), memory.NewBufferBytes(bytesOf(out))}, nil, v.nulls, 0)), nil
}
