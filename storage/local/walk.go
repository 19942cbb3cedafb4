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

var _ storage.Walker = (*Store)(nil)

// Walk yields all names below a directory, temporary files and directories too,
// without looking at any of them. Links are not followed.
func (s *Store) Walk(ctx context.Context, dir string, enter func(key string) bool) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		root, err := s.open()
		if err == nil && s.moved(root) {
			root, err = s.open()
		}
		if err == nil {
			_, err = walkAll(ctx, root, dir, enter, yield)
		}
		if err = explain(err); err != nil && !errors.Is(err, storage.ErrNotExist) {
			yield(storage.Entry{}, err)
		}
	}
}

func walkAll(ctx context.Context, root *os.Root, dir string, enter func(string) bool, yield func(storage.Entry, error) bool) (more bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	f, err := openDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // removed meanwhile
	}
	if err != nil {
		return false, err
	}
	list, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return false, err
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, d := range list {
		e := storage.Entry{Key: path.Join(dir, d.Name())}
		switch t := d.Type(); {
		case t.IsDir():
			e.Kind = storage.EntryDirectory
		case t&fs.ModeSymlink != 0:
			e.Kind = storage.EntryLink
		case !t.IsRegular():
			continue
		case isTemp(d.Name()):
			e.Kind = storage.EntryTemporary
		}
		if !yield(e, nil) {
			return false, nil
		}
		if e.Kind == storage.EntryDirectory && enter(e.Key) {
			if more, err := walkAll(ctx, root, e.Key, enter, yield); !more || err != nil {
				return more, err
			}
		}
	}
	return true, nil
}

// openDir opens a directory that is no link and not reached through one.
func openDir(root *os.Root, dir string) (*os.File, error) {
	if dir == "" {
		dir = "."
	}
	info, err := root.Lstat(filepath.FromSlash(dir))
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fs.ErrNotExist
	}
	return root.Open(filepath.FromSlash(dir))
}

// Look describes an entry; of a link, the link itself.
func (s *Store) Look(ctx context.Context, key string) (obj storage.Object, err error) {
	err = s.entry(ctx, key, func(root *os.Root, name string) error {
		info, err := root.Lstat(name)
		if err == nil {
			obj = storage.Object{Key: key, Size: info.Size(), ModTime: info.ModTime()}
		}
		return err
	})
	return obj, err
}

// Remove takes away a file, a link, a temporary file or an empty directory. What is
// reached through a link has another name, and stays.
func (s *Store) Remove(ctx context.Context, key string) (done bool, err error) {
	err = s.entry(ctx, key, func(root *os.Root, name string) error {
		if through, err := throughLink(root, name); through || err != nil {
			return err
		}
		err := root.Remove(name)
		done = err == nil
		if err != nil {
			if info, err2 := root.Lstat(name); err2 == nil && info.IsDir() && holds(root, name) {
				return nil
			}
		}
		return err
	})
	if errors.Is(err, storage.ErrNotExist) {
		return false, nil
	}
	return done, err
}

// throughLink reports whether a directory on the way to a name is a link.
func throughLink(root *os.Root, name string) (bool, error) {
	for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
		info, err := root.Lstat(dir)
		if err != nil {
			if escapes(err) {
				return true, nil // through a link that leads out
			}
			return false, err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return true, nil
		}
	}
	return false, nil
}

// holds reports whether a directory has something in it.
func holds(root *os.Root, name string) bool {
	d, err := root.Open(name)
	if err != nil {
		return false
	}
	defer d.Close()
	list, _ := d.ReadDir(1)
	return len(list) > 0
}

// entry runs f on a name that may be one of a temporary file.
func (s *Store) entry(ctx context.Context, key string, f func(root *os.Root, name string) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name := filepath.FromSlash(key)
	if !filepath.IsLocal(name) {
		_, err := fileName(key)
		return err
	}
	root, err := s.open()
	if err != nil {
		return err
	}
	return explain(f(root, name))
}
