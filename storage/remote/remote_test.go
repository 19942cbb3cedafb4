package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
)

func patient() Policy {
	return Policy{Attempts: 4, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

var (
	refused = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	reset   = &net.OpError{Op: "read", Err: syscall.ECONNRESET}
)

func status(n int) error { return &Reply{Status: n} }

// What is sent again, and what is left open, for each way to fail.
func TestFaults(t *testing.T) {
	for _, tc := range []struct {
		err           error
		repeats, once int  // how often the request is sent when it always fails so
		open          bool // put-if-absent: nobody knows
	}{
		{status(404), 1, 1, false},
		{status(403), 1, 1, false},
		{status(400), 1, 1, false},
		{status(429), 4, 4, false},
		{status(408), 4, 1, true},
		{status(500), 4, 1, true},
		{status(503), 4, 1, true},
		{status(507), 1, 1, true},
		{refused, 4, 4, false},
		{reset, 4, 1, true},
		{io.ErrUnexpectedEOF, 4, 1, true},
		{ErrShort, 4, 1, true},
		{context.DeadlineExceeded, 4, 1, true},
		{context.Canceled, 1, 1, true},
		{errors.New("something else"), 1, 1, true},
		{&net.DNSError{IsNotFound: true}, 1, 1, false},
		{NotSent(status(503)), 4, 4, false},
		{Again(status(409)), 4, 4, false},
		{NotSent(errors.New("no sign-in")), 1, 1, false},
	} {
		t.Run(fmt.Sprint(tc.err), func(t *testing.T) {
			n := 0
			fail := func(context.Context) error { n++; return fmt.Errorf("sent: %w", tc.err) }
			if err := patient().Repeat(t.Context(), fail); !errors.Is(err, tc.err) || n != tc.repeats {
				t.Errorf("repeatable: sent %d times, want %d; %v", n, tc.repeats, err)
			}
			n = 0
			err := patient().Once(t.Context(), fail)
			if !errors.Is(err, tc.err) || n != tc.once || errors.Is(err, storage.ErrOutcomeUnknown) != tc.open {
				t.Errorf("put-if-absent: sent %d times, want %d, unknown %v; %v", n, tc.once, tc.open, err)
			}
		})
	}
}

// A put-if-absent ends at the first answer that says something.
func TestOnceAnswers(t *testing.T) {
	n := 0
	err := patient().Once(t.Context(), func(context.Context) error {
		if n++; n < 3 {
			return refused
		}
		return storage.ErrExist
	})
	if !errors.Is(err, storage.ErrExist) || n != 3 {
		t.Errorf("%d attempts, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = patient().Once(ctx, func(context.Context) error { t.Error("sent"); return nil })
	if !errors.Is(err, context.Canceled) || errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Errorf("a request that was never sent: %v", err)
	}
}

// Pauses grow, stay below the longest, and add what the store asks for.
func TestPauses(t *testing.T) {
	var got []time.Duration
	p := Policy{Attempts: 6, First: time.Second, Longest: 5 * time.Second, Float: func() float64 { return 0.5 },
		Sleep: func(_ context.Context, d time.Duration) error { got = append(got, d); return nil }}
	_ = p.Repeat(t.Context(), func(context.Context) error { return status(503) })
	want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 2500 * time.Millisecond, 2500 * time.Millisecond}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pauses %v, want %v", got, want)
	}
	got = nil
	_ = p.Repeat(t.Context(), func(context.Context) error { return &Reply{Status: 429, After: 7 * time.Second} })
	if got[0] != 7500*time.Millisecond {
		t.Errorf("the store asked for 7 s, the pause was %v", got[0])
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	n := 0
	_ = p.Repeat(ctx, func(context.Context) error { n++; return &Reply{Status: 429, After: time.Hour} })
	if n != 1 {
		t.Errorf("waited beyond the deadline: %d attempts", n)
	}
	now := time.Now()
	for v, want := range map[string]time.Duration{"": 0, "3": 3 * time.Second, "-1": 0, "x": 0, "99999999": time.Hour,
		now.Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute} {
		if got := After(http.Header{"Retry-After": {v}}, now); (got - want).Abs() > time.Second {
			t.Errorf("Retry-After %q: %v, want %v", v, got, want)
		}
	}
}

// A secret prints its origin, and is found where the reference says.
func TestSecrets(t *testing.T) {
	t.Setenv("REMOTE_TEST_SECRET", "planted-1")
	file := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(file, []byte("planted-2\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{
		"planted-0": "planted-0", "env:REMOTE_TEST_SECRET": "planted-1", "file:" + file: "planted-2", "file://" + file: "planted-2",
		"a:b": "a:b", "https://x/": "https://x/",
	} {
		s := NewSecret(ref)
		if v, err := s.Reveal(t.Context()); err != nil || v != want {
			t.Errorf("%s: %q, %v", ref, v, err)
		}
		js, err := json.Marshal(map[string]any{"s": s, "p": &s})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %q %x %d", s, s, s, s, []Secret{s}), fmt.Sprintf("%+v %#v", struct{ S, s Secret }{s, s}, &struct{ s Secret }{s}), string(js)} {
			if strings.Contains(text, want) || strings.Contains(text, fmt.Sprintf("%x", want)) {
				t.Errorf("%s shows itself in %s", ref, text)
			}
		}
	}
	for _, ref := range []string{"env:REMOTE_TEST_NONE", "file:" + file + ".none"} {
		if _, err := NewSecret(ref).Reveal(t.Context()); err == nil || !strings.Contains(err.Error(), ref) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if (Secret{}).IsSet() || !NewSecret("x").IsSet() {
		t.Error("IsSet")
	}
}

func TestReplies(t *testing.T) {
	for status, want := range map[int]error{404: storage.ErrNotExist, 403: storage.ErrPermission, 401: storage.ErrPermission, 507: storage.ErrNoSpace} {
		if err := fmt.Errorf("x: %w", &Reply{Status: status}); !errors.Is(err, want) {
			t.Errorf("%v is not %v", err, want)
		}
	}
	r := &Reply{Status: 409, Code: "BlobAlreadyExists", Text: " there is one\n", ID: "r1"}
	if got, want := r.Error(), "409 Conflict (BlobAlreadyExists): there is one [request r1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A vault of the context goes before the registered one.
func TestVaults(t *testing.T) {
	RegisterVault("testvault", func(_ context.Context, ref string) (string, error) {
		return "", errors.New("the registered vault is closed")
	})
	s := NewSecret("testvault://v/name")
	if _, err := s.Reveal(t.Context()); err == nil || !strings.Contains(err.Error(), "testvault://v/name: the registered vault is closed") {
		t.Errorf("the registered vault: %v", err)
	}
	ctx := WithVault(t.Context(), "testvault", func(_ context.Context, ref string) (string, error) { return "of " + ref, nil })
	if v, err := s.Reveal(ctx); v != "of testvault://v/name" || err != nil || s.Origin() != "testvault://v/name" {
		t.Errorf("%s, %v, %s", v, err, s.Origin())
	}
}
