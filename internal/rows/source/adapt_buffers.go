package source

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var oneNil = []*memory.Buffer{nil}

// rewrap gives a list or map another type and child; offsets stay as they are.
func rewrap(a arrow.Array, want arrow.DataType, child arrow.ArrayData) arrow.Array {
	d := a.Data()
	return array.MakeFromData(array.NewData(want, d.Len(), d.Buffers(), []arrow.ArrayData{child}, d.NullN(), d.Offset()))
}

// bitmapFromZero is the validity of an array as a bitmap that begins with it.
func bitmapFromZero(a arrow.Array) []*memory.Buffer {
	if a.NullN() == 0 {
		return oneNil
	}
	var v validity
	for i := range a.Len() {
		v.push(a.IsValid(i))
	}
	return []*memory.Buffer{v.buffer()}
}
