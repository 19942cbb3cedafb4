package local

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// explain puts storage's meaning in front of an error of the operating system.
func explain(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{
		storage.ErrNotExist, storage.ErrExist, storage.ErrPermission, storage.ErrReadOnly,
		storage.ErrNoSpace, storage.ErrInvalidKey, storage.ErrUnsupported, storage.ErrOutcomeUnknown,
	} {
		if errors.Is(err, known) {
			return err
		}
	}
	kind := systemKind(err)
	switch {
	case kind != nil:
	case errors.Is(err, fs.ErrNotExist):
		kind = storage.ErrNotExist
	case errors.Is(err, fs.ErrExist):
		kind = storage.ErrExist
	case errors.Is(err, fs.ErrPermission):
		kind = storage.ErrPermission
	case errors.Is(err, fs.ErrInvalid):
		kind = storage.ErrInvalidKey
	case escapes(err):
		return fmt.Errorf("%w: it leads through a link out of the root: %w", storage.ErrInvalidKey, err)
	default:
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// escapes recognises the refusal of os.Root, which has no exported value.
func escapes(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && strings.Contains(p.Err.Error(), "escapes")
}
