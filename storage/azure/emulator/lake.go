package emulator

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Lake is the dfs endpoint of one storage account with one container.
type Lake struct {
	// PageSize is how many paths an answer to a listing has at most; 0 is 5,000.
	PageSize int
	// Flat says that the account has no hierarchical namespace.
	Flat bool

	container string
	allows    func(*http.Request) bool
	tree      tree

	mu    sync.Mutex
	calls map[string]int
}

// NewLake makes an empty container. allows decides about each request.
func NewLake(container string, allows func(*http.Request) bool) *Lake {
	return &Lake{container: container, allows: allows, calls: map[string]int{}}
}

// Calls are how often each operation was asked for.
func (l *Lake) Calls() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int{}
	for k, v := range l.calls {
		out[k] = v
	}
	return out
}

func (l *Lake) count(op string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[op]++
}

// ServeHTTP answers one request.
func (l *Lake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-ms-request-id", randomText()[:16])
	w.Header().Set("x-ms-version", r.Header.Get("x-ms-version"))
	if !l.allows(r) {
		deny(w, r, &fault{http.StatusForbidden, "AuthorizationFailure"})
		return
	}
	container, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	path = strings.TrimSuffix(path, "/")
	q := r.URL.Query()
	var f *fault
	switch {
	case container != l.container:
		f = &fault{http.StatusNotFound, "FilesystemNotFound"}
	case path == "" && q.Get("resource") == "filesystem" && r.Method == http.MethodGet:
		f = l.list(w, q)
	case path == "" && q.Get("resource") == "filesystem" && r.Method == http.MethodHead:
		l.count("filesystem")
		w.Header().Set("x-ms-namespace-enabled", strconv.FormatBool(!l.Flat))
	case path == "":
		f = &fault{http.StatusBadRequest, "InvalidResourceName"}
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		f = l.read(w, r, path)
	case r.Method == http.MethodDelete:
		l.count("delete")
		f = l.tree.remove(path, q.Get("recursive") == "true")
	case r.Method == http.MethodPut && r.Header.Get("x-ms-rename-source") != "":
		f = l.rename(w, r, path)
	case r.Method == http.MethodPut && (q.Get("resource") == "file" || q.Get("resource") == "directory"):
		l.count("create")
		if f = l.tree.create(path, q.Get("resource") == "directory", r.Header.Get("If-None-Match") == "*"); f == nil {
			w.WriteHeader(http.StatusCreated)
		}
	case r.Method == http.MethodPatch:
		f = l.update(w, r, path, q)
	default:
		f = &fault{http.StatusBadRequest, "UnsupportedHttpVerb"}
	}
	if f != nil {
		deny(w, r, f)
	}
}

func deny(w http.ResponseWriter, r *http.Request, f *fault) {
	w.Header().Set("x-ms-error-code", f.code)
	if r.Method == http.MethodHead {
		w.WriteHeader(f.status)
		return
	}
	reply(w, f.status, failure(f.code, f.text()))
}

func (l *Lake) rename(w http.ResponseWriter, r *http.Request, to string) *fault {
	l.count("rename")
	source, _, _ := strings.Cut(r.Header.Get("x-ms-rename-source"), "?")
	source, err := url.PathUnescape(strings.TrimPrefix(source, "/"))
	container, from, _ := strings.Cut(source, "/")
	if err != nil || container != l.container {
		return &fault{http.StatusBadRequest, "InvalidRenameSourcePath"}
	}
	if f := l.tree.rename(from, to, r.Header.Get("If-None-Match") == "*"); f != nil {
		return f
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (l *Lake) update(w http.ResponseWriter, r *http.Request, path string, q url.Values) *fault {
	position, err := strconv.ParseInt(q.Get("position"), 10, 64)
	if err != nil || position < 0 {
		return &fault{http.StatusBadRequest, "InvalidQueryParameterValue"}
	}
	data, err := io.ReadAll(r.Body)
	if err != nil || (r.ContentLength >= 0 && int64(len(data)) != r.ContentLength) {
		return &fault{http.StatusBadRequest, "IncompleteBody"}
	}
	l.count(q.Get("action"))
	switch q.Get("action") {
	case "append":
		if f := l.tree.append(path, position, data, q.Get("flush") == "true"); f != nil {
			return f
		}
		w.WriteHeader(http.StatusAccepted)
	case "flush":
		if len(data) > 0 {
			return &fault{http.StatusBadRequest, "ContentLengthMustBeZero"}
		}
		return l.tree.flush(path, position)
	default:
		return &fault{http.StatusBadRequest, "InvalidQueryParameterValue"}
	}
	return nil
}

func (l *Lake) read(w http.ResponseWriter, r *http.Request, path string) *fault {
	n, f := l.tree.get(path)
	if f != nil {
		return f
	}
	l.count("read")
	h := w.Header()
	h.Set("Last-Modified", n.mod.UTC().Format(http.TimeFormat))
	h.Set("x-ms-resource-type", "file")
	if n.dir {
		h.Set("x-ms-resource-type", "directory")
	}
	size, status := int64(len(n.data)), http.StatusOK
	data := n.data
	if header := r.Header.Get("Range"); header != "" && r.Method == http.MethodGet {
		var first, last int64
		if k, err := fmt.Sscanf(header, "bytes=%d-%d", &first, &last); k != 2 || err != nil || first > last {
			return &fault{http.StatusBadRequest, "InvalidHeaderValue"}
		}
		if first >= size {
			return errRange
		}
		last = min(last, size-1)
		data, status = data[first:last+1], http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, size))
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_, _ = w.Write(data)
	}
	return nil
}

func (l *Lake) list(w http.ResponseWriter, q url.Values) *fault {
	l.count("list")
	n, err := strconv.Atoi(q.Get("maxResults"))
	if err != nil || n > 5000 {
		n = 5000
	}
	if l.PageSize > 0 {
		n = min(n, l.PageSize)
	}
	dir, from := strings.Trim(q.Get("directory"), "/"), q.Get("beginFrom")
	if from != "" && dir != "" {
		from = dir + "/" + from
	}
	if token := q.Get("continuation"); token != "" {
		text, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			return &fault{http.StatusBadRequest, "InvalidQueryParameterValue"}
		}
		from = string(text)
	}
	nodes, next, f := l.tree.list(dir, from, q.Get("recursive") == "true", n)
	if f != nil {
		return f
	}
	if next != "" {
		w.Header().Set("x-ms-continuation", base64.StdEncoding.EncodeToString([]byte(next)))
	}
	paths := []map[string]string{}
	for _, x := range nodes {
		p := map[string]string{"name": x.path, "contentLength": strconv.Itoa(len(x.data)), "lastModified": x.mod.UTC().Format(http.TimeFormat)}
		if x.dir {
			p["isDirectory"] = "true"
		}
		paths = append(paths, p)
	}
	reply(w, http.StatusOK, map[string]any{"paths": paths})
	return nil
}
