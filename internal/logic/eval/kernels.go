package eval

import (
	"bytes"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// rowsOf is the step from row to row in the values of an argument: a constant stays.
func rowsOf(konst bool) int {
	if konst {
		return 0
	}
	return -1
}

// decimalBits compares decimals of one scale as 128-bit integers, without a branch.
func decimalBits(a, b []decimal128.Num, ka, kb bool, n int, less bool) []byte {
	out := make([]byte, (n+7)/8)
	switch {
	case n == 0:
	case !less && kb && !ka:
		decimalEqual(out, a[:n], b[0])
	case !less && ka && !kb:
		decimalEqual(out, b[:n], a[0])
	case less && kb && !ka:
		decimalLess(out, a[:n], b[0], false)
	case less && ka && !kb:
		decimalLess(out, b[:n], a[0], true)
	default:
		ma, mb := rowsOf(ka), rowsOf(kb)
		for i := range n {
			x, y := a[i&ma], b[i&mb]
			if less && x.Less(y) || !less && x == y {
				out[i>>3] |= 1 << (i & 7)
			}
		}
	}
	return out
}

func decimalEqual(out []byte, a []decimal128.Num, k decimal128.Num) {
	lo, hi := k.LowBits(), uint64(k.HighBits())
	for w := range out {
		octet := byte(0)
		for i, x := range a[w*8 : min(w*8+8, len(a))] {
			var hit byte
			if (x.LowBits()^lo)|(uint64(x.HighBits())^hi) == 0 {
				hit = 1
			}
			octet |= hit << (i & 7)
		}
		out[w] = octet
	}
}

// decimalLess is a < k, or k < a when more: the borrow of a subtraction of 128 bits.
func decimalLess(out []byte, a []decimal128.Num, k decimal128.Num, more bool) {
	const flip = 1 << 63 // signed order becomes unsigned order
	lo, hi := k.LowBits(), uint64(k.HighBits())^flip
	for w := range out {
		octet := uint64(0)
		part := a[w*8 : min(w*8+8, len(a))]
		if more {
			for i, x := range part {
				_, low := bits.Sub64(lo, x.LowBits(), 0)
				_, under := bits.Sub64(hi, uint64(x.HighBits())^flip, low)
				octet |= under << (i & 7)
			}
		} else {
			for i, x := range part {
				_, low := bits.Sub64(x.LowBits(), lo, 0)
				_, under := bits.Sub64(uint64(x.HighBits())^flip, hi, low)
				octet |= under << (i & 7)
			}
		}
		out[w] = byte(octet)
	}
}

// textColumn is the bytes of an array of strings and where each begins and ends.
type textColumn struct {
	data []byte
	ends []int32 // one more than there are values
}

func textColumnOf(a *array.String) textColumn {
	d := a.Data()
	if d.Len() == 0 {
		return textColumn{ends: []int32{0}}
	}
	t := textColumn{ends: arrow.Int32Traits.CastFromBytes(d.Buffers()[1].Bytes())[d.Offset() : d.Offset()+d.Len()+1]}
	if b := d.Buffers()[2]; b != nil {
		t.data = b.Bytes()
	}
	return t
}

func (t textColumn) at(i int) []byte { return t.data[t.ends[i]:t.ends[i+1]] }

// textBits compares strings by their bytes.
func textBits(x, y textColumn, ka, kb bool, n int, less bool) []byte {
	out := make([]byte, (n+7)/8)
	switch {
	case n == 0:
	case !less && ka != kb:
		if ka {
			x, y = y, x
		}
		equalText(out, x, string(y.at(0)), n)
	default:
		ma, mb := rowsOf(ka), rowsOf(kb)
		for i := range n {
			s, t := x.at(i&ma), y.at(i&mb)
			if less && bytes.Compare(s, t) < 0 || !less && bytes.Equal(s, t) {
				out[i>>3] |= 1 << (i & 7)
			}
		}
	}
	return out
}

// equalText compares with one text: most rows differ in length or first byte.
func equalText(out []byte, x textColumn, k string, n int) {
	from := x.ends[0]
	for i, to := range x.ends[1 : n+1] {
		if int(to-from) == len(k) && (k == "" || x.data[from] == k[0] && string(x.data[from:to]) == k) {
			out[i>>3] |= 1 << (i & 7)
		}
		from = to
	}
}
