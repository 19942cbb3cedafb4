package parquetio

import (
	"encoding/binary"
	"maps"
	"slices"
)

// footer is the page index, the file's metadata, its length and the magic.
func (f *FileWriter) footer() []byte {
	t := thriftWriter{b: make([]byte, 0, 256+len(f.leaves)*(128+160*len(f.groups)))}
	if !f.opts.NoPageIndex {
		for g := range f.groups {
			for c := range f.groups[g].chunks {
				f.groups[g].chunks[c].appendColumnIndex(&t, f.at)
			}
		}
		for g := range f.groups {
			for c := range f.groups[g].chunks {
				f.groups[g].chunks[c].appendOffsetIndex(&t, f.at)
			}
		}
	}
	start := len(t.b)
	t.begin()
	t.i32(1, 1) // version of the format: V1 data pages
	t.list(2, thriftStruct, f.elements())
	t.begin()
	t.text(4, "spark_schema")
	t.i32(5, int32(len(f.roots)))
	t.end()
	for _, r := range f.roots {
		r.appendSchema(&t)
	}
	t.i64(3, f.rows)
	t.list(4, thriftStruct, len(f.groups))
	for i := range f.groups {
		f.groups[i].append(&t, f.opts.Codec, i)
	}
	if len(f.opts.Metadata) > 0 {
		t.list(5, thriftStruct, len(f.opts.Metadata))
		for _, k := range slices.Sorted(maps.Keys(f.opts.Metadata)) {
			t.begin()
			t.text(1, k)
			t.text(2, f.opts.Metadata[k])
			t.end()
		}
	}
	t.text(6, createdBy)
	t.list(7, thriftStruct, len(f.leaves)) // every leaf is ordered by its type
	for range f.leaves {
		t.begin()
		t.empty(1)
		t.end()
	}
	t.end()
	t.b = binary.LittleEndian.AppendUint32(t.b, uint32(len(t.b)-start))
	return append(t.b, magic...)
}

// elements counts the elements of the schema, the root included.
func (f *FileWriter) elements() int {
	n := 1
	var count func(list []*node)
	count = func(list []*node) {
		for _, k := range list {
			if k != nil {
				n++
				count(k.kids)
			}
		}
	}
	count(f.roots)
	return n
}

func (g *groupInfo) append(t *thriftWriter, codec Codec, ordinal int) {
	var raw, packed int64
	for i := range g.chunks {
		raw += g.chunks[i].uncompressed
		packed += g.chunks[i].size
	}
	t.begin()
	t.list(1, thriftStruct, len(g.chunks))
	for i := range g.chunks {
		g.chunks[i].append(t, codec)
	}
	t.i64(2, raw)
	t.i64(3, g.rows)
	if len(g.chunks) > 0 {
		t.i64(5, g.chunks[0].offset)
	}
	t.i64(6, packed)
	if ordinal < 1<<15 {
		t.i16(7, int16(ordinal))
	}
	t.end()
}

func (c *chunkInfo) append(t *thriftWriter, codec Codec) {
	p, _ := physicalOf(c.leaf.node.typ)
	t.begin()
	t.i64(2, c.offset)
	t.open(3)
	t.i32(1, int32(p))
	encodings := []int64{encRLE}
	if c.usedPlain || c.usedDict {
		encodings = append(encodings, encPlain)
	}
	if c.usedDict {
		encodings = append(encodings, encDictionary)
	}
	t.list(2, thriftI32, len(encodings))
	for _, e := range encodings {
		t.zigzag(e)
	}
	t.list(3, thriftBinary, len(c.leaf.node.path))
	for _, part := range c.leaf.node.path {
		t.bareText(part)
	}
	t.i32(4, codec.number())
	t.i64(5, c.values)
	t.i64(6, c.uncompressed)
	t.i64(7, c.size)
	t.i64(9, c.offset+c.dictSize)
	if c.dictSize > 0 {
		t.i64(11, c.offset)
	}
	t.open(12)
	t.i64(3, c.nulls)
	if c.lo != nil {
		lo, hi, exactLo, exactHi := c.leaf.cut(c.lo, c.hi)
		if hi != nil {
			t.text(5, string(hi))
		}
		t.text(6, string(lo))
		if hi != nil {
			t.bool(7, exactHi)
		}
		t.bool(8, exactLo)
	}
	t.end()
	t.end()
	if c.offsetLen > 0 {
		t.i64(4, c.offsetIndexAt)
		t.i32(5, int32(c.offsetLen))
	}
	if c.columnLen > 0 {
		t.i64(6, c.columnIndexAt)
		t.i32(7, int32(c.columnLen))
	}
	t.end()
}

// appendColumnIndex writes the bounds of each page, unless a page has none:
// the format cannot say "unknown" there.
func (c *chunkInfo) appendColumnIndex(t *thriftWriter, base int64) {
	los, his := make([][]byte, len(c.pages)), make([][]byte, len(c.pages))
	for i, p := range c.pages {
		if p.allNull {
			continue
		}
		if p.lo == nil {
			return
		}
		if los[i], his[i], _, _ = c.leaf.cut(p.lo, p.hi); his[i] == nil {
			return
		}
	}
	start := len(t.b)
	t.begin()
	t.list(1, thriftTrue, len(c.pages))
	for _, p := range c.pages {
		if p.allNull {
			t.b = append(t.b, thriftTrue)
		} else {
			t.b = append(t.b, thriftFalse)
		}
	}
	t.list(2, thriftBinary, len(c.pages))
	for _, v := range los {
		t.bareText(string(v))
	}
	t.list(3, thriftBinary, len(c.pages))
	for _, v := range his {
		t.bareText(string(v))
	}
	t.i32(4, orderUnspecified)
	t.list(5, thriftI64, len(c.pages))
	for _, p := range c.pages {
		t.zigzag(p.nulls)
	}
	t.end()
	c.columnIndexAt, c.columnLen = base+int64(start), int64(len(t.b)-start)
}

func (c *chunkInfo) appendOffsetIndex(t *thriftWriter, base int64) {
	start := len(t.b)
	t.begin()
	t.list(1, thriftStruct, len(c.pages))
	for _, p := range c.pages {
		t.begin()
		t.i64(1, c.offset+c.dictSize+p.offset)
		t.i32(2, int32(p.size))
		t.i64(3, p.firstRow)
		t.end()
	}
	t.end()
	c.offsetIndexAt, c.offsetLen = base+int64(start), int64(len(t.b)-start)
}
