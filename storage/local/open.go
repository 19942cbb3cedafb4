package local

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

func init() {
	storage.Register("", open)
	storage.Register("file", open)
}

// open opens a path or a file URL. The option sync=false (in the URL's query
// or from the caller) is WithoutSync.
func open(_ context.Context, location string, cfg storage.Config) (storage.Driver, error) {
	if err := cfg.Only("sync"); err != nil {
		return nil, err
	}
	durable, err := cfg.Bool("sync", true)
	if err != nil {
		return nil, err
	}
	path, err := Path(location)
	if err != nil {
		return nil, err
	}
	var opts []Option
	if !durable {
		opts = append(opts, WithoutSync())
	}
	return New(path, opts...)
}

// Path turns a location into a path of this system: a path as it is, a file
// URL (file:///a/b, file://localhost/a/b, file:/a/b, file:///C:/a) decoded.
func Path(location string) (string, error) { return pathFor(runtime.GOOS, location) }

func pathFor(goos, location string) (string, error) {
	if storage.Scheme(location) == "" {
		return location, nil
	}
	u, err := url.Parse(location)
	if err != nil {
		return "", err
	}
	path := u.Path
	if u.Opaque != "" {
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return "", err
		}
	}
	windows := goos == "windows"
	switch {
	case path == "":
		return "", errors.New("the URL has no path")
	case u.Host != "" && u.Host != "localhost":
		if !windows {
			return "", fmt.Errorf("the URL names the host %s; a local file has none: write file:///%s%s", u.Host, u.Host, u.Path)
		}
		return `\\` + u.Host + strings.ReplaceAll(path, "/", `\`), nil
	case windows && len(path) >= 3 && path[0] == '/' && path[2] == ':':
		path = path[1:]
	}
	if windows {
		path = strings.ReplaceAll(path, "/", `\`)
	}
	return path, nil
}

// fileURL is the inverse for an absolute path.
func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if strings.HasPrefix(path, "//") { // \\server\share
		return "file:" + (&url.URL{Path: path}).EscapedPath()
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath()
}
