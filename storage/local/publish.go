package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sluicelake/sluice/storage"
)

// publish gives temp the name if no file has it, in one step, or returns
// fs.ErrExist. A hard link does that on nearly every file system; where there are
// no hard links the system's rename-unless-exists does. A file
// system with neither cannot hold a Delta log that two writers share, and is refused.
func publish(dir *os.Root, parent, temp, name string) error {
	err := dir.Link(temp, name)
	switch {
	case err == nil:
		// The name is what counts. A temporary name that stays is hidden, and
		// it costs no space of its own.
		dir.Remove(temp)
		return nil
	case errors.Is(err, fs.ErrExist):
		// A network file system may execute a request, lose the reply, execute it
		// again and report that the name exists. It is ours if it is our file.
		if ours(dir, temp, name) {
			dir.Remove(temp)
			return nil
		}
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(explain(err), storage.ErrNoSpace), errors.Is(explain(err), storage.ErrReadOnly):
		return err
	}
	err2 := renameExclusive(dir, parent, temp, name)
	if err2 == nil || errors.Is(err2, fs.ErrExist) {
		return err2
	}
	return fmt.Errorf("%w: this file system has neither hard links (%w) nor an exclusive rename (%w); keep tables elsewhere", storage.ErrUnsupported, err, err2)
}

func ours(dir *os.Root, temp, name string) bool {
	a, err1 := dir.Lstat(temp)
	b, err2 := dir.Lstat(name)
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}
