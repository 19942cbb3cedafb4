package parquetio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/sluicelake/sluice/types"
)

// createdBy names the writer in the footer, in the form that readers parse.
const createdBy = "sluice version 0.1.0 (build pure-go)"

// Codec is how pages are compressed.
type Codec uint8

// The codecs that files are written with.
const (
	Snappy Codec = iota
	Uncompressed
	Zstd
)

// WriterOptions tune a file; the zero value is what Spark writes: Snappy, row
// groups of up to 128 MiB, pages of up to 1 MiB and 20,000 rows, a page index.
type WriterOptions struct {
	Codec         Codec
	RowGroupRows  int   // most rows of a row group, default 1 Mi
	RowGroupBytes int64 // most bytes of a row group before compression, default 128 MiB
	PageBytes     int   // default 1 MiB
	PageRows      int   // default 20,000
	NoPageIndex   bool
	Metadata      map[string]string // key-value metadata of the footer
}

// FileInfo describes a file that was written.
type FileInfo struct {
	Bytes     int64
	Rows      int64
	RowGroups int
}

// FileWriter writes one Parquet file. It is not safe for concurrent use.
type FileWriter struct {
	sink   *sink
	opts   WriterOptions
	schema *types.Struct
	roots  []*node
	leaves []*leafWriter
	out    *file.Writer
	group  file.BufferedRowGroupWriter // nil: none is open
	rows   int64
	open   int64 // rows of the open row group
	groups int
	err    error
}

// maxStatistic is the most bytes of a bound of text; arrow-go leaves longer
// ones out.
const maxStatistic = 1 << 10

// NewFileWriter starts a file. The schema has physical names; the metadata key
// delta.columnMapping.id gives field ids. Nothing is written before the first
// full row group or Close.
func NewFileWriter(w io.Writer, schema *types.Struct, opts WriterOptions) (*FileWriter, error) {
	if opts.RowGroupRows <= 0 {
		opts.RowGroupRows = 1 << 20
	}
	if opts.RowGroupBytes <= 0 {
		opts.RowGroupBytes = 128 << 20
	}
	if opts.PageBytes <= 0 {
		opts.PageBytes = 1 << 20
	}
	if opts.PageRows <= 0 {
		opts.PageRows = 20_000
	}
	roots, err := buildTree(schema)
	if err != nil {
		return nil, err
	}
	f := &FileWriter{sink: newSink(w), opts: opts, schema: schema, roots: roots}
	for _, r := range roots {
		f.leaves = append(f.leaves, r.leaves()...)
	}
	if len(f.leaves) == 0 {
		return nil, errors.New("the schema has no column that Parquet can store")
	}
	for _, l := range f.leaves {
		l.opts = &f.opts
	}
	root, err := fileSchema(roots)
	if err != nil {
		return nil, err
	}
	meta := metadata.NewKeyValueMetadata()
	for _, k := range slices.Sorted(maps.Keys(opts.Metadata)) {
		if err := meta.Append(k, opts.Metadata[k]); err != nil {
			return nil, err
		}
	}
	f.out, err = file.NewParquetWriterWithError(f.sink, root, file.WithWriterProps(f.properties()), file.WithWriteMetadata(meta))
	return f, err
}

// properties are what arrow-go is told. Pages end when leafWriter says so. A
// dictionary is tried for text and binary alone, and given up when the first
// values do not repeat.
func (f *FileWriter) properties() *parquet.WriterProperties {
	codec := map[Codec]compress.Compression{Snappy: compress.Codecs.Snappy, Uncompressed: compress.Codecs.Uncompressed, Zstd: compress.Codecs.Zstd}[f.opts.Codec]
	p := []parquet.WriterProperty{
		parquet.WithCreatedBy(createdBy), parquet.WithCompression(codec), parquet.WithDictionaryDefault(false),
		parquet.WithDataPageSize(math.MaxInt64), parquet.WithBatchSize(1 << 20), parquet.WithMaxStatsSize(maxStatistic),
		parquet.WithPageIndexEnabled(!f.opts.NoPageIndex),
	}
	if f.opts.Codec == Zstd {
		p = append(p, parquet.WithCompressionLevel(1))
	}
	for _, l := range f.leaves {
		if kind, _ := physicalOf(l.node.typ); kind == parquet.Types.ByteArray {
			p = append(p, parquet.WithDictionaryFor(l.node.path, true), parquet.WithDictionaryCostFallbackFor(l.node.path, true))
		}
	}
	return parquet.NewWriterProperties(p...)
}

// Rows is the number of rows so far.
func (f *FileWriter) Rows() int64 { return f.rows }

// Size is about what the file would take if it were closed now.
func (f *FileWriter) Size() int64 {
	n := f.sink.n
	if f.group != nil {
		for _, l := range f.leaves {
			n += l.size()
		}
	}
	return n
}

// WriteColumns appends rows: one array for each field of the schema, by ordinal,
// each of the Arrow type of the field. Columns of type void are ignored. After
// an error the file is of no use.
func (f *FileWriter) WriteColumns(cols []arrow.Array, rows int) (err error) {
	if f.err != nil {
		return f.err
	}
	defer f.guard(&err)
	if len(cols) != len(f.schema.Fields) {
		return fmt.Errorf("%d columns were given for a schema of %d", len(cols), len(f.schema.Fields))
	}
	for _, r := range f.roots {
		if a := cols[r.ordinal]; a == nil || a.Len() != rows {
			return fmt.Errorf("column %s has not the %d rows that were announced", types.QuoteIdentifier(r.name), rows)
		}
	}
	const step = 1 << 15 // rows between two looks at the size of the row group
	for from := 0; from < rows; {
		if err := f.startGroup(); err != nil {
			return err
		}
		n := min(rows-from, step, f.opts.RowGroupRows-int(f.open))
		for _, r := range f.roots {
			if err := r.write(cols[r.ordinal], from, n); err != nil {
				return fmt.Errorf("column %s: %w", types.QuoteIdentifier(r.name), err)
			}
		}
		from += n
		f.open += int64(n)
		f.rows += int64(n)
		if f.open >= int64(f.opts.RowGroupRows) || f.groupBytes() >= f.opts.RowGroupBytes {
			if err := f.endGroup(); err != nil {
				return err
			}
		}
	}
	return nil
}

// guard remembers an error, and makes one of a panic inside of the library.
func (f *FileWriter) guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the Parquet writer failed: %v", p)
	}
	if *err != nil {
		f.err = *err
	}
}

func (f *FileWriter) groupBytes() (n int64) {
	for _, l := range f.leaves {
		n += l.chunkRaw
	}
	return n
}

// write adds rows in steps that are small enough for pages to end in time.
func (n *node) write(a arrow.Array, from, rows int) error {
	step := 2048
	if a.Len() > 0 {
		if each := int(a.Data().SizeInBytes()) / (a.Len() + a.Data().Offset()); each > 256 {
			step = max(1, 512<<10/each)
		}
	}
	leaves := n.leaves()
	for rows > 0 {
		k := min(step, rows, leaves[0].opts.PageRows)
		part := a
		if from > 0 || k < a.Len() {
			part = array.NewSlice(a, int64(from), int64(from+k))
		}
		if err := n.shred(part, k); err != nil {
			return err
		}
		for _, l := range leaves {
			if err := l.maybeEndPage(); err != nil {
				return err
			}
		}
		from += k
		rows -= k
	}
	return nil
}

func (f *FileWriter) startGroup() error {
	if f.group != nil {
		return nil
	}
	g, err := f.out.AppendBufferedRowGroupChecked()
	if err != nil {
		return err
	}
	for i, l := range f.leaves {
		c, err := g.Column(i)
		if err != nil {
			return err
		}
		l.start(c)
	}
	f.group = g
	f.groups++
	return nil
}

// endGroup writes the open row group.
func (f *FileWriter) endGroup() error {
	if f.group == nil {
		return nil
	}
	err := f.group.Close()
	f.group, f.open = nil, 0
	for _, l := range f.leaves {
		l.start(nil)
	}
	return err
}

// Close writes what is left and the footer. It does not close the writer below.
func (f *FileWriter) Close() (info FileInfo, err error) {
	if f.err != nil {
		return FileInfo{}, f.err
	}
	defer f.guard(&err)
	if err := f.endGroup(); err != nil {
		return FileInfo{}, err
	}
	if err := f.out.Close(); err != nil {
		return FileInfo{}, err
	}
	if err := f.sink.buf.Flush(); err != nil {
		return FileInfo{}, err
	}
	f.err = errors.New("the Parquet file is closed")
	return FileInfo{Bytes: f.sink.n, Rows: f.rows, RowGroups: f.groups}, nil
}

// sink counts bytes and hides whether the writer below can be closed, which
// arrow-go would do.
type sink struct {
	buf *bufio.Writer
	n   int64
}

func newSink(w io.Writer) *sink { return &sink{buf: bufio.NewWriter(w)} }

func (s *sink) Write(b []byte) (int, error) {
	n, err := s.buf.Write(b)
	s.n += int64(n)
	return n, err
}
