package parquetio

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/types"
)

type variantField struct {
	id  int
	key string
	val []byte
}

// objectFields takes an encoded object apart: what of it was not shredded.
func objectFields(b []byte, keys []string) ([]variantField, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if b[0]&3 != 2 {
		return nil, errShredded
	}
	kind := b[0] >> 2
	width, idWidth, count := int(kind&3)+1, int(kind>>2&3)+1, 1
	if kind>>4&1 == 1 {
		count = 4
	}
	n, ok := littleEndian(b, 1, count)
	ids := 1 + count
	offsets := ids + n*idWidth
	data := offsets + (n+1)*width
	if !ok || n > len(b) || data > len(b) {
		return nil, errShredded
	}
	ends := make([]int, n+1)
	for i := range ends {
		if ends[i], ok = littleEndian(b, offsets+i*width, width); !ok || data+ends[i] > len(b) {
			return nil, errShredded
		}
	}
	sorted := slices.Clone(ends) // values need not lie in the order of their keys
	slices.Sort(sorted)
	out := make([]variantField, n)
	for i := range out {
		id, ok := littleEndian(b, ids+i*idWidth, idWidth)
		if !ok || id >= len(keys) {
			return nil, errShredded
		}
		k, _ := slices.BinarySearch(sorted, ends[i]+1)
		if k == len(sorted) {
			return nil, errShredded
		}
		out[i] = variantField{id, keys[id], b[data+ends[i] : data+sorted[k]]}
	}
	return out, nil
}

// variantNames are the names in a variant's metadata.
func variantNames(m []byte) ([]string, error) {
	if len(m) == 0 || m[0]&15 != 1 {
		return nil, errShredded
	}
	w := int(m[0]>>6) + 1
	n, ok := littleEndian(m, 1, w)
	if !ok || n > len(m) {
		return nil, errShredded
	}
	base := 1 + w*(n+2)
	out := make([]string, n)
	for i := range out {
		from, ok1 := littleEndian(m, 1+w*(i+1), w)
		to, ok2 := littleEndian(m, 1+w*(i+2), w)
		if !ok1 || !ok2 || from > to || base+to > len(m) {
			return nil, errShredded
		}
		out[i] = string(m[base+from : base+to])
	}
	return out, nil
}

func littleEndian(b []byte, at, width int) (int, bool) {
	if at < 0 || at+width > len(b) {
		return 0, false
	}
	n := 0
	for i := width - 1; i >= 0; i-- {
		n = n<<8 | int(b[at+i])
	}
	return n, true
}

func bytesFor(n int) int {
	w := 1
	for n >= 1<<(8*w) {
		w++
	}
	return w
}

func offsetWidth(parts [][]byte) int {
	total := 0
	for _, p := range parts {
		total += len(p)
	}
	return bytesFor(total)
}

func appendWidth(dst []byte, n, width int) []byte {
	for range width {
		dst = append(dst, byte(n))
		n >>= 8
	}
	return dst
}

func appendParts(dst []byte, parts [][]byte, width int) []byte {
	at := 0
	for _, p := range parts {
		dst = appendWidth(dst, at, width)
		at += len(p)
	}
	dst = appendWidth(dst, at, width)
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}

// appendVariantPrimitive encodes a typed value.
func appendVariantPrimitive(dst []byte, a arrow.Array, t types.Type, i int) []byte {
	le := binary.LittleEndian
	switch x := a.(type) {
	case *array.Boolean:
		if x.Value(i) {
			return append(dst, 1<<2)
		}
		return append(dst, 2<<2)
	case *array.Int8:
		return append(dst, 3<<2, byte(x.Value(i)))
	case *array.Int16:
		return le.AppendUint16(append(dst, 4<<2), uint16(x.Value(i)))
	case *array.Int32:
		return le.AppendUint32(append(dst, 5<<2), uint32(x.Value(i)))
	case *array.Int64:
		return le.AppendUint64(append(dst, 6<<2), uint64(x.Value(i)))
	case *array.Float64:
		return le.AppendUint64(append(dst, 7<<2), math.Float64bits(x.Value(i)))
	case *array.Float32:
		return le.AppendUint32(append(dst, 14<<2), math.Float32bits(x.Value(i)))
	case *array.Date32:
		return le.AppendUint32(append(dst, 11<<2), uint32(x.Value(i)))
	case *array.Timestamp:
		kind := byte(12)
		if t.Kind() == types.KindTimestampNTZ {
			kind = 13
		}
		return le.AppendUint64(append(dst, kind<<2), uint64(x.Value(i)))
	case *array.Decimal128:
		d, v := t.(types.Decimal), x.Value(i)
		switch {
		case d.Precision <= 9:
			return le.AppendUint32(append(dst, 8<<2, byte(d.Scale)), uint32(v.LowBits()))
		case d.Precision <= 18:
			return le.AppendUint64(append(dst, 9<<2, byte(d.Scale)), v.LowBits())
		}
		return le.AppendUint64(le.AppendUint64(append(dst, 10<<2, byte(d.Scale)), v.LowBits()), uint64(v.HighBits()))
	case *array.String:
		s := x.Value(i)
		if len(s) < 64 {
			return append(append(dst, byte(len(s))<<2|1), s...)
		}
		return append(le.AppendUint32(append(dst, 16<<2), uint32(len(s))), s...)
	case *array.Binary:
		return append(le.AppendUint32(append(dst, 15<<2), uint32(x.ValueLen(i))), x.Value(i)...)
	}
	return append(dst, 0)
}
