//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package local

import (
	"fmt"
	"os"
	"syscall"

	"github.com/sluicelake/sluice/storage"
)

const canLock = true

// tryLock is flock(2) that does not wait.
func tryLock(f *os.File) (bool, error) {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
		case nil:
			return true, nil
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return false, nil
		default:
			return false, fmt.Errorf("%w: flock: %w", storage.ErrUnsupported, err)
		}
	}
}
