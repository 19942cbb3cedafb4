package parquetio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/sluicelake/sluice/types"
)

// Splicer writes one Parquet file of the rows of others without decoding them, as
// far as that is possible: the pages of several small row groups become one large
// row group. A column whose pages need a dictionary, of which a chunk has one only,
// is decoded and encoded again. It is not safe for concurrent use.
type Splicer struct {
	sink   *sink
	opts   WriterOptions
	schema *types.Struct
	want   *parquetNode
	roots  []*node
	out    *metadata.FileMetaData
	parts  []splicePart
	rows   int64 // of parts
	bytes  int64 // of parts, before compression
	held   int64 // of parts
	codec  *int
	index  []func() error // write the page index of what is in the file, group by group
	info   FileInfo
	err    error
}

// splicePart is a row group that waits.
type splicePart struct {
	f     *File
	group int
	first int64  // its first row in its file
	from  int64  // where data begins in its file
	data  []byte // all of its chunks
	index []pageIndex
}

// pageIndex is the bytes of the page index of a chunk; nil: none.
type pageIndex struct{ offsets, bounds []byte }

// NewSplicer starts a file of the given schema, whose names are physical. Nothing
// is written before the first full row group or Close.
func NewSplicer(w io.Writer, s *types.Struct, opts WriterOptions) (*Splicer, error) {
	f, err := NewFileWriter(io.Discard, s, opts) // which knows the schema and the properties
	if err != nil {
		return nil, err
	}
	root, err := fileSchema(f.roots)
	if err != nil {
		return nil, err
	}
	empty, err := metadata.NewFileMetadataBuilder(schema.NewSchema(root), f.properties(), nil).Snapshot()
	if err != nil {
		return nil, err
	}
	var footer bytes.Buffer
	if _, err := empty.WriteTo(&footer, nil); err != nil {
		return nil, err
	}
	out, err := parseFooter(footer.Bytes()) // so that it compares with footers that were read
	if err != nil {
		return nil, err
	}
	var tree fileMeta
	tree.buildTree(out.Schema.Root(), calendars{})
	x := &Splicer{sink: newSink(w), opts: f.opts, schema: s, want: tree.root, roots: f.roots, out: out}
	_, x.err = io.WriteString(x.sink, magic)
	return x, x.err
}

// Fits says why a file cannot be spliced into others; nil when it can be.
func (s *Splicer) Fits(f *File) error {
	if why := unlike(s.want, f.meta.root, true); why != "" {
		return errors.New(why)
	}
	for _, l := range f.meta.leaves {
		if l.unordered || l.old != nil {
			return fmt.Errorf("column %s: its bounds or dates are of an old writer", l.path)
		}
	}
	for i, g := range f.md.RowGroups {
		for c, col := range g.Columns {
			k := &f.meta.groups[i].chunks[c]
			if k.dictAt > 0 && k.dictAt >= k.dataAt || k.size < 0 {
				return fmt.Errorf("row group %d, column %s: its pages lie in an unusual order", i, f.meta.leaves[c].path)
			}
			codec := int(col.MetaData.Codec)
			if s.codec == nil {
				s.codec = &codec
			}
			if codec != *s.codec {
				return errors.New("it is compressed with another codec")
			}
		}
	}
	return nil
}

// unlike says where a file's schema differs from the one that is wanted.
func unlike(want, is *parquetNode, root bool) string {
	if !root && (want.name != is.name || want.repetition != is.repetition || want.physical != is.physical || want.width != is.width ||
		want.logical != is.logical || want.fieldID >= 0 && want.fieldID != is.fieldID) {
		return "column " + is.path + " is stored in another way"
	}
	if len(want.children) != len(is.children) {
		return "the columns are not those of the table"
	}
	for i, w := range want.children {
		if why := unlike(w, is.children[i], false); why != "" {
			return why
		}
	}
	return ""
}

// Add takes in a file that fits. The file may be closed afterwards.
func (s *Splicer) Add(ctx context.Context, f *File) (err error) {
	if s.err != nil {
		return s.err
	}
	defer s.guard(&err)
	first := int64(0)
	for i := range f.meta.groups {
		g := &f.meta.groups[i]
		if g.rows == 0 {
			continue
		}
		size := f.md.RowGroups[i].TotalByteSize
		if s.rows > 0 && (s.rows+g.rows > int64(s.opts.RowGroupRows) || s.bytes+size > s.opts.RowGroupBytes) {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
		from, to := int64(math.MaxInt64), int64(0)
		for c := range g.chunks {
			a, b, err := g.chunks[c].bytes(f.src.size)
			if err != nil {
				return f.wrap(err)
			}
			from, to = min(from, a), max(to, b)
		}
		if to-from > 2*g.bytes(allLeaves(len(g.chunks)))+1<<20 {
			return f.wrap(errors.New("its chunks lie far apart"))
		}
		data, err := f.src.bytes(from, to)
		if err != nil {
			return f.wrap(err)
		}
		part := splicePart{f: f, group: i, first: first, from: from, data: data}
		if err := part.readIndex(); err != nil {
			return f.wrap(err)
		}
		s.parts = append(s.parts, part)
		s.rows += g.rows
		s.bytes += size
		s.held += to - from
		first += g.rows
	}
	return nil
}

// readIndex reads the page index, which lies in one piece as a rule.
func (p *splicePart) readIndex() error {
	p.index = make([]pageIndex, len(p.f.meta.leaves))
	read := func(at *int64, n *int32) ([]byte, error) { return p.f.src.bytes(*at, *at+int64(*n)) }
	for l := range p.index {
		k, col := &p.f.meta.groups[p.group].chunks[l], p.f.md.RowGroups[p.group].Columns[l]
		var err error
		if k.offsetIndex {
			if p.index[l].offsets, err = read(col.OffsetIndexOffset, col.OffsetIndexLength); err != nil {
				return err
			}
		}
		if k.columnIndex {
			if p.index[l].bounds, err = read(col.ColumnIndexOffset, col.ColumnIndexLength); err != nil {
				return err
			}
		}
	}
	return nil
}

func allLeaves(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// guard remembers an error, and makes one of a panic inside of the library.
func (s *Splicer) guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("joining Parquet files failed: %v", p)
	}
	if *err != nil {
		s.err = *err
	}
}

// flush writes the parts as one row group.
func (s *Splicer) flush(ctx context.Context) error {
	if len(s.parts) == 0 {
		return nil
	}
	start := s.sink.n
	rg := s.parts[0].f.md.RowGroups[s.parts[0].group]
	leaf := 0
	for _, root := range s.roots {
		n := len(root.leaves())
		encode := false
		for l := leaf; l < leaf+n; l++ {
			encode = encode || len(s.parts) > 1 && s.dictionary(l)
		}
		if encode {
			if err := s.encode(ctx, root, leaf, n); err != nil {
				return err
			}
		} else {
			for l := leaf; l < leaf+n; l++ {
				if err := s.join(l); err != nil {
					return err
				}
			}
		}
		leaf += n
	}
	var raw, packed int64
	for _, c := range rg.Columns {
		raw += c.MetaData.TotalUncompressedSize
		packed += c.MetaData.TotalCompressedSize
	}
	rg.NumRows, rg.TotalByteSize, rg.TotalCompressedSize, rg.FileOffset, rg.SortingColumns = s.rows, raw, &packed, &start, nil
	rg.Ordinal = nil
	if n := len(s.out.RowGroups); n <= math.MaxInt16 {
		ordinal := int16(n)
		rg.Ordinal = &ordinal
	}
	s.out.RowGroups = append(s.out.RowGroups, rg)
	s.out.NumRows += s.rows
	s.info.Rows += s.rows
	s.info.RowGroups++
	s.parts, s.rows, s.bytes, s.held = nil, 0, 0, 0
	return nil
}

// dictionary reports whether pages of a leaf need a dictionary.
func (s *Splicer) dictionary(leaf int) bool {
	for _, p := range s.parts {
		if p.f.meta.groups[p.group].chunks[leaf].dictAt > 0 {
			return true
		}
	}
	return false
}

// Close writes what is left and the footer. It does not close the writer below.
func (s *Splicer) Close(ctx context.Context) (info FileInfo, err error) {
	if s.err != nil {
		return FileInfo{}, s.err
	}
	defer s.guard(&err)
	if err := s.flush(ctx); err != nil {
		return FileInfo{}, err
	}
	for _, write := range s.index {
		if err := write(); err != nil {
			return FileInfo{}, err
		}
	}
	var footer bytes.Buffer
	if _, err := s.out.WriteTo(&footer, nil); err != nil {
		return FileInfo{}, err
	}
	n := uint32(footer.Len())
	footer.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
	footer.WriteString(magic)
	if _, err := s.sink.Write(footer.Bytes()); err != nil {
		return FileInfo{}, err
	}
	if err := s.sink.buf.Flush(); err != nil {
		return FileInfo{}, err
	}
	s.info.Bytes = s.sink.n
	s.err = errors.New("the Parquet file is closed")
	return s.info, nil
}

// NoNulls reports whether a top-level column of the file has a value in each row,
// as far as its statistics tell.
func (f *File) NoNulls(name string) bool {
	for i, l := range f.meta.leaves {
		if l.path != name {
			continue
		}
		for _, g := range f.meta.groups {
			if g.rows > 0 && g.chunks[i].stats.nulls != 0 {
				return false
			}
		}
		return true
	}
	return false
}
