package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/zeebo/xxh3"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// encoder collects the values of one page after the other of a column chunk.
// Arrays that it gets have no NULL.
type encoder interface {
	add(a arrow.Array) error
	size() int // bytes that the open page would take, about
	// flush appends the values of the open page and starts the next one.
	flush(dst []byte) (out []byte, dict bool)
	// bounds are the least and the greatest value of the open page, in PLAIN
	// form without a length; nil when unknown.
	bounds() (lo, hi []byte)
	// dictionary is the dictionary page of the chunk, when a page uses it.
	dictionary() (plain []byte, n int)
	reset() // starts a new chunk
	less(a, b []byte) bool
}

const (
	dictBlock   = 1024    // values between two looks at whether a dictionary pays
	dictEntries = 1 << 16 // a larger dictionary does not pay
	dictBytes   = 1 << 20
)

// dictPays compares what a dictionary and its indices take with plain values.
func dictPays(entries, entryBytes, seen, plainBytes int) bool {
	if entries > dictEntries || entryBytes > dictBytes {
		return false
	}
	index := seen * bits.Len(uint(max(entries-1, 1))) / 8
	return seen < dictBlock && entries*2 <= seen || seen >= dictBlock && (index+entryBytes)*5 < plainBytes*4
}

func newEncoder(t types.Type) encoder {
	p, width := physicalOf(t)
	switch p {
	case physBoolean:
		return &boolEncoder{}
	case physInt32, physFloat:
		return &fixedEncoder[int32]{typ: t, dictOn: true}
	case physInt64, physDouble:
		return &fixedEncoder[int64]{typ: t, dictOn: true}
	}
	return &bytesEncoder{width: int(width), dictOn: true}
}

type boolEncoder struct {
	page       []byte
	n          int
	has, isnot bool
}

func (e *boolEncoder) add(a arrow.Array) error {
	b, ok := a.(*array.Boolean)
	if !ok {
		return wrongArray(a, types.Boolean)
	}
	for i := range b.Len() {
		if e.n&7 == 0 {
			e.page = append(e.page, 0)
		}
		if b.Value(i) {
			e.page[e.n>>3] |= 1 << (e.n & 7)
			e.has = true
		} else {
			e.isnot = true
		}
		e.n++
	}
	return nil
}

func (e *boolEncoder) size() int { return len(e.page) }

func (e *boolEncoder) flush(dst []byte) ([]byte, bool) {
	dst = append(dst, e.page...)
	e.page, e.n, e.has, e.isnot = e.page[:0], 0, false, false
	return dst, false
}

func (e *boolEncoder) bounds() (lo, hi []byte) {
	if !e.has && !e.isnot {
		return nil, nil
	}
	lo, hi = []byte{1}, []byte{0}
	if e.isnot {
		lo[0] = 0
	}
	if e.has {
		hi[0] = 1
	}
	return lo, hi
}

func (e *boolEncoder) dictionary() ([]byte, int) { return nil, 0 }
func (e *boolEncoder) reset()                    {}
func (e *boolEncoder) less(a, b []byte) bool     { return a[0] < b[0] }

// fixedEncoder encodes everything of four or eight bytes; floating-point
// numbers are handled as their bits, except for the bounds.
type fixedEncoder[T int32 | int64] struct {
	typ     types.Type
	page    []T
	scratch []T
	lo, hi  T // float bits for floating-point types
	any     bool
	nan     bool

	dictOn  bool
	paged   bool // a flushed page uses the dictionary
	dict    []T
	table   []uint32 // index+1, open addressing
	indices []uint32
	seen    int
}

func (e *fixedEncoder[T]) add(a arrow.Array) error {
	vals, err := e.values(a)
	if err != nil {
		return err
	}
	e.observe(vals)
	for e.dictOn && len(vals) > 0 {
		n := min(len(vals), dictBlock)
		e.addDict(vals[:n])
		vals = vals[n:]
		if e.seen >= dictBlock && !e.pays() {
			e.dropDict()
		}
	}
	e.page = append(e.page, vals...)
	return nil
}

func (e *fixedEncoder[T]) pays() bool {
	var z T
	w := int(unsafe.Sizeof(z))
	return dictPays(len(e.dict), len(e.dict)*w, e.seen, e.seen*w)
}

// values views or converts an array as the physical type.
func (e *fixedEncoder[T]) values(a arrow.Array) ([]T, error) {
	n, off := a.Len(), a.Data().Offset()
	if n == 0 {
		return nil, nil
	}
	if want, err := columns.ArrowType(e.typ); err != nil || want.ID() != a.DataType().ID() {
		return nil, wrongArray(a, e.typ)
	}
	e.scratch = e.scratch[:0]
	switch x := a.(type) {
	case *array.Int8:
		for _, v := range x.Int8Values() {
			e.scratch = append(e.scratch, T(v))
		}
		return e.scratch, nil
	case *array.Int16:
		for _, v := range x.Int16Values() {
			e.scratch = append(e.scratch, T(v))
		}
		return e.scratch, nil
	case *array.Decimal128:
		limit := pow10(e.typ.(types.Decimal).Precision)
		for _, v := range x.Values() {
			lo := int64(v.LowBits())
			if v.HighBits() != lo>>63 || lo >= limit || lo <= -limit {
				return nil, fmt.Errorf("the number %s has more digits than %s holds", v.ToString(x.DataType().(*arrow.Decimal128Type).Scale), e.typ)
			}
			e.scratch = append(e.scratch, T(lo))
		}
		return e.scratch, nil
	}
	return view[T](a.Data().Buffers()[1].Bytes())[off : off+n], nil
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// observe widens the bounds.
func (e *fixedEncoder[T]) observe(vals []T) {
	if len(vals) == 0 {
		return
	}
	switch e.typ.Kind() {
	case types.KindFloat:
		observeFloat(e, view[float32](bytesOf(vals)), func(v T) float32 { return math.Float32frombits(uint32(v)) }, func(f float32) T { return T(int32(math.Float32bits(f))) })
		return
	case types.KindDouble:
		observeFloat(e, view[float64](bytesOf(vals)), func(v T) float64 { return math.Float64frombits(uint64(v)) }, func(f float64) T { return T(int64(math.Float64bits(f))) })
		return
	}
	lo, hi := vals[0], vals[0]
	for _, v := range vals {
		lo, hi = min(lo, v), max(hi, v)
	}
	if !e.any {
		e.lo, e.hi, e.any = lo, hi, true
		return
	}
	e.lo, e.hi = min(e.lo, lo), max(e.hi, hi)
}

// observeFloat widens the bounds; a NaN makes them unknown. Zero as the lower
// bound is written as -0.0 and as the upper bound as +0.0, because the two are
// equal numbers with different bits (parquet.thrift, ColumnOrder).
func observeFloat[T int32 | int64, F float32 | float64](e *fixedEncoder[T], vals []F, get func(T) F, put func(F) T) {
	lo, hi := vals[0], vals[0]
	if e.any {
		lo, hi = get(e.lo), get(e.hi)
	}
	for _, v := range vals {
		if v != v {
			e.nan = true
			return
		}
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
	}
	if lo == 0 {
		lo = F(math.Copysign(0, -1))
	}
	if hi == 0 {
		hi = 0
	}
	e.lo, e.hi, e.any = put(lo), put(hi), true
}

func (e *fixedEncoder[T]) addDict(vals []T) {
	if len(e.dict)+len(vals) > len(e.table)/2 {
		e.grow(len(e.dict) + len(vals))
	}
	shift := 64 - bits.Len(uint(len(e.table)-1))
	mask := uint64(len(e.table) - 1)
	for _, v := range vals {
		at := uint64(v) * 0x9E3779B97F4A7C15 >> shift
		for {
			i := e.table[at]
			if i == 0 {
				e.dict = append(e.dict, v)
				i = uint32(len(e.dict))
				e.table[at] = i
			} else if e.dict[i-1] != v {
				at = (at + 1) & mask
				continue
			}
			e.indices = append(e.indices, i-1)
			break
		}
	}
	e.seen += len(vals)
}

func (e *fixedEncoder[T]) grow(n int) {
	size := 16
	for size < 4*n {
		size *= 2
	}
	e.table = make([]uint32, size)
	shift, mask := 64-bits.Len(uint(size-1)), uint64(size-1)
	for i, v := range e.dict {
		at := uint64(v) * 0x9E3779B97F4A7C15 >> shift
		for e.table[at] != 0 {
			at = (at + 1) & mask
		}
		e.table[at] = uint32(i + 1)
	}
}

// dropDict writes the open page plain; pages that are out keep the dictionary.
func (e *fixedEncoder[T]) dropDict() {
	e.dictOn = false
	for _, i := range e.indices {
		e.page = append(e.page, e.dict[i])
	}
	e.indices = e.indices[:0]
}

func (e *fixedEncoder[T]) size() int {
	var z T
	return (len(e.page) + len(e.indices)) * int(unsafe.Sizeof(z))
}

func (e *fixedEncoder[T]) flush(dst []byte) ([]byte, bool) {
	if e.dictOn && !e.paged && !e.pays() {
		e.dropDict()
	}
	e.any, e.nan = false, false
	if e.dictOn {
		dst = appendIndices(dst, e.indices, len(e.dict))
		e.indices, e.paged = e.indices[:0], true
		return dst, true
	}
	dst = append(dst, bytesOf(e.page)...)
	e.page = e.page[:0]
	return dst, false
}

func (e *fixedEncoder[T]) bounds() (lo, hi []byte) {
	if !e.any || e.nan {
		return nil, nil
	}
	return slices.Clone(bytesOf([]T{e.lo})), slices.Clone(bytesOf([]T{e.hi}))
}

func (e *fixedEncoder[T]) dictionary() ([]byte, int) {
	if !e.paged {
		return nil, 0
	}
	return bytesOf(e.dict), len(e.dict)
}

func (e *fixedEncoder[T]) reset() {
	e.dictOn = e.dictOn || e.paged // what did not pay in this chunk is not tried in the next
	e.paged, e.dict, e.seen = false, e.dict[:0], 0
	clear(e.table)
}

func (e *fixedEncoder[T]) less(a, b []byte) bool {
	x, y := view[T](a)[0], view[T](b)[0]
	switch e.typ.Kind() {
	case types.KindFloat:
		return math.Float32frombits(uint32(x)) < math.Float32frombits(uint32(y))
	case types.KindDouble:
		return math.Float64frombits(uint64(x)) < math.Float64frombits(uint64(y))
	}
	return x < y
}

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
	if int(ends[n]) > int(ends[0]) {
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

// appendIndices writes a page of dictionary indices.
func appendIndices(dst []byte, idx []uint32, entries int) []byte {
	width := bits.Len(uint(max(entries-1, 0)))
	return appendRLE(append(dst, byte(width)), idx, width)
}

func wrongArray(a arrow.Array, t types.Type) error {
	return fmt.Errorf("an array of Arrow type %s was given for a column of type %s", a.DataType(), t)
}

// view reads bytes as typed values; bytesOf is its inverse.
func view[T any](b []byte) []T {
	var z T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(z)))
}

func bytesOf[T any](v []T) []byte {
	var z T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(z)))
}
