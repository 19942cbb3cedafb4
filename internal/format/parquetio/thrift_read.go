package parquetio

import (
	"encoding/binary"
	"errors"
)

var errThrift = errors.New("the metadata is damaged")

// thriftReader decodes Thrift's compact protocol. The first problem is kept in
// err and makes everything after it read as nothing; input is never trusted.
type thriftReader struct {
	b     []byte
	err   error
	depth int
}

func (r *thriftReader) fail() {
	if r.err == nil {
		r.err = errThrift
	}
	r.b = nil
}

func (r *thriftReader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *thriftReader) zigzag() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *thriftReader) size() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > uint64(len(r.b)) { // an element takes a byte at least
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *thriftReader) bytes() []byte {
	n := r.size()
	if n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// fields calls f for each field of a struct; f reads the value or skips it.
// Booleans have their value in the kind.
func (r *thriftReader) fields(f func(id int16, kind byte)) {
	if r.depth++; r.depth > 64 {
		r.fail()
	}
	id := int16(0)
	for r.err == nil {
		head := r.byte()
		kind := head & 15
		if kind == 0 || r.err != nil {
			break
		}
		if d := head >> 4; d != 0 {
			id += int16(d)
		} else {
			id = int16(r.zigzag())
		}
		f(id, kind)
	}
	r.depth--
}

// list calls f for each element.
func (r *thriftReader) list(f func(kind byte)) {
	kind, n := r.listHead()
	for i := 0; i < n && r.err == nil; i++ {
		f(kind)
	}
}

func (r *thriftReader) listHead() (kind byte, n int) {
	head := r.byte()
	kind, n = head&15, int(head>>4)
	if n == 15 {
		n = r.size()
	}
	return kind, n
}

func (r *thriftReader) skip(kind byte) {
	switch kind {
	case thriftTrue, thriftFalse:
	case thriftI8:
		r.byte()
	case thriftI16, thriftI32, thriftI64:
		r.zigzag()
	case 7: // double
		if len(r.b) < 8 {
			r.fail()
			return
		}
		r.b = r.b[8:]
	case thriftBinary:
		r.bytes()
	case thriftList, 10:
		r.list(func(k byte) {
			if k == thriftTrue || k == thriftFalse {
				r.byte()
				return
			}
			r.skip(k)
		})
	case 11: // map
		if n := r.size(); n > 0 {
			kinds := r.byte()
			for i := 0; i < n && r.err == nil; i++ {
				r.skip(kinds >> 4)
				r.skip(kinds & 15)
			}
		}
	case thriftStruct:
		r.fields(func(_ int16, k byte) { r.skip(k) })
	default:
		r.fail()
	}
}
