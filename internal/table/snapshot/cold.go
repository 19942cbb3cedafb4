package snapshot

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/klauspost/compress/s2"
)

// A coldColumn keeps what is seldom looked at, one record a row: the statistics
// (JSON text), and the other fields of the action as the inside of a JSON object.
// Records are compressed in blocks of blockRows; the last, incomplete block is open.
type coldColumn struct {
	blocks  [][]byte
	open    []byte
	openEnd []uint32
	cache   *atomic.Pointer[coldBlock] // the block opened last
	scratch *coldScratch               // of a column that nobody else can see yet
}

type coldScratch struct{ raw, packed []byte }

const blockRows = 64

func newCold() coldColumn { return coldColumn{cache: new(atomic.Pointer[coldBlock])} }

type coldBlock struct {
	number int
	data   []byte
	end    [blockRows]uint32
}

func (c *coldColumn) add(stats, rest []byte) {
	c.open = binary.AppendUvarint(c.open, uint64(len(stats)))
	c.open = append(c.open, stats...)
	c.open = append(c.open, rest...)
	c.openEnd = append(c.openEnd, uint32(len(c.open)))
	if len(c.openEnd) < blockRows {
		return
	}
	tmp := c.scratch
	if tmp == nil {
		tmp = &coldScratch{}
	}
	// The ends go in front, so that an opened block finds its rows at once.
	tmp.raw = tmp.raw[:0]
	for _, e := range c.openEnd {
		tmp.raw = binary.LittleEndian.AppendUint32(tmp.raw, e)
	}
	tmp.raw = append(tmp.raw, c.open...)
	tmp.packed = s2.Encode(tmp.packed[:cap(tmp.packed)], tmp.raw)
	c.blocks = append(c.blocks, slices.Clone(tmp.packed))
	if c.scratch != nil {
		c.open, c.openEnd = c.open[:0], c.openEnd[:0]
	} else {
		c.open, c.openEnd = nil, nil // older versions still look at them
	}
}

// reset empties a private column, keeping its scratch space.
func (c *coldColumn) reset() {
	if c.scratch == nil {
		c.scratch = &coldScratch{}
	}
	clear(c.blocks)
	c.blocks, c.open, c.openEnd = c.blocks[:0], c.open[:0], c.openEnd[:0]
}

// clone takes the records out of a private column.
func (c *coldColumn) clone() coldColumn {
	return coldColumn{blocks: slices.Clone(c.blocks), open: slices.Clone(c.open), openEnd: slices.Clone(c.openEnd), cache: new(atomic.Pointer[coldBlock])}
}

// record returns the statistics and the rest of a row. The bytes are shared.
func (c *coldColumn) record(i int) (stats, rest []byte, err error) {
	n := i / blockRows
	var data []byte
	if n >= len(c.blocks) {
		k := i % blockRows
		from := uint32(0)
		if k > 0 {
			from = c.openEnd[k-1]
		}
		data = c.open[from:c.openEnd[k]]
	} else {
		b := c.cache.Load()
		if b == nil || b.number != n {
			if b, err = openBlock(c.blocks[n], n); err != nil {
				return nil, nil, err
			}
			c.cache.Store(b)
		}
		from := uint32(0)
		if k := i % blockRows; k > 0 {
			from = b.end[k-1]
		}
		data = b.data[from:b.end[i%blockRows]]
	}
	size, k := binary.Uvarint(data)
	return slices.Clip(data[k : k+int(size)]), slices.Clip(data[k+int(size):]), nil
}

func openBlock(packed []byte, n int) (*coldBlock, error) {
	raw, err := s2.Decode(nil, packed)
	if err != nil || len(raw) < 4*blockRows {
		return nil, fmt.Errorf("snapshot: a block of statistics in memory is damaged: %v", err)
	}
	b := &coldBlock{number: n, data: raw[4*blockRows:]}
	for i := range b.end {
		b.end[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return b, nil
}
