package columns

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// Concat puts arrays of one type one after the other. One array is returned as
// it is; at least one is needed.
func Concat(arrs []arrow.Array) (arrow.Array, error) {
	if len(arrs) == 1 {
		return arrs[0], nil
	}
	return array.Concatenate(arrs, memory.DefaultAllocator)
}

// ConcatColumns is Concat column by column over several lists of columns; a
// column that is nil in the first list stays nil.
func ConcatColumns(parts [][]arrow.Array) ([]arrow.Array, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	out := make([]arrow.Array, len(parts[0]))
	for c := range out {
		if parts[0][c] == nil {
			continue
		}
		list := make([]arrow.Array, len(parts))
		for i := range parts {
			list[i] = parts[i][c]
		}
		a, err := Concat(list)
		if err != nil {
			return nil, err
		}
		out[c] = a
	}
	return out, nil
}

// Nulls is n NULL values of an Arrow type.
func Nulls(dt arrow.DataType, n int) arrow.Array {
	if arrow.IsNested(dt.ID()) { // MakeArrayOfNull panics where a member is of type void
		b := array.NewBuilder(memory.DefaultAllocator, dt)
		b.AppendNulls(n)
		return b.NewArray()
	}
	return array.MakeArrayOfNull(memory.DefaultAllocator, dt, n)
}

// Constant is n times the value v (see Value) as the Arrow form of t. A value
// that is not of the type is a programming error.
func Constant(v any, t types.Type, n int) arrow.Array {
	one, err := FromValues(t, v)
	if err != nil {
		panic("columns: " + err.Error())
	}
	if n == 1 {
		return one
	}
	if v == nil {
		return Nulls(one.DataType(), n)
	}
	if f, ok := one.DataType().(arrow.FixedWidthDataType); ok && f.BitWidth() >= 8 {
		w := f.BitWidth() / 8
		data := make([]byte, n*w)
		if n > 0 {
			copy(data, one.Data().Buffers()[1].Bytes()[:w])
			for done := w; done < len(data); done *= 2 {
				copy(data[done:], data[:done])
			}
		}
		return array.MakeFromData(array.NewData(one.DataType(), n, []*memory.Buffer{nil, memory.NewBufferBytes(data)}, nil, 0, 0))
	}
	return array.MakeFromData(takeData(one.Data(), make([]int32, n)))
}

// FromValues makes an array of type t out of values in the form of Value; nil is
// NULL. It reports a value that is not of the type.
func FromValues(t types.Type, vals ...any) (arrow.Array, error) {
	dt, err := ArrowType(t)
	if err != nil {
		return nil, err
	}
	b := array.NewBuilder(memory.DefaultAllocator, dt)
	b.Reserve(len(vals))
	for _, v := range vals {
		if err := appendValue(b, t, v); err != nil {
			return nil, err
		}
	}
	return b.NewArray(), nil
}

// AppendValue appends one value (see Value) of type t to a builder of the Arrow
// form of t.
func AppendValue(b array.Builder, t types.Type, v any) error { return appendValue(b, t, v) }

func appendValue(b array.Builder, t types.Type, v any) error {
	if v == nil {
		b.AppendNull()
		return nil
	}
	switch x := b.(type) {
	case *array.BooleanBuilder:
		return appendAs(v, t, x.Append)
	case *array.Int8Builder:
		return appendAs(v, t, func(n int64) { x.Append(int8(n)) })
	case *array.Int16Builder:
		return appendAs(v, t, func(n int64) { x.Append(int16(n)) })
	case *array.Int32Builder:
		return appendAs(v, t, func(n int64) { x.Append(int32(n)) })
	case *array.Int64Builder:
		return appendAs(v, t, x.Append)
	case *array.Date32Builder:
		return appendAs(v, t, func(n int64) { x.Append(arrow.Date32(n)) })
	case *array.TimestampBuilder:
		return appendAs(v, t, func(n int64) { x.Append(arrow.Timestamp(n)) })
	case *array.Float32Builder:
		return appendAs(v, t, func(f float64) { x.Append(float32(f)) })
	case *array.Float64Builder:
		return appendAs(v, t, x.Append)
	case *array.StringBuilder:
		return appendAs(v, t, x.Append)
	case *array.BinaryBuilder:
		return appendAs(v, t, x.Append)
	case *array.Decimal128Builder:
		d, ok := v.(expr.Decimal)
		if !ok || d.Scale != t.(types.Decimal).Scale || d.Unscaled.BitLen() > 127 {
			return mismatch(v, t)
		}
		x.Append(decimal128.FromBigInt(d.Unscaled))
		return nil
	case *array.MapBuilder:
		kvs, ok := v.([]KV)
		if !ok {
			return mismatch(v, t)
		}
		m := t.(*types.Map)
		x.Append(true)
		for _, kv := range kvs {
			if kv.Key == nil || kv.Value == nil && !m.ValueContainsNull {
				return fmt.Errorf("NULL as a key or a value of %s", m)
			}
			if err := appendValue(x.KeyBuilder(), m.Key, kv.Key); err != nil {
				return err
			}
			if err := appendValue(x.ItemBuilder(), m.Value, kv.Value); err != nil {
				return err
			}
		}
		return nil
	case *array.ListBuilder:
		list, ok := v.([]any)
		if !ok {
			return mismatch(v, t)
		}
		x.Append(true)
		for _, e := range list {
			if err := appendValue(x.ValueBuilder(), t.(*types.Array).Element, e); err != nil {
				return err
			}
		}
		return nil
	case *array.StructBuilder:
		fields := fieldTypes(t)
		list, ok := v.([]any)
		if !ok || len(list) != len(fields) {
			return mismatch(v, t)
		}
		x.Append(true)
		for i, e := range list {
			if err := appendValue(x.FieldBuilder(i), fields[i], e); err != nil {
				return err
			}
		}
		return nil
	}
	return mismatch(v, t)
}

func appendAs[T any](v any, t types.Type, add func(T)) error {
	x, ok := v.(T)
	if !ok {
		return mismatch(v, t)
	}
	add(x)
	return nil
}

func mismatch(v any, t types.Type) error {
	return fmt.Errorf("a value of Go type %T (%v) is no %s", v, v, t)
}

func fieldTypes(t types.Type) []types.Type {
	s, ok := t.(*types.Struct)
	if !ok { // variant
		return []types.Type{types.Binary, types.Binary}
	}
	out := make([]types.Type, len(s.Fields))
	for i, f := range s.Fields {
		out[i] = f.Type
	}
	return out
}

// KV is one entry of a map value.
type KV struct{ Key, Value any }

// IsNull reports whether a row is NULL; unlike the method of the same name it
// knows that every row of an array of the null type is.
func IsNull(a arrow.Array, i int) bool { return a.IsNull(i) || a.DataType().ID() == arrow.NULL }

// Value is the value of a row as in expr.Literal: nil, bool, int64 (integers,
// days of a date, microseconds of a timestamp), float64, expr.Decimal, string,
// []byte (not a copy); []any for arrays and structs (a variant is a struct of
// metadata and value), []KV for maps.
func Value(a arrow.Array, i int) any {
	if IsNull(a, i) {
		return nil
	}
	switch x := a.(type) {
	case *array.Boolean:
		return x.Value(i)
	case *array.Int8:
		return int64(x.Value(i))
	case *array.Int16:
		return int64(x.Value(i))
	case *array.Int32:
		return int64(x.Value(i))
	case *array.Int64:
		return x.Value(i)
	case *array.Date32:
		return int64(x.Value(i))
	case *array.Timestamp:
		return int64(x.Value(i))
	case *array.Float32:
		return float64(x.Value(i))
	case *array.Float64:
		return x.Value(i)
	case *array.String:
		return x.Value(i)
	case *array.Binary:
		return x.Value(i)
	case *array.Decimal128:
		return expr.Decimal{Unscaled: x.Value(i).BigInt(), Scale: int(x.DataType().(*arrow.Decimal128Type).Scale)}
	case *array.Map:
		from, to := x.ValueOffsets(i)
		out := make([]KV, 0, to-from)
		for p := from; p < to; p++ {
			out = append(out, KV{Value(x.Keys(), int(p)), Value(x.Items(), int(p))})
		}
		return out
	case *array.List:
		from, to := x.ValueOffsets(i)
		out := make([]any, 0, to-from)
		for p := from; p < to; p++ {
			out = append(out, Value(x.ListValues(), int(p)))
		}
		return out
	case *array.Struct:
		out := make([]any, x.NumField())
		for f := range out {
			out[f] = Value(x.Field(f), i)
		}
		return out
	}
	panic(fmt.Sprintf("columns: no value form for Arrow type %s", a.DataType()))
}
