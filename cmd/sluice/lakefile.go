package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/storage"
)

// lakeRead is how much one request for a source on a lake asks for.
const lakeRead = 4 << 20

// fromFile reads a source by path, or by URL from a store that the options of the
// command line reach. What comes from a store is kept in a temporary file,
// since statements read their source more than once.
func (a *app) fromFile(ctx context.Context, file string, o sluice.SourceOptions) (sluice.Source, error) {
	if s := storage.Scheme(file); s == "" || s == "file" {
		return sluice.FromFile(ctx, file, o)
	}
	o.Name = storage.Redact(file)
	place, query, signed := strings.Cut(file, "?")
	dir, name := path.Split(strings.TrimPrefix(place, storage.Scheme(file)+"://"))
	name, err := url.PathUnescape(name)
	if err != nil || name == "" || dir == "" {
		return nil, fmt.Errorf("%s: the URL names no file", o.Name)
	}
	place = storage.Scheme(file) + "://" + strings.TrimSuffix(dir, "/")
	if signed {
		place += "?" + query
	}
	b, err := a.bucket(ctx, place)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	copied, err := a.fetch(ctx, b, name)
	if err != nil {
		return nil, err
	}
	return sluice.FromFile(ctx, copied, o)
}

// fetch copies an object into a temporary file of the same kind, which goes when
// the program ends.
func (a *app) fetch(ctx context.Context, b *storage.Bucket, name string) (string, error) {
	from, err := b.OpenReader(ctx, name, -1)
	if err != nil {
		return "", err
	}
	defer from.Close()
	_, kind, _ := strings.Cut(path.Base(name), ".")
	to, err := os.CreateTemp("", "sluice-source-*."+kind)
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	a.temp = append(a.temp, to.Name())
	a.mu.Unlock()
	// The wrapper hides what would make CopyBuffer choose smaller reads.
	_, err = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{io.NewSectionReader(from, 0, 1<<62)}, make([]byte, lakeRead))
	return to.Name(), errors.Join(err, to.Close())
}

// removeTemporary removes what fetch made.
func (a *app) removeTemporary() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.temp {
		_ = os.Remove(f) // the system's own folder; nothing to do about it
	}
	a.temp = nil
}
