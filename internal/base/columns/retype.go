package columns

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Retype gives an array a type of the same layout in which the fields of structs
// have other names. Nothing is copied.
func Retype(a arrow.Array, dt arrow.DataType) arrow.Array {
	if arrow.TypeEqual(a.DataType(), dt) {
		return a
	}
	return array.MakeFromData(retype(a.Data(), dt))
}

func retype(d arrow.ArrayData, dt arrow.DataType) arrow.ArrayData {
	var inner []arrow.DataType
	switch x := dt.(type) {
	case *arrow.StructType:
		for _, f := range x.Fields() {
			inner = append(inner, f.Type)
		}
	case *arrow.MapType:
		inner = []arrow.DataType{x.Elem()}
	case *arrow.ListType:
		inner = []arrow.DataType{x.Elem()}
	}
	kids := make([]arrow.ArrayData, len(d.Children()))
	for i, k := range d.Children() {
		kids[i] = k
		if i < len(inner) {
			kids[i] = retype(k, inner[i])
		}
	}
	return array.NewData(dt, d.Len(), d.Buffers(), kids, d.NullN(), d.Offset())
}
