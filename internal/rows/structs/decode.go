package structs

import (
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// place is where a decoder writes: the value of the i-th row to base + i*stride.
type place struct {
	base   unsafe.Pointer
	stride uintptr
}

func (p place) at(i int) unsafe.Pointer          { return unsafe.Add(p.base, uintptr(i)*p.stride) }
func (p place) member(offset uintptr) place      { return place{unsafe.Add(p.base, offset), p.stride} }
func (p place) from(i int) place                 { return place{p.at(i), p.stride} }
func set[T any](p place, i int, v T)             { *(*T)(p.at(i)) = v }
func isVoid(a interface{ ID() arrow.Type }) bool { return a.ID() == arrow.NULL }

// decoder writes n values of an array, from one on, to a place whose memory is
// zero. It leaves the places of NULLs alone.
type decoder func(a arrow.Array, from, n int, to place) error

// Decoder reads record batches of one schema into Go structs of one type.
type Decoder struct {
	rows   reflect.Type // the struct
	ptr    bool
	fields []field
	column []int // of the batch, -1 for none
	decode []decoder
	types  []types.Type
}

// Columns are the names of the columns that a struct type wants, and whether rows
// can do without each of them.
func Columns(t reflect.Type) (names []string, optional []bool, err error) {
	if t, err = structType(t); err != nil {
		return nil, nil, err
	}
	fields, err := fieldsOf(t, typeName(t))
	for _, f := range fields {
		names, optional = append(names, f.column), append(optional, f.tag.optional)
	}
	return names, optional, err
}

// NewDecoder compiles a struct type, or a pointer to one, for batches of a schema.
// Columns without a field are passed over.
func NewDecoder(t reflect.Type, schema *arrow.Schema) (*Decoder, error) {
	st, err := structType(t)
	if err != nil {
		return nil, err
	}
	d := &Decoder{rows: st, ptr: t.Kind() == reflect.Pointer}
	if d.fields, err = fieldsOf(st, typeName(st)); err != nil {
		return nil, err
	}
	for i := range d.fields {
		f := &d.fields[i]
		c := find(schema.Fields(), f.column)
		d.column = append(d.column, c)
		if c < 0 {
			if !f.tag.optional {
				return nil, f.misfit(nil, "the rows have no such column, only %s", names(schema.Fields()))
			}
			d.decode, d.types = append(d.decode, nil), append(d.types, nil)
			continue
		}
		dec, err := f.decoder(f.typ, schema.Field(c).Type)
		if err != nil {
			return nil, err
		}
		dt, _ := columns.FromArrow(schema.Field(c).Type)
		d.decode, d.types = append(d.decode, dec), append(d.types, dt)
	}
	return d, nil
}

// find is the place of a column by its name, in the case of the name if that is there.
func find(fields []arrow.Field, name string) int {
	found := -1
	for i := range fields {
		if fields[i].Name == name {
			return i
		}
		if found < 0 && strings.EqualFold(fields[i].Name, name) {
			found = i
		}
	}
	return found
}

func names(fields []arrow.Field) string {
	out := make([]string, len(fields))
	for i := range fields {
		out[i] = types.QuoteIdentifier(fields[i].Name)
	}
	return strings.Join(out, ", ")
}

// Decode reads len(rows) rows of a batch, from one on, into a slice of the type.
// Its elements need not be zero. first is the number of the batch's first row, for messages.
func (d *Decoder) Decode(b arrow.RecordBatch, from int, rows reflect.Value, first int64) error {
	n := rows.Len()
	if n == 0 {
		return nil
	}
	rows.Clear()
	to := place{rows.UnsafePointer(), d.rows.Size()}
	if d.ptr {
		list := reflect.MakeSlice(reflect.SliceOf(d.rows), n, n)
		structs := place{list.UnsafePointer(), d.rows.Size()}
		for i := range n {
			set(place{to.base, unsafe.Sizeof(to.base)}, i, structs.at(i))
		}
		to = structs
	}
	for i, dec := range d.decode {
		if dec == nil {
			continue
		}
		f := &d.fields[i]
		if err := dec(b.Column(d.column[i]), from, n, to.member(f.offset)); err != nil {
			err = f.located(err, d.types[i])
			if at, ok := err.(*Error); ok && at.Row >= 0 {
				at.Row += first + int64(from)
			}
			return err
		}
	}
	return nil
}

// decoder compiles how an Arrow array is read into a Go type, with the rule for NULL.
func (f *field) decoder(t reflect.Type, from arrow.DataType) (decoder, error) {
	if e, ok := from.(arrow.ExtensionType); ok {
		from = e.StorageType()
	}
	if t.Kind() == reflect.Pointer {
		return f.pointers(t.Elem(), from)
	}
	if v, ok := nullOf(t); ok {
		dec, err := f.bare(v.Type, from)
		return valids(dec, v.Offset, t.Field(1).Offset), err
	}
	dec, err := f.bare(t, from)
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Map, reflect.Slice:
		return dec, nil
	}
	if f.tag.nullable || f.tag.omitEmpty {
		return dec, nil
	}
	return required(t, dec), nil
}

// bare compiles a type that is no pointer; NULLs are left alone.
func (f *field) bare(t reflect.Type, from arrow.DataType) (decoder, error) {
	if isVoid(from) {
		return func(arrow.Array, int, int, place) error { return nil }, nil
	}
	if t == anyType {
		return intoAny, nil
	}
	if dec := scalarDecoder(t, from); dec != nil {
		return dec, nil
	}
	switch x := from.(type) {
	case *arrow.MapType:
		if t.Kind() == reflect.Map {
			return f.maps(t, x)
		}
	case *arrow.ListType:
		if t.Kind() == reflect.Slice {
			return f.lists(t, x)
		}
	case *arrow.StructType:
		if t.Kind() == reflect.Struct && !isScalar(t) {
			return f.structs(t, x)
		}
	}
	dt, err := columns.FromArrow(from)
	if err != nil {
		return nil, f.misfit(nil, "%v", err)
	}
	return nil, f.misfit(dt, "values of type %s do not fit into the Go type %s", strings.ToUpper(dt.String()), t)
}

// required refuses NULL.
func required(t reflect.Type, dec decoder) decoder {
	return func(a arrow.Array, from, n int, to place) error {
		if a.NullN() > 0 || isVoid(a.DataType()) {
			for i := range n {
				if columns.IsNull(a, from+i) {
					return failRow(i, "the value is NULL, which %s cannot hold: use *%s, or say nullable in the tag to get the zero value", t, t)
				}
			}
		}
		return dec(a, from, n, to)
	}
}

// pointers have their targets allocated together.
func (f *field) pointers(t reflect.Type, from arrow.DataType) (decoder, error) {
	if _, twice := inner(t); twice {
		return nil, f.misfit(nil, "%s has two values for NULL", f.typ)
	}
	dec, err := f.bare(t, from)
	if err != nil {
		return nil, err
	}
	slice := reflect.SliceOf(t)
	return func(a arrow.Array, from, n int, to place) error {
		targets := place{reflect.MakeSlice(slice, n, n).UnsafePointer(), t.Size()}
		if err := dec(a, from, n, targets); err != nil {
			return err
		}
		for i := range n {
			if !columns.IsNull(a, from+i) {
				set(to, i, targets.at(i))
			}
		}
		return nil
	}, nil
}

// valids are the nullable types of database/sql.
func valids(dec decoder, value, valid uintptr) decoder {
	return func(a arrow.Array, from, n int, to place) error {
		for i := range n {
			if !columns.IsNull(a, from+i) {
				set(to.member(valid), i, true)
			}
		}
		return dec(a, from, n, to.member(value))
	}
}

// runs calls fn for every stretch of rows that are not NULL.
func runs(a arrow.Array, from, n int, fn func(start, n int) error) error {
	if n == 0 {
		return nil
	}
	if a.NullN() == 0 {
		return fn(0, n)
	}
	for i := 0; i < n; {
		if a.IsNull(from + i) {
			i++
			continue
		}
		start := i
		for i < n && !a.IsNull(from+i) {
			i++
		}
		if err := fn(start, i-start); err != nil {
			return err
		}
	}
	return nil
}

// cast is an array as the type that the plan was made for.
func cast[A arrow.Array](a arrow.Array) (A, error) {
	if e, ok := a.(array.ExtensionArray); ok {
		a = e.Storage()
	}
	x, ok := a.(A)
	if !ok {
		return x, fmt.Errorf("a column has the Arrow type %s in one batch and another one in the first", a.DataType())
	}
	return x, nil
}
