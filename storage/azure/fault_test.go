package azure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/azure/emulator"
)

// way is how a request comes to harm.
type way string

const (
	refused   way = "503 before"     // turned away by an overloaded service
	throttled way = "429"            // asked to come later
	failed    way = "500 after"      // carried out, answered with an error
	cutBefore way = "cut before"     // the connection breaks, nothing was done
	cutAfter  way = "cut after"      // carried out, the answer is lost
	truncated way = "truncated body" // half of the answer's body comes
	stuck     way = "no answer"      // beyond the time limit
)

// harm does one of these to the first requests that match.
type harm struct {
	inner http.Handler

	mu    sync.Mutex
	way   way
	times int
	match func(*http.Request) bool
	hit   int
}

func (h *harm) next(w way, times int, match func(*http.Request) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.way, h.times, h.match, h.hit = w, times, match, 0
}

func (h *harm) hits() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hit
}

func (h *harm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	way := h.way
	if h.hit < h.times && h.match(r) {
		h.hit++
	} else {
		way = ""
	}
	h.mu.Unlock()
	switch way {
	case refused:
		w.Header().Set("x-ms-error-code", "ServerBusy")
		w.WriteHeader(http.StatusServiceUnavailable)
	case throttled:
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	case failed:
		h.inner.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusInternalServerError)
	case cutAfter:
		h.inner.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case cutBefore:
		panic(http.ErrAbortHandler)
	case stuck:
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client goes
		<-r.Context().Done()
	case truncated:
		rec := httptest.NewRecorder()
		h.inner.ServeHTTP(rec, r)
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()))
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
		panic(http.ErrAbortHandler)
	default:
		h.inner.ServeHTTP(w, r)
	}
}

// harmedLake is a place behind harm, by the dfs endpoint.
func harmedLake(t *testing.T) (*storage.Bucket, *harm, *emulator.Cloud) {
	c, options := cloud(t)
	h := &harm{inner: c.Lake}
	id := emulator.NewIdentity()
	server, url, err := id.Serve(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return mustOpen(t, "abfss://lake@lakeaccount.dfs.core.windows.net/t", options, "endpoint", url, "ca-file", saved(t, append(c.Certificate, id.PEM...)),
		"timeout", "2s", "block-size", "1000"), h, c
}

// harmedBlobs is a place behind harm, by the blob endpoint.
func harmedBlobs(t *testing.T) (*storage.Bucket, *harm) {
	endpoint, err := url.Parse(azurite(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host})
	h := &harm{inner: proxy}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return mustOpen(t, "wasbs://lake@devstoreaccount1.blob.core.windows.net/t", nil, "endpoint", server.URL+endpoint.Path, "key", azuriteKey,
		"timeout", "2s", "block-size", "1000"), h
}

func any(*http.Request) bool { return true }

func writes(r *http.Request) bool { return r.Method == http.MethodPut || r.Method == http.MethodPatch }

// What may be sent again succeeds in spite of all harm.
func TestRepeated(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, b *storage.Bucket, h *harm) {
		ctx := t.Context()
		data := bytes.Repeat([]byte("0123456789"), 350) // four blocks
		h.next(stuck, 1, any)
		if err := b.Put(ctx, "stuck", nil); err != nil || h.hits() == 0 {
			t.Errorf("Put that has no answer at first: %v, met harm %d times", err, h.hits())
		}
		for _, w := range []way{refused, throttled, failed, cutBefore, cutAfter, truncated} {
			t.Run(string(w), func(t *testing.T) {
				times := 2
				key := "d/" + strings.ReplaceAll(string(w), " ", "-")
				check := func(what string, err error) {
					if err != nil {
						t.Errorf("%s: %v", what, err)
					}
					if h.hits() == 0 && !(what == "Stat" || what == "Delete" || what == "Get") {
						t.Errorf("%s met no harm", what)
					}
				}
				h.next(w, times, writes)
				check("Put", b.Put(ctx, key, []byte("small")))
				h.next(w, times, writes)
				out, err := b.Create(ctx, key+".large")
				if err == nil {
					if _, err = out.Write(data); err == nil {
						err = out.Commit()
					}
				}
				check("Create", err)
				match := any
				if w == truncated {
					match = func(r *http.Request) bool { return r.Method == http.MethodGet }
				}
				h.next(w, times, match)
				got, o, err := b.Get(ctx, key+".large")
				check("Get", err)
				if !bytes.Equal(got, data) || o.Size != int64(len(data)) {
					t.Errorf("read %d bytes of %d", len(got), len(data))
				}
				h.next(w, times, match)
				part, err := b.GetRange(ctx, key+".large", 1500, 20)
				check("GetRange", err)
				if string(part) != "01234567890123456789" {
					t.Errorf("GetRange gives %q", part)
				}
				h.next(w, times, match)
				_, err = b.Stat(ctx, key)
				check("Stat", err)
				h.next(w, times, match)
				n := 0
				for o, err := range b.List(ctx, key, "") {
					if err != nil {
						t.Errorf("List: %v", err)
					}
					n++
					_ = o
				}
				check("List", nil)
				if n != 2 {
					t.Errorf("%d objects listed, want 2", n)
				}
				h.next(w, times, any)
				check("Delete", b.Delete(ctx, key))
			})
		}
	}
	t.Run("dfs", func(t *testing.T) { b, h, _ := harmedLake(t); run(t, b, h) })
	t.Run("blob", func(t *testing.T) { b, h := harmedBlobs(t); run(t, b, h) })
}

// A put-if-absent tells the truth whatever happens to its request: done, not done,
// or unknown; never that another writer was there.
func TestPutIfAbsentTruth(t *testing.T) {
	t.Parallel()
	renames := func(r *http.Request) bool { return r.Header.Get("x-ms-rename-source") != "" }
	t.Run("dfs", func(t *testing.T) {
		b, h, _ := harmedLake(t)
		for _, w := range []way{refused, throttled, failed, cutBefore, cutAfter, stuck} {
			h.next(w, 1, renames)
			truth(t, b, w, map[way]string{refused: "not done", throttled: "done", failed: "done", cutBefore: "not done", cutAfter: "done", stuck: "not done"})
		}
	})
	t.Run("blob", func(t *testing.T) {
		b, h := harmedBlobs(t)
		for _, w := range []way{refused, throttled, failed, cutBefore, cutAfter, stuck} {
			h.next(w, 1, writes)
			truth(t, b, w, map[way]string{refused: "unknown", throttled: "done", failed: "unknown", cutBefore: "unknown", cutAfter: "unknown", stuck: "unknown"})
		}
	})
}

func truth(t *testing.T, b *storage.Bucket, w way, want map[way]string) {
	ctx := t.Context()
	key := "_delta_log/" + strings.ReplaceAll(string(w), " ", "-")
	err := b.PutIfAbsent(ctx, key, []byte("mine"))
	data, _, readErr := b.Get(ctx, key)
	there := readErr == nil && string(data) == "mine"
	got := "not done"
	switch {
	case err == nil:
		got = "done"
	case errors.Is(err, storage.ErrOutcomeUnknown):
		got = "unknown"
	}
	if got != want[w] || errors.Is(err, storage.ErrExist) || (got == "done") != there && got != "unknown" {
		t.Errorf("%s: put says %q (%v), want %s; read back %v (%v)", w, got, err, want[w], there, readErr)
	}
	for o, err := range b.List(ctx, "", "") {
		if err != nil || !strings.HasPrefix(o.Key, "_delta_log/") {
			t.Errorf("%s: listed %s, %v", w, o.Key, err)
		}
	}
}

// A put that is cancelled while its rename is under way says that it did not happen,
// and it does not happen later.
func TestCancelledRename(t *testing.T) {
	b, h, c := harmedLake(t)
	ctx, cancel := context.WithCancel(t.Context())
	h.next(stuck, 1, func(r *http.Request) bool {
		if r.Header.Get("x-ms-rename-source") != "" {
			cancel()
			return true
		}
		return false
	})
	began := time.Now()
	err := b.PutIfAbsent(ctx, "k", []byte("x"))
	if !errors.Is(err, context.Canceled) || errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Errorf("%v", err)
	}
	if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("the object is there: %v", err)
	}
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("cancelling took %s", d)
	}
	if n := c.Lake.Calls()["delete"]; n != 1 {
		t.Errorf("%d temporary files removed", n)
	}
}

// An account without a hierarchical namespace is refused before anything is renamed.
func TestFlatAccount(t *testing.T) {
	c, options := cloud(t)
	c.Lake.Flat = true
	b := mustOpen(t, "abfss://lake@lakeaccount.dfs.core.windows.net/t", options)
	err := b.PutIfAbsent(t.Context(), "k", nil)
	if !errors.Is(err, storage.ErrUnsupported) || !strings.Contains(err.Error(), "api=blob") {
		t.Errorf("%v", err)
	}
	if c.Lake.Calls()["rename"] != 0 {
		t.Error("it was renamed all the same")
	}
}
