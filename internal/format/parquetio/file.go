package parquetio

import (
	"errors"
	"fmt"
	"io"
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
}

// File is an open Parquet file: its footer, and where its bytes come from. It is
// safe for concurrent use when the source is.
type File struct {
	name string
	r    io.ReaderAt
	size int64
	meta *fileMeta
}

// tailBytes are read first: the footer of most files lies in them.
const tailBytes = 64 << 10

// Open reads the footer of a file of the given size.
func Open(r io.ReaderAt, size int64, o OpenOptions) (f *File, err error) {
	f = &File{name: o.Name, r: r, size: size}
	defer f.guard(&err)
	tail := make([]byte, min(size, max(tailBytes, 0)))
	if size <= o.Whole {
		tail = make([]byte, size)
	}
	at := size - int64(len(tail))
	if err := readFull(r, tail, at); err != nil {
		return nil, f.wrap(err)
	}
	n, err := footerLength(tail, size)
	if err != nil {
		return nil, f.wrap(err)
	}
	from := size - footerTail - n
	footer := tail[max(0, from-at):]
	if from < at {
		footer = make([]byte, size-from)
		if err := readFull(r, footer, from); err != nil {
			return nil, f.wrap(err)
		}
	}
	if f.meta, err = parseFooter(footer[:n]); err != nil {
		return nil, f.wrap(err)
	}
	if at == 0 {
		f.r = inMemory(tail)
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

// inMemory is a file that has been read whole.
type inMemory []byte

func (m inMemory) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 || at > int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(b, m[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
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
