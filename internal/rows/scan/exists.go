package scan

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/storage"
)

// Find is where a file that the log names lies.
func (s Source) Find(ctx context.Context, path string) (*storage.Bucket, string, error) {
	return s.locate(ctx, path)
}

// Stat asks the store whether the file of an add, and that of its deletion
// vector, are there; errors.Is(err, storage.ErrNotExist) says that one is not.
func (s Source) Stat(ctx context.Context, a *action.Add) error {
	b, key, err := s.locate(ctx, a.Path)
	if err == nil {
		_, err = b.Stat(ctx, key)
	}
	if err == nil && a.DeletionVector != nil {
		err = s.statVector(ctx, a.DeletionVector)
	}
	return s.fileError(a, err)
}

func (s Source) statVector(ctx context.Context, d *action.DeletionVector) error {
	loc, err := dv.Locate(d, s.Bucket.URL())
	b, key := s.Bucket, loc.Key
	var outside *dv.OutsideError
	switch {
	case errors.As(err, &outside):
		if b, key, err = s.outside(ctx, outside.Path); err != nil {
			return err
		}
	case err != nil:
		return err
	case loc.Inline != nil:
		return nil
	}
	_, err = b.Stat(ctx, key)
	return err
}
