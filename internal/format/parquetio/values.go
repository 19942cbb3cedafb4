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

// levelWidth is the number of bits of levels up to most.
func levelWidth(most uint8) int { return bits.Len8(most) }
