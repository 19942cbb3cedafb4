package structs

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types/civil"
)

// intoAny gives each value the Go type that Value says.
func intoAny(a arrow.Array, from, n int, to place) error {
	for i := range n {
		v, err := Value(a, from+i)
		if err != nil {
			return atRow(err, i)
		}
		set(to, i, v)
	}
	return nil
}

// Value is a value of an array as a Go value of a fitting type: nil, bool, int8 to
// int64, float32, float64, string, []byte, civil.Day, time.Time, expr.Decimal,
// []any, map[any]any, map[string]any for a struct, and what encoding/json gives
// for a VARIANT, with json.Number for its numbers. It shares no memory with the array.
func Value(a arrow.Array, i int) (any, error) {
	if columns.IsNull(a, i) {
		return nil, nil
	}
	switch x := a.(type) {
	case *array.Boolean:
		return x.Value(i), nil
	case *array.Int8:
		return x.Value(i), nil
	case *array.Int16:
		return x.Value(i), nil
	case *array.Int32:
		return x.Value(i), nil
	case *array.Int64:
		return x.Value(i), nil
	case *array.Float32:
		return x.Value(i), nil
	case *array.Float64:
		return x.Value(i), nil
	case *array.Date32:
		return civil.Day(x.Value(i)), nil
	case *array.Timestamp:
		return x.Value(i).ToTime(x.DataType().(*arrow.TimestampType).Unit), nil
	case *array.Decimal128:
		return expr.Decimal{Unscaled: x.Value(i).BigInt(), Scale: int(x.DataType().(*arrow.Decimal128Type).Scale)}, nil
	case *array.String:
		return strings.Clone(x.Value(i)), nil
	case *array.Binary:
		return bytes.Clone(x.Value(i)), nil
	case *array.Map:
		return mapValue(x, i)
	case *array.List:
		from, to := x.ValueOffsets(i)
		out := make([]any, 0, to-from)
		for p := from; p < to; p++ {
			v, err := Value(x.ListValues(), int(p))
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case *array.Struct:
		return structValue(x, i)
	}
	return nil, failRow(i, "the Arrow type %s has no Go value", a.DataType())
}

func mapValue(x *array.Map, i int) (any, error) {
	from, to := x.ValueOffsets(i)
	out := make(map[any]any, to-from)
	for p := from; p < to; p++ {
		k, err := Value(x.Keys(), int(p))
		if err != nil {
			return nil, err
		}
		switch key := k.(type) {
		case []byte:
			k = string(key)
		case expr.Decimal:
			k = key.String()
		case []any, map[any]any, map[string]any:
			return nil, failRow(i, "a key of type %s is no key of a Go map", x.Keys().DataType())
		}
		if out[k], err = Value(x.Items(), int(p)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func structValue(x *array.Struct, i int) (any, error) {
	t := x.DataType().(*arrow.StructType)
	if isVariant(t) {
		text, err := variantText(x, i)
		if err != nil {
			return nil, err
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return nil, failRow(i, "%v", err)
		}
		return v, nil
	}
	out := make(map[string]any, x.NumField())
	for m := range x.NumField() {
		v, err := Value(x.Field(m), i)
		if err != nil {
			return nil, err
		}
		out[t.Field(m).Name] = v
	}
	return out, nil
}
