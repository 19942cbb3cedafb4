package eval

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/parquet/variant"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"to_variant_object": func(c *call) (arrow.Array, error) {
			return toVariant(c.args[0].spread(c.n), c.typ(0))
		},
	})
}

// toVariant encodes values as variants that keep their types.
func toVariant(a arrow.Array, from types.Type) (arrow.Array, error) {
	return makeBoxed(types.Variant, a.Len(), validity(a), func(i int) (any, error) {
		b := &variant.Builder{}
		if err := appendVariant(b, columns.Value(a, i), from); err != nil {
			return nil, err
		}
		v, err := b.Build()
		if err != nil {
			return nil, err
		}
		return pack2(v.Clone()), nil
	})
}

func appendVariant(b *variant.Builder, v any, t types.Type) error {
	switch x := v.(type) {
	case nil:
		return b.AppendNull()
	case float64:
		if t == types.Float {
			return b.AppendFloat32(float32(x))
		}
	case expr.Decimal:
		return b.Append(variant.DecimalValue[decimal.Decimal128]{Scale: uint8(x.Scale), Value: decimal128.FromBigInt(x.Unscaled)})
	case int64:
		switch t.Kind() {
		case types.KindDate:
			return b.AppendDate(arrow.Date32(x))
		case types.KindTimestamp, types.KindTimestampNTZ:
			return b.AppendTimestamp(arrow.Timestamp(x), true, t == types.Timestamp)
		}
		return b.AppendInt(x)
	case []any:
		if t == types.Variant {
			w, err := variant.New(x[0].([]byte), x[1].([]byte))
			if err != nil {
				return err
			}
			return copyVariant(b, w)
		}
		start := b.Offset()
		if s, ok := t.(*types.Struct); ok {
			fields := make([]variant.FieldEntry, len(x))
			for i, f := range s.Fields {
				fields[i] = b.NextField(start, f.Name)
				if err := appendVariant(b, x[i], f.Type); err != nil {
					return err
				}
			}
			return b.FinishObject(start, fields)
		}
		offsets := make([]int, len(x))
		for i := range x {
			offsets[i] = b.NextElement(start)
			if err := appendVariant(b, x[i], elementType(t)); err != nil {
				return err
			}
		}
		return b.FinishArray(start, offsets)
	case []columns.KV:
		start := b.Offset()
		fields := make([]variant.FieldEntry, len(x))
		for i, kv := range x {
			key, _ := kv.Key.(string)
			fields[i] = b.NextField(start, key)
			if err := appendVariant(b, kv.Value, t.(*types.Map).Value); err != nil {
				return err
			}
		}
		return b.FinishObject(start, fields)
	}
	return b.Append(v)
}

// copyVariant writes a variant again, whose names have other numbers in the new one.
func copyVariant(b *variant.Builder, v variant.Value) error {
	start := b.Offset()
	switch x := v.Value().(type) {
	case variant.ObjectValue:
		fields := make([]variant.FieldEntry, x.NumElements())
		for i := range fields {
			f, err := x.FieldAt(uint32(i))
			if err != nil {
				return err
			}
			fields[i] = b.NextField(start, f.Key)
			if err := copyVariant(b, f.Value); err != nil {
				return err
			}
		}
		return b.FinishObject(start, fields)
	case variant.ArrayValue:
		offsets := make([]int, x.Len())
		for i := range offsets {
			el, err := x.Value(uint32(i))
			if err != nil {
				return err
			}
			offsets[i] = b.NextElement(start)
			if err := copyVariant(b, el); err != nil {
				return err
			}
		}
		return b.FinishArray(start, offsets)
	}
	return b.UnsafeAppendEncoded(v.Bytes())
}
