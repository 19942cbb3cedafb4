package checkpoint

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/storage"
)

// Error is a checkpoint file that cannot be read as one.
type Error struct {
	Key string
	Err error
}

func (e *Error) Error() string { return "checkpoint " + e.Key + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

const (
	sidecarDir = deltalog.Dir + "/_sidecars/"

	batchRows = 8192
	maxPage   = 64 << 20  // of a column, decompressed
	maxRows   = 8         // for each byte of the file
	wholeUpTo = 256 << 20 // a remote file up to this size is read with one request
)

// SidecarKey is the key of a sidecar file: its path is a name in the sidecar
// folder (PROTOCOL.md, Sidecar File Information).
func SidecarKey(s *action.Sidecar) (string, error) {
	name, err := unescape(s.Path)
	if err != nil {
		return "", &Error{Key: s.Path, Err: err}
	}
	if i := strings.LastIndex(name, "/"); i >= 0 {
		if !strings.HasSuffix(name[:i+1], "/"+sidecarDir) && name[:i+1] != sidecarDir {
			return "", &Error{Key: s.Path, Err: errors.New("a sidecar outside the sidecar folder of the table")}
		}
		name = name[i+1:]
	}
	if name == "" || name == "." || name == ".." {
		return "", &Error{Key: s.Path, Err: errors.New("a sidecar without a name")}
	}
	return deltalog.SidecarPath(name), nil
}

// Read streams one file of a checkpoint (its only file, a part, the top level
// of a V2 checkpoint, or a sidecar) into a handler. Sidecars are reported, not
// followed. Errors of the store come back as they are, the rest as *Error.
func Read(ctx context.Context, b *storage.Bucket, obj storage.Object, h *action.Handler) error {
	return read(ctx, b, obj, h, Later{Scratch: &Scratch{}})
}

func read(ctx context.Context, b *storage.Bucket, obj storage.Object, h *action.Handler, later Later) (err error) {
	if strings.HasSuffix(obj.Key, ".json") {
		data, _, err := b.Get(ctx, obj.Key)
		if err != nil {
			return err
		}
		if err := action.Scan(data, obj.Key, h); err != nil {
			return &Error{obj.Key, err}
		}
		return nil
	}
	src, err := open(ctx, b, obj)
	if err != nil {
		return err
	}
	defer func() {
		if !src.kept {
			src.close()
		}
	}()
	defer func() {
		if r := recover(); r != nil { // the Parquet library on a damaged file
			err = fmt.Errorf("damaged Parquet: %v", r)
		}
		if src.err != nil {
			err = src.err
		} else if err != nil && ctx.Err() == nil {
			err = &Error{obj.Key, err}
		}
	}()
	return readParquet(ctx, src, obj.Key, h, later)
}

// source is a file that remembers the store's own error, which the Parquet
// library may hide.
type source struct {
	*io.SectionReader
	close func() error
	at    io.ReaderAt
	err   error
	keep  bool // may stay open: what it reads stays readable when the file is deleted
	kept  bool // stays open, until the garbage collector closes it
}

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.at.ReadAt(p, off)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func open(ctx context.Context, b *storage.Bucket, obj storage.Object) (*source, error) {
	size := obj.Size
	if !b.Near() && size <= wholeUpTo {
		data, _, err := b.Get(ctx, obj.Key)
		if err != nil {
			return nil, err
		}
		return newSource(bytes.NewReader(data), int64(len(data)), func() error { return nil }), nil
	}
	if size <= 0 {
		o, err := b.Stat(ctx, obj.Key)
		if err != nil {
			return nil, err
		}
		size = o.Size
	}
	r, err := b.OpenReader(context.WithoutCancel(ctx), obj.Key, size) // it may be kept
	if err != nil {
		return nil, err
	}
	src := newSource(r, size, r.Close)
	src.keep = b.Near()
	return src, nil
}

func newSource(at io.ReaderAt, size int64, close func() error) *source {
	s := &source{at: at, close: close}
	s.SectionReader = io.NewSectionReader(readerAtFunc(s.ReadAt), 0, size)
	return s
}

type readerAtFunc func(p []byte, off int64) (int, error)

func (f readerAtFunc) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }

func readParquet(ctx context.Context, src *source, key string, h *action.Handler, later Later) error {
	mem := &later.Scratch.mem
	props := parquet.NewReaderProperties(mem)
	props.BufferedStreamEnabled = true // a column chunk is not fetched whole
	props.MaxUncompressedPageSize = maxPage
	md, err := parquetio.Footer(src, src.Size())
	if err != nil {
		return err
	}
	pf, err := file.NewParquetReader(src.SectionReader, file.WithReadProps(props), file.WithMetadata(md))
	if err != nil {
		return err
	}
	defer pf.Close()
	rd, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: batchRows, Parallel: false}, mem)
	if err != nil {
		return err
	}
	leaves := wantedLeaves(pf, h)
	if len(leaves) == 0 {
		return nil
	}
	if err := checkChunks(pf, src.Size()); err != nil {
		return err
	}
	if later.Found != nil && h.Add != nil {
		if stats := statisticsOf(pf, src, key, later.Handle); stats != nil {
			later.Found(stats)
			leaves = slices.DeleteFunc(leaves, func(leaf int) bool { return leaf == stats.leaf })
		}
	}
	var groups []int // all
	if h.Add == nil && h.Remove == nil {
		if groups = groupsWith(pf, leaves); len(groups) == 0 {
			return nil
		}
	}
	rec, err := rd.GetRecordReader(ctx, leaves, groups)
	if err != nil {
		return err
	}
	defer rec.Release()
	return emitAll(ctx, rec, h)
}

// emitAll decodes batches in one goroutine and hands out their rows in another.
func emitAll(ctx context.Context, rec pqarrow.RecordReader, h *action.Handler) error {
	batches := make(chan arrow.RecordBatch, 1)
	stop := make(chan struct{})
	var failed error // of the decoder; read after batches is closed
	go func() {
		defer close(batches)
		defer func() {
			if r := recover(); r != nil {
				failed = fmt.Errorf("damaged Parquet: %v", r)
			}
		}()
		for rec.Next() {
			b := rec.RecordBatch()
			b.Retain() // the reader lets go of it at the next step
			select {
			case batches <- b:
			case <-stop:
				return
			}
		}
		if err := rec.Err(); err != nil && err != io.EOF {
			failed = err
		}
	}()
	e := emitter{h: h}
	err := func() error {
		defer func() {
			close(stop)
			for range batches { // wait for the decoder: it uses the file
			}
		}()
		return e.all(ctx, batches)
	}()
	return cmp.Or(err, failed)
}

// checkChunks looks at where the footer says that columns lie. The Parquet
// library trusts it, in goroutines of its own, where a panic cannot be caught.
func checkChunks(pf *file.Reader, size int64) error {
	rows := int64(0)
	for g := range pf.NumRowGroups() {
		if rows += pf.MetaData().RowGroup(g).NumRows(); rows < 0 || rows > maxRows*size {
			return fmt.Errorf("%d bytes cannot hold that many rows", size)
		}
	}
	for g := range pf.NumRowGroups() {
		rg := pf.MetaData().RowGroup(g)
		for i := range pf.MetaData().Schema.NumColumns() {
			c, err := rg.ColumnChunk(i)
			if err != nil {
				return err
			}
			start, length := c.DataPageOffset(), c.TotalCompressedSize()
			if c.HasDictionaryPage() && c.DictionaryPageOffset() > 0 {
				start = min(start, c.DictionaryPageOffset())
			}
			if start < 4 || length < 0 || start > size || length > size-start || c.NumValues() < 0 || rg.NumRows() < 0 {
				return fmt.Errorf("row group %d, column %s lies at %d with %d bytes, beyond the file of %d bytes",
					g, pf.MetaData().Schema.Column(i).Path(), start, length, size)
			}
		}
	}
	return nil
}

// wantedLeaves chooses the columns that the handler asks for. Typed statistics
// are read only where there are none as JSON; typed partition values never.
func wantedLeaves(pf *file.Reader, h *action.Handler) []int {
	s := pf.MetaData().Schema
	wanted := map[string]bool{
		"add": h.Add != nil, "remove": h.Remove != nil, "metaData": h.Metadata != nil, "protocol": h.Protocol != nil,
		"txn": h.Txn != nil, "domainMetadata": h.DomainMetadata != nil, "sidecar": h.Sidecar != nil,
		"checkpointMetadata": h.CheckpointMetadata != nil,
	}
	asJSON := hasStatsJSON(pf)
	var out []int
	for i := range s.NumColumns() {
		path := s.Column(i).ColumnPath()
		if !wanted[path[0]] {
			continue
		}
		if len(path) > 1 && (path[1] == "partitionValues_parsed" || path[1] == "stats_parsed" && asJSON) {
			continue
		}
		if (path[0] == "add" || path[0] == "remove") && allNull(pf, i) {
			continue // most optional fields of files, and all of the removes or adds of many a part
		}
		out = append(out, i)
	}
	return out
}

// groupsWith lists the row groups that may have values in some of the leaves.
func groupsWith(pf *file.Reader, leaves []int) (out []int) {
	for g := range pf.NumRowGroups() {
		if slices.ContainsFunc(leaves, func(leaf int) bool { return !nullIn(pf, g, leaf) }) {
			out = append(out, g)
		}
	}
	return out
}

// allNull reports whether a leaf column is known to hold nothing but nulls.
func allNull(pf *file.Reader, leaf int) bool {
	for g := range pf.NumRowGroups() {
		if !nullIn(pf, g, leaf) {
			return false
		}
	}
	return true
}

func nullIn(pf *file.Reader, group, leaf int) bool {
	c, err := pf.MetaData().RowGroup(group).ColumnChunk(leaf)
	if err != nil {
		return false
	}
	st, err := c.Statistics()
	return err == nil && st != nil && st.HasNullCount() && st.NullCount() >= c.NumValues()
}

// hasStatsJSON reports whether any add has statistics as JSON.
func hasStatsJSON(pf *file.Reader) bool {
	i := pf.MetaData().Schema.ColumnIndexByName("add.stats")
	return i >= 0 && !allNull(pf, i)
}

func fieldOf(a arrow.Array, name string) arrow.Array {
	s, ok := a.(structArray)
	if !ok {
		return nil
	}
	st, ok := a.DataType().(*arrow.StructType)
	if !ok {
		return nil
	}
	if i, ok := st.FieldIdx(name); ok {
		return s.Field(i)
	}
	return nil
}

type structArray interface {
	arrow.Array
	Field(i int) arrow.Array
}
