package columns

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

var errVariant = errors.New("variant: the bytes are not a valid encoding")

// maxVariantDepth bounds recursion: variants in a data file are untrusted input.
const maxVariantDepth = 500

// VariantJSON writes a variant (Parquet's Variant Binary Encoding, unshredded) as
// JSON text: object keys sorted by bytes, no spaces, decimals plain without
// trailing zeros; dates, times and binary as strings.
func VariantJSON(metadata, value []byte) ([]byte, error) {
	keys, err := variantKeys(metadata)
	if err != nil {
		return nil, err
	}
	return appendVariant(nil, keys, value, 0)
}

func variantKeys(m []byte) ([][]byte, error) {
	if len(m) == 0 || m[0]&15 != 1 {
		return nil, errVariant
	}
	w := int(m[0]>>6) + 1
	n, ok := variantUint(m, 1, w)
	if !ok || n > len(m) {
		return nil, errVariant
	}
	base := 1 + w*(n+2)
	keys := make([][]byte, n)
	for i := range keys {
		from, ok1 := variantUint(m, 1+w*(i+1), w)
		to, ok2 := variantUint(m, 1+w*(i+2), w)
		if !ok1 || !ok2 || from > to || base+to > len(m) {
			return nil, errVariant
		}
		keys[i] = m[base+from : base+to]
	}
	return keys, nil
}

// variantUint reads a little-endian number of 1 to 4 bytes.
func variantUint(b []byte, at, width int) (int, bool) {
	if at < 0 || at+width > len(b) {
		return 0, false
	}
	n := 0
	for i := width - 1; i >= 0; i-- {
		n = n<<8 | int(b[at+i])
	}
	return n, true
}

func appendVariant(dst []byte, keys [][]byte, v []byte, depth int) ([]byte, error) {
	if len(v) == 0 || depth > maxVariantDepth {
		return nil, errVariant
	}
	kind, rest := v[0]>>2, v[1:]
	switch v[0] & 3 {
	case 1:
		if len(rest) < int(kind) {
			return nil, errVariant
		}
		return AppendQuoted(dst, string(rest[:kind])), nil
	case 2:
		return appendVariantObject(dst, keys, kind, rest, depth)
	case 3:
		return appendVariantArray(dst, keys, kind, rest, depth)
	}
	return appendVariantScalar(dst, kind, rest)
}

func appendVariantObject(dst []byte, keys [][]byte, kind byte, v []byte, depth int) ([]byte, error) {
	offWidth, idWidth, countWidth := int(kind&3)+1, int(kind>>2&3)+1, 1
	if kind>>4&1 == 1 {
		countWidth = 4
	}
	n, ok := variantUint(v, 0, countWidth)
	if !ok || n > len(v) {
		return nil, errVariant
	}
	offsets := countWidth + n*idWidth
	data := offsets + (n+1)*offWidth
	type member struct {
		key []byte
		at  int
	}
	members := make([]member, n)
	for i := range members {
		id, ok1 := variantUint(v, countWidth+i*idWidth, idWidth)
		at, ok2 := variantUint(v, offsets+i*offWidth, offWidth)
		if !ok1 || !ok2 || id >= len(keys) || data+at > len(v) {
			return nil, errVariant
		}
		members[i] = member{keys[id], data + at}
	}
	slices.SortFunc(members, func(a, b member) int { return bytes.Compare(a.key, b.key) })
	dst = append(dst, '{')
	var err error
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendQuoted(dst, string(m.key)), ':')
		if dst, err = appendVariant(dst, keys, v[m.at:], depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendVariantArray(dst []byte, keys [][]byte, kind byte, v []byte, depth int) ([]byte, error) {
	offWidth, countWidth := int(kind&3)+1, 1
	if kind>>2&1 == 1 {
		countWidth = 4
	}
	n, ok := variantUint(v, 0, countWidth)
	if !ok || n > len(v) {
		return nil, errVariant
	}
	data := countWidth + (n+1)*offWidth
	dst = append(dst, '[')
	for i := range n {
		at, ok := variantUint(v, countWidth+i*offWidth, offWidth)
		if !ok || data+at > len(v) {
			return nil, errVariant
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendVariant(dst, keys, v[data+at:], depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// widths of the primitive kinds with a fixed size, by type id of the encoding.
var variantWidths = [21]int{0, 0, 0, 1, 2, 4, 8, 8, 5, 9, 17, 4, 8, 8, 4, 4, 4, 8, 8, 8, 16}

func appendVariantScalar(dst []byte, kind byte, v []byte) ([]byte, error) {
	if int(kind) >= len(variantWidths) || len(v) < variantWidths[kind] {
		return nil, fmt.Errorf("%w (primitive type %d)", errVariant, kind)
	}
	le := binary.LittleEndian
	switch kind {
	case 0:
		return append(dst, "null"...), nil
	case 1:
		return append(dst, "true"...), nil
	case 2:
		return append(dst, "false"...), nil
	case 3:
		return strconv.AppendInt(dst, int64(int8(v[0])), 10), nil
	case 4:
		return strconv.AppendInt(dst, int64(int16(le.Uint16(v))), 10), nil
	case 5:
		return strconv.AppendInt(dst, int64(int32(le.Uint32(v))), 10), nil
	case 6:
		return strconv.AppendInt(dst, int64(le.Uint64(v)), 10), nil
	case 7:
		return appendFloat(dst, math.Float64frombits(le.Uint64(v)), 64), nil
	case 8, 9, 10:
		return appendPlainDecimal(dst, v[1:variantWidths[kind]], int(v[0])), nil
	case 11:
		dst = AppendDate(append(dst, '"'), int64(int32(le.Uint32(v))))
		return append(dst, '"'), nil
	case 12, 13: // timestamp, timestamp_ntz in microseconds
		return appendVariantTime(dst, int64(le.Uint64(v)), kind == 12), nil
	case 14:
		return appendFloat(dst, float64(math.Float32frombits(le.Uint32(v))), 32), nil
	case 15, 16:
		n := int(le.Uint32(v))
		if n < 0 || len(v)-4 < n {
			return nil, errVariant
		}
		if kind == 16 {
			return AppendQuoted(dst, string(v[4:4+n])), nil
		}
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), v[4:4+n])
		return append(dst, '"'), nil
	case 17: // time of day in microseconds
		n := int64(le.Uint64(v))
		if n < 0 || n >= 86_400_000_000 {
			return nil, errVariant
		}
		dst = append(dst, '"')
		mark := len(dst)
		dst = AppendTimestamp(dst, n)
		dst = append(dst[:mark], dst[mark+len("1970-01-01T"):]...)
		return append(dst, '"'), nil
	case 18, 19: // timestamp, timestamp_ntz in nanoseconds, shown in microseconds
		n := int64(le.Uint64(v))
		micros := n / 1000
		if n%1000 < 0 {
			micros--
		}
		return appendVariantTime(dst, micros, kind == 18), nil
	}
	id, err := uuid.FromBytes(v[:16])
	if err != nil {
		return nil, err
	}
	return AppendQuoted(dst, id.String()), nil
}

func appendVariantTime(dst []byte, micros int64, zoned bool) []byte {
	dst = AppendTimestamp(append(dst, '"'), micros)
	if zoned {
		dst = append(dst, 'Z')
	}
	return append(dst, '"')
}

// appendPlainDecimal writes a little-endian two's complement number without
// exponent and without trailing zeros of the fraction.
func appendPlainDecimal(dst []byte, le []byte, scale int) []byte {
	be := slices.Clone(le)
	slices.Reverse(be)
	n := new(big.Int).SetBytes(be)
	if be[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(be))))
	}
	if n.Sign() < 0 {
		dst = append(dst, '-')
		n.Neg(n)
	}
	digits := n.Append(nil, 10)
	for len(digits) <= scale {
		digits = append([]byte{'0'}, digits...)
	}
	whole, frac := digits[:len(digits)-scale], bytes.TrimRight(digits[len(digits)-scale:], "0")
	dst = append(dst, whole...)
	if len(frac) > 0 {
		dst = append(append(dst, '.'), frac...)
	}
	return dst
}
