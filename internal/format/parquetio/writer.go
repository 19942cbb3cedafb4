package parquetio

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/types"
)

// createdBy names the writer in the footer, in the form that readers parse.
const createdBy = "sluice version 0.1.0 (build pure-go)"

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

	z *zstd.Encoder
}

func (o *WriterOptions) zstd() (*zstd.Encoder, error) {
	var err error
	if o.z == nil {
		o.z, err = newZstd()
	}
	return o.z, err
}

// FileInfo describes a file that was written.
type FileInfo struct {
	Bytes     int64
	Rows      int64
	RowGroups int
}

// FileWriter writes one Parquet file. It is not safe for concurrent use.
type FileWriter struct {
	w      io.Writer
	opts   WriterOptions
	schema *types.Struct
	roots  []*node
	leaves []*leafWriter
	at     int64
	rows   int64
	open   int64 // rows of the open row group
	groups []groupInfo
	err    error
}

type groupInfo struct {
	rows   int64
	chunks []chunkInfo
}

var magic = []byte("PAR1")

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
	f := &FileWriter{w: w, opts: opts, schema: schema, roots: roots}
	for _, r := range roots {
		f.leaves = append(f.leaves, r.leaves()...)
	}
	for _, l := range f.leaves {
		l.opts = &f.opts
	}
	return f, nil
}

// Rows is the number of rows so far.
func (f *FileWriter) Rows() int64 { return f.rows }

// Size is about what the file would take if it were closed now.
func (f *FileWriter) Size() int64 {
	n := f.at
	for _, l := range f.leaves {
		n += l.bodyBytes + int64(l.enc.size())/2
	}
	return n
}

// WriteColumns appends rows: one array for each field of the schema, by ordinal,
// each of the Arrow type of the field. Columns of type void are ignored. After
// an error the file is of no use.
func (f *FileWriter) WriteColumns(cols []arrow.Array, rows int) error {
	if f.err != nil {
		return f.err
	}
	if len(cols) != len(f.schema.Fields) {
		return f.fail(fmt.Errorf("%d columns were given for a schema of %d", len(cols), len(f.schema.Fields)))
	}
	for _, r := range f.roots {
		if a := cols[r.ordinal]; a == nil || a.Len() != rows {
			return f.fail(fmt.Errorf("column %s has not the %d rows that were announced", types.QuoteIdentifier(r.name), rows))
		}
	}
	const step = 1 << 15 // rows between two looks at the size of the row group
	for from := 0; from < rows; {
		n := min(rows-from, step, f.opts.RowGroupRows-int(f.open))
		for _, r := range f.roots {
			if err := r.write(cols[r.ordinal], from, n); err != nil {
				return f.fail(fmt.Errorf("column %s: %w", types.QuoteIdentifier(r.name), err))
			}
		}
		from += n
		f.open += int64(n)
		f.rows += int64(n)
		if f.open >= int64(f.opts.RowGroupRows) || f.groupBytes() >= f.opts.RowGroupBytes {
			if err := f.endGroup(); err != nil {
				return f.fail(err)
			}
		}
	}
	return nil
}

func (f *FileWriter) fail(err error) error {
	f.err = err
	return err
}

func (f *FileWriter) groupBytes() (n int64) {
	for _, l := range f.leaves {
		n += l.uncompressed + int64(l.enc.size())
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
			if err := l.maybeFlush(); err != nil {
				return err
			}
		}
		from += k
		rows -= k
	}
	return nil
}

// endGroup writes the open row group.
func (f *FileWriter) endGroup() error {
	if f.open == 0 {
		return nil
	}
	if f.at == 0 {
		if err := f.put(magic); err != nil {
			return err
		}
	}
	g := groupInfo{rows: f.open, chunks: make([]chunkInfo, 0, len(f.leaves))}
	for _, l := range f.leaves {
		c, pages, err := l.finish()
		if err != nil {
			return fmt.Errorf("column %s: %w", types.QuoteIdentifier(l.node.name), err)
		}
		c.offset = f.at
		for _, p := range pages {
			if err := f.put(p); err != nil {
				return err
			}
		}
		g.chunks = append(g.chunks, c)
	}
	f.groups = append(f.groups, g)
	f.open = 0
	return nil
}

func (f *FileWriter) put(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := f.w.Write(b)
	f.at += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// Close writes what is left and the footer. It does not close the writer below.
func (f *FileWriter) Close() (FileInfo, error) {
	if f.err != nil {
		return FileInfo{}, f.err
	}
	if err := f.endGroup(); err != nil {
		return FileInfo{}, f.fail(err)
	}
	if f.at == 0 {
		if err := f.put(magic); err != nil {
			return FileInfo{}, f.fail(err)
		}
	}
	if err := f.put(f.footer()); err != nil {
		return FileInfo{}, f.fail(err)
	}
	f.err = errors.New("the Parquet file is closed")
	return FileInfo{Bytes: f.at, Rows: f.rows, RowGroups: len(f.groups)}, nil
}
