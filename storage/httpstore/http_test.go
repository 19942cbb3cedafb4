package httpstore

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
)

var testTime = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// site serves a directory with files of the given names, each holding its name.
func site(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		path := filepath.Join(dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(srv.Close)
	return srv.URL
}

func at(t *testing.T, url string, opts ...storage.Option) *storage.Bucket {
	t.Helper()
	b, err := storage.Open(t.Context(), url, append(opts, storage.With("retries", "1"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestRead(t *testing.T) {
	b := at(t, site(t, "a b/c%20d?.txt", "empty"))
	ctx := t.Context()
	key := "a b/c%20d?.txt"
	data, obj, err := b.Get(ctx, key)
	if err != nil || string(data) != key || obj.Size != int64(len(key)) || obj.ModTime.IsZero() {
		t.Fatalf("Get %s, %+v, %v", data, obj, err)
	}
	if stat, err := b.Stat(ctx, key); err != nil || stat != obj {
		t.Errorf("Stat %+v, %v", stat, err)
	}
	for _, c := range []struct {
		off, n int64
		want   string
	}{{0, 3, "a b"}, {2, 3, "b/c"}, {10, 1000, key[10:]}, {100, 5, ""}, {3, 0, ""}, {1, 1 << 62, key[1:]}} {
		if got, err := b.GetRange(ctx, key, c.off, c.n); err != nil || string(got) != c.want {
			t.Errorf("GetRange(%d, %d) = %q, %v", c.off, c.n, got, err)
		}
	}
	if _, err := b.Stat(ctx, "none"); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("Stat of nothing: %v", err)
	}
	for what, err := range map[string]error{"Put": b.Put(ctx, "k", nil), "PutIfAbsent": b.PutIfAbsent(ctx, "k", nil), "Delete": b.Delete(ctx, "k")} {
		if !errors.Is(err, storage.ErrReadOnly) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, err := range b.List(ctx, "", "") {
		if !errors.Is(err, storage.ErrUnsupported) {
			t.Errorf("List: %v", err)
		}
	}
}

// Presigned URLs: the signature goes along, and shows nowhere.
func TestSignature(t *testing.T) {
	const query = "X-Amz-Signature=planted%2Fsecret&X-Amz-Expires=60&b=%20"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.RawQuery != query || r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer planted-token":
			http.Error(w, "SignatureProvided planted/secret", http.StatusForbidden)
		case r.URL.Path == "/d/f":
			http.ServeContent(w, r, "", testTime, strings.NewReader("content"))
		case r.URL.Path == "/d/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("short"))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	auth := storage.With("authorization", "Bearer planted-token")
	b := at(t, srv.URL+"/d?"+query, auth)
	if data, _, err := b.Get(t.Context(), "f"); err != nil || string(data) != "content" {
		t.Errorf("Get: %s, %v", data, err)
	}
	texts := []string{b.URL(), fmt.Sprint(b.Describe())}
	for _, k := range []string{"none", "cut"} {
		_, _, err := b.Get(t.Context(), k)
		if err == nil {
			t.Errorf("Get %s succeeded", k)
		}
		texts = append(texts, fmt.Sprint(err))
	}
	_, _, err := at(t, srv.URL+"/d?sig=planted").Get(t.Context(), "f")
	texts = append(texts, fmt.Sprint(err))
	if !errors.Is(err, storage.ErrPermission) {
		t.Errorf("a wrong signature: %v", err)
	}
	srv.Close()
	_, _, err = b.Get(t.Context(), "f")
	texts = append(texts, fmt.Sprint(err))
	_, err = storage.Open(t.Context(), "http://user:planted@host/x")
	texts = append(texts, fmt.Sprint(err))
	for _, text := range texts {
		if strings.Contains(text, "planted") || strings.Contains(text, "Signature") {
			t.Errorf("a secret shows: %s", text)
		}
	}
}

// A log is found by its names.
func TestLog(t *testing.T) {
	name := func(v int) string { return fmt.Sprintf("t/_delta_log/%020d.json", v) }
	var files []string
	for v := range 40 {
		files = append(files, name(v))
	}
	list := func(b *storage.Bucket, after string) (keys []string) {
		for o, err := range b.List(t.Context(), "_delta_log/", after) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Size != int64(len("t/"+o.Key)) {
				t.Errorf("%s has %d bytes", o.Key, o.Size)
			}
			keys = append(keys, "t/"+o.Key)
		}
		return keys
	}
	b := at(t, site(t, files...)+"/t")
	if got := list(b, ""); strings.Join(got, " ") != strings.Join(files, " ") {
		t.Errorf("List: %q", got)
	}
	if got := list(b, fmt.Sprintf("_delta_log/%020d", 37)); strings.Join(got, " ") != strings.Join(files[37:], " ") {
		t.Errorf("List from 37: %q", got)
	}
	if got := list(at(t, site(t, "x")+"/t"), ""); got != nil {
		t.Errorf("no table: %q", got)
	}
}

// Commits before the checkpoint were cleaned up.
func TestLogBehindCheckpoint(t *testing.T) {
	files := map[string]string{
		"/_delta_log/_last_checkpoint":                                              `{"version":12,"size":3,"parts":2}`,
		"/_delta_log/00000000000000000011.json":                                     "x",
		"/_delta_log/00000000000000000012.json":                                     "x",
		"/_delta_log/00000000000000000012.checkpoint.0000000001.0000000002.parquet": "x",
		"/_delta_log/00000000000000000012.checkpoint.0000000002.0000000002.parquet": "x",
		"/_delta_log/00000000000000000013.json":                                     "x",
	}
	var requests atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		text, ok := files[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "", testTime, bytes.NewReader([]byte(text)))
	}))
	t.Cleanup(srv.Close)
	for after, want := range map[string]string{
		"":                                "12.checkpoint.0000000001.0000000002.parquet 12.checkpoint.0000000002.0000000002.parquet 12.json 13.json",
		"_delta_log/00000000000000000011": "11.json 12.checkpoint.0000000001.0000000002.parquet 12.checkpoint.0000000002.0000000002.parquet 12.json 13.json",
	} {
		var got []string
		for o, err := range at(t, srv.URL).List(t.Context(), "_delta_log/", after) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.TrimPrefix(o.Key, "_delta_log/000000000000000000"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("after %q: %q", after, got)
		}
	}
	if n := requests.Load(); n > 40 {
		t.Errorf("%d requests", n)
	}
}

// A server that has everything is told from a log without an end.
func TestEndless(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(srv.Close)
	var last error
	for _, err := range at(t, srv.URL).List(t.Context(), "_delta_log/", "") {
		last = err
	}
	if !errors.Is(last, storage.ErrUnsupported) {
		t.Errorf("List: %v", last)
	}
}
