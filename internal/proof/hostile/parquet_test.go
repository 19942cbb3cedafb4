package hostile

import (
	"encoding/binary"
	"math"
)

// thrift writes a struct in the compact protocol, so that footers and page
// headers can say what no library would write.
type thrift struct {
	b    []byte
	last int16
}

func (t *thrift) head(id int16, kind byte) {
	if d := id - t.last; d > 0 && d < 16 {
		t.b = append(t.b, byte(d)<<4|kind)
	} else {
		t.b = binary.AppendUvarint(append(t.b, kind), zigzag(int64(id)))
	}
	t.last = id
}

func zigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }

func (t *thrift) i32(id int16, v int64) *thrift { return t.num(id, 5, v) }
func (t *thrift) i64(id int16, v int64) *thrift { return t.num(id, 6, v) }

func (t *thrift) num(id int16, kind byte, v int64) *thrift {
	t.head(id, kind)
	t.b = binary.AppendUvarint(t.b, zigzag(v))
	return t
}

func (t *thrift) text(id int16, s string) *thrift {
	t.head(id, 8)
	t.b = append(binary.AppendUvarint(t.b, uint64(len(s))), s...)
	return t
}

func (t *thrift) in(id int16, s *thrift) *thrift {
	t.head(id, 12)
	t.b = append(t.b, s.end()...)
	return t
}

// list writes elements of a kind and claims that there are n.
func (t *thrift) list(id int16, kind byte, n uint64, elements ...[]byte) *thrift {
	t.head(id, 9)
	t.b = binary.AppendUvarint(append(t.b, 0xf0|kind), n)
	for _, e := range elements {
		t.b = append(t.b, e...)
	}
	return t
}

func (t *thrift) end() []byte { return append(t.b, 0) }

func varint(v int64) []byte { return binary.AppendUvarint(nil, zigzag(v)) }
func word(s string) []byte  { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }
func st() *thrift           { return &thrift{} }
func group(name string, children int64) []byte {
	return st().i32(3, 1).text(4, name).i32(5, children).end()
}

// The codecs and types of parquet.thrift that are used here.
const (
	plainCodec, snappyCodec, gzipCodec, zstdCodec = 0, 1, 2, 6
	int64Type, bytesType                          = 2, 6
)

// pageFile is a Parquet file with one column "a" in one page.
type pageFile struct {
	typ, codec   int64
	repetition   int64 // 0 required, 1 optional, 2 repeated
	encoding     int64
	values       int64  // of the page
	rows         int64  // of the file
	claims       int64  // uncompressed bytes of the page
	data         []byte // compressed
	converted    int64  // 0 is UTF8
	noConverted  bool
	chunkBytes   int64    // 0: as it is
	uncompressed int64    // of the chunk; 0: as the page claims
	schema, path [][]byte // instead of one column "a"
}

func (p pageFile) bytes() []byte {
	file := []byte("PAR1")
	at := int64(len(file))
	header := st().i32(1, 0).i32(2, p.claims).i32(3, int64(len(p.data))).
		in(5, st().i32(1, p.values).i32(2, p.encoding).i32(3, 3).i32(4, 3)).end()
	file = append(append(file, header...), p.data...)
	size := int64(len(file)) - at
	if p.chunkBytes != 0 {
		size = p.chunkBytes
	}
	uncompressed := p.uncompressed
	if uncompressed == 0 {
		uncompressed = p.claims + int64(len(header))
	}
	leaf := st().i32(1, p.typ).i32(3, p.repetition).text(4, "a")
	if !p.noConverted && p.typ == bytesType {
		leaf.i32(6, p.converted)
	}
	elements, path := [][]byte{group("schema", 1), leaf.end()}, [][]byte{word("a")}
	if p.schema != nil {
		elements, path = p.schema, p.path
	}
	meta := st().i32(1, p.typ).list(2, 5, 1, varint(p.encoding)).list(3, 8, uint64(len(path)), path...).i32(4, p.codec).
		i64(5, p.values).i64(6, uncompressed).i64(7, size).i64(9, at)
	chunk := st().i64(2, at).in(3, meta).end()
	rg := st().list(1, 12, 1, chunk).i64(2, size).i64(3, p.rows).end()
	return closed(file, st().i32(1, 1).list(2, 12, uint64(len(elements)), elements...).i64(3, p.rows).list(4, 12, 1, rg).end())
}

// closed ends a file with a footer.
func closed(file, footer []byte) []byte {
	file = append(file, footer...)
	return append(binary.LittleEndian.AppendUint32(file, uint32(len(footer))), "PAR1"...)
}

// zeros is a Zstandard frame of n zero bytes in n/2^15 bytes: blocks that repeat
// one byte.
func zeros(n int) []byte {
	out := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0} // single segment, size of 4 bytes
	out = binary.LittleEndian.AppendUint32(out, uint32(n))
	for n > 0 {
		size := min(n, 128<<10)
		n -= size
		last := 0
		if n == 0 {
			last = 1
		}
		h := uint32(size<<3 | 1<<1 | last)
		out = append(out, byte(h), byte(h>>8), byte(h>>16), 0)
	}
	return out
}

// run is levels that repeat one value, in the hybrid encoding with its length.
func run(n uint64, value byte) []byte {
	body := append(binary.AppendUvarint(nil, n<<1), value)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
}

const huge = math.MaxInt32
