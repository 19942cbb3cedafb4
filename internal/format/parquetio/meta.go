package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// fileMeta is what the reader needs of a footer.
type fileMeta struct {
	elements []element
	rows     int64
	groups   []rowGroup
	root     *parquetNode
	leaves   []*parquetNode
}

// element is one SchemaElement.
type element struct {
	physical, width, repetition, kids    int32 // physical is -1 for a group
	converted, scale, precision, fieldID int32 // -1: absent
	name                                 string
	logical                              logical
}

// logical is a LogicalType: the number of the union's member and its parameters.
type logical struct {
	kind             int16
	scale, precision int32
	utc              bool
	unit             int16 // 1 milli, 2 micro, 3 nano
	bits             int8
	signed           bool
}

const (
	logicalString    = 1
	logicalMap       = 2
	logicalList      = 3
	logicalDecimal   = 5
	logicalDate      = 6
	logicalTimestamp = 8
	logicalInteger   = 10
	logicalEnum      = 4
	logicalTime      = 7
	logicalJSON      = 12
	logicalHalf      = 15
	logicalVariant   = 16
)

type rowGroup struct {
	rows   int64
	chunks []chunkMeta
}

type chunkMeta struct {
	physical, codec              int32
	values, size                 int64
	dataAt, dictAt               int64 // dictAt 0: none
	stats                        pageBounds
	hasStats                     bool
	offsetIndexAt, columnIndexAt int64
	offsetIndexLen, columnIdxLen int32
	elsewhere                    bool // in another file, or encrypted
}

// pageBounds are the statistics of a chunk or of a page.
type pageBounds struct {
	lo, hi  []byte // nil: unknown
	nulls   int64  // -1: unknown
	allNull bool
	legacy  bool // from the deprecated fields: signed comparison
}

const footerTail = 8

// parseFooter decodes the metadata of a footer.
func parseFooter(b []byte) (*fileMeta, error) {
	m := &fileMeta{}
	r := &thriftReader{b: b}
	encrypted := false
	r.fields(func(id int16, kind byte) {
		switch {
		case id == 2 && kind == thriftList:
			r.list(func(byte) { m.elements = append(m.elements, r.element()) })
		case id == 3 && kind == thriftI64:
			m.rows = r.zigzag()
		case id == 4 && kind == thriftList:
			r.list(func(byte) { m.groups = append(m.groups, r.rowGroup()) })
		case id == 8:
			encrypted = true
			r.skip(kind)
		default:
			r.skip(kind)
		}
	})
	switch {
	case r.err != nil:
		return nil, r.err
	case encrypted:
		return nil, errors.New("it is encrypted, which sluice does not read")
	}
	if err := m.buildTree(); err != nil {
		return nil, err
	}
	var total int64
	for i, g := range m.groups {
		if len(g.chunks) != len(m.leaves) || g.rows < 0 {
			return nil, fmt.Errorf("row group %d has %d columns, the schema has %d", i, len(g.chunks), len(m.leaves))
		}
		for c := range g.chunks {
			if g.chunks[c].physical != m.leaves[c].physical {
				return nil, fmt.Errorf("row group %d, column %s: the physical type differs from the schema's", i, m.leaves[c].path)
			}
		}
		total += g.rows
	}
	if total != m.rows {
		return nil, fmt.Errorf("it claims %d rows, its row groups have %d", m.rows, total)
	}
	return m, nil
}

func (r *thriftReader) element() element {
	e := element{physical: -1, converted: -1, scale: -1, precision: -1, fieldID: -1}
	targets := [...]*int32{nil, &e.physical, &e.width, &e.repetition, nil, &e.kids, &e.converted, &e.scale, &e.precision, &e.fieldID}
	r.fields(func(id int16, kind byte) {
		switch {
		case kind == thriftI32 && id > 0 && int(id) < len(targets) && targets[id] != nil:
			*targets[id] = int32(r.zigzag())
		case id == 4 && kind == thriftBinary:
			e.name = string(r.bytes())
		case id == 10 && kind == thriftStruct:
			r.fields(func(member int16, k byte) {
				e.logical.kind = member
				if k != thriftStruct {
					r.skip(k)
					return
				}
				r.fields(func(f int16, k byte) { r.logicalField(&e.logical, f, k) })
			})
		default:
			r.skip(kind)
		}
	})
	return e
}

func (r *thriftReader) logicalField(l *logical, id int16, kind byte) {
	switch {
	case l.kind == logicalDecimal && id == 1 && kind == thriftI32:
		l.scale = int32(r.zigzag())
	case l.kind == logicalDecimal && id == 2 && kind == thriftI32:
		l.precision = int32(r.zigzag())
	case l.kind == logicalTimestamp && id == 1:
		l.utc = kind == thriftTrue
	case l.kind == logicalTimestamp && id == 2 && kind == thriftStruct:
		r.fields(func(unit int16, k byte) { l.unit = unit; r.skip(k) })
	case l.kind == logicalInteger && id == 1 && kind == thriftI8:
		l.bits = int8(r.byte())
	case l.kind == logicalInteger && id == 2:
		l.signed = kind == thriftTrue
	default:
		r.skip(kind)
	}
}

func (r *thriftReader) rowGroup() rowGroup {
	var g rowGroup
	r.fields(func(id int16, kind byte) {
		switch {
		case id == 1 && kind == thriftList:
			r.list(func(byte) { g.chunks = append(g.chunks, r.chunk()) })
		case id == 3 && kind == thriftI64:
			g.rows = r.zigzag()
		default:
			r.skip(kind)
		}
	})
	return g
}

func (r *thriftReader) chunk() chunkMeta {
	c := chunkMeta{physical: -1}
	r.fields(func(id int16, kind byte) {
		switch {
		case id == 1:
			c.elsewhere = true
			r.skip(kind)
		case id == 3 && kind == thriftStruct:
			r.fields(func(id int16, kind byte) { r.chunkField(&c, id, kind) })
		case id == 4 && kind == thriftI64:
			c.offsetIndexAt = r.zigzag()
		case id == 5 && kind == thriftI32:
			c.offsetIndexLen = int32(r.zigzag())
		case id == 6 && kind == thriftI64:
			c.columnIndexAt = r.zigzag()
		case id == 7 && kind == thriftI32:
			c.columnIdxLen = int32(r.zigzag())
		case id == 8:
			c.elsewhere = true
			r.skip(kind)
		default:
			r.skip(kind)
		}
	})
	return c
}

func (r *thriftReader) chunkField(c *chunkMeta, id int16, kind byte) {
	switch {
	case id == 1 && kind == thriftI32:
		c.physical = int32(r.zigzag())
	case id == 4 && kind == thriftI32:
		c.codec = int32(r.zigzag())
	case id == 5 && kind == thriftI64:
		c.values = r.zigzag()
	case id == 7 && kind == thriftI64:
		c.size = r.zigzag()
	case id == 9 && kind == thriftI64:
		c.dataAt = r.zigzag()
	case id == 11 && kind == thriftI64:
		c.dictAt = r.zigzag()
	case id == 12 && kind == thriftStruct:
		c.stats, c.hasStats = r.statistics(), true
	default:
		r.skip(kind)
	}
}

func (r *thriftReader) statistics() pageBounds {
	s := pageBounds{nulls: -1}
	var oldLo, oldHi []byte
	r.fields(func(id int16, kind byte) {
		switch {
		case id == 3 && kind == thriftI64:
			s.nulls = r.zigzag()
		case kind == thriftBinary && id == 1:
			oldHi = r.bytes()
		case kind == thriftBinary && id == 2:
			oldLo = r.bytes()
		case kind == thriftBinary && id == 5:
			s.hi = r.bytes()
		case kind == thriftBinary && id == 6:
			s.lo = r.bytes()
		default:
			r.skip(kind)
		}
	})
	if s.lo == nil && s.hi == nil {
		s.lo, s.hi, s.legacy = oldLo, oldHi, true
	}
	return s
}

// chunkRange is where a chunk's bytes are.
func (c *chunkMeta) chunkRange(fileSize int64) (from, to int64, err error) {
	from = c.dataAt
	if c.dictAt > 0 && c.dictAt < from {
		from = c.dictAt
	}
	to = from + c.size
	switch {
	case c.elsewhere:
		return 0, 0, errors.New("a column lies in another file or is encrypted")
	case from < int64(len(magic)) || c.size < 0 || to > fileSize || to < from:
		return 0, 0, fmt.Errorf("a column claims bytes %d to %d of a file of %d bytes", from, to, fileSize)
	}
	return from, to, nil
}

// footerLength reads the last eight bytes of a file.
func footerLength(tail []byte, fileSize int64) (int64, error) {
	if len(tail) < footerTail {
		return 0, fmt.Errorf("%d bytes are too few for a Parquet file", fileSize)
	}
	tail = tail[len(tail)-footerTail:]
	switch string(tail[4:]) {
	case "PAR1":
	case "PARE":
		return 0, errors.New("it is encrypted, which sluice does not read")
	default:
		return 0, errors.New("it does not end as a Parquet file does (it may be truncated)")
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n+footerTail+int64(len(magic)) > fileSize {
		return 0, fmt.Errorf("its footer claims %d bytes, the file has %d", n, fileSize)
	}
	return n, nil
}
