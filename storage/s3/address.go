package s3

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// address is where a location points: a path in a bucket.
type address struct {
	scheme string
	bucket string
	path   string // without slashes at its ends; "" is the whole bucket
}

func parseAddress(location string) (address, error) {
	scheme, rest, ok := strings.Cut(location, "://")
	if !ok {
		return address{}, errors.New("want a URL such as s3://BUCKET/PATH")
	}
	bucket, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(bucket, '@'); i >= 0 {
		return address{}, errors.New("the URL holds credentials: give them by the options access-key and secret-key")
	}
	if bucket == "" {
		return address{}, errors.New("the URL names no bucket: write s3://BUCKET/PATH")
	}
	if strings.Contains(path, "#") {
		return address{}, errors.New("the URL has a fragment: write %23 for a # in the path")
	}
	path, err := url.PathUnescape(strings.Trim(path, "/"))
	if err != nil {
		return address{}, errors.New("the path of the URL cannot be read; special characters are written as %XX, % itself as %25")
	}
	if path != "" {
		if err := storage.CheckKey(path); err != nil {
			return address{}, fmt.Errorf("the path of the URL: %w", err)
		}
	}
	return address{scheme: strings.ToLower(scheme), bucket: bucket, path: path}, nil
}

// url is the canonical form, in the scheme in which it was given.
func (a address) url() string {
	s := a.scheme + "://" + a.bucket
	if a.path != "" {
		s += "/" + (&url.URL{Path: a.path}).EscapedPath()
	}
	return s
}

// root is what keys are put behind.
func (a address) root() string {
	if a.path == "" {
		return ""
	}
	return a.path + "/"
}

// hadoopPath is the address as Hadoop's Path prints it, which names the table in
// DynamoDB: nothing is escaped, and the root of a bucket has a slash.
func (a address) hadoopPath(scheme, below string) string {
	path := strings.Trim(a.root()+below, "/")
	return scheme + "://" + a.bucket + "/" + path
}
