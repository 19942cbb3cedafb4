package memory

import (
	"context"
	"io"
	"iter"
	"net/url"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// place is the part of a Store below a path.
type place struct {
	s    *Store
	path string // ends in a slash
}

func (p *place) URL() string {
	return p.s.url + "/" + (&url.URL{Path: strings.TrimSuffix(p.path, "/")}).EscapedPath()
}
func (p *place) Close() error { return nil }

func (p *place) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	data, o, err := p.s.Get(ctx, p.path+key)
	o.Key = key
	return data, o, err
}

func (p *place) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	return p.s.GetRange(ctx, p.path+key, offset, length)
}

func (p *place) ReaderAt(ctx context.Context, key string, size int64) (io.ReaderAt, io.Closer, error) {
	return p.s.ReaderAt(ctx, p.path+key, size)
}

func (p *place) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return p.s.PutIfAbsent(ctx, p.path+key, data)
}

func (p *place) Put(ctx context.Context, key string, data []byte) error {
	return p.s.Put(ctx, p.path+key, data)
}

func (p *place) Create(ctx context.Context, key string) (storage.Writer, error) {
	return p.s.Create(ctx, p.path+key)
}

func (p *place) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	if startAfter != "" {
		startAfter = p.path + startAfter
	}
	return func(yield func(storage.Object, error) bool) {
		for o, err := range p.s.List(ctx, p.path+prefix, startAfter) {
			o.Key = strings.TrimPrefix(o.Key, p.path)
			if !yield(o, err) {
				return
			}
		}
	}
}

func (p *place) Delete(ctx context.Context, key string) error { return p.s.Delete(ctx, p.path+key) }

func (p *place) Stat(ctx context.Context, key string) (storage.Object, error) {
	o, err := p.s.Stat(ctx, p.path+key)
	o.Key = key
	return o, err
}
