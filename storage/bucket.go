package storage

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
)

// Bucket is a Driver as the rest of sluice sees it: keys are checked, errors
// carry operation and key (see Error), calls and bytes are counted. It is safe
// for concurrent use.
type Bucket struct {
	driver Driver
	prefix string // "" or ends in a slash
	url    string
	count  *counters
	owner  bool // Close closes the driver
}

// Counters are the calls and bytes of a bucket and its Sub buckets so far.
type Counters struct {
	Gets, Puts, Lists, Deletes, Stats int64
	BytesRead, BytesWritten           int64
}

type counters struct {
	gets, puts, lists, deletes, stats, read, written atomic.Int64
}

// NewBucket wraps a driver.
func NewBucket(d Driver) *Bucket {
	return &Bucket{driver: d, url: d.URL(), count: &counters{}, owner: true}
}

// URL is the canonical address of the bucket's root, without secrets.
func (b *Bucket) URL() string { return b.url }

// Driver is the store below, rooted where the bucket was opened (Sub does not
// change it).
func (b *Bucket) Driver() Driver { return b.driver }

// Sub is the part of the bucket whose keys begin with prefix + "/". It shares
// the counters; closing it does nothing. An invalid prefix shows itself as
// ErrInvalidKey on first use.
func (b *Bucket) Sub(prefix string) *Bucket {
	prefix = strings.TrimSuffix(prefix, "/")
	if prefix == "" {
		return &Bucket{driver: b.driver, prefix: b.prefix, url: b.url, count: b.count}
	}
	return &Bucket{
		driver: b.driver, prefix: b.prefix + prefix + "/",
		url: strings.TrimSuffix(b.url, "/") + "/" + escapePath(prefix), count: b.count,
	}
}

// Meter is what a Driver may add when not each call to it is a request: a cache.
type Meter interface {
	Requests() Counters
}

// Stats reads the counters.
func (b *Bucket) Stats() Counters {
	if m, ok := meter(b.driver); ok {
		return m.Requests()
	}
	c := b.count
	return Counters{
		Gets: c.gets.Load(), Puts: c.puts.Load(), Lists: c.lists.Load(), Deletes: c.deletes.Load(),
		Stats: c.stats.Load(), BytesRead: c.read.Load(), BytesWritten: c.written.Load(),
	}
}

// Close frees the driver.
func (b *Bucket) Close() error {
	if !b.owner {
		return nil
	}
	return b.wrap("close", "", b.driver.Close())
}

// Get reads a whole object; ErrNotExist when there is none.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, Object, error) {
	full, err := b.enter(ctx, "get", key)
	if err != nil {
		return nil, Object{}, err
	}
	b.count.gets.Add(1)
	data, obj, err := b.driver.Get(ctx, full)
	b.count.read.Add(int64(len(data)))
	obj.Key = key
	return data, obj, b.wrap("get", key, err)
}

// GetRange reads length bytes from offset. It returns fewer, or none, only
// when the object ends before.
func (b *Bucket) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	full, err := b.enter(ctx, "get-range", key)
	if err != nil {
		return nil, err
	}
	if offset < 0 || length < 0 {
		return nil, b.wrap("get-range", key, fmt.Errorf("offset %d, length %d: a range cannot be negative", offset, length))
	}
	b.count.gets.Add(1)
	data, err := b.driver.GetRange(ctx, full, offset, length)
	b.count.read.Add(int64(len(data)))
	return data, b.wrap("get-range", key, err)
}

// PutIfAbsent creates an object, atomically and durably. ErrExist: another
// writer has the key. ErrOutcomeUnknown: the store cannot tell whether this
// write happened; read the key back.
func (b *Bucket) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	full, err := b.enter(ctx, "put-if-absent", key)
	if err != nil {
		return err
	}
	b.count.puts.Add(1)
	err = b.driver.PutIfAbsent(ctx, full, data)
	if err == nil {
		b.count.written.Add(int64(len(data)))
	}
	return b.wrap("put-if-absent", key, err)
}

// HintPutter is what a Driver may add when it can create an object faster if
// the object need not survive a loss of power.
type HintPutter interface {
	PutHint(ctx context.Context, key string, data []byte) error
}

// PutHint is PutIfAbsent for an object that only spares readers work: where the
// store makes a difference, it may be lost or empty after a loss of power.
func (b *Bucket) PutHint(ctx context.Context, key string, data []byte) error {
	h, ok := b.driver.(HintPutter)
	if !ok {
		return b.PutIfAbsent(ctx, key, data)
	}
	full, err := b.enter(ctx, "put-if-absent", key)
	if err != nil {
		return err
	}
	b.count.puts.Add(1)
	if err = h.PutHint(ctx, full, data); err == nil {
		b.count.written.Add(int64(len(data)))
	}
	return b.wrap("put-if-absent", key, err)
}

// Put creates or replaces an object atomically.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) error {
	full, err := b.enter(ctx, "put", key)
	if err != nil {
		return err
	}
	b.count.puts.Add(1)
	err = b.driver.Put(ctx, full, data)
	if err == nil {
		b.count.written.Add(int64(len(data)))
	}
	return b.wrap("put", key, err)
}

// Create streams a new object; it appears at Commit, whole.
func (b *Bucket) Create(ctx context.Context, key string) (Writer, error) {
	full, err := b.enter(ctx, "create", key)
	if err != nil {
		return nil, err
	}
	b.count.puts.Add(1)
	w, err := b.driver.Create(ctx, full)
	if err != nil {
		return nil, b.wrap("create", key, err)
	}
	return &bucketWriter{b: b, key: key, w: w}, nil
}

// List yields the objects whose key starts with prefix and is greater than
// startAfter, in byte order of keys, at any depth. An error is yielded once, last.
func (b *Bucket) List(ctx context.Context, prefix, startAfter string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Object{}, b.wrap("list", prefix, err))
			return
		}
		if err := checkPrefix(b.prefix + prefix); err != nil {
			yield(Object{}, b.wrap("list", prefix, err))
			return
		}
		b.count.lists.Add(1)
		after := ""
		if startAfter != "" {
			after = b.prefix + startAfter
		}
		for obj, err := range b.driver.List(ctx, b.prefix+prefix, after) {
			if err != nil {
				yield(Object{}, b.wrap("list", prefix, err))
				return
			}
			obj.Key = strings.TrimPrefix(obj.Key, b.prefix)
			if !yield(obj, nil) {
				return
			}
		}
	}
}

// Delete removes an object; a missing one is not an error.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	full, err := b.enter(ctx, "delete", key)
	if err != nil {
		return err
	}
	b.count.deletes.Add(1)
	return b.wrap("delete", key, b.driver.Delete(ctx, full))
}

// Stat describes an object without reading it; ErrNotExist when there is none.
func (b *Bucket) Stat(ctx context.Context, key string) (Object, error) {
	full, err := b.enter(ctx, "stat", key)
	if err != nil {
		return Object{}, err
	}
	b.count.stats.Add(1)
	obj, err := b.driver.Stat(ctx, full)
	obj.Key = key
	return obj, b.wrap("stat", key, err)
}

// enter checks what every call has in common and gives the driver's key.
func (b *Bucket) enter(ctx context.Context, op, key string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", b.wrap(op, key, err)
	}
	if b.prefix == "" {
		return key, b.wrap(op, key, CheckKey(key))
	}
	if err := CheckKey(key); err != nil {
		return "", b.wrap(op, key, err)
	}
	full := b.prefix + key
	return full, b.wrap(op, key, CheckKey(full))
}

func (b *Bucket) wrap(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Key: key, URL: b.url, Err: err}
}

type bucketWriter struct {
	b   *Bucket
	key string
	w   Writer
}

var _ io.Writer = (*bucketWriter)(nil)

func (w *bucketWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.b.count.written.Add(int64(n))
	return n, w.b.wrap("write", w.key, err)
}

func (w *bucketWriter) Commit() error { return w.b.wrap("commit", w.key, w.w.Commit()) }
func (w *bucketWriter) Abort() error  { return w.b.wrap("abort", w.key, w.w.Abort()) }
