package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

var errShortPage = errors.New("a page has fewer values than it claims")

// pageValues decodes the values of one page, PLAIN or by dictionary; other
// encodings are turned into PLAIN when the page is opened.
type pageValues struct {
	leaf  *parquetNode
	b     []byte // PLAIN
	bit   int    // booleans: bits used of b
	dict  *dictionary
	index rleReader
	ids   []uint32
}

// dictionary is a decoded dictionary page.
type dictionary struct {
	n       int
	fixed   []byte
	offsets []int32
	data    []byte
}

// open starts the values of a page.
func (p *pageValues) open(encoding int32, b []byte, dict *dictionary, count int) error {
	p.dict, p.b, p.bit = nil, b, 0
	switch encoding {
	case encPlain:
		return nil
	case encDictionary, encPlainDict:
		if dict == nil {
			return errors.New("a page refers to a dictionary that is not there")
		}
		if len(b) == 0 {
			if count > 0 {
				return errShortPage
			}
			b = []byte{0}
		}
		if b[0] > 32 {
			return fmt.Errorf("a dictionary index of %d bits", b[0])
		}
		p.dict, p.index = dict, newRLEReader(b[1:], int(b[0]))
		return nil
	}
	plain, err := toPlain(encoding, b, p.leaf, count)
	p.b = plain
	return err
}

// read appends n values to v; they are dense and not yet counted in v.n.
func (p *pageValues) read(v *vector, n int) error {
	if n == 0 {
		return nil
	}
	if p.dict != nil {
		return p.readDict(v, n)
	}
	switch physical(p.leaf.physical) {
	case physBoolean:
		if len(p.b)*8-p.bit < n {
			return errShortPage
		}
		for i, out := 0, v.grow(n); i < n; i++ {
			out[i] = p.b[p.bit>>3] >> (p.bit & 7) & 1
			p.bit++
		}
	case physInt96:
		if len(p.b) < 12*n {
			return errShortPage
		}
		out := view[int64](v.grow(n))
		for i := range out {
			out[i] = int96Micros(p.b[12*i:])
		}
		p.b = p.b[12*n:]
	case physBytes:
		return p.readBytes(v, n)
	case physFixed:
		w := int(p.leaf.width)
		if len(p.b) < w*n {
			return errShortPage
		}
		for i := range n {
			v.data = append(v.data, p.b[i*w:(i+1)*w]...)
			if err := v.endValue(); err != nil {
				return err
			}
		}
		p.b = p.b[w*n:]
	default:
		size := v.width * n
		if len(p.b) < size {
			return errShortPage
		}
		copy(v.grow(n), p.b)
		p.b = p.b[size:]
	}
	return nil
}

func (p *pageValues) readBytes(v *vector, n int) error {
	b, data, offsets := p.b, v.data, v.offsets
	for range n {
		if len(b) < 4 {
			return errShortPage
		}
		size := int(binary.LittleEndian.Uint32(b))
		if size < 0 || size > len(b)-4 {
			return errShortPage
		}
		data = append(data, b[4:4+size]...)
		if len(data) > 1<<31-1 {
			return errTooMuchText
		}
		offsets = append(offsets, int32(len(data)))
		b = b[4+size:]
	}
	p.b, v.data, v.offsets = b, data, offsets
	return nil
}

func (p *pageValues) readDict(v *vector, n int) error {
	if cap(p.ids) < n {
		p.ids = make([]uint32, max(n, 4096))
	}
	ids := p.ids[:n]
	if p.index.read(ids) < n {
		return errShortPage
	}
	var most uint32
	for _, id := range ids {
		most = max(most, id)
	}
	if int(most) >= p.dict.n {
		return fmt.Errorf("dictionary entry %d of %d", most, p.dict.n)
	}
	switch v.width {
	case 0:
		data, offsets := v.data, v.offsets
		for _, id := range ids {
			data = append(data, p.dict.data[p.dict.offsets[id]:p.dict.offsets[id+1]]...)
			if len(data) > 1<<31-1 {
				return errTooMuchText
			}
			offsets = append(offsets, int32(len(data)))
		}
		v.data, v.offsets = data, offsets
	case 1:
		gather(v.grow(n), p.dict.fixed, ids)
	case 4:
		gather(view[uint32](v.grow(n)), view[uint32](p.dict.fixed), ids)
	default:
		gather(view[uint64](v.grow(n)), view[uint64](p.dict.fixed), ids)
	}
	return nil
}

func gather[T any](out, dict []T, ids []uint32) {
	for i, id := range ids {
		out[i] = dict[id]
	}
}

// readDictionary decodes a dictionary page.
func readDictionary(leaf *parquetNode, b []byte, n int) (*dictionary, error) {
	if n > len(b)*8+1 && n > 1 {
		return nil, errShortPage
	}
	p := &pageValues{leaf: leaf, b: b}
	v := newVector(leaf.physical, n, len(b))
	if err := p.read(v, n); err != nil {
		return nil, fmt.Errorf("the dictionary: %w", err)
	}
	return &dictionary{n: n, fixed: v.fixed, offsets: v.offsets, data: v.data}, nil
}

// int96Micros turns the legacy timestamp (nanoseconds of the day and Julian day)
// into microseconds since 1970, over the whole range of dates.
func int96Micros(b []byte) int64 {
	nanos := int64(binary.LittleEndian.Uint64(b))
	day := int64(binary.LittleEndian.Uint32(b[8:])) - 2_440_588
	micros := nanos / 1000
	if nanos%1000 < 0 {
		micros--
	}
	return day*86_400_000_000 + micros
}

// toPlain turns values in one of the rarer encodings into PLAIN.
func toPlain(encoding int32, b []byte, leaf *parquetNode, count int) ([]byte, error) {
	p := physical(leaf.physical)
	switch {
	case encoding == encRLE && p == physBoolean:
		if len(b) < 4 {
			return nil, errShortPage
		}
		size := int(binary.LittleEndian.Uint32(b))
		if size > len(b)-4 {
			return nil, errShortPage
		}
		bools := make([]uint32, count)
		r := newRLEReader(b[4:4+size], 1)
		out := make([]byte, (r.read(bools)+7)/8)
		for i := range min(len(out)*8, count) {
			out[i>>3] |= byte(bools[i]&1) << (i & 7)
		}
		return out, nil
	case encoding == encDeltaBinary && (p == physInt32 || p == physInt64):
		vals, _, err := deltaBinary(b, count)
		if err != nil {
			return nil, err
		}
		if p == physInt64 {
			return bytesOf(vals), nil
		}
		out := make([]int32, len(vals))
		for i, v := range vals {
			out[i] = int32(v)
		}
		return bytesOf(out), nil
	case encoding == encDeltaLength && p == physBytes:
		return deltaLength(b, count)
	case encoding == encDeltaBytes && (p == physBytes || p == physFixed):
		return deltaBytes(b, count, p == physBytes)
	case encoding == encByteSplit && p != physBoolean && p != physBytes && p != physInt96:
		w := map[physical]int{physInt32: 4, physFloat: 4, physInt64: 8, physDouble: 8, physFixed: int(leaf.width)}[p]
		if w == 0 {
			return nil, nil
		}
		n := len(b) / w
		out := make([]byte, n*w)
		for k := range w {
			for i, v := range b[k*n : (k+1)*n] {
				out[i*w+k] = v
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("encoding %d of physical type %d is not known", encoding, p)
}

// deltaBinary decodes DELTA_BINARY_PACKED and returns what follows it.
func deltaBinary(b []byte, count int) ([]int64, []byte, error) {
	var head [4]uint64 // block size, miniblocks, values, first value (zigzag)
	for i := range head {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, nil, errShortPage
		}
		head[i], b = v, b[n:]
	}
	block, minis, total := head[0], head[1], int(head[2])
	if minis == 0 || minis > 1<<16 || block == 0 || block > 1<<24 || block%minis != 0 || (block/minis)%8 != 0 || total < 0 || total > count {
		return nil, nil, errors.New("the delta encoding of a page is damaged")
	}
	out := make([]int64, 0, total)
	if total == 0 {
		return out, b, nil
	}
	last := int64(head[3]>>1) ^ -int64(head[3]&1)
	out = append(out, last)
	per := int(block / minis)
	for len(out) < total {
		least, n := binary.Varint(b)
		if n <= 0 || len(b)-n < int(minis) {
			return nil, nil, errShortPage
		}
		widths := b[n : n+int(minis)]
		b = b[n+int(minis):]
		for _, w := range widths {
			if len(out) >= total {
				break
			}
			size := per * int(w) / 8
			if w > 64 || len(b) < size {
				return nil, nil, errShortPage
			}
			for i := 0; i < per && len(out) < total; i++ {
				last += least + int64(bitsAt(b[:size], i*int(w), int(w)))
				out = append(out, last)
			}
			b = b[size:]
		}
	}
	return out, b, nil
}

// bitsAt reads up to 64 bits from a bit position.
func bitsAt(b []byte, at, width int) uint64 {
	if width == 0 {
		return 0
	}
	var word [9]byte
	copy(word[:], b[at>>3:])
	lo := binary.LittleEndian.Uint64(word[:8]) >> (at & 7)
	if s := at & 7; s > 0 {
		lo |= uint64(word[8]) << (64 - s)
	}
	if width == 64 {
		return lo
	}
	return lo & (1<<width - 1)
}

func deltaLength(b []byte, count int) ([]byte, error) {
	lens, rest, err := deltaBinary(b, count)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(rest)+4*len(lens))
	for _, n := range lens {
		if n < 0 || n > int64(len(rest)) {
			return nil, errShortPage
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
		out = append(out, rest[:n]...)
		rest = rest[n:]
	}
	return out, nil
}

func deltaBytes(b []byte, count int, withLength bool) ([]byte, error) {
	prefixes, rest, err := deltaBinary(b, count)
	if err != nil {
		return nil, err
	}
	suffixes, rest, err := deltaBinary(rest, count)
	if err != nil || len(suffixes) != len(prefixes) {
		return nil, errShortPage
	}
	var out, last []byte
	for i, n := range prefixes {
		m := suffixes[i]
		if n < 0 || m < 0 || n > int64(len(last)) || m > int64(len(rest)) || len(out) > 1<<31-1 {
			return nil, errShortPage
		}
		if withLength {
			out = binary.LittleEndian.AppendUint32(out, uint32(n+m))
		}
		at := len(out)
		out = append(append(out, last[:n]...), rest[:m]...)
		last, rest = out[at:len(out):len(out)], rest[m:]
	}
	return out, nil
}

// levelWidth is the number of bits of levels up to most.
func levelWidth(most uint8) int { return bits.Len8(most) }
