package local

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// List walks the directories that can hold keys of the answer, in byte order of
// keys. Temporary files are left out. A link to a file is an object; a
// link to a directory is not walked into, so a loop of links cannot hang it.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		root, err := s.open()
		if err == nil && s.moved(root) {
			root, err = s.open()
		}
		if err == nil {
			dir := ""
			if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
				dir = prefix[:i+1]
			}
			w := walk{ctx, root, prefix, startAfter, yield}
			_, err = w.dir(dir)
		}
		if err = explain(err); err != nil && !errors.Is(err, storage.ErrNotExist) {
			yield(storage.Object{}, err)
		}
	}
}

type walk struct {
	ctx           context.Context
	root          *os.Root
	prefix, after string
	yield         func(storage.Object, error) bool
}

// entry is a directory entry under the key by which it sorts: a directory's
// ends in a slash, as the keys below it continue.
type entry struct {
	key  string
	kind fs.FileMode
}

// dir walks one directory (its key ends in a slash, or is "" for the root); more is
// false when the consumer has had enough.
func (w *walk) dir(key string) (more bool, err error) {
	if err := w.ctx.Err(); err != nil {
		return false, err
	}
	here := w.root
	if key != "" {
		name, err := fileName(strings.TrimSuffix(key, "/"))
		if err != nil {
			return false, err
		}
		if here, err = w.root.OpenRoot(name); err != nil {
			if errors.Is(explain(err), storage.ErrNotExist) {
				return true, nil
			}
			if info, err := w.root.Stat(name); err == nil && !info.IsDir() {
				return true, nil
			}
			return false, err
		}
		defer here.Close()
	}
	entries, err := w.entries(here, key)
	if err != nil {
		return false, err
	}
	for i, e := range entries {
		if i%256 == 0 && w.ctx.Err() != nil {
			return false, w.ctx.Err()
		}
		if e.kind.IsDir() {
			more, err = w.dir(e.key)
		} else {
			more, err = w.file(here, e)
		}
		if !more || err != nil {
			return more, err
		}
	}
	return true, nil
}

// entries reads a directory and keeps what can matter, sorted by key.
func (w *walk) entries(here *os.Root, key string) ([]entry, error) {
	f, err := here.Open(".")
	if err != nil {
		return nil, err
	}
	list, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(list))
	for _, d := range list {
		e := entry{key + d.Name(), d.Type()}
		if d.IsDir() {
			e.key += "/"
			below := strings.HasPrefix(e.key, w.prefix) || strings.HasPrefix(w.prefix, e.key)
			if !below || (e.key < w.after && !strings.HasPrefix(w.after, e.key)) {
				continue
			}
		} else if isTemp(d.Name()) || !strings.HasPrefix(e.key, w.prefix) || (w.after != "" && e.key <= w.after) {
			continue
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return entries, nil
}

// file yields one object unless it has gone or is none.
func (w *walk) file(here *os.Root, e entry) (more bool, err error) {
	info, err := here.Lstat(path.Base(e.key))
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		target, err2 := w.root.Stat(filepath.FromSlash(e.key))
		switch {
		case err2 == nil:
			info = target
		case escapes(err2): // listed as it is: reading it says what is wrong
		default:
			err = err2
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
		return true, nil
	}
	return w.yield(storage.Object{Key: e.key, Size: info.Size(), ModTime: info.ModTime()}, nil), nil
}
