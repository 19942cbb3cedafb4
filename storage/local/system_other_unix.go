//go:build unix && !linux && !darwin

package local

import (
	"errors"
	"os"
)

// renameExclusive does not exist here.
func renameExclusive(*os.Root, string, string, string) error {
	return errors.New("not offered by this operating system")
}
