package address

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

func TestOneSpelling(t *testing.T) {
	for in, want := range map[string]string{
		"/a/b%20c": "/a/b c", "file:/a/b": "/a/b", "file:///a/b%2520": "/a/b%20", "FILE://localhost/a": "/a",
		"file://host/a": "file://host/a", "s3a://B/x%3D1": "s3://b/x=1", "s3n://b/x": "s3://b/x", "abfs://C@Acc.dfs.net/x": "abfss://C@acc.dfs.net/x",
		"/50%/x": "/50%/x", "/a+b%2Bc": "/a+b+c", "//host/x": "//host/x", "gs://b": "gs://b",
	} {
		if got := Plain(in); got != want {
			t.Errorf("Plain(%q) = %q, want %q", in, got, want)
		}
	}
	for _, p := range []string{"a.parquet", "p=a:b/f", "c:/x", "x/y:z"} {
		if Absolute(p) {
			t.Errorf("%q is relative", p)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, c := range []struct{ addr, root, key string }{
		{"file:/t/x%20y", "file:///t", "x y"}, {"/t/x%2520y", "file:///t/", "x%20y"}, {"/a b/x", "file:///a%20b", "x"},
		{"s3a://b/t/x", "s3://b/t", "x"}, {"/tx/y", "/t", ""}, {"file://host/t/x", "file:///t", ""}, {"s3://c/t/x", "s3://b/t", ""},
		{"/host/t/x", "file://host/t", ""},
	} {
		if key, ok := Below(c.addr, c.root); key != c.key || ok != (c.key != "") {
			t.Errorf("Below(%q, %q) = %q, %v", c.addr, c.root, key, ok)
		}
	}
	if SameStore("s3://a/x", "s3://b/x") || !SameStore("s3a://a/x", "s3://a/y") || !SameStore("/a", "file:///b") || SameStore("/a", "s3://a") {
		t.Error("SameStore")
	}
}

func TestKey(t *testing.T) {
	for in, want := range map[string]string{"a//b": "a/b", "./a": "a", "a/./b/": "a/b", "..": "", "a/../b": "", "": "", "a\x00": "", "...": "..."} {
		if got, ok := Key(in); got != want || ok != (want != "") {
			t.Errorf("Key(%q) = %q, %v", in, got, ok)
		}
	}
}

func TestAllowed(t *testing.T) {
	var opened []string
	open := func(_ context.Context, at string) (*storage.Bucket, error) {
		opened = append(opened, at)
		return storage.NewBucket(memory.New()), nil
	}
	a, err := Allow([]Place{{Prefix: "/data"}, {Prefix: "file:/data/deep/", Now: "/moved"}, {Prefix: "s3://b/x%20y"}}, open)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"file:///data/f": "/data f", "/data/deep/x%20y": "/moved x y", "/data/deeper/f": "/data deeper/f", "s3a://b/x%20y/f": "s3://b/x%20y f",
		"/database/f": "", "/data/../etc/passwd": "", "/data/%2e%2e/etc": "", "/data": "", "s3://c/x%20y/f": "", "file://host/data/f": "",
	} {
		opened = nil
		a.opened = map[string]*storage.Bucket{}
		_, key, err := a.Find(t.Context(), addr)
		got := strings.Join(append(opened, key), " ")
		if want == "" && !errors.Is(err, ErrNotAllowed) || want != "" && (err != nil || got != want) {
			t.Errorf("Find(%q) = %q, %v; want %q", addr, got, err, want)
		}
	}
	for _, bad := range []string{"data", "", "/a/../b"} {
		if _, err := Allow([]Place{{Prefix: bad}}, open); err == nil {
			t.Errorf("prefix %q was accepted", bad)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzPaths: whatever a log calls a file, a key stays below the root, and the
// spellings of one address mean one file.
func FuzzPaths(f *testing.F) {
	for _, s := range []string{"a/b.parquet", "../x", "%2e%2e/x", "file:///t/a%2520b", "s3a://B/t/x", "/t/../x", "p=a%3Ab/f", "file://localhost/t/x", "//t/x", "%", "a\x00b"} {
		f.Add(s, "file:///t")
	}
	f.Add("s3://b/t/x", "s3a://b/t/")
	f.Fuzz(func(t *testing.T, path, root string) {
		rest := Decode(path)
		if Absolute(path) {
			var inside bool
			if rest, inside = Below(path, root); !inside {
				return
			}
			if again, ok := Below(path, root+"/"); !ok || again != rest {
				t.Errorf("below %q with a slash: %q, %v", root, again, ok)
			}
		}
		key, ok := Key(rest)
		if !ok {
			return
		}
		for part := range strings.SplitSeq(key, "/") {
			if part == "" || part == "." || part == ".." || strings.ContainsRune(part, 0) {
				t.Errorf("%q below %q is the key %q", path, root, key)
			}
		}
		if again, ok := Key(key); !ok || again != key {
			t.Errorf("key %q becomes %q", key, again)
		}
	})
}
