package gcs

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluicelake/sluice/storage"
)

func read(location string, opts ...string) (settings, error) {
	var o []storage.Option
	for _, kv := range opts {
		k, v, _ := strings.Cut(kv, "=")
		o = append(o, storage.With(k, v))
	}
	s, _, err := readSettings(location, storage.NewConfig(o...))
	return s, err
}

func TestSettings(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	for opts, want := range map[string]func(settings) bool{
		"": func(s settings) bool {
			return s.endpoint == "https://storage.googleapis.com" && !s.anonymous && s.chunk == 8<<20
		},
		"credentials=/k.json":                             func(s settings) bool { return s.from == "file:/k.json" },
		"credentials=env:KEY":                             func(s settings) bool { return s.from == "env:KEY" },
		"GOOGLE_SERVICE_ACCOUNT=/k.json":                  func(s settings) bool { return s.from == "file:/k.json" },
		`google_service_account_key={"a":1}`:              func(s settings) bool { return s.from == "given" },
		"GOOGLE_SKIP_SIGNATURE=true project=p":            func(s settings) bool { return s.anonymous && s.project == "p" },
		"spark.hadoop.fs.gs.storage.root.url=http://h:1/": func(s settings) bool { return s.endpoint == "http://h:1" },
	} {
		if s, err := read("gs://b/a%20b", strings.Fields(opts)...); err != nil || !want(s) || s.path != "a b" {
			t.Errorf("%s: %+v, %v", opts, s, err)
		}
	}
	for opts, want := range map[string]string{"x=1": "not known here", "chunk-size=1000": "multiple of", "endpoint=ftp://x": "want a URL", "endpoint=http://u:planted@h": "want a URL",
		"credentials=a anonymous=true": "exclude each other", "credentials=a GOOGLE_SERVICE_ACCOUNT=b": "mean the same"} {
		if _, err := read("gs://b", strings.Fields(opts)...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %v", opts, err)
		}
	}
	for _, location := range []string{"gs:///x", "gs://u@b/x", "gs://b/a//b", "gs://b/a#b", "gs://b/%zz"} {
		if s, err := read(location); err == nil {
			t.Errorf("%s: %+v", location, s)
		}
	}
	t.Setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:9")
	if s, err := read("gs://b"); err != nil || s.endpoint != "http://127.0.0.1:9" || !s.anonymous {
		t.Errorf("the emulator of the environment: %+v, %v", s, err)
	}
}

// A service account signs in, and neither its key nor its tokens show.
func TestServiceAccount(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	var tokens atomic.Int32
	refuse := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token" && refuse:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant","error_description":"planted-description"}`)
		case r.URL.Path == "/token":
			tokens.Add(1)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"planted-token","token_type":"Bearer","expires_in":3600}`)
		case r.Header.Get("Authorization") != "Bearer planted-token":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/o/denied"):
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"error":{"code":403,"message":"no access for etl@example","errors":[{"reason":"forbidden"}]}}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "etl@example", "private_key_id": "planted-id", "token_uri": srv.URL + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(credentials string) *storage.Bucket {
		b, err := storage.Open(t.Context(), "gs://b", storage.With("credentials", credentials), storage.With("endpoint", srv.URL), storage.With("retries", "1"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	b := open(file)
	_, err1 := b.Stat(t.Context(), "none")
	_, err2 := b.Stat(t.Context(), "denied")
	if !errors.Is(err1, storage.ErrNotExist) || !errors.Is(err2, storage.ErrPermission) || !strings.Contains(err2.Error(), "(forbidden): no access") || tokens.Load() != 1 {
		t.Errorf("%v; %v; %d tokens", err1, err2, tokens.Load())
	}
	refuse = true
	again := open(file)
	err3 := again.PutIfAbsent(t.Context(), "k", nil)
	if !errors.Is(err3, storage.ErrPermission) || errors.Is(err3, storage.ErrOutcomeUnknown) || !strings.Contains(err3.Error(), "invalid_grant") {
		t.Errorf("a refused sign-in: %v", err3)
	}
	t.Setenv("GCS_TEST", `{"type":"planted-type"}`)
	_, err4 := open("env:GCS_TEST").Stat(t.Context(), "k")
	_, err5 := open("env:GCS_TEST_NONE").Stat(t.Context(), "k")
	if !errors.Is(err4, storage.ErrPermission) || !errors.Is(err5, storage.ErrPermission) {
		t.Errorf("%v; %v", err4, err5)
	}
	if who := b.Describe()["credential"]; who != "service_account (file:"+file+")" {
		t.Errorf("credential %s", who)
	}
	for _, said := range []error{err1, err2, err3, err4, err5} {
		if strings.Contains(fmt.Sprint(said), "planted") || strings.Contains(fmt.Sprint(said), "PRIVATE") {
			t.Errorf("a secret shows: %v", said)
		}
	}
}

// A resumable upload whose chunks are kept in part, refused, or lost on the way.
func TestResume(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	var stored []byte
	n, whole := 0, false
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Location", srv.URL+"/session?upload_id=planted")
			return
		}
		body, _ := io.ReadAll(r.Body)
		span, total, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Content-Range"), "bytes "), "/")
		var from, to int
		if span != "*" {
			if _, err := fmt.Sscanf(span, "%d-%d", &from, &to); err != nil || from != len(stored) || to-from+1 != len(body) {
				t.Errorf("Content-Range %s/%s with %d bytes, %d are stored", span, total, len(body), len(stored))
			}
			switch n++; {
			case n%3 == 1:
				w.WriteHeader(http.StatusServiceUnavailable) // nothing is kept
				return
			case n%3 == 2 && len(body) > quantum:
				stored = append(stored, body[:quantum]...) // a part is kept, and the answer is an error
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			stored = append(stored, body...)
		}
		if total == fmt.Sprint(len(stored)) {
			whole = true
			return
		}
		if len(stored) > 0 {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", len(stored)-1))
		}
		w.WriteHeader(http.StatusPermanentRedirect)
	}))
	t.Cleanup(srv.Close)
	b, err := storage.Open(t.Context(), "gs://b", storage.With("anonymous", "true"), storage.With("endpoint", srv.URL), storage.With("chunk-size", fmt.Sprint(2*quantum)))
	if err != nil {
		t.Fatal(err)
	}
	b.Driver().(*Store).client.Policy.First = 1
	w, err := b.Create(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("0123456789abcdef", 7*quantum/16+3)
	if _, err := io.Copy(w, strings.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if string(stored) != want || !whole {
		t.Errorf("%d of %d bytes arrived, whole %v", len(stored), len(want), whole)
	}
}
