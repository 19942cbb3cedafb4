package structs

import (
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// structs are read member by member, over each stretch of rows that have them.
func (f *field) structs(t reflect.Type, from *arrow.StructType) (decoder, error) {
	fields, err := fieldsOf(t, f.path)
	if err != nil {
		return nil, err
	}
	type part struct {
		f      *field
		member int
		dec    decoder
	}
	var parts []part
	for i := range fields {
		g := &fields[i]
		m := find(from.Fields(), g.column)
		if m < 0 {
			if g.tag.optional {
				continue
			}
			return nil, g.misfit(nil, "the struct %s has no such member, only %s", f.column, names(from.Fields()))
		}
		dec, err := g.decoder(g.typ, from.Field(m).Type)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{g, m, dec})
	}
	return func(a arrow.Array, from, n int, to place) error {
		x, err := cast[*array.Struct](a)
		if err != nil {
			return err
		}
		return runs(x, from, n, func(start, n int) error {
			for _, p := range parts {
				if err := p.dec(x.Field(p.member), from+start, n, to.from(start).member(p.f.offset)); err != nil {
					return shifted(p.f.located(err, nil), start)
				}
			}
			return nil
		})
	}, nil
}

// shifted moves the row of an error that counted within a stretch.
func shifted(err error, start int) error {
	switch e := err.(type) {
	case *rowError:
		return &rowError{e.row + start, e.reason}
	case *Error:
		c := *e
		c.Row += int64(start)
		return &c
	}
	return err
}

// lists have the elements of all rows in one piece of memory.
func (f *field) lists(t reflect.Type, from *arrow.ListType) (decoder, error) {
	el := *f
	el.path += "[]"
	dec, err := el.decoder(t.Elem(), from.Elem())
	if err != nil {
		return nil, err
	}
	size := t.Elem().Size()
	return func(a arrow.Array, from, n int, to place) error {
		x, err := cast[*array.List](a)
		if err != nil {
			return err
		}
		return runs(x, from, n, func(start, n int) error {
			first, _ := x.ValueOffsets(from + start)
			_, last := x.ValueOffsets(from + start + n - 1)
			total := int(last - first)
			elements := place{reflect.MakeSlice(t, total, total).UnsafePointer(), size}
			if total > 0 {
				if err := dec(x.ListValues(), int(first), total, elements); err != nil {
					return atRow(err, rowOf(x, from+start, n, first, err)+start)
				}
			}
			for i := range n {
				b, e := x.ValueOffsets(from + start + i)
				h := header{elements.base, int(e - b), int(e - b)}
				if b < e { // no pointer behind the end
					h.data = elements.at(int(b - first))
				}
				set(to, start+i, h)
			}
			return nil
		})
	}, nil
}

// rowOf is the row whose element an error is about.
func rowOf(x interface{ ValueOffsets(int) (int64, int64) }, from, n int, first int64, err error) int {
	at := int64(0)
	switch e := err.(type) {
	case *rowError:
		at = int64(e.row)
	case *Error:
		at = e.Row
	}
	for i := range n {
		if _, end := x.ValueOffsets(from + i); first+at < end {
			return i
		}
	}
	return 0
}

// maps are filled entry by entry.
func (f *field) maps(t reflect.Type, from *arrow.MapType) (decoder, error) {
	key, value := *f, *f
	key.path, value.path = f.path+"{key}", f.path+"{value}"
	k, err := key.decoder(t.Key(), from.KeyType())
	if err != nil {
		return nil, err
	}
	if !t.Key().Comparable() {
		return nil, f.misfit(nil, "keys of type %s cannot be compared", t.Key())
	}
	v, err := value.decoder(t.Elem(), from.ItemType())
	if err != nil {
		return nil, err
	}
	return func(a arrow.Array, from, n int, to place) error {
		x, err := cast[*array.Map](a)
		if err != nil {
			return err
		}
		return runs(x, from, n, func(start, n int) error {
			first, _ := x.ValueOffsets(from + start)
			_, last := x.ValueOffsets(from + start + n - 1)
			total := int(last - first)
			keys := reflect.MakeSlice(reflect.SliceOf(t.Key()), total, total)
			values := reflect.MakeSlice(reflect.SliceOf(t.Elem()), total, total)
			var err error
			if total > 0 {
				err = k(x.Keys(), int(first), total, place{keys.UnsafePointer(), t.Key().Size()})
			}
			if err == nil && total > 0 {
				err = v(x.Items(), int(first), total, place{values.UnsafePointer(), t.Elem().Size()})
			}
			if err != nil {
				return atRow(err, rowOf(x, from+start, n, first, err)+start)
			}
			for i := range n {
				b, e := x.ValueOffsets(from + start + i)
				m := reflect.MakeMapWithSize(t, int(e-b))
				for j := int(b - first); j < int(e-first); j++ {
					m.SetMapIndex(keys.Index(j), values.Index(j))
				}
				reflect.NewAt(t, to.at(start+i)).Elem().Set(m)
			}
			return nil
		})
	}, nil
}
