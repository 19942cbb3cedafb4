package httpstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

func init() {
	storage.RegisterURL("http", open)
	storage.RegisterURL("https", open)
}

// Store is a place on a web server.
type Store struct {
	base   url.URL // without query; the path has no slash at its end
	query  string  // as it was given: a signature covers it
	auth   remote.Secret
	client *remote.Client
}

func open(_ context.Context, location string, cfg storage.Config) (storage.Driver, error) {
	if err := cfg.Only(append([]string{"authorization"}, remote.Options...)...); err != nil {
		return nil, err
	}
	u, err := url.Parse(location)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("want a URL such as https://HOST/PATH; special characters in its path are written as %XX")
	case u.User != nil:
		return nil, errors.New("the URL holds credentials: give them by the option authorization")
	case u.Fragment != "":
		return nil, errors.New("the URL has a fragment: write %23 for a # in the path")
	}
	client, err := remote.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	v, _ := cfg.Value("authorization")
	return &Store{base: url.URL{Scheme: strings.ToLower(u.Scheme), Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, query: u.RawQuery, auth: remote.NewSecret(v), client: client}, nil
}

// URL is the address of the place, without the query.
func (s *Store) URL() string { return s.base.String() }

// Close frees connections.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

// part is what one reply holds.
type part struct {
	data    []byte
	total   int64 // size of the whole object
	modTime time.Time
}

// bodies says what is wanted of a reply.
type bodies bool

const (
	withBody    bodies = true
	withoutBody bodies = false
)

// get sends one GET. HEAD is not used: presigned URLs are signed for one method.
func (s *Store) get(ctx context.Context, key, span string, want bodies) (p part, err error) {
	err = s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		p, err = s.once(ctx, key, span, want)
		return err
	})
	return p, err
}

func (s *Store) once(ctx context.Context, key, span string, want bodies) (part, error) {
	timed, cancel := context.WithTimeout(ctx, s.client.Timeout)
	defer cancel()
	at := s.base
	at.Path += "/" + key
	at.RawQuery = s.query
	req, err := http.NewRequestWithContext(timed, http.MethodGet, at.String(), nil)
	if err != nil {
		return part{}, fmt.Errorf("the key %q makes no URL", key)
	}
	if span != "" {
		req.Header.Set("Range", "bytes="+span)
	}
	if s.auth.IsSet() {
		text, err := s.auth.Reveal(ctx)
		if err != nil {
			return part{}, fmt.Errorf("%w: authorization: %w", storage.ErrPermission, err)
		}
		req.Header.Set("Authorization", text)
	}
	resp, err := s.client.HTTP.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, whose query may be a signature
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return part{}, err
	}
	defer resp.Body.Close()
	var p part
	if p.modTime, err = http.ParseTime(resp.Header.Get("Last-Modified")); err != nil {
		p.modTime = time.Time{} // unknown
	}
	switch resp.StatusCode {
	case http.StatusOK:
		p.total = resp.ContentLength
	case http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
		_, total, _ := strings.Cut(resp.Header.Get("Content-Range"), "/")
		if p.total, err = strconv.ParseInt(total, 10, 64); err != nil {
			p.total = -1
		}
	}
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && span != "":
		return p, nil // behind the end
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent:
		// The body of a refusal is not repeated: it may quote the signature.
		return part{}, &remote.Reply{Status: resp.StatusCode, After: remote.After(resp.Header, time.Now())}
	case want == withoutBody:
		return p, nil
	}
	if p.data, err = remote.ReadBody(resp.Body, resp.ContentLength); err != nil {
		return part{}, err
	}
	if p.total < 0 && resp.StatusCode == http.StatusOK {
		p.total = int64(len(p.data))
	}
	if span != "" && resp.StatusCode == http.StatusOK {
		p.data = cut(p.data, span) // the server does not know ranges
	}
	return p, nil
}

// cut takes a range out of the whole.
func cut(data []byte, span string) []byte {
	first, last, _ := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	if size := int64(len(data)); err1 == nil && err2 == nil {
		return data[min(from, size) : min(to, size-1)+1]
	}
	return data
}

// Get reads a whole object.
func (s *Store) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	p, err := s.get(ctx, key, "", withBody)
	return p.data, storage.Object{Size: int64(len(p.data)), ModTime: p.modTime}, err
}

// GetRange reads a part of an object.
func (s *Store) GetRange(ctx context.Context, key string, offset, count int64) ([]byte, error) {
	if count == 0 {
		_, err := s.Stat(ctx, key)
		return nil, err
	}
	p, err := s.get(ctx, key, fmt.Sprintf("%d-%d", offset, offset+min(count, 1<<62-offset)-1), withBody)
	return p.data[:min(count, int64(len(p.data)))], err
}

// Stat asks for the first byte, whose reply tells the size.
func (s *Store) Stat(ctx context.Context, key string) (storage.Object, error) {
	p, err := s.get(ctx, key, "0-0", withoutBody)
	if err == nil && p.total < 0 {
		if p, err = s.get(ctx, key, "", withBody); err == nil { // a server that does not know sizes
			p.total = int64(len(p.data))
		}
	}
	return storage.Object{Size: p.total, ModTime: p.modTime}, err
}

// Put is not possible.
func (s *Store) Put(context.Context, string, []byte) error { return storage.ErrReadOnly }

// PutIfAbsent is not possible.
func (s *Store) PutIfAbsent(context.Context, string, []byte) error { return storage.ErrReadOnly }

// Create is not possible.
func (s *Store) Create(context.Context, string) (storage.Writer, error) {
	return nil, storage.ErrReadOnly
}

// Delete is not possible.
func (s *Store) Delete(context.Context, string) error { return storage.ErrReadOnly }

// Describe says how the server is reached.
func (s *Store) Describe() map[string]string {
	d := map[string]string{"store": "the web server " + s.base.Scheme + "://" + s.base.Host + ", read-only", "put-if-absent": "not possible", "credential": "none"}
	switch {
	case s.auth.IsSet():
		d["credential"] = "authorization header (" + s.auth.Origin() + ")"
	case s.query != "":
		d["credential"] = "the query of the URL"
	}
	return d
}
