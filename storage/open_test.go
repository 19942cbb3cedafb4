package storage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/storage"
	_ "github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/storage/memory"
)

func TestScheme(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "/a": "", "a/b": "", "C:/a": "", `C:\a`: "", "s3://b/k": "s3", "ABFSS://c@a.dfs.core.windows.net/x": "abfss",
		"file:/a": "file", "file:a": "file", "./s3://x": "", "time 12:30/x": "", "a:b": "", "1a://x": "", "s3a+x.y-z://": "s3a+x.y-z",
	} {
		if got := storage.Scheme(in); got != want {
			t.Errorf("Scheme(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:pw@h/x?sig=secret": "https://u@h/x", "s3://b/k?token=t": "s3://b/k", "/a?b": "/a?b", "file:/a?x=1": "file:/a",
		"abfss://c@h": "abfss://c@h",
	} {
		if got := storage.Redact(in); got != want {
			t.Errorf("Redact(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestOpenLocal(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir() + "/lake ä"
	t.Chdir(filepath.Dir(dir))
	url := "file://" + filepath.ToSlash(filepath.Dir(dir)) + "/lake%20%C3%A4"
	if !strings.HasPrefix(filepath.ToSlash(dir), "/") {
		t.Skip("drive letters are tested in storage/local")
	}
	for i, loc := range []string{dir, "lake ä", "./lake ä", url, url + "?sync=false"} {
		b, err := storage.Open(ctx, loc)
		if err != nil {
			t.Errorf("Open(%s): %v", loc, err)
			continue
		}
		if err := b.Put(ctx, "k", []byte{byte(i)}); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(dir + "/k"); err != nil || got[0] != byte(i) {
			t.Errorf("Open(%s) wrote elsewhere: %v, %v", loc, got, err)
		}
		if !strings.HasSuffix(b.URL(), "/lake%20%C3%A4") || !strings.HasPrefix(b.URL(), "file:///") {
			t.Errorf("Open(%s).URL() = %s", loc, b.URL())
		}
		b.Close()
	}
	if b, err := storage.Open(ctx, dir, storage.With("sync", "false")); err != nil {
		t.Error(err)
	} else {
		b.Close()
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		loc, want string
		opts      []storage.Option
	}{
		{"", "empty", nil},
		{"nosuch://x?sig=SECRET", "no driver for scheme \"nosuch\"", nil},
		{"/tmp/x", "sink is not known", []storage.Option{storage.With("sink", "1")}},
		{"/tmp/x", "want true or false", []storage.Option{storage.With("sync", "maybe")}},
		{"file:///tmp/x?synk=false", "synk is not known", nil},
		{"file:///tmp/x?a=%zz", "query", nil},
	} {
		_, err := storage.Open(t.Context(), c.loc, c.opts...)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("Open(%s) = %v, want an error with %q", c.loc, err, c.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	b := storage.NewBucket(memory.New(memory.WithURL("memory://lake")))
	_, _, err := b.Get(t.Context(), "_delta_log/0.json")
	if want := "memory://lake: get _delta_log/0.json: object does not exist"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Stat(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("Stat: %v", err)
	}
}

func TestCounters(t *testing.T) {
	ctx := t.Context()
	b := storage.NewBucket(memory.New())
	b.PutIfAbsent(ctx, "a", []byte("12345"))
	b.PutIfAbsent(ctx, "a", []byte("12345")) // counted as a call, not as bytes
	w, _ := b.Create(ctx, "c")
	w.Write([]byte("123"))
	w.Commit()
	b.Get(ctx, "a")
	b.GetRange(ctx, "a", 1, 2)
	for range b.List(ctx, "", "") {
	}
	b.Stat(ctx, "a")
	b.Delete(ctx, "a")
	want := storage.Counters{Gets: 2, Puts: 3, Lists: 1, Deletes: 1, Stats: 1, BytesRead: 7, BytesWritten: 8}
	if got := b.Stats(); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

// noHandles hides that the memory store can read at random.
type noHandles struct{ storage.Driver }

func TestOpenReaderByRanges(t *testing.T) {
	ctx := t.Context()
	b := storage.NewBucket(noHandles{memory.New()})
	b.Put(ctx, "k", []byte("0123456789"))
	r, err := b.OpenReader(ctx, "k", -1)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4)
	if n, err := r.ReadAt(buf, 8); n != 2 || err == nil || string(buf[:2]) != "89" {
		t.Errorf("ReadAt = %d, %v, %q", n, err, buf)
	}
	if n, err := r.ReadAt(buf, 3); n != 4 || err != nil || string(buf) != "3456" {
		t.Errorf("ReadAt = %d, %v, %q", n, err, buf)
	}
	if _, err := r.ReadAt(buf, -1); err == nil {
		t.Error("ReadAt(-1) succeeded")
	}
	if b.Stats().Gets != 2 {
		t.Errorf("%d requests, want 2", b.Stats().Gets)
	}
	if _, err := b.OpenReader(ctx, "none", -1); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("OpenReader of nothing: %v", err)
	}
}

// A Config names its options and hides their values, however it is printed.
func TestConfigHides(t *testing.T) {
	var seen storage.Config
	storage.Register("hides", func(_ context.Context, _ string, cfg storage.Config) (storage.Driver, error) {
		seen = cfg
		return memory.New(), nil
	})
	if _, err := storage.Open(t.Context(), "hides://x?sig=PLANTED", storage.With("key", "PLANTED")); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(seen), fmt.Sprintf("%+v %#v %q", seen, &seen, []storage.Config{seen}), fmt.Sprintf("%#v", struct{ C storage.Config }{seen})} {
		if strings.Contains(text, "PLANTED") || !strings.Contains(text, "key") {
			t.Errorf("printed as %s", text)
		}
	}
}

// A driver for hosts goes before one for https.
func TestRegisterHost(t *testing.T) {
	storage.RegisterHost(".blob.test.", func(_ context.Context, location string, _ storage.Config) (storage.Driver, error) {
		return memory.New(memory.WithURL(location)), nil
	})
	b, err := storage.Open(t.Context(), "https://Acc.Blob.Test.example/c/p?x=y")
	if err != nil || b.URL() != "https://Acc.Blob.Test.example/c/p" {
		t.Errorf("%v, %v", b, err)
	}
	if _, err := storage.Open(t.Context(), "https://example/.blob.test./"); err == nil {
		t.Error("a path was taken for a host")
	}
	if d := storage.NewBucket(noHandles{memory.New()}).Describe(); d != nil {
		t.Errorf("a store that does not describe itself says %v", d)
	}
}
