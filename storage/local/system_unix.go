//go:build unix

package local

import (
	"errors"
	"os"
	"syscall"

	"github.com/sluicelake/sluice/storage"
)

// openFlags keeps the opening of a named pipe from blocking.
const openFlags = syscall.O_NONBLOCK

// systemKind names the errors for which package fs has no value.
func systemKind(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return storage.ErrNoSpace
	case errors.Is(err, syscall.EROFS):
		return storage.ErrReadOnly
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EILSEQ):
		return storage.ErrInvalidKey
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return storage.ErrNotExist
	}
	return nil
}

// syncDir makes the names in a directory durable. Some file systems (network,
// FUSE) do not know the request; they have nothing to be asked for then.
func syncDir(d *os.File) error {
	err := d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}
