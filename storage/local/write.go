package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sluicelake/sluice/storage"
)

// PutIfAbsent writes a hidden file and links it to its name: the link fails
// if the name exists. When only the last step (making the name durable) fails, the
// outcome is unknown: the name is there, but might not survive a loss of power.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return s.put(ctx, key, data, exclusive, s.sync)
}

// PutHint is PutIfAbsent that may be lost, or be empty, after a loss of power.
func (s *Store) PutHint(ctx context.Context, key string, data []byte) error {
	return s.put(ctx, key, data, exclusive, false)
}

// Put writes a hidden file and renames it over its name.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.put(ctx, key, data, replace, s.sync)
}

func (s *Store) put(ctx context.Context, key string, data []byte, how naming, sync bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := s.temp(key, how)
	if err != nil {
		return err
	}
	defer t.close()
	t.sync = sync
	if _, err := t.file.Write(data); err != nil {
		return errors.Join(explain(err), t.discard())
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(err, t.discard())
	}
	return t.finish()
}

// Create streams into a hidden file, which Commit renames to its name.
func (s *Store) Create(ctx context.Context, key string) (storage.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, err := s.temp(key, replace)
	if err != nil {
		return nil, err
	}
	return &writer{ctx: ctx, t: t}, nil
}

type writer struct {
	ctx  context.Context
	t    *temp
	done bool
}

var errEnded = errors.New("the writer has been committed or aborted")

func (w *writer) Write(p []byte) (int, error) {
	if w.done {
		return 0, errEnded
	}
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.t.file.Write(p)
	return n, explain(err)
}

func (w *writer) Commit() error {
	if w.done {
		return errEnded
	}
	w.done = true
	defer w.t.close()
	if err := w.ctx.Err(); err != nil {
		return errors.Join(err, w.t.discard())
	}
	return w.t.finish()
}

func (w *writer) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	defer w.t.close()
	return w.t.discard()
}

// naming is how a temporary file gets its name.
type naming int

const (
	replace   naming = iota // over whatever has the name
	exclusive               // only if nothing has it
)

// temp is a hidden file beside the name it is meant for.
type temp struct {
	s    *Store
	how  naming
	full string // absolute path of the name, for systems whose calls need one
	dir  *os.Root
	file *os.File
	tmp  string
	name string
	sync bool // make it durable
}

// temp makes the directory if need be and a temporary file in it. An exclusive
// name that is already taken is found out here, before any bytes are
// written; that is only the quick answer, publish decides.
func (s *Store) temp(key string, how naming) (*temp, error) {
	path, err := fileName(key)
	if err != nil {
		return nil, err
	}
	t := &temp{s: s, sync: s.sync, how: how, full: filepath.Join(s.path, path), tmp: tempName(), name: filepath.Base(path)}
	// The directory may vanish between finding and using it when somebody
	// removes the table; then it is made again.
	for tries := 0; ; tries++ {
		t.dir, err = s.directory(filepath.Dir(path))
		if err != nil {
			return nil, explain(err)
		}
		if how == exclusive {
			if _, err := t.dir.Lstat(t.name); err == nil {
				t.dir.Close()
				return nil, storage.ErrExist
			}
		}
		t.file, err = t.dir.OpenFile(t.tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return t, nil
		}
		t.dir.Close()
		if tries == 2 || !errors.Is(err, fs.ErrNotExist) {
			return nil, explain(err)
		}
		if root, err := s.open(); err == nil {
			s.moved(root)
		}
	}
}

// directory opens a directory below the root, and makes it (durably) when it is missing.
func (s *Store) directory(name string) (*os.Root, error) {
	root, err := s.open()
	if errors.Is(err, storage.ErrNotExist) {
		if err := s.makeRoot(s.path); err != nil {
			return nil, err
		}
		root, err = s.open()
	}
	if err != nil {
		return nil, err
	}
	dir, err := root.OpenRoot(name)
	if err == nil {
		return dir, nil
	}
	if info, err2 := root.Stat(name); err2 == nil && !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is a file, so nothing can be below it", storage.ErrInvalidKey, filepath.ToSlash(name))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if s.moved(root) {
		return s.directory(name)
	}
	if err := s.makeDirs(root, name); err != nil {
		return nil, err
	}
	return root.OpenRoot(name)
}

// makeRoot makes an absolute directory and its missing parents.
func (s *Store) makeRoot(path string) error {
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%w: %s is not a directory", storage.ErrInvalidKey, path)
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := s.makeRoot(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !s.sync {
		return nil
	}
	d, err := os.Open(parent)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncDir(d)
}

// makeDirs makes a directory below the root and its missing parents.
func (s *Store) makeDirs(root *os.Root, name string) error {
	parent := filepath.Dir(name)
	err := root.Mkdir(name, 0o777)
	if errors.Is(err, fs.ErrNotExist) && parent != name {
		if err = s.makeDirs(root, parent); err != nil {
			return err
		}
		err = root.Mkdir(name, 0o777)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !s.sync {
		return nil
	}
	return syncAt(root, parent)
}

func syncAt(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncDir(d)
}

// finish makes the file durable, gives it its name, and makes the name durable.
func (t *temp) finish() error {
	var err error
	if t.sync {
		err = t.file.Sync()
	}
	if err2 := t.file.Close(); err == nil {
		err = err2
	}
	t.file = nil
	if err != nil {
		return errors.Join(explain(err), t.discard())
	}
	if t.how == exclusive {
		err = publish(t.dir, filepath.Dir(t.full), t.tmp, t.name)
	} else {
		err = t.dir.Rename(t.tmp, t.name)
	}
	if err != nil {
		return errors.Join(explain(err), t.discard())
	}
	if t.sync {
		if err := syncAt(t.dir, "."); err != nil {
			return fmt.Errorf("%w: the file has its name, but the directory could not be made durable: %w", storage.ErrOutcomeUnknown, err)
		}
	}
	return nil
}

// discard removes the temporary file. Its failure is not worth hiding the
// reason why the write ended, so it is only reported beside that.
func (t *temp) discard() error {
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
	if err := t.dir.Remove(t.tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("and its temporary file remains: %w", err)
	}
	return nil
}

func (t *temp) close() { t.dir.Close() }
