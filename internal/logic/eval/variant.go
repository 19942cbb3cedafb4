package eval

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/parquet/variant"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"parse_json": parseJSON, "try_parse_json": parseJSON, "variant_get": variantGet, "try_variant_get": variantGet,
		"schema_of_variant": variantSchema, "is_variant_null": variantNull,
	})
}

// variantAt reads the variant of a row.
func variantAt(v vec) func(i int) (variant.Value, error) {
	a, ok := v.arr.(*array.Struct)
	if !ok {
		return func(int) (variant.Value, error) { return variant.Value{}, errNull }
	}
	meta, value := a.Field(0).(*array.Binary), a.Field(1).(*array.Binary)
	return func(i int) (variant.Value, error) {
		return variant.New(meta.Value(v.at(i)), value.Value(v.at(i)))
	}
}

func pack2(v variant.Value) any { return []any{v.Metadata().Bytes(), v.Bytes()} }

func parseJSON(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.boxed(func(i int) (any, error) {
		v, err := variant.ParseJSON(s(i), false)
		if err != nil {
			if c.node.Fn == "try_parse_json" {
				return nil, nil
			}
			return nil, failf("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "%q is no JSON", clip(s(i)))
		}
		return pack2(v), nil
	})
}

// decodeVariant gives the Go value of a variant.
func decodeVariant(metadata, value []byte) (any, error) {
	v, err := variant.New(metadata, value)
	if err != nil {
		return nil, err
	}
	return v.Value(), nil
}

type step struct {
	name  string
	index int
	field bool
}

// jsonPath reads $.a[0]['b'].
func jsonPath(s string) ([]step, error) {
	bad := failf("INVALID_VARIANT_GET_PATH", "%q is no path", s)
	if !strings.HasPrefix(s, "$") {
		return nil, bad
	}
	var out []step
	for s = s[1:]; s != ""; {
		switch {
		case s[0] == '.':
			end := strings.IndexAny(s[1:], ".[")
			if end < 0 {
				end = len(s) - 1
			}
			if end == 0 {
				return nil, bad
			}
			out, s = append(out, step{name: s[1 : end+1], field: true}), s[end+1:]
		case s[0] == '[':
			end := strings.IndexByte(s, ']')
			if end < 2 {
				return nil, bad
			}
			inner := s[1:end]
			s = s[end+1:]
			if q := inner[0]; (q == '\'' || q == '"') && len(inner) > 1 && inner[len(inner)-1] == q {
				out = append(out, step{name: inner[1 : len(inner)-1], field: true})
			} else if n, err := strconv.Atoi(inner); err == nil && n >= 0 {
				out = append(out, step{index: n})
			} else {
				return nil, bad
			}
		default:
			return nil, bad
		}
	}
	return out, nil
}

func variantGet(c *call) (arrow.Array, error) {
	get, path := variantAt(c.args[0]), c.str(1)
	return c.boxed(func(i int) (any, error) {
		v, err := get(i)
		if err != nil {
			return nil, err
		}
		steps, err := jsonPath(path(i))
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			if v, err = follow(v, s); err != nil {
				return nil, err
			}
		}
		r, err := fromVariantValue(v, c.out(), castMode{try: c.node.Fn == "try_variant_get", zone: c.zone()})
		if err != nil && c.node.Fn == "try_variant_get" {
			return nil, nil
		}
		return r, err
	})
}

func follow(v variant.Value, s step) (variant.Value, error) {
	switch x := v.Value().(type) {
	case variant.ObjectValue:
		if s.field {
			if f, err := x.ValueByKey(s.name); err == nil {
				return f.Value, nil
			}
		}
	case variant.ArrayValue:
		if !s.field && s.index < int(x.Len()) {
			return x.Value(uint32(s.index))
		}
	}
	return v, errNull
}

// fromVariantValue converts a variant to a value of a type, as CAST does.
func fromVariantValue(v variant.Value, to types.Type, m castMode) (any, error) {
	if to == types.Variant {
		return pack2(v), nil
	}
	from, value, err := scalarOf(v)
	if err != nil {
		return nil, err
	}
	switch x := value.(type) {
	case nil:
		return nil, nil
	case variant.ObjectValue, variant.ArrayValue:
		return fromVariantNested(v, x, to, m)
	}
	one, err := fromValues(from, value)
	if err != nil {
		return nil, err
	}
	failed := failf("INVALID_VARIANT_CAST", "the variant value %v cannot be cast to %s", value, types.SQL(to))
	if types.IsNested(to) {
		if m.try {
			return nil, nil
		}
		return nil, failed
	}
	if _, ok := value.(expr.Decimal); ok && to == types.String {
		text, err := appendVariantText(nil, v, m.zone)
		return string(text), err
	}
	r, err := castArray(one, from, to, castMode{zone: m.zone})
	if err != nil && m.try {
		return nil, nil
	}
	if err != nil {
		return nil, failed
	}
	return columns.Value(r, 0), nil
}

func fromVariantNested(v variant.Value, value any, to types.Type, m castMode) (any, error) {
	switch t := to.(type) {
	case *types.Array:
		if list, ok := value.(variant.ArrayValue); ok {
			out := make([]any, list.Len())
			for i := range out {
				el, err := list.Value(uint32(i))
				if err != nil {
					return nil, err
				}
				if out[i], err = fromVariantValue(el, t.Element, m); err != nil {
					return nil, err
				}
			}
			return out, nil
		}
	case *types.Struct:
		if obj, ok := value.(variant.ObjectValue); ok {
			out := make([]any, len(t.Fields))
			for i, f := range t.Fields {
				if member, err := obj.ValueByKey(f.Name); err == nil {
					if out[i], err = fromVariantValue(member.Value, f.Type, m); err != nil {
						return nil, err
					}
				}
			}
			return out, nil
		}
	case *types.Map:
		if obj, ok := value.(variant.ObjectValue); ok && t.Key == types.String {
			out := make([]columns.KV, obj.NumElements())
			for i := range out {
				f, err := obj.FieldAt(uint32(i))
				if err != nil {
					return nil, err
				}
				out[i].Key = f.Key
				if out[i].Value, err = fromVariantValue(f.Value, t.Value, m); err != nil {
					return nil, err
				}
			}
			return out, nil
		}
	case types.Primitive:
		if t == types.String {
			text, err := appendVariantText(nil, v, m.zone)
			return string(text), err
		}
	}
	if m.try {
		return nil, nil
	}
	return nil, failf("INVALID_VARIANT_CAST", "a variant object or array cannot be cast to %s", types.SQL(to))
}

// scalarOf gives the type of a variant and its value in the form of columns.Value.
func scalarOf(v variant.Value) (types.Type, any, error) {
	switch x := v.Value().(type) {
	case nil:
		return types.Void, nil, nil
	case bool:
		return types.Boolean, x, nil
	case int8:
		return types.Long, int64(x), nil
	case int16:
		return types.Long, int64(x), nil
	case int32:
		return types.Long, int64(x), nil
	case int64:
		return types.Long, x, nil
	case float32:
		return types.Float, float64(x), nil
	case float64:
		return types.Double, x, nil
	case string:
		return types.String, x, nil
	case []byte:
		return types.Binary, x, nil
	case arrow.Date32:
		return types.Date, int64(x), nil
	case arrow.Timestamp:
		if v.Type() == variant.TimestampMicrosNTZ {
			return types.TimestampNTZ, int64(x), nil
		}
		return types.Timestamp, int64(x), nil
	case time.Time:
		return types.Timestamp, x.UnixMicro(), nil
	case variant.DecimalValue[decimal.Decimal32]:
		return decimalScalar(big.NewInt(int64(x.Value.(decimal.Decimal32))), int(x.Scale))
	case variant.DecimalValue[decimal.Decimal64]:
		return decimalScalar(big.NewInt(int64(x.Value.(decimal.Decimal64))), int(x.Scale))
	case variant.DecimalValue[decimal.Decimal128]:
		return decimalScalar(x.Value.(decimal.Decimal128).BigInt(), int(x.Scale))
	case variant.ObjectValue, variant.ArrayValue:
		return types.Variant, x, nil
	default:
		return nil, nil, fmt.Errorf("eval: a variant of Go type %T", x)
	}
}

func decimalScalar(u *big.Int, scale int) (types.Type, any, error) {
	n := len(new(big.Int).Abs(u).String())
	return types.Decimal{Precision: max(n, scale, 1), Scale: scale}, expr.Decimal{Unscaled: u, Scale: scale}, nil
}

func variantNull(c *call) (arrow.Array, error) {
	get := variantAt(c.args[0])
	return makeBools(c.n, nil, func(i int) (bool, error) {
		if c.args[0].null(i) {
			return false, nil
		}
		v, err := get(i)
		return err == nil && v.Value() == nil, err
	})
}

func variantSchema(c *call) (arrow.Array, error) {
	get := variantAt(c.args[0])
	return c.strings(func(i int) (string, error) {
		v, err := get(i)
		if err != nil {
			return "", err
		}
		return schemaName(v)
	})
}

// schemaName spells the type of a variant as schema_of_variant does.
func schemaName(v variant.Value) (string, error) {
	t, value, err := scalarOf(v)
	if err != nil {
		return "", err
	}
	switch x := value.(type) {
	case variant.ArrayValue:
		merged := "VOID"
		for i := range x.Len() {
			el, err := x.Value(i)
			if err != nil {
				return "", err
			}
			name, err := schemaName(el)
			if err != nil {
				return "", err
			}
			merged = mergeSchema(merged, name)
		}
		return "ARRAY<" + merged + ">", nil
	case variant.ObjectValue:
		parts := make([]string, 0, x.NumElements())
		for i := range x.NumElements() {
			f, err := x.FieldAt(i)
			if err != nil {
				return "", err
			}
			name, err := schemaName(f.Value)
			if err != nil {
				return "", err
			}
			parts = append(parts, types.QuoteIdentifier(f.Key)+": "+name)
		}
		return "OBJECT<" + strings.Join(parts, ", ") + ">", nil
	}
	return types.SQL(t), nil
}

func mergeSchema(a, b string) string {
	if a == b || b == "VOID" {
		return a
	}
	if a == "VOID" {
		return b
	}
	ta, err1 := types.ParseDataType(a)
	tb, err2 := types.ParseDataType(b)
	if err1 != nil || err2 != nil || !types.IsNumeric(ta) || !types.IsNumeric(tb) {
		return "VARIANT"
	}
	da, okA := asDecimalType(ta)
	db, okB := asDecimalType(tb)
	if !okA || !okB {
		return "DOUBLE"
	}
	scale := max(da.Scale, db.Scale)
	return types.SQL(types.Decimal{Precision: min(38, max(da.Precision-da.Scale, db.Precision-db.Scale)+scale), Scale: scale})
}

func asDecimalType(t types.Type) (types.Decimal, bool) {
	if t == types.Long {
		return types.Decimal{Precision: 20}, true
	}
	d, ok := t.(types.Decimal)
	return d, ok
}

func (c *caster) fromVariant() (arrow.Array, error) {
	get := variantAt(vec{arr: c.in})
	return makeBoxed(c.to, c.in.Len(), c.ok, func(i int) (any, error) {
		v, err := get(i)
		if err != nil {
			return nil, err
		}
		r, err := fromVariantValue(v, c.to, c.mode)
		var failed *Error
		if errors.As(err, &failed) {
			return nil, c.fails(failed)
		}
		return r, err
	})
}
