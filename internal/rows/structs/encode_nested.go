package structs

import (
	"reflect"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/types"
)

// header is a slice as the runtime lays it out.
type header struct {
	data     unsafe.Pointer
	len, cap int
}

func listEncoder(f *field, t reflect.Type, to *types.Array) (encoder, error) {
	el, err := encoderFor(f, t.Elem(), to.Element)
	if err != nil {
		return nil, err
	}
	size := t.Elem().Size()
	return func(b array.Builder) appender {
		x := b.(*array.ListBuilder)
		add := el(x.ValueBuilder())
		return func(p unsafe.Pointer) error {
			h := (*header)(p)
			if h.data == nil {
				x.AppendNull()
				return nil
			}
			x.Append(true)
			for i := range h.len {
				if err := add(unsafe.Add(h.data, uintptr(i)*size)); err != nil {
					return err
				}
			}
			return nil
		}
	}, nil
}

func mapEncoder(f *field, t reflect.Type, to *types.Map) (encoder, error) {
	k, err := encoderFor(f, t.Key(), to.Key)
	if err != nil {
		return nil, err
	}
	v, err := encoderFor(f, t.Elem(), to.Value)
	if err != nil {
		return nil, err
	}
	return func(b array.Builder) appender {
		x := b.(*array.MapBuilder)
		addKey, addValue := k(x.KeyBuilder()), v(x.ItemBuilder())
		key, value := reflect.New(t.Key()), reflect.New(t.Elem())
		return func(p unsafe.Pointer) error {
			m := reflect.NewAt(t, p).Elem()
			if m.IsNil() {
				x.AppendNull()
				return nil
			}
			x.Append(true)
			for it := m.MapRange(); it.Next(); {
				key.Elem().SetIterKey(it)
				value.Elem().SetIterValue(it)
				if err := addKey(key.UnsafePointer()); err != nil {
					return err
				}
				if err := addValue(value.UnsafePointer()); err != nil {
					return err
				}
			}
			return nil
		}
	}, nil
}

// structEncoder writes a struct inside of a row, by the names of its members.
func structEncoder(f *field, t reflect.Type, to *types.Struct) (encoder, error) {
	fields, err := fieldsOf(t, f.path)
	if err != nil {
		return nil, err
	}
	of := make([]int, len(to.Fields)) // the field of each member, -1 for none
	encs := make([]encoder, len(fields))
	for i := range of {
		of[i] = -1
	}
	for i := range fields {
		g := &fields[i]
		m := to.Index(g.column)
		if m < 0 {
			return nil, g.misfit(nil, "the struct %s has no such member, only %s", f.column, strings.Join(to.Names(), ", "))
		}
		of[m] = i
		if encs[i], err = encoderFor(g, g.typ, to.Fields[m].Type); err != nil {
			return nil, err
		}
		if g.tag.omitEmpty {
			encs[i] = omitEmpty(g.typ, encs[i])
		}
	}
	return func(b array.Builder) appender {
		x := b.(*array.StructBuilder)
		add := make([]appender, len(of))
		for m, i := range of {
			if i >= 0 {
				add[m] = encs[i](x.FieldBuilder(m))
			}
		}
		return func(p unsafe.Pointer) error {
			x.Append(true)
			for m, i := range of {
				if i < 0 {
					x.FieldBuilder(m).AppendNull()
					continue
				}
				if err := add[m](unsafe.Add(p, fields[i].offset)); err != nil {
					return fields[i].located(err, to.Fields[m].Type)
				}
			}
			return nil
		}
	}, nil
}
