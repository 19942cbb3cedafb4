package parquetio

import "encoding/binary"

// appendRLE encodes values of the given bit width in Parquet's RLE / bit-packing
// hybrid: runs of eight and more as runs, the rest in groups of eight.
func appendRLE[T uint8 | uint32](dst []byte, vals []T, width int) []byte {
	if width == 0 {
		return binary.AppendUvarint(dst, uint64(len(vals))<<1)
	}
	for i := 0; i < len(vals); {
		run := runLength(vals, i)
		if run >= 8 || i+run == len(vals) {
			dst = appendRun(dst, uint64(vals[i]), run, width)
			i += run
			continue
		}
		from := i // bit-packed groups up to the next long run
		for i < len(vals) {
			if i+8 > len(vals) {
				i = len(vals)
				break
			}
			i += 8
			if i+16 <= len(vals) && runLength(vals[i:i+16], 0) == 16 {
				break
			}
		}
		dst = appendPacked(dst, vals[from:i], width)
	}
	return dst
}

// runLength counts the values from i on that equal the one at i.
func runLength[T uint8 | uint32](vals []T, i int) int {
	v, j := vals[i], i+1
	for j < len(vals) && vals[j] == v {
		j++
	}
	return j - i
}

func appendRun(dst []byte, v uint64, n, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for b := 0; b < width; b += 8 {
		dst = append(dst, byte(v>>b))
	}
	return dst
}

func appendPacked[T uint8 | uint32](dst []byte, vals []T, width int) []byte {
	groups := (len(vals) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	var acc uint64
	bits := 0
	for _, v := range vals {
		acc |= uint64(v) << bits
		bits += width
		for bits >= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
			bits -= 8
		}
	}
	if bits > 0 {
		dst = append(dst, byte(acc))
	}
	for len(dst) < end {
		dst = append(dst, 0)
	}
	return dst
}

// rleReader decodes the hybrid. Short input gives fewer values, never a panic.
type rleReader struct {
	b     []byte // what follows the current run
	width int
	run   int    // values left of a repeated run
	value uint32 // of the repeated run
	pack  []byte // bytes of a packed run
	at    int    // next value of the packed run
	count int    // values of the packed run
}

func newRLEReader(b []byte, width int) rleReader { return rleReader{b: b, width: width} }

// next prepares the next run; false at the end of the input.
func (r *rleReader) next() bool {
	head, n := binary.Uvarint(r.b)
	if n <= 0 || head>>1 == 0 || head>>1 > 1<<31 {
		return false
	}
	r.b = r.b[n:]
	count := int(head >> 1)
	if head&1 == 1 {
		size := min(count*r.width, len(r.b))
		r.pack, r.b = r.b[:size], r.b[size:]
		r.at, r.count = 0, min(count*8, size*8/r.width)
		return r.count > 0
	}
	width := (r.width + 7) / 8
	if len(r.b) < width {
		return false
	}
	r.value = 0
	for i := range width {
		r.value |= uint32(r.b[i]) << (8 * i)
	}
	r.b = r.b[width:]
	r.run = count
	return true
}

// read fills dst and reports how many values there were.
func (r *rleReader) read(dst []uint32) int {
	if r.width == 0 { // every value is zero and needs no bits
		fill(dst, 0)
		return len(dst)
	}
	n := 0
	for n < len(dst) {
		switch {
		case r.run > 0:
			k := min(r.run, len(dst)-n)
			fill(dst[n:n+k], r.value)
			r.run -= k
			n += k
		case r.at < r.count:
			n += r.unpack(dst[n:min(len(dst), n+r.count-r.at)])
		default:
			if !r.next() {
				return n
			}
		}
	}
	return n
}

// unpack reads len(dst) values of the packed run.
func (r *rleReader) unpack(dst []uint32) int {
	w, mask := r.width, uint64(1)<<r.width-1
	bit := r.at * w
	i := 0
	for ; i < len(dst) && bit>>3+8 <= len(r.pack); i++ {
		dst[i] = uint32(binary.LittleEndian.Uint64(r.pack[bit>>3:]) >> (bit & 7) & mask)
		bit += w
	}
	for ; i < len(dst); i++ {
		var word [8]byte
		copy(word[:], r.pack[bit>>3:])
		dst[i] = uint32(binary.LittleEndian.Uint64(word[:]) >> (bit & 7) & mask)
		bit += w
	}
	r.at += len(dst)
	return len(dst)
}

func fill(dst []uint32, v uint32) {
	for i := range dst {
		dst[i] = v
	}
}
