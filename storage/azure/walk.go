package azure

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// Lake is a Store on the dfs endpoint, where directories are real and a writer that
// was stopped leaves a temporary file behind.
type Lake struct{ *Store }

var _ storage.Walker = (*Lake)(nil)

// Walk lists all that lies below a directory, described. One listing goes through
// the whole of it; a directory that is not entered is passed over.
func (s *Lake) Walk(ctx context.Context, dir string, enter func(key string) bool) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		l := listing{prefix: s.root, all: true}
		if dir != "" {
			l.prefix += dir + "/"
		}
		closed := "" // the directory that is not entered
		for e, err := range s.entries(ctx, l) {
			if err != nil {
				if !errors.Is(err, storage.ErrNotExist) {
					yield(storage.Entry{}, err)
				}
				return
			}
			if closed != "" && strings.HasPrefix(e.path, closed) {
				continue
			}
			key := e.path[len(s.root):]
			out := storage.Entry{Key: key, Seen: &storage.Object{Key: key, Size: e.size, ModTime: e.mod}}
			switch {
			case e.dir:
				out.Kind = storage.EntryDirectory
			case temporary(e.path):
				out.Kind = storage.EntryTemporary
			}
			if !yield(out, nil) {
				return
			}
			if closed = ""; e.dir && !enter(key) {
				closed = e.path + "/"
			}
		}
	}
}

// Look describes a file, a temporary file or a directory.
func (s *Lake) Look(ctx context.Context, key string) (obj storage.Object, err error) {
	err = s.entry(ctx, key, func(ctx context.Context, d *dfs) error {
		h, err := d.do(ctx, request{method: http.MethodHead, path: s.root + key}, http.StatusOK)
		if err != nil {
			return err
		}
		obj = storage.Object{Key: key, ModTime: modified(h.Get("Last-Modified"))}
		if !isDirectory(h) {
			obj.Size, err = strconv.ParseInt(h.Get("Content-Length"), 10, 64)
		}
		return err
	})
	return obj, err
}

// Remove takes away a file, a temporary file or an empty directory.
func (s *Lake) Remove(ctx context.Context, key string) (bool, error) {
	err := s.entry(ctx, key, func(ctx context.Context, d *dfs) error { return d.remove(ctx, s.root+key) })
	if errors.Is(err, storage.ErrNotExist) || isCode(err, "DirectoryNotEmpty", "DirectoryIsNotEmpty") {
		return false, nil
	}
	return err == nil, err
}

// entry sends a request about a name that may be one of a temporary file.
func (s *Lake) entry(ctx context.Context, key string, send func(ctx context.Context, d *dfs) error) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	return s.repeat(ctx, func(ctx context.Context, c *connection) error {
		d, ok := c.door.(*dfs)
		if !ok {
			return storage.ErrUnsupported
		}
		return send(ctx, d)
	})
}
