package structs

import (
	"reflect"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// appender adds the Go value at a place to the builder that it was bound to.
type appender func(p unsafe.Pointer) error

// encoder binds to the builder of a column; it returns nil where the builder is
// not of the type that was compiled for, which cannot happen.
type encoder func(b array.Builder) appender

// Encoder writes Go structs of one type into record batches of one schema.
type Encoder struct {
	schema *types.Struct
	arrow  *arrow.Schema
	size   uintptr
	ptr    bool // rows are pointers to structs
	fields []field
	encode []encoder
}

// NewEncoder compiles a struct type, or a pointer to one. With a table's schema
// the values get the types of its columns, every field needs one, and columns
// without a field are left out; with nil the schema is SchemaOf.
func NewEncoder(t reflect.Type, table *types.Struct) (*Encoder, error) {
	st, err := structType(t)
	if err != nil {
		return nil, err
	}
	e := &Encoder{size: st.Size(), ptr: t.Kind() == reflect.Pointer}
	if e.fields, err = fieldsOf(st, typeName(st)); err != nil {
		return nil, err
	}
	e.schema = &types.Struct{}
	if table == nil {
		if e.schema, err = SchemaOf(st); err != nil {
			return nil, err
		}
	}
	for i := range e.fields {
		f := &e.fields[i]
		if table != nil {
			c, ok := table.Field(f.column)
			if !ok {
				return nil, f.misfit(nil, "the table has no such column, only %s", strings.Join(table.Names(), ", "))
			}
			e.schema.Fields = append(e.schema.Fields, types.Field{Name: c.Name, Type: c.Type, Nullable: true})
		}
		enc, err := encoderFor(f, f.typ, e.schema.Fields[i].Type)
		if err != nil {
			return nil, err
		}
		if f.tag.omitEmpty {
			enc = omitEmpty(f.typ, enc)
		}
		e.encode = append(e.encode, enc)
	}
	e.arrow, err = columns.ArrowSchema(e.schema)
	return e, err
}

// Schema is that of the batches.
func (e *Encoder) Schema() *types.Struct { return e.schema }

// Encode makes a batch of a slice of the type; first is the number of its first
// row, for messages.
func (e *Encoder) Encode(rows reflect.Value, first int64) (arrow.RecordBatch, error) {
	n := rows.Len()
	base := rows.UnsafePointer()
	if e.ptr {
		for i, p := range unsafe.Slice((*unsafe.Pointer)(base), n) {
			if p == nil {
				return nil, &Error{Field: "row", GoType: rows.Type().Elem().String(), Row: first + int64(i), Reason: "the pointer is nil, and a row is never NULL"}
			}
		}
	}
	cols := make([]arrow.Array, len(e.fields))
	for c := range e.fields {
		f := &e.fields[c]
		b := array.NewBuilder(memory.DefaultAllocator, e.arrow.Field(c).Type)
		b.Reserve(n)
		if err := e.column(b, e.encode[c], f.offset, base, n); err != nil {
			err = f.located(err, e.schema.Fields[c].Type)
			if at, ok := err.(*Error); ok {
				at.Row += first
			}
			return nil, err
		}
		cols[c] = b.NewArray()
	}
	return array.NewRecordBatch(e.arrow, cols, int64(n)), nil
}

func (e *Encoder) column(b array.Builder, enc encoder, offset uintptr, base unsafe.Pointer, n int) error {
	add := enc(b)
	for i := range n {
		var p unsafe.Pointer
		if e.ptr {
			p = unsafe.Slice((*unsafe.Pointer)(base), n)[i]
		} else {
			p = unsafe.Add(base, uintptr(i)*e.size)
		}
		if err := add(unsafe.Add(p, offset)); err != nil {
			return atRow(err, i)
		}
	}
	return nil
}

// omitEmpty writes the zero value as NULL.
func omitEmpty(t reflect.Type, enc encoder) encoder {
	return func(b array.Builder) appender {
		add := enc(b)
		return func(p unsafe.Pointer) error {
			if reflect.NewAt(t, p).Elem().IsZero() {
				b.AppendNull()
				return nil
			}
			return add(p)
		}
	}
}

// encoderFor compiles how values of a Go type are written to a column of a type.
func encoderFor(f *field, t reflect.Type, to types.Type) (encoder, error) {
	if t.Kind() == reflect.Pointer {
		enc, err := encoderFor(f, t.Elem(), to)
		return throughPointer(enc), err
	}
	if v, ok := nullOf(t); ok {
		enc, err := encoderFor(f, v.Type, to)
		return throughNull(enc, v.Offset, t.Field(1).Offset), err
	}
	if enc := scalarEncoder(t, to); enc != nil {
		return enc, nil
	}
	switch x := to.(type) {
	case *types.Array:
		if t.Kind() == reflect.Slice {
			return listEncoder(f, t, x)
		}
	case *types.Map:
		if t.Kind() == reflect.Map {
			return mapEncoder(f, t, x)
		}
	case *types.Struct:
		if t.Kind() == reflect.Struct && !isScalar(t) {
			return structEncoder(f, t, x)
		}
	}
	if to == types.Variant {
		return nil, f.misfit(to, "values of type VARIANT cannot be written from Go: use parse_json in SQL")
	}
	return nil, f.misfit(to, "values of the Go type %s cannot be stored as %s", t, strings.ToUpper(to.String()))
}

func throughPointer(enc encoder) encoder {
	return func(b array.Builder) appender {
		add := enc(b)
		return func(p unsafe.Pointer) error {
			if p = *(*unsafe.Pointer)(p); p == nil {
				b.AppendNull()
				return nil
			}
			return add(p)
		}
	}
}

func throughNull(enc encoder, value, valid uintptr) encoder {
	return func(b array.Builder) appender {
		add := enc(b)
		return func(p unsafe.Pointer) error {
			if !*(*bool)(unsafe.Add(p, valid)) {
				b.AppendNull()
				return nil
			}
			return add(unsafe.Add(p, value))
		}
	}
}
