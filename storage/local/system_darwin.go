package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// renameExclusive is renameatx_np(2) with RENAME_EXCL.
func renameExclusive(dir *os.Root, _, temp, name string) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	fd := int(d.Fd())
	if err := unix.RenameatxNp(fd, temp, fd, name, unix.RENAME_EXCL); err != nil {
		return &os.LinkError{Op: "renameatx_np", Old: temp, New: name, Err: err}
	}
	return nil
}
