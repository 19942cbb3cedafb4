package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// Store is a place in a bucket.
type Store struct {
	set    settings
	client *remote.Client

	mu     sync.Mutex
	tokens oauth2.TokenSource
	who    string // the credential, for people
}

// URL is the address of the place.
func (s *Store) URL() string {
	u := "gs://" + s.set.bucket
	if s.set.path != "" {
		u += "/" + (&url.URL{Path: s.set.path}).EscapedPath()
	}
	return u
}

// Close frees connections.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

func (s *Store) root() string {
	if s.set.path == "" {
		return ""
	}
	return s.set.path + "/"
}

// object is the address of an object's resource; key names are one segment, escaped.
func (s *Store) object(key string) string {
	return s.set.endpoint + "/storage/v1/b/" + url.PathEscape(s.set.bucket) + "/o/" + url.PathEscape(s.root()+key)
}

// resource is what the API says about an object.
type resource struct {
	Name    string    `json:"name"`
	Size    string    `json:"size"`
	Updated time.Time `json:"updated"`
}

func (r resource) object(key string) (storage.Object, error) {
	size, err := strconv.ParseInt(r.Size, 10, 64)
	if err != nil {
		return storage.Object{}, fmt.Errorf("the store gives the size %q", r.Size)
	}
	return storage.Object{Key: key, Size: size, ModTime: r.Updated.Truncate(time.Second)}, nil
}

// Get reads a whole object.
func (s *Store) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	data, h, err := s.repeat(ctx, request{method: http.MethodGet, url: s.object(key), query: url.Values{"alt": {"media"}}})
	if err != nil {
		return nil, storage.Object{}, err
	}
	obj := storage.Object{Size: int64(len(data))}
	if obj.ModTime, err = http.ParseTime(h.Get("Last-Modified")); err != nil {
		described, err := s.Stat(ctx, key)
		if err != nil {
			return nil, obj, err
		}
		obj.ModTime = described.ModTime
	}
	return data, obj, nil
}

// GetRange reads a part of an object.
func (s *Store) GetRange(ctx context.Context, key string, offset, count int64) ([]byte, error) {
	if count == 0 {
		_, err := s.Stat(ctx, key)
		return nil, err
	}
	last := offset + min(count, 1<<62-offset) - 1
	data, h, err := s.repeat(ctx, request{method: http.MethodGet, url: s.object(key), query: url.Values{"alt": {"media"}},
		header: map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", offset, last)}, ok: []int{http.StatusPartialContent}})
	if isStatus(err, http.StatusRequestedRangeNotSatisfiable) {
		return nil, nil // behind the end
	}
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(h.Get(statusHeader), "206") { // the store sent all of it
		data = data[min(offset, int64(len(data))):]
	}
	return data[:min(count, int64(len(data)))], nil
}

// Stat describes an object.
func (s *Store) Stat(ctx context.Context, key string) (storage.Object, error) {
	data, _, err := s.repeat(ctx, request{method: http.MethodGet, url: s.object(key), query: url.Values{"fields": {"name,size,updated"}}})
	if err != nil {
		return storage.Object{}, err
	}
	var r resource
	if err := json.Unmarshal(data, &r); err != nil {
		return storage.Object{}, fmt.Errorf("the store's description of the object is no JSON: %w", err)
	}
	return r.object(key)
}

func (s *Store) putRequest(key string, data []byte) request {
	return request{method: http.MethodPost, url: s.set.endpoint + "/upload/storage/v1/b/" + url.PathEscape(s.set.bucket) + "/o",
		query: url.Values{"uploadType": {"media"}, "name": {s.root() + key}}, header: map[string]string{"Content-Type": "application/octet-stream"}, body: data}
}

// Put creates or replaces an object.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	_, _, err := s.repeat(ctx, s.putRequest(key, data))
	return err
}

// PutIfAbsent creates an object by one conditional request.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	r := s.putRequest(key, data)
	r.query.Set("ifGenerationMatch", "0")
	return s.client.Policy.Once(ctx, func(ctx context.Context) error {
		_, _, err := s.do(ctx, r)
		if isStatus(err, http.StatusPreconditionFailed) {
			return storage.ErrExist
		}
		return err
	})
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	_, _, err := s.repeat(ctx, request{method: http.MethodDelete, url: s.object(key), query: url.Values{}, ok: []int{http.StatusNoContent}})
	if errors.Is(err, storage.ErrNotExist) {
		return nil
	}
	return err
}

// List reads page after page; a page that fails is asked for again. The service
// lists in byte order of names.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		root := s.root()
		q := url.Values{"prefix": {root + prefix}, "fields": {"nextPageToken,items(name,size,updated)"}}
		if startAfter != "" {
			q.Set("startOffset", root+startAfter)
		}
		last := ""
		for {
			data, _, err := s.repeat(ctx, request{method: http.MethodGet, url: s.set.endpoint + "/storage/v1/b/" + url.PathEscape(s.set.bucket) + "/o", query: q})
			var page struct {
				Items []resource `json:"items"`
				Next  string     `json:"nextPageToken"`
			}
			if err == nil {
				err = json.Unmarshal(data, &page)
			}
			if err != nil {
				yield(storage.Object{}, err)
				return
			}
			for _, r := range page.Items {
				if last != "" && r.Name <= last {
					yield(storage.Object{}, fmt.Errorf("%w: the store lists %q behind %q, not in byte order", storage.ErrUnsupported, r.Name, last))
					return
				}
				last = r.Name
				key, inside := strings.CutPrefix(r.Name, root)
				// Names with a slash behind them stand for folders, for people.
				if !inside || key == "" || strings.HasSuffix(key, "/") || key <= startAfter || !strings.HasPrefix(key, prefix) {
					continue
				}
				obj, err := r.object(key)
				if !yield(obj, err) || err != nil {
					return
				}
			}
			if page.Next == "" {
				return
			}
			q.Set("pageToken", page.Next)
		}
	}
}

// Describe says how the store is reached.
func (s *Store) Describe() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := map[string]string{"store": "Google Cloud Storage", "endpoint": s.set.endpoint, "bucket": s.set.bucket, "put-if-absent": "conditional put (ifGenerationMatch=0)", "credential": s.who}
	if s.set.anonymous {
		d["credential"] = "anonymous"
	} else if s.who == "" {
		d["credential"] = "not used yet"
	}
	return d
}

func isStatus(err error, status int) bool {
	var r *remote.Reply
	return errors.As(err, &r) && r.Status == status
}
