// Package local is a store in a directory of this machine: every object is a
// file below the root, and no key and no symbolic link leads out of it.
//
// An object appears whole or not at all. It is written to a hidden temporary
// file, made durable, and then linked (PutIfAbsent: exactly one writer wins,
// between processes too) or renamed (Put, Create) to its name.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/sluicelake/sluice/storage"
)

// Store is a storage.Driver over one directory. The directory need not exist
// until something is written.
type Store struct {
	path string // absolute
	sync bool

	mu   sync.RWMutex
	root *os.Root // nil until the directory has been opened
	shut bool

	turns   sync.Once // the file system has been asked about turns
	noTurns bool
}

// Option changes a new Store.
type Option func(*Store)

// WithoutSync leaves durability to the operating system: a write survives the
// end of the process, not the loss of power. Everything else stays true.
func WithoutSync() Option { return func(s *Store) { s.sync = false } }

// New makes a store of a directory, which may not exist yet. A relative path
// is taken from the current directory now.
func New(dir string, opts ...Option) (*Store, error) {
	if dir == "" {
		return nil, errors.New("the directory's name is empty")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{path: abs, sync: true}
	for _, o := range opts {
		o(s)
	}
	return s, nil
}

// URL is the file URL of the directory.
func (s *Store) URL() string { return fileURL(s.path) }

// Path is the absolute path of the directory.
func (s *Store) Path() string { return s.path }

// Close releases the directory.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	if s.root == nil {
		return nil
	}
	err := s.root.Close()
	s.root = nil
	return err
}

var errClosed = errors.New("the store is closed")

// open returns the root directory's handle; storage.ErrNotExist when there is
// no such directory.
func (s *Store) open() (*os.Root, error) {
	s.mu.RLock()
	root, shut := s.root, s.shut
	s.mu.RUnlock()
	if root != nil {
		return root, nil
	}
	if shut {
		return nil, errClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return nil, errClosed
	}
	if s.root != nil {
		return s.root, nil
	}
	root, err := os.OpenRoot(s.path)
	if info, bad := os.Stat(s.path); err != nil && bad == nil && !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is a file, not a folder", storage.ErrNotExist, s.path)
	}
	if err != nil {
		return nil, explain(err)
	}
	s.root = root
	return root, nil
}

// moved tells whether the directory was removed or replaced behind the handle
// (a table dropped and made again); if so the next open looks again.
func (s *Store) moved(old *os.Root) bool {
	now, err := os.Stat(s.path)
	if err == nil {
		if held, err := old.Stat("."); err == nil && os.SameFile(held, now) {
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root == old {
		s.root = nil // not closed: other calls may be using it; the collector does that
	}
	return true
}

// with runs f on the root, once more if the directory turns out to have moved.
func (s *Store) with(ctx context.Context, key string, f func(root *os.Root, name string) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name, err := fileName(key)
	if err != nil {
		return err
	}
	for again := true; ; again = false {
		root, err := s.open()
		if err == nil {
			err = explain(f(root, name))
			if again && errors.Is(err, storage.ErrNotExist) && s.moved(root) {
				continue
			}
		}
		return err
	}
}

// Get reads a whole file.
func (s *Store) Get(ctx context.Context, key string) (data []byte, obj storage.Object, err error) {
	err = s.with(ctx, key, func(root *os.Root, name string) error {
		f, info, err := openFile(root, name)
		if err != nil {
			return err
		}
		defer f.Close()
		obj = storage.Object{Key: key, Size: info.Size(), ModTime: info.ModTime()}
		data = make([]byte, info.Size())
		n, err := io.ReadFull(f, data)
		if err == io.ErrUnexpectedEOF || err == io.EOF {
			err = nil
		}
		data = data[:n]
		return err
	})
	if err != nil {
		return nil, storage.Object{}, err
	}
	return data, obj, nil
}

// GetRange reads a part of a file.
func (s *Store) GetRange(ctx context.Context, key string, offset, length int64) (data []byte, err error) {
	err = s.with(ctx, key, func(root *os.Root, name string) error {
		f, info, err := openFile(root, name)
		if err != nil {
			return err
		}
		defer f.Close()
		data = make([]byte, max(0, min(length, info.Size()-offset)))
		n, err := f.ReadAt(data, offset)
		if err == io.EOF {
			err = nil
		}
		data = data[:n]
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// ReaderAt opens a file for random reads.
func (s *Store) ReaderAt(ctx context.Context, key string, _ int64) (at io.ReaderAt, closer io.Closer, err error) {
	err = s.with(ctx, key, func(root *os.Root, name string) error {
		f, _, err := openFile(root, name)
		at, closer = f, f
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return at, closer, nil
}

// Stat describes a file.
func (s *Store) Stat(ctx context.Context, key string) (obj storage.Object, err error) {
	err = s.with(ctx, key, func(root *os.Root, name string) error {
		info, err := root.Stat(name)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return notObject(name)
		}
		obj = storage.Object{Key: key, Size: info.Size(), ModTime: info.ModTime()}
		return nil
	})
	return obj, err
}

// Delete removes a file; directories stay.
func (s *Store) Delete(ctx context.Context, key string) error {
	err := s.with(ctx, key, func(root *os.Root, name string) error {
		info, err := root.Lstat(name)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return nil
		}
		return root.Remove(name)
	})
	if errors.Is(err, storage.ErrNotExist) {
		return nil
	}
	return err
}

// openFile opens a regular file. Directories are not objects.
func openFile(root *os.Root, name string) (*os.File, os.FileInfo, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notObject(name)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func notObject(name string) error {
	return fmt.Errorf("%w: %s is not a regular file", storage.ErrNotExist, name)
}
