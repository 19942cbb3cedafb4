//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package local

import (
	"os"

	"github.com/sluicelake/sluice/storage"
)

const canLock = false

// tryLock does not exist here: folders cannot be locked.
func tryLock(*os.File) (bool, error) { return false, storage.ErrUnsupported }
