package curve

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// ranges cut the values of a column into 1<<n ranges of about as many rows each.
// There are (1<<n)-1 bounds; the number of a value's range is how many bounds are
// smaller. A value that fills several ranges takes the first of them, so that a
// column of few values spreads over all numbers as one of many does.
type ranges interface {
	// number writes the number of each row's range.
	number(dst []uint32, a arrow.Array, scratch []uint64)
	// order writes a key of each row that keeps the order of values, as far as 64
	// bits can tell them apart.
	order(dst []uint64, a arrow.Array, scratch []uint32)
}

// longestBound is how many bytes of a text a bound keeps.
const longestBound = 128

// quantiles picks the bounds out of sorted values.
func quantiles[T any](sorted []T, n int) []T {
	if len(sorted) == 0 {
		return nil
	}
	out := make([]T, 1<<n-1)
	for i := range out {
		at := (uint64(i+1)*uint64(len(sorted)) + 1<<n - 1) >> n
		out[i] = sorted[at-1]
	}
	return out
}

// newRanges cuts a column by a sample of it.
func newRanges(s shape, sample []arrow.Array, n int) ranges {
	rows := 0
	for _, a := range sample {
		rows += a.Len()
	}
	switch s {
	case shapeWide:
		all := make([]wide, 0, rows)
		for _, a := range sample {
			for i := range a.Len() {
				all = append(all, wideAt(a.(*array.Decimal128), i))
			}
		}
		slices.SortFunc(all, func(a, b wide) int {
			switch {
			case a.less(b):
				return -1
			case b.less(a):
				return 1
			}
			return 0
		})
		r := &wideRanges{bounds: quantiles(all, n)}
		if len(all) > 0 {
			r.least, r.most = all[0], all[len(all)-1]
		}
		return r
	case shapeText:
		all := make([][]byte, 0, rows)
		for _, a := range sample {
			for i := range a.Len() {
				v := textAt(a, i)
				all = append(all, v[:min(len(v), longestBound)])
			}
		}
		slices.SortFunc(all, bytes.Compare)
		return newTextRanges(quantiles(all, n))
	}
	all := make([]uint64, rows)
	at := 0
	for _, a := range sample {
		words(all[at:at+a.Len()], a)
		at += a.Len()
	}
	slices.Sort(all)
	return &wordRanges{quantiles(all, n)}
}

type wordRanges struct{ bounds []uint64 }

func (r *wordRanges) number(dst []uint32, a arrow.Array, scratch []uint64) {
	if len(r.bounds) == 0 {
		clear(dst)
		return
	}
	words(scratch, a)
	for i, v := range scratch {
		if i > 0 && v == scratch[i-1] {
			dst[i] = dst[i-1]
			continue
		}
		at := 0
		for step := (len(r.bounds) + 1) / 2; step > 0; step /= 2 {
			_, smaller := bits.Sub64(r.bounds[at+step-1], v, 0)
			at += step * int(smaller)
		}
		dst[i] = uint32(at)
	}
}

func (r *wordRanges) order(dst []uint64, a arrow.Array, _ []uint32) { words(dst, a) }

// Keys of one column that is not a word are the number of the range above lowBits
// bits that tell values of the range apart.
const lowBits = 48

type wideRanges struct {
	bounds      []wide
	least, most wide // of the sample
}

func (r *wideRanges) number(dst []uint32, a arrow.Array, _ []uint64) {
	x := a.(*array.Decimal128)
	for i := range dst {
		dst[i] = uint32(r.find(wideAt(x, i)))
	}
}

func (r *wideRanges) find(v wide) int {
	at := 0
	for step := (len(r.bounds) + 1) / 2; step > 0; step /= 2 {
		if r.bounds[at+step-1].less(v) {
			at += step
		}
	}
	return at
}

func (r *wideRanges) order(dst []uint64, a arrow.Array, _ []uint32) {
	x := a.(*array.Decimal128)
	for i := range dst {
		v := wideAt(x, i)
		at := r.find(v)
		low, high := r.least, r.most
		if at > 0 {
			low = r.bounds[at-1]
		}
		if at < len(r.bounds) {
			high = r.bounds[at]
		}
		shift := max(high.minus(low).bits()-lowBits, 0)
		dst[i] = uint64(at)<<lowBits | min(v.minus(low).shifted(shift), 1<<lowBits-1)
	}
}

// textRanges find the range of a text by the eight bytes that follow what all
// bounds have in common, and compare whole texts only among bounds that agree in
// these.
type textRanges struct {
	bounds [][]byte
	common []byte
	heads  []uint64
	shared []int // by range: the length of what its bounds, and so all values in it, begin with
}

func newTextRanges(bounds [][]byte) *textRanges {
	r := &textRanges{}
	for _, b := range bounds {
		r.bounds = append(r.bounds, bytes.Clone(b))
	}
	if len(bounds) == 0 {
		return r
	}
	first := slices.IndexFunc(r.bounds, func(b []byte) bool { return len(b) > 0 }) // NULL and "" share nothing with anybody
	if first >= 0 {
		r.common = r.bounds[first][:prefixOf(r.bounds[first], r.bounds[len(r.bounds)-1])]
	}
	r.heads = make([]uint64, len(r.bounds))
	r.shared = make([]int, len(r.bounds)+1)
	for i, b := range r.bounds {
		if len(b) > 0 {
			r.heads[i] = head(b[len(r.common):])
		}
		if i > 0 {
			r.shared[i] = prefixOf(r.bounds[i-1], b)
		}
	}
	return r
}

func prefixOf(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// head is the first eight bytes as a number, filled up with zeros.
func head(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var v uint64
	for i, c := range b {
		v |= uint64(c) << (56 - 8*i)
	}
	return v
}

func (r *textRanges) number(dst []uint32, a arrow.Array, _ []uint64) {
	var last []byte
	for i := range dst {
		v := textAt(a, i)
		if i > 0 && bytes.Equal(v, last) {
			dst[i] = dst[i-1]
			continue
		}
		dst[i], last = uint32(r.find(v)), v
	}
}

func (r *textRanges) find(v []byte) int {
	if len(r.bounds) == 0 || len(v) == 0 {
		return 0
	}
	if !bytes.HasPrefix(v, r.common) {
		if bytes.Compare(v, r.common) > 0 {
			return len(r.bounds)
		}
		i, _ := slices.BinarySearchFunc(r.bounds, v, bytes.Compare)
		return i
	}
	rest := v[len(r.common):]
	h := head(rest)
	from := 0
	for step := (len(r.heads) + 1) / 2; step > 0; step /= 2 {
		_, smaller := bits.Sub64(r.heads[from+step-1], h, 0)
		from += step * int(smaller)
	}
	to := from
	for to < len(r.bounds) && r.heads[to] == h {
		to++
	}
	i, _ := slices.BinarySearchFunc(r.bounds[from:to], v, bytes.Compare)
	return from + i
}

func (r *textRanges) order(dst []uint64, a arrow.Array, scratch []uint32) {
	r.number(scratch, a, nil)
	for i := range dst {
		v, at := textAt(a, i), int(scratch[i])
		if at < len(r.shared) {
			v = v[min(len(v), r.shared[at]):]
		}
		dst[i] = uint64(at)<<lowBits | head(v)>>(64-lowBits)
	}
}

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
