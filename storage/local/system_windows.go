package local

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"

	"github.com/sluicelake/sluice/storage"
)

const openFlags = 0

// systemKind names the errors for which package fs has no value.
func systemKind(err error) error {
	switch {
	case errors.Is(err, windows.ERROR_DISK_FULL), errors.Is(err, windows.ERROR_HANDLE_DISK_FULL), errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED):
		return storage.ErrNoSpace
	case errors.Is(err, windows.ERROR_WRITE_PROTECT):
		return storage.ErrReadOnly
	case errors.Is(err, windows.ERROR_INVALID_NAME), errors.Is(err, windows.ERROR_FILENAME_EXCED_RANGE):
		return storage.ErrInvalidKey
	}
	return nil
}

// syncDir has nothing to do: NTFS journals names, and directories cannot be flushed.
func syncDir(*os.File) error { return nil }

// renameExclusive is MoveFileEx without MOVEFILE_REPLACE_EXISTING.
func renameExclusive(_ *os.Root, parent, temp, name string) error {
	from, err := windows.UTF16PtrFromString(filepath.Join(parent, temp))
	if err != nil {
		return err
	}
	to, err := windows.UTF16PtrFromString(filepath.Join(parent, name))
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(from, to, windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "MoveFileEx", Old: temp, New: name, Err: err}
	}
	return nil
}
