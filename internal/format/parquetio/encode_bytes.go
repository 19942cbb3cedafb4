package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/zeebo/xxh3"

	"github.com/sluicelake/sluice/types"
)

// bytesEncoder encodes text, binary and (width > 0) fixed-length decimals.
type bytesEncoder struct {
	width  int
	page   []byte // PLAIN
	lo, hi []byte
	any    bool

	dictOn  bool
	paged   bool
	data    []byte // of all entries
	ends    []uint32
	hashes  []uint32
	marks   []int32 // the last page that has an entry
	table   []uint32
	indices []uint32
	seen    int
	raw     int // bytes of values seen
	pageRaw int
	pageNo  int32
	fixed   [16]byte
}

func (e *bytesEncoder) add(a arrow.Array) error {
	switch x := a.(type) {
	case *array.String:
		if e.width == 0 {
			e.addAll(x.Len(), x.ValueOffsets(), x.Data().Buffers()[2])
			return nil
		}
	case *array.Binary:
		if e.width == 0 {
			e.addAll(x.Len(), x.ValueOffsets(), x.Data().Buffers()[2])
			return nil
		}
	case *array.Decimal128:
		if e.width > 0 {
			for _, v := range x.Values() {
				b, ok := e.decimal(v)
				if !ok {
					return fmt.Errorf("the number %s does not fit into %d bytes", v.ToString(x.DataType().(*arrow.Decimal128Type).Scale), e.width)
				}
				e.put(b)
			}
			return nil
		}
	}
	return wrongArray(a, types.Binary)
}

func (e *bytesEncoder) addAll(n int, ends []int32, buf interface{ Bytes() []byte }) {
	if n == 0 {
		return
	}
	var data []byte
	if ends[n] > 0 { // a slice of empty values still has offsets into the data
		data = buf.Bytes()
	}
	for i := range n {
		e.put(data[ends[i]:ends[i+1]])
	}
}

// decimal is the big-endian two's complement of a number.
func (e *bytesEncoder) decimal(v decimal128.Num) ([]byte, bool) {
	binary.BigEndian.PutUint64(e.fixed[:8], uint64(v.HighBits()))
	binary.BigEndian.PutUint64(e.fixed[8:], v.LowBits())
	cut := 16 - e.width
	sign := byte(v.HighBits() >> 63)
	for _, b := range e.fixed[:cut] {
		if b != sign {
			return nil, false
		}
	}
	out := e.fixed[cut:]
	return out, out[0]>>7 == sign&1
}

func (e *bytesEncoder) put(v []byte) {
	if !e.dictOn {
		e.observe(v)
		e.plain(v)
		return
	}
	e.seen++
	e.raw += len(v) + 4
	e.pageRaw += len(v) + 4
	if len(e.ends) >= len(e.table)/2 {
		e.grow()
	}
	h := uint32(xxh3.Hash(v))
	mask := uint32(len(e.table) - 1)
	at := h & mask
	for {
		i := e.table[at]
		if i == 0 {
			e.data = append(e.data, v...)
			e.ends = append(e.ends, uint32(len(e.data)))
			e.hashes = append(e.hashes, h)
			e.marks = append(e.marks, -1)
			i = uint32(len(e.ends))
			e.table[at] = i
		} else if e.hashes[i-1] != h || !bytes.Equal(e.entry(i-1), v) {
			at = (at + 1) & mask
			continue
		}
		if e.marks[i-1] != e.pageNo {
			e.marks[i-1] = e.pageNo
			e.observe(v)
		}
		e.indices = append(e.indices, i-1)
		break
	}
	if e.seen%dictBlock == 0 && !e.pays() || len(e.data) > dictBytes {
		e.dropDict()
	}
}

func (e *bytesEncoder) pays() bool {
	return dictPays(len(e.ends), len(e.data)+4*len(e.ends), e.seen, e.raw)
}

func (e *bytesEncoder) entry(i uint32) []byte {
	from := uint32(0)
	if i > 0 {
		from = e.ends[i-1]
	}
	return e.data[from:e.ends[i]]
}

func (e *bytesEncoder) grow() {
	size := max(16, 4*len(e.ends))
	size = 1 << bits.Len(uint(size-1))
	e.table = make([]uint32, size)
	mask := uint32(size - 1)
	for i, h := range e.hashes {
		at := h & mask
		for e.table[at] != 0 {
			at = (at + 1) & mask
		}
		e.table[at] = uint32(i + 1)
	}
}

func (e *bytesEncoder) dropDict() {
	e.dictOn = false
	for _, i := range e.indices {
		e.plain(e.entry(i))
	}
	e.indices, e.pageRaw = e.indices[:0], 0
}

func (e *bytesEncoder) plain(v []byte) {
	if e.width == 0 {
		e.page = binary.LittleEndian.AppendUint32(e.page, uint32(len(v)))
	}
	e.page = append(e.page, v...)
}

func (e *bytesEncoder) observe(v []byte) {
	switch {
	case !e.any:
		e.lo, e.hi, e.any = append(e.lo[:0], v...), append(e.hi[:0], v...), true
	case e.less(v, e.lo):
		e.lo = append(e.lo[:0], v...)
	case e.less(e.hi, v):
		e.hi = append(e.hi[:0], v...)
	}
}

// less compares unsigned bytes, or two's complement numbers of one width.
func (e *bytesEncoder) less(a, b []byte) bool {
	if e.width > 0 && a[0]^0x80 != b[0]^0x80 {
		return a[0]^0x80 < b[0]^0x80
	}
	return bytes.Compare(a, b) < 0
}

func (e *bytesEncoder) size() int { return len(e.page) + e.pageRaw }

func (e *bytesEncoder) flush(dst []byte) ([]byte, bool) {
	if e.dictOn && !e.paged && !e.pays() {
		e.dropDict()
	}
	e.any = false
	e.pageNo++
	if e.dictOn {
		dst = appendIndices(dst, e.indices, len(e.ends))
		e.indices, e.paged, e.pageRaw = e.indices[:0], true, 0
		return dst, true
	}
	dst = append(dst, e.page...)
	e.page = e.page[:0]
	return dst, false
}

func (e *bytesEncoder) bounds() (lo, hi []byte) {
	if !e.any {
		return nil, nil
	}
	return append([]byte{}, e.lo...), append([]byte{}, e.hi...)
}

func (e *bytesEncoder) dictionary() ([]byte, int) {
	if !e.paged {
		return nil, 0
	}
	var out []byte
	for i := range e.ends {
		v := e.entry(uint32(i))
		if e.width == 0 {
			out = binary.LittleEndian.AppendUint32(out, uint32(len(v)))
		}
		out = append(out, v...)
	}
	return out, len(e.ends)
}

func (e *bytesEncoder) reset() {
	e.dictOn = e.dictOn || e.paged
	e.paged, e.data, e.ends, e.hashes, e.marks = false, e.data[:0], e.ends[:0], e.hashes[:0], e.marks[:0]
	e.seen, e.raw, e.pageRaw = 0, 0, 0
	clear(e.table)
}
