package scan

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
)

// howToAllow ends the refusal of a file that may be meant to lie elsewhere.
const howToAllow = "; if this is meant to be (a shallow clone, a table that was moved), allow its place with --allow-outside PREFIX, " +
	"or PREFIX=DIR where it lies elsewhere now (the options WithOutside and WithMoved of the library)"

// outside finds an absolute address that does not begin with the table's. The
// table itself may have been opened through a link.
func (s Source) outside(ctx context.Context, path string) (*storage.Bucket, string, error) {
	if root, ok := s.realPath(""); ok {
		if rest, ok := address.Below(path, escaped(root)); ok {
			if key, ok := address.Key(rest); ok {
				return s.Bucket, key, nil
			}
		}
	}
	if s.Outside != nil {
		b, key, err := s.Outside(ctx, path)
		if !errors.Is(err, address.ErrNotAllowed) {
			return b, key, err
		}
	}
	return nil, "", &PathError{path, s.Bucket.URL(), "lies outside of the table's folder; such files are not read" + howToAllow}
}

// behindLink finds a file of the table that is a link out of its folder, or lies
// in one: the store follows no such link, so what it leads to needs to be allowed
// like any other address outside.
func (s Source) behindLink(ctx context.Context, path, key string, cause error) (*storage.Bucket, string, error) {
	if !errors.Is(cause, storage.ErrInvalidKey) {
		return nil, "", cause
	}
	target, ok := s.realPath(key)
	if !ok {
		return nil, "", cause
	}
	if s.Outside != nil {
		b, key, err := s.Outside(ctx, escaped(target))
		if !errors.Is(err, address.ErrNotAllowed) {
			return b, key, err
		}
	}
	return nil, "", &PathError{path, s.Bucket.URL(), "leads through a link to " + target + ", outside of the table's folder; such files are not read" + howToAllow}
}

// realPath is where a key of a table on a local disk leads when links are followed.
func (s Source) realPath(key string) (string, bool) {
	if storage.Scheme(s.Bucket.URL()) != "file" {
		return "", false
	}
	root, err := local.Path(s.Bucket.URL())
	if err != nil {
		return "", false
	}
	p, err := filepath.EvalSymlinks(filepath.Join(root, filepath.FromSlash(key)))
	return p, err == nil
}

func escaped(path string) string { return (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() }
