package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
)

// input is where bytes come from.
type input interface {
	// open starts at the beginning.
	open(ctx context.Context) (io.ReadCloser, error)
	// random gives random access and the size.
	random(ctx context.Context) (io.ReaderAt, int64, io.Closer, error)
	// again tells whether open may be called again.
	again() bool
}

var bom = []byte("\xEF\xBB\xBF")

// decompress recognises gzip, zstd and bzip2 by their first bytes.
func decompress(r io.ReadCloser) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	head, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		return nil, errors.Join(err, r.Close())
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return closers{z, []io.Closer{z, r}}, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return closers{z, []io.Closer{z.IOReadCloser(), r}}, nil
	case bytes.HasPrefix(head, []byte("BZh")):
		return closers{bzip2.NewReader(buffered), []io.Closer{r}}, nil
	}
	return closers{buffered, []io.Closer{r}}, nil
}

type closers struct {
	io.Reader
	list []io.Closer
}

func (c closers) Close() error {
	var errs []error
	for _, x := range c.list {
		errs = append(errs, x.Close())
	}
	return errors.Join(errs...)
}

// fileInput is a path or a URL.
type fileInput string

func (f fileInput) again() bool { return true }

func (f fileInput) open(ctx context.Context) (io.ReadCloser, error) {
	if s := storage.Scheme(string(f)); s == "" || s == "file" {
		file, err := f.file()
		if err != nil {
			return nil, err
		}
		return file, nil
	}
	at, size, closer, err := f.random(ctx)
	if err != nil {
		return nil, err
	}
	// Requests are large, reads of the parser are not.
	return closers{bufio.NewReaderSize(io.NewSectionReader(at, 0, size), 8<<20), []io.Closer{closer}}, nil
}

func (f fileInput) file() (*os.File, error) {
	name, err := local.Path(string(f))
	if err != nil {
		return nil, err
	}
	file, err := os.Open(name)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the name is told by who asked
		}
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return nil, errors.New("it is a directory, want a file")
	}
	return file, nil
}

func (f fileInput) random(ctx context.Context) (io.ReaderAt, int64, io.Closer, error) {
	if s := storage.Scheme(string(f)); s == "" || s == "file" {
		file, err := f.file()
		if err != nil {
			return nil, 0, nil, err
		}
		info, err := file.Stat()
		if err != nil {
			return nil, 0, nil, errors.Join(err, file.Close())
		}
		return file, info.Size(), file, nil
	}
	where, query, _ := strings.Cut(string(f), "?")
	i := strings.LastIndexByte(where, '/')
	dir, key := where[:i], where[i+1:]
	if plain, err := url.PathUnescape(key); err == nil {
		key = plain // keys are never escaped
	}
	if query != "" {
		dir += "?" + query
	}
	b, err := storage.Open(ctx, dir)
	if err != nil {
		return nil, 0, nil, err
	}
	obj, err := b.Stat(ctx, key)
	if err != nil {
		return nil, 0, nil, errors.Join(err, b.Close())
	}
	r, err := b.OpenReader(ctx, key, obj.Size)
	if err != nil {
		return nil, 0, nil, errors.Join(err, b.Close())
	}
	return r, obj.Size, closers{nil, []io.Closer{r, b}}, nil
}

// bytesInput is an input in memory.
type bytesInput []byte

func (b bytesInput) again() bool { return true }

func (b bytesInput) open(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (b bytesInput) random(context.Context) (io.ReaderAt, int64, io.Closer, error) {
	return bytes.NewReader(b), int64(len(b)), closers{}, nil
}

// streamInput is read once.
type streamInput struct {
	r    io.Reader
	used bool
}

func (s *streamInput) again() bool { return false }

func (s *streamInput) open(context.Context) (io.ReadCloser, error) {
	if s.used {
		return nil, errors.New("this source is a stream and has been read already")
	}
	s.used = true
	return io.NopCloser(s.r), nil
}

func (s *streamInput) random(context.Context) (io.ReaderAt, int64, io.Closer, error) {
	return nil, 0, nil, errors.New("a stream has no random access")
}
