package parquetio

import (
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
)

// vector is decoded values of a leaf before they get their Arrow type. Values
// of four or eight bytes lie in fixed (booleans take one byte, INT96 is already
// microseconds); everything else lies in offsets and data.
type vector struct {
	width   int // 1, 4, 8; 0 for bytes
	n       int
	fixed   []byte
	offsets []int32
	data    []byte
	valid   []byte // bitmap; nil when nothing is NULL
	nulls   int
	most    int  // bytes that data may have, 0: as many as offsets can tell
	drop    bool // text is passed over: every value is empty
}

var errTooMuchText = errors.New("the values of some rows take more memory than one batch may")

// room checks that n more bytes may be added to data.
func (v *vector) room(n int) error {
	limit := v.most
	if limit == 0 {
		limit = math.MaxInt32
	}
	if n > limit-len(v.data) {
		return errTooMuchText
	}
	return nil
}

// vectorWidth is the width of a physical type in a vector.
func vectorWidth(p parquet.Type) int {
	switch p {
	case parquet.Types.Boolean:
		return 1
	case parquet.Types.Int32, parquet.Types.Float:
		return 4
	case parquet.Types.Int64, parquet.Types.Double, parquet.Types.Int96:
		return 8
	}
	return 0
}

func newVector(p parquet.Type, rows, textHint int) *vector {
	v := &vector{width: vectorWidth(p)}
	if v.width == 0 {
		v.offsets = make([]int32, 1, rows+1)
		v.data = make([]byte, 0, textHint)
	} else {
		v.fixed = make([]byte, 0, rows*v.width)
	}
	return v
}

// grow makes room for n more fixed values and returns it.
func (v *vector) grow(n int) []byte {
	at, end := len(v.fixed), len(v.fixed)+n*v.width
	if end > cap(v.fixed) {
		bigger := make([]byte, at, max(end, 2*cap(v.fixed)))
		copy(bigger, v.fixed)
		v.fixed = bigger
	}
	v.fixed = v.fixed[:end]
	return v.fixed[at:]
}

// shrink takes n fixed values back from the end.
func (v *vector) shrink(n int) { v.fixed = v.fixed[:len(v.fixed)-n*v.width] }

// addBytes appends values of varying length.
func (v *vector) addBytes(vals []parquet.ByteArray) error { return addAll(v, vals) }

// addFixed appends values of one length that is not a machine word's.
func (v *vector) addFixed(vals []parquet.FixedLenByteArray) error { return addAll(v, vals) }

func addAll[T ~[]byte](v *vector, vals []T) error {
	total := 0
	for _, b := range vals {
		total += len(b)
	}
	if v.drop {
		for range vals {
			v.offsets = append(v.offsets, int32(len(v.data)))
		}
		return nil
	}
	if err := v.room(total); err != nil {
		return err
	}
	data, offsets := v.data, v.offsets
	for _, b := range vals {
		data = append(data, b...)
		offsets = append(offsets, int32(len(data)))
	}
	v.data, v.offsets = data, offsets
	return nil
}

// take moves all values of w, which are dense, to the end of v.
func (v *vector) take(w *vector) error {
	if v.width > 0 {
		v.fixed = append(v.fixed, w.fixed...)
		return nil
	}
	if err := v.room(len(w.data)); err != nil {
		return err
	}
	for i := range len(w.offsets) - 1 {
		v.data = append(v.data, w.data[w.offsets[i]:w.offsets[i+1]]...)
		v.offsets = append(v.offsets, int32(len(v.data)))
	}
	return nil
}

// cut removes the last count values, which are dense, and returns them.
func (v *vector) cut(count int) *vector {
	w := &vector{width: v.width}
	if v.width > 0 {
		at := len(v.fixed) - count*v.width
		w.fixed = append(w.fixed, v.fixed[at:]...)
		v.fixed = v.fixed[:at]
		return w
	}
	at := len(v.offsets) - 1 - count
	start := v.offsets[at]
	for _, end := range v.offsets[at:] {
		w.offsets = append(w.offsets, end-start)
	}
	w.data = append(w.data, v.data[start:]...)
	v.offsets, v.data = v.offsets[:at+1], v.data[:start]
	return w
}

// spread puts the last count values, which are dense, where set says: total
// slots, of which count are set; the others become NULL.
func (v *vector) spread(count, total int, set func(i int) bool) {
	before := v.n
	v.markValid(before, before+total, count == total, set)
	v.n += total
	if count == total {
		return
	}
	if v.width == 0 {
		dense := v.offsets[before+1:]
		last := v.offsets[len(v.offsets)-1]
		for len(v.offsets) < before+total+1 {
			v.offsets = append(v.offsets, last)
		}
		out := v.offsets[before+1:]
		k := count - 1
		for i := total - 1; i >= 0; i-- { // from the end, so that nothing is overwritten too soon
			end := v.offsets[before]
			if k >= 0 {
				end = dense[k]
			}
			out[i] = end
			if set(i) {
				k--
			}
		}
		return
	}
	v.grow(total - count)
	out := v.fixed[before*v.width:]
	switch v.width {
	case 1:
		spreadFixed(out, count, total, set)
	case 4:
		spreadFixed(view[uint32](out), count, total, set)
	default:
		spreadFixed(view[uint64](out), count, total, set)
	}
}

func spreadFixed[T any](out []T, count, total int, set func(i int) bool) {
	var zero T
	k := count - 1
	for i := total - 1; i >= 0; i-- {
		if set(i) {
			out[i] = out[k]
			k--
		} else {
			out[i] = zero
		}
	}
}

// markValid extends the validity bitmap to slots [from, to).
func (v *vector) markValid(from, to int, all bool, set func(i int) bool) {
	if all && v.valid == nil {
		return
	}
	if v.valid == nil {
		v.valid = make([]byte, (max(to, cap(v.offsets), cap(v.fixed)/max(v.width, 1))+7)/8)
		for i := range from {
			v.valid[i>>3] |= 1 << (i & 7)
		}
	}
	for len(v.valid)*8 < to {
		v.valid = append(v.valid, make([]byte, len(v.valid)+8)...)
	}
	for i := from; i < to; i++ {
		if all || set(i-from) {
			v.valid[i>>3] |= 1 << (i & 7)
		} else {
			v.nulls++
		}
	}
}

// validity is the bitmap as a buffer, nil when nothing is NULL.
func (v *vector) validity() *memory.Buffer {
	if v.nulls == 0 {
		return nil
	}
	return memory.NewBufferBytes(v.valid[:(v.n+7)/8])
}
