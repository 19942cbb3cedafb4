package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// renameExclusive is renameat2(2) with RENAME_NOREPLACE.
func renameExclusive(dir *os.Root, _, temp, name string) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	fd := int(d.Fd())
	if err := unix.Renameat2(fd, temp, fd, name, unix.RENAME_NOREPLACE); err != nil {
		return &os.LinkError{Op: "renameat2", Old: temp, New: name, Err: err}
	}
	return nil
}
