package structs

import (
	"encoding"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// field is a field of a Go struct that stands for a column.
type field struct {
	path   string
	column string
	typ    reflect.Type
	offset uintptr // from the beginning of the struct, embedded ones included
	depth  int     // of embedding
	tag    tag
}

// tag is what stands in `delta:"name,option,...,type=SQL TYPE"`.
type tag struct {
	name      string
	skip      bool
	omitEmpty bool       // the zero value is written as NULL
	nullable  bool       // the column may hold NULL, which is read as the zero value
	optional  bool       // the column need not be there when rows are read
	typ       types.Type // nil: that of the Go type
}

// parseTag reads a tag; type= takes all that follows, since types have commas.
func parseTag(text string) (tag, string) {
	if text == "-" {
		return tag{skip: true}, ""
	}
	name, rest, _ := strings.Cut(text, ",")
	t := tag{name: strings.TrimSpace(name)}
	for rest != "" {
		if spelled, ok := strings.CutPrefix(strings.TrimSpace(rest), "type="); ok {
			typ, err := types.ParseDataType(spelled)
			if err != nil {
				return t, "type=" + spelled + " in its tag is no data type: " + err.Error()
			}
			t.typ = typ
			return t, ""
		}
		var option string
		option, rest, _ = strings.Cut(rest, ",")
		switch strings.TrimSpace(option) {
		case "omitempty":
			t.omitEmpty = true
		case "nullable":
			t.nullable = true
		case "optional":
			t.optional = true
		case "":
		default:
			return t, "its tag has an option " + strings.TrimSpace(option) + "; there are omitempty, nullable, optional and, last, type=..."
		}
	}
	return t, ""
}

// fieldsOf lists the fields of a struct type that stand for columns. Fields of
// embedded structs without a name in their tag are those of the struct around,
// and hide what lies deeper, as in Go.
func fieldsOf(t reflect.Type, path string) ([]field, error) {
	var out []field
	if err := walk(&out, t, path, 0, 0); err != nil {
		return nil, err
	}
	byName := map[string]int{}
	var kept []field
	for _, f := range out {
		low := strings.ToLower(f.column)
		i, taken := byName[low]
		switch {
		case !taken:
			byName[low] = len(kept)
			kept = append(kept, f)
		case f.depth == kept[i].depth:
			return nil, f.misfit(nil, "the field %s is for the same column", kept[i].path)
		case f.depth < kept[i].depth:
			kept[i] = f
		}
	}
	if len(kept) == 0 {
		return nil, &Error{Field: path, GoType: t.String(), Row: -1, Reason: "the struct has no exported field that could be a column"}
	}
	return kept, nil
}

func walk(out *[]field, t reflect.Type, path string, offset uintptr, depth int) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		f := field{path: path + "." + sf.Name, column: sf.Name, typ: sf.Type, offset: offset + sf.Offset, depth: depth}
		var wrong string
		if f.tag, wrong = parseTag(sf.Tag.Get("delta")); f.tag.name != "" {
			f.column = f.tag.name
		}
		if wrong != "" {
			return f.misfit(nil, "%s", wrong)
		}
		if f.tag.skip {
			continue
		}
		if sf.Anonymous && f.tag.name == "" && sf.Type.Kind() == reflect.Struct && !isScalar(sf.Type) {
			if err := walk(out, sf.Type, f.path, f.offset, depth+1); err != nil {
				return err
			}
			continue
		}
		if !sf.IsExported() {
			if f.tag != (tag{}) {
				return f.misfit(nil, "it has a tag and is not exported")
			}
			continue
		}
		if sf.Anonymous && f.tag.name == "" && sf.Type.Kind() == reflect.Pointer && sf.Type.Elem().Kind() == reflect.Struct {
			return f.misfit(nil, "an embedded pointer has no columns of its own: name it in its tag to make it a nullable struct, or embed the struct itself")
		}
		*out = append(*out, f)
	}
	return nil
}

// Types with a meaning of their own.
var (
	timeType    = reflect.TypeFor[time.Time]()
	dayType     = reflect.TypeFor[civil.Day]()
	decimalType = reflect.TypeFor[expr.Decimal]()
	ratType     = reflect.TypeFor[big.Rat]()
	intType     = reflect.TypeFor[big.Int]()
	anyType     = reflect.TypeFor[any]()
	marshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isScalar tells structs that are one value from those that have columns.
func isScalar(t reflect.Type) bool {
	switch t {
	case timeType, decimalType, ratType, intType:
		return true
	}
	_, null := nullOf(t)
	return null || isText(t)
}

// nullOf is the field with the value in a type such as sql.NullString or sql.Null[T].
func nullOf(t reflect.Type) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct || t.PkgPath() != "database/sql" || t.NumField() != 2 || t.Field(1).Name != "Valid" {
		return reflect.StructField{}, false
	}
	return t.Field(0), true
}

// isText tells types that know how to be text both ways.
func isText(t reflect.Type) bool {
	switch t {
	case timeType, dayType, decimalType, ratType, intType:
		return false
	}
	return t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(marshaler) && reflect.PointerTo(t).Implements(unmarshaler)
}

// inner is the type of what a pointer or a nullable wrapper holds.
func inner(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() == reflect.Pointer {
		return t.Elem(), true
	}
	if f, ok := nullOf(t); ok {
		return f.Type, true
	}
	return t, false
}
