package snapshot

import (
	"bytes"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/sluicelake/sluice/action"
)

// A chunk holds some files in columns. A chunk value never changes what it
// showed: rows are appended behind its end by making a longer copy that shares
// the arrays, and only the marks of death are written in place.
//
// The same columns hold tombstones; modTime is then the deletion timestamp.
type chunk struct {
	paths   []byte // as in the log, one behind the other
	pathEnd []uint32
	size    []int64
	modTime []int64
	records []int64                  // numRecords of the statistics, -1 when they do not say; see left
	tuple   []uint32                 // partition values, by number in the dictionary
	dead    []uint32                 // state in which the row died, 0 while it lives; atomic
	vectors []*action.DeletionVector // nil when no row of the chunk has one

	cold coldColumn
	left *left // statistics that are still in the checkpoint; cold and records are without them then
	tail bool  // short commits are copied behind it
}

const (
	maxChunk  = 1 << 16 // rows that a file number can address in a chunk
	wholeFrom = 1024    // a chunk this long is adopted, a shorter one is copied into the tail
	fewChunks = 1024    // below this many, short chunks are adopted too
	tailRows  = 4096
	maxPaths  = 1 << 30 // bytes
)

func (c *chunk) len() int { return len(c.pathEnd) }

func (c *chunk) path(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = c.pathEnd[i-1]
	}
	return c.paths[from:c.pathEnd[i]:c.pathEnd[i]]
}

func (c *chunk) vector(i int) *action.DeletionVector {
	if i >= len(c.vectors) {
		return nil
	}
	return c.vectors[i]
}

func (c *chunk) alive(i int, state uint32) bool {
	d := atomic.LoadUint32(&c.dead[i])
	return d == 0 || d > state
}

func markDead(c *chunk, i int, state uint32) { atomic.StoreUint32(&c.dead[i], state) }

// row is what one file brings into a chunk.
type row struct {
	size, modTime, records int64
	tuple                  uint32
	vector                 *action.DeletionVector
	stats, rest            []byte
}

// add appends a file whose path was put behind c.paths already.
func (c *chunk) add(r row) {
	n := c.len()
	c.pathEnd = append(c.pathEnd, uint32(len(c.paths)))
	c.size = append(c.size, r.size)
	c.modTime = append(c.modTime, r.modTime)
	c.records = append(c.records, r.records)
	c.tuple = append(c.tuple, r.tuple)
	c.dead = append(c.dead, 0)
	if r.vector != nil || len(c.vectors) > 0 {
		for len(c.vectors) < n {
			c.vectors = append(c.vectors, nil)
		}
		c.vectors = append(c.vectors, r.vector)
	}
	c.cold.add(r.stats, r.rest)
}

// full reports whether another file might not fit.
func (c *chunk) full() bool { return c.len() >= maxChunk-1 || len(c.paths) > maxPaths }

func (c *chunk) reset() {
	vectors := c.vectors[:0]
	clear(c.vectors)
	cold := c.cold
	cold.reset()
	*c = chunk{
		paths: c.paths[:0], pathEnd: c.pathEnd[:0], size: c.size[:0], modTime: c.modTime[:0],
		records: c.records[:0], tuple: c.tuple[:0], dead: c.dead[:0], vectors: vectors, cold: cold,
	}
}

// clone copies the chunk into arrays that are exactly large enough.
func (c *chunk) clone() *chunk {
	out := &chunk{
		paths: slices.Clone(c.paths), pathEnd: slices.Clone(c.pathEnd), size: slices.Clone(c.size),
		modTime: slices.Clone(c.modTime), records: slices.Clone(c.records), tuple: slices.Clone(c.tuple),
		dead: make([]uint32, len(c.dead)), cold: c.cold.clone(),
	}
	if len(c.vectors) > 0 {
		out.vectors = slices.Clone(c.vectors)
	}
	return out
}

// identity appends what tells two files apart: the decoded path (without the
// scheme of local files, as file:/a, file:///a and /a are one file), a zero
// byte, and the id of the deletion vector.
func identity(dst, path []byte, dv *action.DeletionVector) []byte {
	dst = appendDecoded(dst, path)
	dst = append(dst, 0)
	if dv != nil {
		dst = append(dst, dv.StorageType...)
		dst = append(dst, dv.PathOrInlineDv...)
		if dv.Offset != nil {
			dst = append(dst, '@')
			dst = strconv.AppendInt(dst, int64(*dv.Offset), 10)
		}
	}
	return dst
}

func appendDecoded(dst, path []byte) []byte {
	const scheme = "file:"
	plain := len(path) == 0 || path[0] != '/' && (len(path) < len(scheme) || string(path[:len(scheme)]) != scheme)
	start := len(dst)
	if plain && bytes.IndexByte(path, '%') < 0 {
		return append(dst, path...)
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if hi, lo := unhex(path[i+1]), unhex(path[i+2]); hi < 16 && lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		}
		dst = append(dst, c)
	}
	if plain {
		return dst
	}
	p := dst[start:]
	if len(p) > len(scheme) && string(p[:len(scheme)]) == scheme && p[len(scheme)] == '/' {
		p = p[len(scheme):]
		if len(p) > 1 && p[1] == '/' { // an authority
			rest := p[2:]
			if i := slices.Index(rest, '/'); i >= 0 {
				p = rest[i:]
			}
		}
	}
	for len(p) > 1 && p[0] == '/' && p[1] == '/' {
		p = p[1:]
	}
	return dst[:start+copy(dst[start:], p)]
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}
