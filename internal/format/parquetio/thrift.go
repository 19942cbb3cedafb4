package parquetio

import "encoding/binary"

// thriftWriter encodes Thrift's compact protocol, in which Parquet keeps its
// headers and its footer. Fields of a struct must come in ascending order.
type thriftWriter struct {
	b    []byte
	last []int16 // last field id of each open struct
	id   int16
}

const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftI8     = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

func (t *thriftWriter) field(id int16, kind byte) {
	if d := id - t.id; d > 0 && d <= 15 {
		t.b = append(t.b, byte(d)<<4|kind)
	} else {
		t.b = append(t.b, kind)
		t.zigzag(int64(id))
	}
	t.id = id
}

func (t *thriftWriter) zigzag(n int64) { t.b = binary.AppendVarint(t.b, n) }

func (t *thriftWriter) i32(id int16, n int32) { t.field(id, thriftI32); t.zigzag(int64(n)) }
func (t *thriftWriter) i64(id int16, n int64) { t.field(id, thriftI64); t.zigzag(n) }
func (t *thriftWriter) i16(id int16, n int16) { t.field(id, thriftI16); t.zigzag(int64(n)) }
func (t *thriftWriter) i8(id int16, n int8)   { t.field(id, thriftI8); t.b = append(t.b, byte(n)) }

func (t *thriftWriter) bool(id int16, v bool) {
	if v {
		t.field(id, thriftTrue)
	} else {
		t.field(id, thriftFalse)
	}
}

func (t *thriftWriter) text(id int16, s string) { t.field(id, thriftBinary); t.bareText(s) }

func (t *thriftWriter) bareText(s string) {
	t.b = binary.AppendUvarint(t.b, uint64(len(s)))
	t.b = append(t.b, s...)
}

func (t *thriftWriter) list(id int16, kind byte, n int) {
	t.field(id, thriftList)
	if n < 15 {
		t.b = append(t.b, byte(n)<<4|kind)
		return
	}
	t.b = append(t.b, 0xf0|kind)
	t.b = binary.AppendUvarint(t.b, uint64(n))
}

// begin opens a struct that is a list element or the message itself.
func (t *thriftWriter) begin() {
	t.last = append(t.last, t.id)
	t.id = 0
}

// open begins a struct that is a field.
func (t *thriftWriter) open(id int16) { t.field(id, thriftStruct); t.begin() }

func (t *thriftWriter) end() {
	t.b = append(t.b, 0)
	t.id = t.last[len(t.last)-1]
	t.last = t.last[:len(t.last)-1]
}

// empty writes a field that is a struct without fields.
func (t *thriftWriter) empty(id int16) { t.open(id); t.end() }
