package eval

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// texter writes values that are not NULL as CAST(... AS STRING) does in a session.
func texter(a arrow.Array, t types.Type, in expr.Session) func(i int) string {
	switch x := a.(type) {
	case *array.Boolean:
		return func(i int) string { return strconv.FormatBool(x.Value(i)) }
	case *array.Float32:
		return func(i int) string { return formatFloat(float64(x.Value(i)), 32) }
	case *array.Float64:
		return func(i int) string { return formatFloat(x.Value(i), 64) }
	case *array.Decimal128:
		_, scale := typeOf(t)
		if in.Legacy {
			return func(i int) string {
				d := x.Value(i)
				return string(javaDecimal(columns.AppendDecimal(nil, d, scale), d, scale))
			}
		}
		return func(i int) string {
			return string(columns.AppendDecimal(nil, x.Value(i), scale))
		}
	case *array.String, *array.Binary:
		return texts(vec{arr: a})
	case *array.List:
		return listTexter(x, t.(*types.Array).Element, in)
	case *array.Map:
		return mapTexter(x, t.(*types.Map), in)
	case *array.Struct:
		if t == types.Variant {
			return variantText(x, in)
		}
		if t == types.CalendarInterval {
			v := calendars(vec{arr: x})
			return func(i int) string { return v(i).String() }
		}
		return structTexter(x, t.(*types.Struct), in)
	case *array.Null:
		return func(int) string { return "null" }
	}
	v := int64s(vec{arr: a})
	switch t.Kind() {
	case types.KindDate:
		return func(i int) string { return civil.FormatDate(v(i)) }
	case types.KindTimestamp:
		return func(i int) string { return civil.FormatTimestamp(civil.Local(v(i), in.Zone)) }
	case types.KindTimestampNTZ:
		return func(i int) string { return civil.FormatTimestamp(v(i)) }
	case types.KindTime:
		return func(i int) string { return string(civil.AppendTime(nil, v(i))) }
	case types.KindDayTimeInterval, types.KindYearMonthInterval:
		return func(i int) string { return expr.FormatInterval(v(i), t.(types.Interval)) }
	}
	return func(i int) string { return strconv.FormatInt(v(i), 10) }
}

// nullText is texter with the word null.
func nullText(a arrow.Array, t types.Type, in expr.Session) func(i int) string {
	f := texter(a, t, in)
	return func(i int) string {
		if columns.IsNull(a, i) {
			return "null"
		}
		return f(i)
	}
}

func listTexter(a *array.List, el types.Type, in expr.Session) func(i int) string {
	f := nullText(a.ListValues(), el, in)
	return func(i int) string {
		from, to := a.ValueOffsets(i)
		parts := make([]string, 0, to-from)
		for p := from; p < to; p++ {
			parts = append(parts, f(int(p)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
}

func mapTexter(a *array.Map, t *types.Map, in expr.Session) func(i int) string {
	k, v := nullText(a.Keys(), t.Key, in), nullText(a.Items(), t.Value, in)
	return func(i int) string {
		from, to := a.ValueOffsets(i)
		parts := make([]string, 0, to-from)
		for p := from; p < to; p++ {
			parts = append(parts, k(int(p))+" -> "+v(int(p)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
}

func structTexter(a *array.Struct, t *types.Struct, in expr.Session) func(i int) string {
	fs := make([]func(int) string, len(t.Fields))
	for k := range fs {
		fs[k] = nullText(a.Field(k), t.Fields[k].Type, in)
	}
	return func(i int) string {
		parts := make([]string, len(fs))
		for k, f := range fs {
			parts[k] = f(i)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
}

func variantText(a *array.Struct, in expr.Session) func(i int) string {
	meta, value := a.Field(0).(*array.Binary), a.Field(1).(*array.Binary)
	return func(i int) string {
		text, err := variantJSONText(meta.Value(i), value.Value(i), in.Zone)
		if err != nil {
			return ""
		}
		if v, err := decodeVariant(meta.Value(i), value.Value(i)); err == nil {
			if s, ok := v.(string); ok {
				return s
			}
		}
		return string(text)
	}
}
