package s3

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// impatient makes retries short.
func impatient(d storage.Driver) *Store {
	s, ok := d.(*Store)
	if !ok {
		panic(fmt.Sprintf("%T", d))
	}
	s.client.Policy.First, s.client.Policy.Longest = 1, 1000
	return s
}

// once is a plan that harms the first request of a method.
func onceFor(method string, f servers.Fault) func(*http.Request) servers.Fault {
	var hit atomic.Bool
	return func(r *http.Request) servers.Fault {
		if r.Method == method && !hit.Swap(true) {
			return f
		}
		return servers.None
	}
}

// Each fault on the way of each kind of request: reads and plain puts come
// through; put-if-absent is done, or nobody knows, and never both.
func TestFaults(t *testing.T) {
	w := start(t)
	plain := []storage.Option{storage.With("log-store", "conditional")}
	direct := w.open(t, "s3://"+bucket+"/faults", plain)
	if err := direct.Put(t.Context(), "there", bytes.Repeat([]byte("0123456789"), 1000)); err != nil {
		t.Fatal(err)
	}
	open := func(t *testing.T, plan func(*http.Request) servers.Fault) *Store {
		p := servers.StartProxy(t, w.server.Endpoint, plan)
		b, err := storage.Open(t.Context(), "s3://"+bucket+"/faults", append(w.server.OptionsAt(p.URL), plain...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return impatient(b.Driver())
	}
	for i, f := range servers.Faults {
		t.Run(string(f), func(t *testing.T) {
			s := open(t, onceFor(http.MethodGet, f))
			if data, _, err := s.Get(t.Context(), "there"); err != nil || len(data) != 10_000 {
				t.Errorf("Get: %d bytes, %v", len(data), err)
			}
			s = open(t, onceFor(http.MethodGet, f))
			n := 0
			for _, err := range s.List(t.Context(), "there", "") {
				if err != nil {
					t.Errorf("List: %v", err)
				}
				n++
			}
			if n != 1 {
				t.Errorf("List shows %d objects", n)
			}
			s = open(t, onceFor(http.MethodHead, f))
			if o, err := s.Stat(t.Context(), "there"); err != nil || o.Size != 10_000 {
				t.Errorf("Stat: %+v, %v", o, err)
			}
			s = open(t, onceFor(http.MethodPut, f))
			if err := s.Put(t.Context(), fmt.Sprintf("put%d", i), []byte("x")); err != nil {
				t.Errorf("Put: %v", err)
			}
			s = open(t, onceFor(http.MethodPut, f))
			key := fmt.Sprintf("absent%d", i)
			err := s.PutIfAbsent(t.Context(), key, []byte("mine"))
			_, stat := direct.Stat(t.Context(), key)
			switch {
			case err == nil && stat != nil:
				t.Errorf("PutIfAbsent is done and nothing is there: %v", stat)
			case errors.Is(err, storage.ErrOutcomeUnknown), err == nil:
			case errors.Is(err, storage.ErrExist) && f == servers.Twice: // the transaction finds itself there
			default:
				t.Errorf("PutIfAbsent: %v", err)
			}
			s = open(t, onceFor(http.MethodDelete, f))
			if err := s.Delete(t.Context(), key); err != nil {
				t.Errorf("Delete: %v", err)
			}
		})
	}
}

// A multipart upload in which requests of every kind fail now and then.
func TestMultipart(t *testing.T) {
	w := start(t)
	var n atomic.Int64
	p := servers.StartProxy(t, w.server.Endpoint, func(r *http.Request) servers.Fault {
		if k := n.Add(1); k%3 == 0 {
			return []servers.Fault{servers.Busy, servers.Broken, servers.ResetBefore, servers.ReplyLost, servers.TooMany}[k/3%5]
		}
		return servers.None
	})
	for name, endpoint := range map[string]string{"quiet": w.server.Endpoint, "harmed": p.URL} {
		b, err := storage.Open(t.Context(), "s3://"+bucket+"/"+name, append(w.server.OptionsAt(endpoint), storage.With("part-size", "5M"), storage.With("log-store", "conditional"))...)
		if err != nil {
			t.Fatal(err)
		}
		s := impatient(b.Driver())
		for _, size := range []int{smallestPart - 1, smallestPart, smallestPart + 1, 3*smallestPart + 17} {
			want := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
			out, err := s.Create(t.Context(), "f")
			if err != nil {
				t.Fatal(err)
			}
			for part := range chunks(want, 1<<20) {
				if _, err := out.Write(part); err != nil {
					t.Fatal(err)
				}
			}
			if err := out.Commit(); err != nil {
				t.Fatalf("%s, %d bytes: %v", name, size, err)
			}
			if got, _, err := s.Get(t.Context(), "f"); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: read %d of %d bytes, %v", name, len(got), size, err)
			}
		}
		out, err := s.Create(t.Context(), "dropped")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(make([]byte, 2*smallestPart)); err != nil {
			t.Fatal(err)
		}
		if err := out.Abort(); err != nil {
			t.Errorf("Abort: %v", err)
		}
		if _, err := s.Stat(t.Context(), "dropped"); !errors.Is(err, storage.ErrNotExist) {
			t.Errorf("a dropped upload: %v", err)
		}
	}
}

func chunks(data []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(data) > 0 {
			k := min(n, len(data))
			if !yield(data[:k]) {
				return
			}
			data = data[k:]
		}
	}
}

// What S3 says to a conditional put.
func TestAnswers(t *testing.T) {
	const code = `<?xml version="1.0"?><Error><Code>%s</Code><Message>text with %s in it</Message><RequestId>R1</RequestId></Error>`
	for _, c := range []struct {
		answers []int // one after another; 200 is success
		name    string
		want    error
		sent    int32
	}{
		{[]int{409, 409, 200}, "ConditionalRequestConflict", nil, 3},
		{[]int{409, 412}, "PreconditionFailed", storage.ErrExist, 2},
		{[]int{403}, "AccessDenied", storage.ErrPermission, 1},
		{[]int{501}, "NotImplemented", storage.ErrUnsupported, 1},
		{[]int{404}, "NoSuchBucket", storage.ErrNotExist, 1},
		{[]int{503}, "SlowDown", storage.ErrOutcomeUnknown, 1},
	} {
		t.Run(fmt.Sprint(c.answers), func(t *testing.T) {
			var sent atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := int(sent.Add(1)) - 1
				if r.Header.Get("If-None-Match") != "*" {
					t.Errorf("no condition: %v", r.Header)
				}
				if status := c.answers[min(n, len(c.answers)-1)]; status != 200 {
					w.Header().Set("X-Amz-Request-Id", "R1")
					w.WriteHeader(status)
					fmt.Fprintf(w, code, c.name, "planted-secret")
				}
			}))
			defer srv.Close()
			t.Setenv("S3_TEST_SECRET", "planted-secret")
			b, err := storage.Open(t.Context(), "s3://b/t", storage.With("endpoint", srv.URL), storage.With("access-key", "planted-id"),
				storage.With("secret-key", "env:S3_TEST_SECRET"), storage.With("session-token", "planted-token"), storage.With("log-store", "conditional"))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			impatient(b.Driver())
			err = b.PutIfAbsent(t.Context(), "k", nil)
			if !errors.Is(err, c.want) || (c.want == nil && err != nil) || sent.Load() != c.sent {
				t.Errorf("%v after %d requests, want %v after %d", err, sent.Load(), c.want, c.sent)
			}
			if text := fmt.Sprint(err, b.Describe()); strings.Contains(text, "planted") {
				t.Errorf("a secret shows: %s", text)
			}
			var r *remote.Reply
			if c.want != nil && c.want != storage.ErrExist && (!errors.As(err, &r) || r.Code != c.name || r.ID != "R1") {
				t.Errorf("the answer's code and id are lost: %v", err)
			}
		})
	}
}
