package merge

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/zeebo/xxh3"
)

// index finds source rows by key: open addressing over the hash, rows of equal
// keys chained. A key is an integer when there is one integral column, and else
// the bytes of all columns one after the other.
type index struct {
	mask  uint64
	slots []int32 // source row + 1 that heads a chain; 0 is free
	next  []int32 // source row + 1 that follows in the chain; 0 ends it

	ints   []int64 // integral keys by source row
	arena  []byte  // other keys
	begin  []int   // by source row: where its key begins in arena
	size   []int32 // and how long it is
	hashes []uint64
	isInt  bool
	safe   []bool // by key column: NULL equals NULL
}

// newIndex indexes the rows in sel by the key columns.
func newIndex(cols []arrow.Array, safe []bool, sel []int32, rows int) (*index, error) {
	size := uint64(16)
	for size < uint64(len(sel))*2 {
		size *= 2
	}
	x := &index{mask: size - 1, slots: make([]int32, size), next: make([]int32, rows), safe: safe}
	if len(cols) == 1 && !safe[0] {
		if ints, ok := integers(cols[0]); ok {
			x.isInt, x.ints = true, ints
			for i := len(sel) - 1; i >= 0; i-- {
				if row := sel[i]; cols[0].IsValid(int(row)) {
					x.insertInt(row)
				}
			}
			return x, nil
		}
	}
	x.begin, x.size, x.hashes = make([]int, rows), make([]int32, rows), make([]uint64, rows)
	for i := len(sel) - 1; i >= 0; i-- {
		row := sel[i]
		begin := len(x.arena)
		arena, ok, err := appendKey(x.arena, cols, safe, int(row))
		if err != nil {
			return nil, err
		}
		if !ok {
			x.arena = arena[:begin]
			continue
		}
		x.arena, x.begin[row], x.size[row] = arena, begin, int32(len(arena)-begin)
		x.hashes[row] = xxh3.Hash(arena[begin:])
		x.insertBytes(row)
	}
	return x, nil
}

func (x *index) insertInt(row int32) {
	for h := mix(uint64(x.ints[row])) & x.mask; ; h = (h + 1) & x.mask {
		head := x.slots[h]
		if head == 0 {
			x.slots[h] = row + 1
			return
		}
		if x.ints[head-1] == x.ints[row] {
			x.next[row] = head
			x.slots[h] = row + 1
			return
		}
	}
}

func (x *index) insertBytes(row int32) {
	for h := x.hashes[row] & x.mask; ; h = (h + 1) & x.mask {
		head := x.slots[h]
		if head == 0 {
			x.slots[h] = row + 1
			return
		}
		if x.hashes[head-1] == x.hashes[row] && string(x.bytes(head-1)) == string(x.bytes(row)) {
			x.next[row] = head
			x.slots[h] = row + 1
			return
		}
	}
}

func (x *index) bytes(row int32) []byte { return x.arena[x.begin[row] : x.begin[row]+int(x.size[row])] }

// probe lists the matches of the target rows in sel (nil: all rows), in their order.
func (x *index) probe(cols []arrow.Array, sel []int32, rows int, ti, si []int32) ([]int32, []int32, error) {
	n := rows
	if sel != nil {
		n = len(sel)
	}
	at := func(i int) int {
		if sel != nil {
			return int(sel[i])
		}
		return i
	}
	if x.isInt {
		ints, ok := integers(cols[0])
		if !ok {
			return nil, nil, fmt.Errorf("merge: key types differ: %s", cols[0].DataType())
		}
		noNulls := cols[0].NullN() == 0
		for i := range n {
			row := at(i)
			if !noNulls && cols[0].IsNull(row) {
				continue
			}
			k := ints[row]
			for h := mix(uint64(k)) & x.mask; ; h = (h + 1) & x.mask {
				head := x.slots[h]
				if head == 0 {
					break
				}
				if x.ints[head-1] == k {
					for ; head != 0; head = x.next[head-1] {
						ti, si = append(ti, int32(row)), append(si, head-1)
					}
					break
				}
			}
		}
		return ti, si, nil
	}
	var buf []byte
	for i := range n {
		row := at(i)
		var ok bool
		var err error
		if buf, ok, err = appendKey(buf[:0], cols, x.safe, row); err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		hash := xxh3.Hash(buf)
		for h := hash & x.mask; ; h = (h + 1) & x.mask {
			head := x.slots[h]
			if head == 0 {
				break
			}
			if x.hashes[head-1] == hash && string(x.bytes(head-1)) == string(buf) {
				for ; head != 0; head = x.next[head-1] {
					ti, si = append(ti, int32(row)), append(si, head-1)
				}
				break
			}
		}
	}
	return ti, si, nil
}

func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

// integers gives the values of an array of integers, dates or timestamps as int64.
func integers(a arrow.Array) ([]int64, bool) {
	switch c := a.(type) {
	case *array.Int64:
		return c.Int64Values(), true
	case *array.Int32:
		return widen(c.Int32Values()), true
	case *array.Int16:
		return widen(c.Int16Values()), true
	case *array.Int8:
		return widen(c.Int8Values()), true
	case *array.Date32:
		return widen(c.Date32Values()), true
	case *array.Timestamp:
		out := make([]int64, c.Len())
		for i, v := range c.TimestampValues() {
			out[i] = int64(v)
		}
		return out, true
	}
	return nil, false
}

func widen[T ~int8 | ~int16 | ~int32](in []T) []int64 {
	out := make([]int64, len(in))
	for i, v := range in {
		out[i] = int64(v)
	}
	return out
}

// appendKey appends the key of one row; false when a NULL makes it match nothing.
func appendKey(dst []byte, cols []arrow.Array, safe []bool, row int) ([]byte, bool, error) {
	for i, c := range cols {
		if c.IsNull(row) {
			if !safe[i] {
				return dst, false, nil
			}
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 1)
		switch a := c.(type) {
		case *array.Boolean:
			if a.Value(row) {
				dst = append(dst, 1)
			} else {
				dst = append(dst, 0)
			}
		case *array.Int8:
			dst = append(dst, byte(a.Value(row)))
		case *array.Int16:
			dst = binary.LittleEndian.AppendUint16(dst, uint16(a.Value(row)))
		case *array.Int32:
			dst = binary.LittleEndian.AppendUint32(dst, uint32(a.Value(row)))
		case *array.Int64:
			dst = binary.LittleEndian.AppendUint64(dst, uint64(a.Value(row)))
		case *array.Date32:
			dst = binary.LittleEndian.AppendUint32(dst, uint32(a.Value(row)))
		case *array.Timestamp:
			dst = binary.LittleEndian.AppendUint64(dst, uint64(a.Value(row)))
		case *array.Float32:
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(canonical(float64(a.Value(row))))))
		case *array.Float64:
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(canonical(a.Value(row))))
		case *array.Decimal128:
			v := decimal128.Num(a.Value(row))
			dst = binary.LittleEndian.AppendUint64(dst, v.LowBits())
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v.HighBits()))
		case *array.String:
			v := a.Value(row)
			dst = append(binary.AppendUvarint(dst, uint64(len(v))), v...)
		case *array.Binary:
			v := a.Value(row)
			dst = append(binary.AppendUvarint(dst, uint64(len(v))), v...)
		default:
			return dst, false, fmt.Errorf("merge: %s cannot be a key", c.DataType())
		}
	}
	return dst, true, nil
}

// canonical makes equal floating-point numbers equal bytes: -0.0 is 0.0, and
// every NaN equals every other.
func canonical(f float64) float64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return math.NaN()
	}
	return f
}
