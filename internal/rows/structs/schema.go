package structs

import (
	"reflect"
	"slices"

	"github.com/sluicelake/sluice/types"
)

// SchemaOf is the schema of the rows that a struct type, or a pointer to one, holds.
func SchemaOf(t reflect.Type) (*types.Struct, error) {
	t, err := structType(t)
	if err != nil {
		return nil, err
	}
	return schemaOf(t, typeName(t), false, nil)
}

func structType(t reflect.Type) (reflect.Type, error) {
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct || isScalar(t) {
		return nil, &Error{Field: "row", GoType: name(t), Row: -1, Reason: "a row is a struct with exported fields"}
	}
	return t, nil
}

func name(t reflect.Type) string {
	if t == nil {
		return "nil"
	}
	return t.String()
}

// schemaOf derives the schema of a struct; around are the structs that it is in. In
// one that can be NULL, or is in an array or map, every member can: a NOT NULL
// below would refuse the NULL above, and Delta has none inside of arrays and maps.
func schemaOf(t reflect.Type, path string, loose bool, around []reflect.Type) (*types.Struct, error) {
	fields, err := fieldsOf(t, path)
	if err != nil {
		return nil, err
	}
	out := &types.Struct{}
	for i := range fields {
		f := &fields[i]
		dt, null, err := f.deltaType(f.typ, loose || f.tag.nullable || f.tag.omitEmpty, append(around, t))
		if err != nil {
			return nil, err
		}
		if f.tag.typ != nil {
			if _, err := encoderFor(f, f.typ, f.tag.typ); err != nil {
				return nil, err
			}
			dt = f.tag.typ
		}
		out.Fields = append(out.Fields, types.Field{Name: f.column, Type: dt, Nullable: null || loose || f.tag.nullable || f.tag.omitEmpty})
	}
	return out, nil
}

var kinds = map[reflect.Kind]types.Type{
	reflect.Bool: types.Boolean, reflect.Int8: types.Byte, reflect.Int16: types.Short, reflect.Int32: types.Integer, reflect.Int64: types.Long, reflect.Int: types.Long,
	reflect.Uint8: types.Short, reflect.Uint16: types.Integer, reflect.Uint32: types.Long, reflect.Uint64: types.Long, reflect.Uint: types.Long,
	reflect.Float32: types.Float, reflect.Float64: types.Double, reflect.String: types.String,
}

// deltaType is the type of the column for a Go type, and whether the Go type has
// a value for NULL.
func (f *field) deltaType(t reflect.Type, loose bool, around []reflect.Type) (dt types.Type, null bool, err error) {
	if in, ok := inner(t); ok {
		if _, twice := inner(in); twice {
			return nil, false, f.misfit(nil, "%s has two values for NULL", t)
		}
		dt, _, err = f.deltaType(in, true, around)
		return dt, true, err
	}
	switch t {
	case timeType:
		return types.Timestamp, false, nil
	case dayType:
		return types.Date, false, nil
	case intType:
		return types.Decimal{Precision: 38}, false, nil
	case decimalType, ratType:
		if f.tag.typ != nil {
			return f.tag.typ, false, nil
		}
		return nil, false, f.misfit(nil, "digits are not known: add type=DECIMAL(precision,scale) to its tag")
	case anyType:
		return types.Variant, true, nil
	}
	if isText(t) {
		return types.String, false, nil
	}
	if dt, ok := kinds[t.Kind()]; ok {
		return dt, false, nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return types.Binary, t.Kind() == reflect.Slice, nil
		}
		if t.Kind() == reflect.Array {
			break
		}
		el, _, err := f.deltaType(t.Elem(), true, around)
		return &types.Array{Element: el, ContainsNull: true}, true, err
	case reflect.Map:
		k, null, err := f.deltaType(t.Key(), true, around)
		if err != nil {
			return nil, false, err
		}
		if null {
			return nil, false, f.misfit(nil, "keys of a MAP are never NULL, those of type %s can be", t.Key())
		}
		v, _, err := f.deltaType(t.Elem(), true, around)
		return &types.Map{Key: k, Value: v, ValueContainsNull: true}, true, err
	case reflect.Struct:
		if slices.Contains(around, t) {
			return nil, false, f.misfit(nil, "%s contains itself, and a schema is finite", t)
		}
		s, err := schemaOf(t, f.path, loose, around)
		return s, false, err
	}
	return nil, false, f.misfit(nil, "no column has values of this Go type")
}
