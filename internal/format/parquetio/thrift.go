package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// thriftWalk goes through a message in Thrift's compact protocol without
// building it. Thrift allocates what a list claims to hold before it reads the
// first element, so a few damaged bytes could ask for gigabytes: what is not
// known to be sound is walked first.
type thriftWalk struct {
	b     []byte
	at    int
	lists map[int]int // of the outermost struct: elements by field id

	// Of a footer: how many children each element of the schema claims.
	schema   bool
	children []int32
}

// The fields of a footer that hold its schema (parquet.thrift, FileMetaData and
// SchemaElement).
const (
	fieldSchema   = 2
	fieldChildren = 5
)

// The types of the compact protocol.
const (
	thriftTrue = iota + 1
	thriftFalse
	thriftByte
	thriftI16
	thriftI32
	thriftI64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
	thriftUUID
)

// thriftDepth is deeper than any footer nests.
const thriftDepth = 48

var errThriftEnd = errors.New("it ends in the middle of a value")

// walkThrift checks that a message is a struct whose lists and texts are no
// longer than its bytes allow.
func walkThrift(b []byte) (*thriftWalk, error) {
	w := &thriftWalk{b: b, lists: map[int]int{}}
	if err := w.message(0); err != nil {
		return nil, fmt.Errorf("damaged at byte %d of its %d bytes: %w", w.at, len(b), err)
	}
	return w, nil
}

func (w *thriftWalk) byte() (byte, error) {
	if w.at >= len(w.b) {
		return 0, errThriftEnd
	}
	w.at++
	return w.b[w.at-1], nil
}

func (w *thriftWalk) varint() (uint64, error) {
	v, n := binary.Uvarint(w.b[w.at:])
	if n <= 0 {
		return 0, errThriftEnd
	}
	w.at += n
	return v, nil
}

func (w *thriftWalk) skip(n uint64) error {
	if n > uint64(len(w.b)-w.at) {
		return fmt.Errorf("%d bytes are claimed, %d are left", n, len(w.b)-w.at)
	}
	w.at += int(n)
	return nil
}

func (w *thriftWalk) message(depth int) error {
	if depth > thriftDepth {
		return fmt.Errorf("nested deeper than %d levels", thriftDepth)
	}
	id := 0
	for {
		head, err := w.byte()
		if err != nil || head == 0 {
			return err
		}
		if delta := int(head >> 4); delta != 0 {
			id += delta
		} else {
			v, err := w.varint()
			if err != nil {
				return err
			}
			id = int(int16(v>>1) ^ -int16(v&1))
		}
		kind := int(head & 15)
		if kind == thriftTrue || kind == thriftFalse {
			continue // the value is in the type
		}
		if kind == thriftList || kind == thriftSet {
			w.schema = depth == 0 && id == fieldSchema || depth > 0 && w.schema
			n, err := w.list(depth + 1)
			if err != nil {
				return err
			}
			if depth == 0 {
				w.lists[id] = n
			}
			continue
		}
		from := w.at
		if err := w.value(kind, depth); err != nil {
			return err
		}
		if w.schema && depth == 2 && id == fieldChildren && kind == thriftI32 {
			v, _ := binary.Uvarint(w.b[from:])
			w.children[len(w.children)-1] = int32(uint32(v)>>1) ^ -int32(v&1)
		}
	}
}

func (w *thriftWalk) list(depth int) (int, error) {
	head, err := w.byte()
	if err != nil {
		return 0, err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = w.varint(); err != nil {
			return 0, err
		}
	}
	if n > uint64(len(w.b)-w.at) { // an element has a byte at least
		return 0, fmt.Errorf("a list claims %d elements, %d bytes are left", n, len(w.b)-w.at)
	}
	for range n {
		if w.schema && depth == 1 {
			w.children = append(w.children, 0)
		}
		if err := w.value(int(head&15), depth); err != nil {
			return 0, err
		}
	}
	return int(n), nil
}

func (w *thriftWalk) value(kind, depth int) error {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte: // an element of a list
		return w.skip(1)
	case thriftI16, thriftI32, thriftI64:
		_, err := w.varint()
		return err
	case thriftDouble:
		return w.skip(8)
	case thriftUUID:
		return w.skip(16)
	case thriftBinary:
		n, err := w.varint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case thriftList, thriftSet:
		if depth > thriftDepth {
			return fmt.Errorf("nested deeper than %d levels", thriftDepth)
		}
		_, err := w.list(depth + 1)
		return err
	case thriftMap:
		return w.entries(depth)
	case thriftStruct:
		return w.message(depth + 1)
	}
	return fmt.Errorf("there is no value of type %d", kind)
}

func (w *thriftWalk) entries(depth int) error {
	if depth > thriftDepth {
		return fmt.Errorf("nested deeper than %d levels", thriftDepth)
	}
	n, err := w.varint()
	if err != nil || n == 0 {
		return err
	}
	if n > uint64(len(w.b)-w.at) {
		return fmt.Errorf("a map claims %d entries, %d bytes are left", n, len(w.b)-w.at)
	}
	kinds, err := w.byte()
	if err != nil {
		return err
	}
	for range n {
		if err := w.value(int(kinds>>4), depth+1); err != nil {
			return err
		}
		if err := w.value(int(kinds&15), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// schemaDepth is how deep a schema may nest: its elements' names, one behind the
// other, are its columns' paths.
const schemaDepth = 200

// checkSchema refuses a schema that nests so deep that walking it costs more
// than its bytes warrant, and one whose elements claim more children than there are.
func (w *thriftWalk) checkSchema() error {
	var left []int32 // children still to come, by level
	for i, n := range w.children {
		if n < 0 || int(n) > len(w.children)-1-i {
			return fmt.Errorf("its schema is damaged: element %d claims %d children, %d elements follow", i, n, len(w.children)-1-i)
		}
		for len(left) > 0 && left[len(left)-1] == 0 {
			left = left[:len(left)-1]
		}
		if len(left) > 0 {
			left[len(left)-1]--
		}
		if n > 0 {
			if left = append(left, n); len(left) > schemaDepth {
				return fmt.Errorf("its schema nests deeper than %d levels", schemaDepth)
			}
		}
	}
	return nil
}
