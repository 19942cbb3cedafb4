package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// apiVersion is the version of the REST interface that is spoken; it is the first
// that lists from a position.
const apiVersion = "2026-02-06"

// dfs is the endpoint of accounts with a hierarchical namespace, by its REST interface
// ("Azure Data Lake Storage REST API", Path and Filesystem operations).
type dfs struct {
	s    *Store
	conn *connection
	pipe runtime.Pipeline
	root string // URL of the container
	sas  string
	flat flatness
}

func newDFS(s *Store, conn *connection, a access) *dfs {
	return &dfs{s: s, conn: conn, pipe: a.pipeline(s.client.HTTP), root: s.set.base + "/" + s.set.address.container, sas: a.sas}
}

// request is one call. Its body can be sent again by the caller only.
type request struct {
	method, path string
	query        url.Values
	header       map[string]string
	body         []byte
}

// send gives the answer to a request when its status is one of want, and its error otherwise.
func (d *dfs) send(ctx context.Context, r request, want ...int) (*http.Response, error) {
	u := d.root
	if r.path != "" {
		u += "/" + escape(r.path)
	}
	query := r.query.Encode()
	if d.sas != "" {
		query = strings.TrimPrefix(query+"&"+d.sas, "&")
	}
	if query != "" {
		u += "?" + query
	}
	req, err := runtime.NewRequest(ctx, r.method, u)
	if err != nil {
		return nil, remote.NotSent(bare(err))
	}
	runtime.SkipBodyDownload(req)
	req.Raw().Header.Set("x-ms-version", apiVersion)
	for k, v := range r.header {
		req.Raw().Header.Set(k, v)
	}
	if r.body != nil {
		if err := setBody(req, r.body); err != nil {
			return nil, remote.NotSent(err)
		}
	}
	resp, err := d.pipe.Do(req)
	if err != nil {
		return nil, err
	}
	if !runtime.HasStatusCode(resp, want...) {
		err := runtime.NewResponseError(resp)
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// do is send for answers without a body that matters.
func (d *dfs) do(ctx context.Context, r request, want ...int) (http.Header, error) {
	resp, err := d.send(ctx, r, want...)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection can be used again
	resp.Body.Close()
	return resp.Header, nil
}

func setBody(req *policy.Request, data []byte) error {
	return req.SetBody(body(data), "application/octet-stream")
}

// escape writes a path for a URL; its slashes stay.
func escape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

func (d *dfs) read(ctx context.Context, path string, offset, length int64) ([]byte, storage.Object, error) {
	r := request{method: http.MethodGet, path: path}
	if length != whole {
		r.header = map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", offset, offset+min(length, 1<<62-offset)-1)}
	}
	resp, err := d.send(ctx, r, http.StatusOK, http.StatusPartialContent)
	if err != nil {
		return nil, storage.Object{}, err
	}
	if isDirectory(resp.Header) {
		resp.Body.Close()
		return nil, storage.Object{}, storage.ErrNotExist
	}
	data, err := readBody(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, storage.Object{}, err
	}
	return data, storage.Object{Size: int64(len(data)), ModTime: modified(resp.Header.Get("Last-Modified"))}, nil
}

func isDirectory(h http.Header) bool {
	return strings.EqualFold(h.Get("x-ms-resource-type"), "directory")
}

func modified(text string) time.Time {
	t, _ := http.ParseTime(text)
	return t
}

func (d *dfs) stat(ctx context.Context, path string) (storage.Object, error) {
	h, err := d.do(ctx, request{method: http.MethodHead, path: path}, http.StatusOK)
	if err != nil {
		return storage.Object{}, err
	}
	if isDirectory(h) {
		return storage.Object{}, storage.ErrNotExist
	}
	size, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil {
		return storage.Object{}, fmt.Errorf("the answer does not say the size: Content-Length %q", h.Get("Content-Length"))
	}
	return storage.Object{Size: size, ModTime: modified(h.Get("Last-Modified"))}, nil
}

func (d *dfs) remove(ctx context.Context, path string) error {
	_, err := d.do(ctx, request{method: http.MethodDelete, path: path, query: url.Values{"recursive": {"false"}}}, http.StatusOK, http.StatusAccepted)
	return err
}

// pathList is the answer of Path List.
type pathList struct {
	Paths []struct {
		Name          string `json:"name"`
		IsDirectory   text   `json:"isDirectory"`
		ContentLength text   `json:"contentLength"`
		LastModified  string `json:"lastModified"`
	} `json:"paths"`
}

// text is a JSON value that comes with quotes or without.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(strings.Trim(string(b), `"`))
	return nil
}

func (d *dfs) page(ctx context.Context, l listing, token string) ([]entry, string, error) {
	q := url.Values{"resource": {"filesystem"}, "recursive": {"true"}, "maxResults": {"5000"}}
	if dir := strings.TrimSuffix(l.dir(), "/"); dir != "" {
		q.Set("directory", dir)
	}
	if from := l.from(l.prefix); from != "" {
		q.Set("beginFrom", from[len(l.dir()):])
	}
	if token != "" {
		q.Set("continuation", token)
	}
	resp, err := d.send(ctx, request{method: http.MethodGet, query: q}, http.StatusOK)
	if err != nil {
		return nil, "", err
	}
	data, err := readBody(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, "", err
	}
	var list pathList
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, "", fmt.Errorf("the answer to a listing is not its JSON: %w", err)
	}
	var out []entry
	for _, p := range list.Paths {
		dir := p.IsDirectory == "true"
		if dir && !l.all {
			continue
		}
		size, err := strconv.ParseInt(string(p.ContentLength), 10, 64)
		if err != nil && p.ContentLength != "" {
			return nil, "", fmt.Errorf("the answer to a listing gives %s the size %q", p.Name, p.ContentLength)
		}
		out = append(out, entry{path: p.Name, size: size, mod: modified(p.LastModified), dir: dir})
	}
	return out, resp.Header.Get("x-ms-continuation"), nil
}
