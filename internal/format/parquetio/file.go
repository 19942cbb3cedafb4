package parquetio

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// Error is a problem with one Parquet file.
type Error struct {
	File string
	Err  error
}

func (e *Error) Error() string { return "parquet file " + e.File + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// OpenOptions say how a file is read.
type OpenOptions struct {
	Name  string // for messages
	Whole int64  // a file of up to so many bytes is read with one request
	Tail  int64  // so many last bytes are read first, default 64 KiB
	Cheap bool   // requests cost little, so bytes are read piece by piece as they are decoded
}

// File is an open Parquet file: its footer, and where its bytes come from. It is
// safe for concurrent use when the source is.
type File struct {
	name string
	src  source
	md   *metadata.FileMetaData
	meta *fileMeta
}

// defaultTail holds the footer of most files, and often the page index.
const defaultTail = 64 << 10

// Open reads the footer of a file of the given size.
func Open(r io.ReaderAt, size int64, o OpenOptions) (f *File, err error) {
	f = &File{name: o.Name, src: source{r: r, size: size, cheap: o.Cheap}}
	defer f.guard(&err)
	if o.Tail <= 0 {
		o.Tail = defaultTail
	}
	tail := make([]byte, min(size, o.Tail))
	if size <= o.Whole {
		tail = make([]byte, size)
	}
	at := size - int64(len(tail))
	if err := readFull(r, tail, at); err != nil {
		return nil, f.wrap(err)
	}
	f.src.tail, f.src.at = tail, at
	n, err := footerLength(tail, size)
	if err != nil {
		return nil, f.wrap(err)
	}
	if n > maxFooter {
		return nil, f.wrap(fmt.Errorf("its footer claims %d bytes, at most %d are read", n, int64(maxFooter)))
	}
	footer, err := f.src.bytes(size-footerTail-n, size-footerTail)
	if err != nil {
		return nil, f.wrap(err)
	}
	if f.md, err = parseFooter(footer); err != nil {
		return nil, f.wrap(err)
	}
	f.md.SetSourceFileSize(size)
	if f.meta, err = readMeta(f.md, size); err != nil {
		return nil, f.wrap(err)
	}
	return f, nil
}

// Rows is the number of rows of the file.
func (f *File) Rows() int64 { return f.meta.rows }

// RowGroups is the number of row groups.
func (f *File) RowGroups() int { return len(f.meta.groups) }

func (f *File) wrap(err error) error {
	var mine *Error
	if err == nil || errors.As(err, &mine) {
		return err
	}
	return &Error{File: f.name, Err: err}
}

// guard turns a panic over damaged bytes into an error.
func (f *File) guard(err *error) {
	if p := recover(); p != nil {
		*err = &Error{File: f.name, Err: fmt.Errorf("damaged: %v", p)}
	}
}

// source is where the bytes of a file come from; its end is in memory.
type source struct {
	r    io.ReaderAt
	size int64
	tail []byte
	at   int64 // where the tail begins

	cheap bool
}

// bytes returns bytes [from, to), without a copy where they are in memory.
func (s *source) bytes(from, to int64) ([]byte, error) {
	if from >= s.at && to <= s.size {
		return s.tail[from-s.at : to-s.at : to-s.at], nil
	}
	b := make([]byte, to-from)
	return b, readFull(s.r, b, from)
}

func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return fmt.Errorf("it is truncated: %d bytes at offset %d are missing", len(b)-n, at+int64(n))
	}
	return err
}
