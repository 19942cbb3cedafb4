package parquetio

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/types"
)

// Codec is how pages are compressed.
type Codec uint8

// The codecs that files are written with.
const (
	Snappy Codec = iota
	Uncompressed
	Zstd
)

// number is the codec's number in the format.
func (c Codec) number() int32 { return [...]int32{1, 0, 6}[c] }

// Encodings by their number in the format.
const (
	encPlain          = 0
	encPlainDict      = 2
	encRLE            = 3
	encBitPacked      = 4
	encDeltaBinary    = 5
	encDeltaLength    = 6
	encDeltaBytes     = 7
	encDictionary     = 8
	encByteSplit      = 9
	pageData          = 0
	pageDictionary    = 2
	maxBound          = 64 // bytes of a statistic; longer ones are cut
	orderUnspecified  = 0
	maxPageBytesInt32 = math.MaxInt32
)

// leafWriter writes the column chunks of one leaf.
type leafWriter struct {
	node *node
	enc  encoder
	opts *WriterOptions

	// the open page
	defs, reps []uint8 // empty while every level is the maximum
	levels     int
	rows       int
	nulls      int64

	// the open chunk
	body         [][]byte // finished pages
	bodyBytes    int64
	pages        []pageInfo
	chunkRows    int64
	values       int64
	uncompressed int64
	usedDict     bool
	usedPlain    bool

	payload, zip, header []byte // scratch
}

// pageInfo is what the page index says of a page.
type pageInfo struct {
	offset, size int64 // within body, header included
	firstRow     int64
	rows         int
	nulls        int64
	levels       int
	lo, hi       []byte // nil: unknown or all NULL
	allNull      bool
}

func newLeafWriter(n *node) *leafWriter { return &leafWriter{node: n, enc: newEncoder(n.typ)} }

// maybeFlush ends the page when it is large enough.
func (l *leafWriter) maybeFlush() error {
	if l.rows >= l.opts.PageRows || l.enc.size() >= l.opts.PageBytes {
		return l.flush()
	}
	return nil
}

// flush ends the open page.
func (l *leafWriter) flush() error {
	if l.levels == 0 {
		return nil
	}
	p := l.payload[:0]
	if l.node.rep > 0 {
		p = appendLevels(p, l.reps, l.levels, l.node.rep, 0)
	}
	if l.node.def > 0 {
		p = appendLevels(p, l.defs, l.levels, l.node.def, l.node.def)
	}
	info := pageInfo{firstRow: l.chunkRows, rows: l.rows, nulls: l.nulls, levels: l.levels, allNull: int64(l.levels) == l.nulls}
	info.lo, info.hi = l.enc.bounds()
	p, dict := l.enc.flush(p)
	encoding := int32(encPlain)
	if dict {
		encoding = encDictionary
		l.usedDict = true
	} else {
		l.usedPlain = true
	}
	l.payload = p
	if len(p) > maxPageBytesInt32 {
		return fmt.Errorf("column %s: a page of %d bytes is larger than Parquet allows", types.QuoteIdentifier(l.node.name), len(p))
	}
	data, err := l.compress(p)
	if err != nil {
		return err
	}
	t := thriftWriter{b: l.header[:0]}
	t.begin()
	t.i32(1, pageData)
	t.i32(2, int32(len(p)))
	t.i32(3, int32(len(data)))
	t.open(5)
	t.i32(1, int32(l.levels))
	t.i32(2, encoding)
	t.i32(3, encRLE)
	t.i32(4, encRLE)
	t.end()
	t.end()
	l.header = t.b
	l.uncompressed += int64(len(t.b) + len(p))
	page := append(append(make([]byte, 0, len(t.b)+len(data)), t.b...), data...)
	info.offset, info.size = l.bodyBytes, int64(len(page))
	l.body, l.bodyBytes = append(l.body, page), l.bodyBytes+info.size
	l.pages = append(l.pages, info)
	l.values += int64(l.levels)
	l.chunkRows += int64(l.rows)
	l.defs, l.reps, l.levels, l.rows, l.nulls = l.defs[:0], l.reps[:0], 0, 0, 0
	return nil
}

// appendLevels writes levels with their length; no levels given means all are v.
func appendLevels(dst []byte, levels []uint8, n int, most, v uint8) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	width := bits.Len8(most)
	if len(levels) == 0 {
		dst = appendRun(dst, uint64(v), n, width)
	} else {
		dst = appendRLE(dst, levels, width)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

func (l *leafWriter) compress(p []byte) ([]byte, error) {
	switch l.opts.Codec {
	case Uncompressed:
		return p, nil
	case Zstd:
		z, err := l.opts.zstd()
		if err != nil {
			return nil, err
		}
		l.zip = z.EncodeAll(p, l.zip[:0])
	default:
		if most := s2.MaxEncodedLen(len(p)); most < 0 {
			return nil, fmt.Errorf("a page of %d bytes is too large to compress", len(p))
		} else if cap(l.zip) < most {
			l.zip = make([]byte, most+most/4)
		}
		l.zip = s2.EncodeSnappy(l.zip[:cap(l.zip)], p)
	}
	return l.zip, nil
}

func newZstd() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
}

// chunkInfo is a finished column chunk.
type chunkInfo struct {
	leaf                     *leafWriter
	offset                   int64 // of the first byte in the file
	dictSize                 int64
	size, uncompressed       int64
	values, nulls            int64
	usedDict, usedPlain      bool
	pages                    []pageInfo
	lo, hi                   []byte
	loExact, hiExact         bool
	columnIndexAt, columnLen int64
	offsetIndexAt, offsetLen int64
}

// finish ends the chunk and hands over its bytes: the dictionary page and the data pages.
func (l *leafWriter) finish() (chunkInfo, [][]byte, error) {
	if err := l.flush(); err != nil {
		return chunkInfo{}, nil, err
	}
	c := chunkInfo{leaf: l, values: l.values, uncompressed: l.uncompressed, usedDict: l.usedDict, usedPlain: l.usedPlain}
	var dictPage []byte
	if l.usedDict {
		plain, n := l.enc.dictionary()
		data, err := l.compress(plain)
		if err != nil {
			return c, nil, err
		}
		t := thriftWriter{}
		t.begin()
		t.i32(1, pageDictionary)
		t.i32(2, int32(len(plain)))
		t.i32(3, int32(len(data)))
		t.open(7)
		t.i32(1, int32(n))
		t.i32(2, encPlain)
		t.end()
		t.end()
		c.uncompressed += int64(len(t.b)) + int64(len(plain))
		dictPage = append(t.b, data...)
		c.dictSize = int64(len(dictPage))
	}
	c.size = c.dictSize + l.bodyBytes
	c.pages = l.pages
	known := true
	for _, p := range l.pages {
		c.nulls += p.nulls
		switch {
		case p.allNull:
		case p.lo == nil:
			known = false
		case c.lo == nil:
			c.lo, c.hi = p.lo, p.hi
		default:
			if l.enc.less(p.lo, c.lo) {
				c.lo = p.lo
			}
			if l.enc.less(c.hi, p.hi) {
				c.hi = p.hi
			}
		}
	}
	if !known {
		c.lo, c.hi = nil, nil
	}
	out := l.body
	if dictPage != nil {
		out = append([][]byte{dictPage}, out...)
	}
	l.body, l.bodyBytes, l.pages = nil, 0, nil
	l.chunkRows, l.values, l.uncompressed, l.usedDict, l.usedPlain = 0, 0, 0, false, false
	l.enc.reset()
	return c, out, nil
}
