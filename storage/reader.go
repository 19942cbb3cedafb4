package storage

import (
	"context"
	"fmt"
	"io"
)

// ReaderAtCloser reads any part of one object.
type ReaderAtCloser interface {
	io.ReaderAt
	io.Closer
}

// RandomReader is what a Driver may add when it can read parts of an object
// without a request each (a file handle). size is the object's size when the
// caller knows it, otherwise negative.
type RandomReader interface {
	ReaderAt(ctx context.Context, key string, size int64) (io.ReaderAt, io.Closer, error)
}

// OpenReader opens an object for random reads. size is its size (from the log
// or a listing); a negative size is looked up. Reads end with ctx.
func (b *Bucket) OpenReader(ctx context.Context, key string, size int64) (ReaderAtCloser, error) {
	full, err := b.enter(ctx, "open", key)
	if err != nil {
		return nil, err
	}
	if r, ok := As[RandomReader](b.driver); ok {
		b.count.gets.Add(1)
		at, closer, err := r.ReaderAt(ctx, full, size)
		if err != nil {
			return nil, b.wrap("open", key, err)
		}
		return &handleReader{ctx: ctx, b: b, key: key, at: at, closer: closer}, nil
	}
	if size < 0 {
		obj, err := b.Stat(ctx, key)
		if err != nil {
			return nil, err
		}
		size = obj.Size
	}
	return &rangeReader{ctx: ctx, b: b, key: key, size: size}, nil
}

// handleReader counts and labels the reads of a driver's own handle.
type handleReader struct {
	ctx    context.Context
	b      *Bucket
	key    string
	at     io.ReaderAt
	closer io.Closer
}

func (r *handleReader) ReadAt(p []byte, offset int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, r.b.wrap("get-range", r.key, err)
	}
	n, err := r.at.ReadAt(p, offset)
	r.b.count.read.Add(int64(n))
	if err == io.EOF {
		return n, err
	}
	return n, r.b.wrap("get-range", r.key, err)
}

func (r *handleReader) Close() error { return r.b.wrap("close", r.key, r.closer.Close()) }

// rangeReader turns each read into one ranged request.
type rangeReader struct {
	ctx  context.Context
	b    *Bucket
	key  string
	size int64
}

func (r *rangeReader) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, r.b.wrap("get-range", r.key, fmt.Errorf("offset %d is negative", offset))
	}
	want := min(int64(len(p)), r.size-offset)
	if want <= 0 {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	data, err := r.b.GetRange(r.ctx, r.key, offset, want)
	n := copy(p, data)
	if err != nil {
		return n, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (r *rangeReader) Close() error { return nil }
