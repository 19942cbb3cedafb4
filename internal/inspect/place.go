package inspect

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

// Place is where a file lies: its key in a bucket, which is rooted at the table
// that the file belongs to as far as one is found.
type Place struct {
	Bucket *storage.Bucket
	Key    string
	Table  bool // the bucket is the root of a table
}

// climb is how many folders a data file may lie below the root of its table:
// partitions and random prefixes, one each.
const climb = 8

// Find opens the table that a file seems to belong to: the folder above
// _delta_log, or the nearest one that has a log. A file of no table lies in the
// bucket of its own folder. Buckets that are opened on the way are closed again.
func Find(ctx context.Context, location string, open func(ctx context.Context, location string) (*storage.Bucket, error)) (*Place, error) {
	dir, name, err := splitLocation(location)
	if err != nil {
		return nil, err
	}
	if above, below, ok := cutLog(dir + "/" + name); ok {
		b, err := open(ctx, folderAt(location, above))
		if err != nil {
			return nil, err
		}
		return &Place{Bucket: b, Key: unescaped(location, below), Table: true}, nil
	}
	key := name
	for at, n := dir, 0; n < climb && at != ""; n++ {
		b, err := open(ctx, folderAt(location, at))
		if err != nil {
			return nil, err
		}
		isTable, err := hasLog(ctx, b)
		if err != nil && n == 0 {
			return nil, errors.Join(err, b.Close())
		}
		if err == nil && isTable {
			return &Place{Bucket: b, Key: unescaped(location, key), Table: true}, nil
		}
		if err := b.Close(); err != nil {
			return nil, err
		}
		parent, base, ok := cutLastPart(at)
		if !ok {
			break
		}
		at, key = parent, base+"/"+key
	}
	b, err := open(ctx, folderAt(location, dir))
	if err != nil {
		return nil, err
	}
	return &Place{Bucket: b, Key: unescaped(location, name)}, nil
}

// splitLocation splits a path or URL into folder and name.
func splitLocation(location string) (dir, name string, err error) {
	text := location
	if storage.Scheme(location) != "" {
		text, _, _ = strings.Cut(location, "?")
	} else {
		text = filepath.ToSlash(filepath.Clean(location))
		if strings.HasSuffix(filepath.ToSlash(location), "/") {
			text += "/"
		}
	}
	dir, name, ok := cutLastPart(text)
	if !ok {
		dir, name = ".", text
	}
	if name == "" || name == "." || name == ".." {
		return "", "", errors.New(storage.Redact(location) + " names a folder: inspect takes one file of a table; 'sluice detail' and 'sluice fsck' take the table")
	}
	if dir == "" {
		dir = "/"
	}
	return dir, name, nil
}

// cutLastPart cuts the last segment off; not into the host of a URL.
func cutLastPart(text string) (dir, name string, ok bool) {
	i := strings.LastIndexByte(text, '/')
	if i < 0 || strings.HasSuffix(text[:i+1], "://") {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

// cutLog splits a location at the folder of a log.
func cutLog(text string) (above, below string, ok bool) {
	i := strings.LastIndex(text, "/"+deltalog.Dir+"/")
	if i < 0 {
		if strings.HasPrefix(text, deltalog.Dir+"/") {
			return ".", text, true
		}
		return "", "", false
	}
	if above = text[:i]; above == "" {
		above = "/"
	}
	return above, text[i+1:], true
}

// folderAt gives a folder the options in the query of the whole location.
func folderAt(location, dir string) string {
	if storage.Scheme(location) == "" {
		return filepath.FromSlash(dir)
	}
	if _, query, ok := strings.Cut(location, "?"); ok {
		return dir + "?" + query
	}
	return dir
}

// unescaped is the key that a part of a location names: those of URLs are escaped.
func unescaped(location, part string) string {
	if storage.Scheme(location) != "" {
		if p, err := url.PathUnescape(part); err == nil {
			return p
		}
	}
	return part
}

// hasLog reports whether a bucket is the root of a table.
func hasLog(ctx context.Context, b *storage.Bucket) (bool, error) {
	for f, err := range b.List(ctx, deltalog.Dir+"/", "") {
		if errors.Is(err, storage.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if deltalog.Classify(f).Kind != deltalog.Other {
			return true, nil
		}
	}
	return false, nil
}
