package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
)

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
