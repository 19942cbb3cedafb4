package scan

import (
	"context"
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// Source is the table that files belong to.
type Source struct {
	Bucket  *storage.Bucket // the table's root
	Columns *feature.Columns
	// Outside resolves the address of a file that does not lie below the root
	// (shallow clones have such files). Nil, and address.ErrNotAllowed, refuse it
	// with a *PathError: the log is untrusted input.
	Outside func(ctx context.Context, url string) (*storage.Bucket, string, error)

	turns turns // of the scan under way
}

// SourceOf reads the files of a snapshot.
func SourceOf(s *snapshot.Snapshot) Source {
	src := Source{Bucket: s.Bucket(), Columns: s.Columns()}
	if allowed := s.Env().Outside; allowed != nil {
		src.Outside = allowed.Find
	}
	return src
}

// PathError refuses the path of a file in the log.
type PathError struct {
	Path  string // as in the log
	Table string
	Why   string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("the log of %s names the file %q, which %s", e.Table, short(e.Path), e.Why)
}

// short cuts a path that is longer than any store allows.
func short(path string) string {
	const most = 2000
	if len(path) > most {
		return path[:most] + "..."
	}
	return path
}

// FileError is a data file that cannot be read.
type FileError struct {
	Path  string // as in the log
	Table string
	Err   error
}

func (e *FileError) Error() string {
	if errors.Is(e.Err, storage.ErrNotExist) {
		return fmt.Sprintf("data file %s of table %s is missing, though the log lists it: it was removed by VACUUM, by a retention rule of the store, or by hand", short(e.Path), e.Table)
	}
	cause := e.Err
	var p *parquetio.Error
	if errors.As(e.Err, &p) {
		cause = p.Err // which would name the file once more
	}
	return fmt.Sprintf("data file %s of table %s cannot be read: %v", short(e.Path), e.Table, cause)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// locate finds where a path of the log leads (PROTOCOL.md, Add File and Remove
// File: a relative path from the root of the table, or an absolute one, URI-encoded).
func (s Source) locate(ctx context.Context, path string) (*storage.Bucket, string, error) {
	rest := address.Decode(path)
	if address.Absolute(path) {
		var inside bool
		if rest, inside = address.Below(path, s.Bucket.URL()); !inside {
			return s.outside(ctx, path)
		}
	}
	key, ok := address.Key(rest)
	if !ok {
		return nil, "", &PathError{path, s.Bucket.URL(), "leads out of the table's folder; such files are not read"}
	}
	return s.Bucket, key, nil
}

// vectors is where the table's deletion vectors are read.
func (s Source) vectors() dv.Source {
	return dv.Source{Bucket: s.Bucket, Root: s.Bucket.URL(),
		Open: func(ctx context.Context, path string) (dv.Reader, string, error) { return s.outside(ctx, path) }}
}

// Vector reads a deletion vector of a file of the table.
func (s Source) Vector(ctx context.Context, a *action.Add, d *action.DeletionVector) (*roaring64.Bitmap, error) {
	rows, err := s.vectors().Load(ctx, d)
	return rows, s.fileError(a, err)
}

func (s Source) fileError(a *action.Add, err error) error {
	var p *PathError
	var f *FileError
	if err == nil || errors.As(err, &p) || errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var e *eval.Error
	if errors.As(err, &e) { // the file is well: an expression has no value for one of its rows
		return fmt.Errorf("a row of data file %s of table %s: %w", short(a.Path), s.Bucket.URL(), e)
	}
	return &FileError{a.Path, s.Bucket.URL(), err}
}
