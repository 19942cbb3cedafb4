package parquetio

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

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
