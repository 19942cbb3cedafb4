package scan

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// Source is the table that files belong to.
type Source struct {
	Bucket  *storage.Bucket // the table's root
	Columns *feature.Columns
	// Outside resolves the address of a file that does not lie below the root
	// (shallow clones have such files). Nil refuses them with a *PathError: the
	// log is untrusted input.
	Outside func(ctx context.Context, url string) (*storage.Bucket, string, error)
}

// SourceOf reads the files of a snapshot.
func SourceOf(s *snapshot.Snapshot) Source {
	return Source{Bucket: s.Bucket(), Columns: s.Columns()}
}

// PathError refuses the path of a file in the log.
type PathError struct {
	Path  string // as in the log
	Table string
	Why   string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("the log of %s names the file %q, which %s", e.Table, e.Path, e.Why)
}

// FileError is a data file that cannot be read.
type FileError struct {
	Path  string // as in the log
	Table string
	Err   error
}

func (e *FileError) Error() string {
	if errors.Is(e.Err, storage.ErrNotExist) {
		return fmt.Sprintf("data file %s of table %s is missing, though the log lists it: it was removed by VACUUM, by a retention rule of the store, or by hand", e.Path, e.Table)
	}
	cause := e.Err
	var p *parquetio.Error
	if errors.As(e.Err, &p) {
		cause = p.Err // which would name the file once more
	}
	return fmt.Sprintf("data file %s of table %s cannot be read: %v", e.Path, e.Table, cause)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// locate finds where a path of the log leads (PROTOCOL.md, Add File and Remove
// File: a relative path from the root of the table, or an absolute one, URI-encoded).
func (s Source) locate(ctx context.Context, path string) (*storage.Bucket, string, error) {
	if !strings.HasPrefix(path, "/") && !hasScheme(path) {
		key, err := s.key(path, unescape(path))
		return s.Bucket, key, err
	}
	if rest, ok := below(path, s.Bucket.URL()); ok {
		key, err := s.key(path, unescape(rest))
		return s.Bucket, key, err
	}
	if s.Outside == nil {
		return nil, "", &PathError{path, s.Bucket.URL(), "lies outside of the table's folder; such files are not read"}
	}
	return s.Outside(ctx, path)
}

// key checks a decoded relative path.
func (s Source) key(path, key string) (string, error) {
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsRune(part, 0) {
			return "", &PathError{path, s.Bucket.URL(), "leads out of the table's folder; such files are not read"}
		}
	}
	return key, nil
}

// hasScheme reports whether a path starts with a URI scheme. A relative path may
// hold a colon only behind a slash or in a partition folder.
func hasScheme(path string) bool {
	scheme, _, ok := strings.Cut(path, ":")
	if !ok || scheme == "" || len(scheme) < 2 {
		return false
	}
	for i, c := range scheme {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return true
}

// unescape decodes percent escapes; text that has none that are valid is itself.
func unescape(path string) string {
	if p, err := url.PathUnescape(path); err == nil {
		return p
	}
	return path
}

// below cuts the root of the table off an absolute path. file:/a, file:///a and
// /a are one place.
func below(path, root string) (string, bool) {
	p, r := plain(path), strings.TrimSuffix(plain(root), "/")
	for _, prefix := range []string{r, plain((&url.URL{Path: r}).EscapedPath())} {
		if rest, ok := strings.CutPrefix(p, prefix+"/"); ok {
			return rest, true
		}
	}
	return "", false
}

func plain(u string) string {
	rest, ok := strings.CutPrefix(u, "file:")
	if !ok {
		return u
	}
	return "/" + strings.TrimLeft(strings.TrimPrefix(rest, "//localhost"), "/")
}

// vectors is where the table's deletion vectors are read.
func (s Source) vectors() dv.Source {
	v := dv.Source{Bucket: s.Bucket, Root: s.Bucket.URL()}
	if s.Outside != nil {
		v.Open = func(ctx context.Context, url string) (dv.Reader, string, error) { return s.Outside(ctx, url) }
	}
	return v
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
	return &FileError{a.Path, s.Bucket.URL(), err}
}
