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
	targets := map[int16]*int32{1: &e.physical, 2: &e.width, 3: &e.repetition, 5: &e.kids, 6: &e.converted, 7: &e.scale, 8: &e.precision, 9: &e.fieldID}
	r.fields(func(id int16, kind byte) {
		switch {
		case kind == thriftI32 && targets[id] != nil:
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

// pageHeader is the header of one page.
type pageHeader struct {
	kind                   int32
	raw, size              int32
	values, rows, nulls    int32 // rows and nulls: V2 only
	encoding               int32
	defEncoding, repEncode int32
	defBytes, repBytes     int32 // V2
	plain                  bool  // V2: not compressed
}

// parsePageHeader decodes a header and says how long it is.
func parsePageHeader(b []byte) (pageHeader, int, error) {
	h := pageHeader{kind: -1, rows: -1, values: -1, defEncoding: encRLE, repEncode: encRLE}
	r := &thriftReader{b: b}
	r.fields(func(id int16, kind byte) {
		switch {
		case id == 1 && kind == thriftI32:
			h.kind = int32(r.zigzag())
		case id == 2 && kind == thriftI32:
			h.raw = int32(r.zigzag())
		case id == 3 && kind == thriftI32:
			h.size = int32(r.zigzag())
		case (id == 5 || id == 7) && kind == thriftStruct:
			to := [...]*int32{nil, &h.values, &h.encoding, &h.defEncoding, &h.repEncode}
			r.fields(func(f int16, k byte) {
				if k == thriftI32 && f >= 1 && int(f) < len(to) {
					*to[f] = int32(r.zigzag())
					return
				}
				r.skip(k)
			})
		case id == 8 && kind == thriftStruct:
			to := [...]*int32{nil, &h.values, &h.nulls, &h.rows, &h.encoding, &h.defBytes, &h.repBytes}
			r.fields(func(f int16, k byte) {
				if k == thriftI32 && f >= 1 && int(f) < len(to) {
					*to[f] = int32(r.zigzag())
					return
				}
				if f == 7 && (k == thriftTrue || k == thriftFalse) {
					h.plain = k == thriftFalse
					return
				}
				r.skip(k)
			})
		default:
			r.skip(kind)
		}
	})
	if r.err != nil {
		return h, 0, r.err
	}
	if h.raw < 0 || h.size < 0 || (h.kind != 1 && h.values < 0) || h.defBytes < 0 || h.repBytes < 0 {
		return h, 0, errThrift
	}
	return h, len(b) - len(r.b), nil
}

// pageLocation is an entry of the offset index.
type pageLocation struct {
	at       int64
	size     int32
	firstRow int64
}

func parseOffsetIndex(b []byte) ([]pageLocation, error) {
	var out []pageLocation
	r := &thriftReader{b: b}
	r.fields(func(id int16, kind byte) {
		if id != 1 || kind != thriftList {
			r.skip(kind)
			return
		}
		r.list(func(byte) {
			var p pageLocation
			r.fields(func(f int16, k byte) {
				switch f {
				case 1:
					p.at = r.zigzag()
				case 2:
					p.size = int32(r.zigzag())
				case 3:
					p.firstRow = r.zigzag()
				default:
					r.skip(k)
				}
			})
			out = append(out, p)
		})
	})
	return out, r.err
}

// parseColumnIndex decodes the bounds of each page.
func parseColumnIndex(b []byte) ([]pageBounds, error) {
	var allNull []bool
	var los, his [][]byte
	var nulls []int64
	r := &thriftReader{b: b}
	r.fields(func(id int16, kind byte) {
		if kind != thriftList || id == 4 {
			r.skip(kind)
			return
		}
		switch id {
		case 1:
			r.list(func(byte) { allNull = append(allNull, r.byte() == thriftTrue) })
		case 2:
			r.list(func(byte) { los = append(los, r.bytes()) })
		case 3:
			r.list(func(byte) { his = append(his, r.bytes()) })
		case 5:
			r.list(func(byte) { nulls = append(nulls, r.zigzag()) })
		default:
			r.skip(kind)
		}
	})
	if r.err != nil || len(los) != len(allNull) || len(his) != len(allNull) || nulls != nil && len(nulls) != len(allNull) {
		return nil, errThrift
	}
	out := make([]pageBounds, len(allNull))
	for i := range out {
		out[i] = pageBounds{lo: los[i], hi: his[i], nulls: -1, allNull: allNull[i]}
		if nulls != nil {
			out[i].nulls = nulls[i]
		}
		if allNull[i] {
			out[i].lo, out[i].hi = nil, nil
		}
	}
	return out, nil
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
