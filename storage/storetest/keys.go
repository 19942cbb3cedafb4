package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/storage"
)

// plainKeys can be named on every file system; oddOnes need a liberal one.
var plainKeys = []string{
	"a b/c d.txt", " leading and inner", "p=ä ö/q=日本語.parquet", "emoji-😀", "percent%20encoded", "100%", "%", "a%2Fb",
	"plus+plus", "semi;colon,comma", "equals=and&", "hash#tag", "curly{}brackets[]()", "it's", "tilde~at@bang!dollar$",
	".hidden", "..dots..", "dir/.hidden", "...", "UPPER/lower", "_delta_log/00000000000000000000.json", "^caret`tick",
	"p=__HIVE_DEFAULT_PARTITION__/x", "é", "e\u0301",
}

var oddOnes = []string{
	"question?mark", "star*", "colon: time 12:30:00", `back\slash`, `quote"d`, "less<more>", "pipe|", "new\nline", "tab\t", "bell\a",
	"trailing space ", "trailing dot.", "dir. /x", "con", "aux.txt",
}

func oddKeys(t *testing.T, w *world) {
	ctx := t.Context()
	keys := slices.Clone(plainKeys)
	if !w.PlainNames {
		keys = append(keys, oddOnes...)
	}
	keys = append(keys, strings.Repeat("long", 50)+"/"+strings.Repeat("name", 50))
	for i, k := range keys {
		if err := w.PutIfAbsent(ctx, k, fmt.Appendf(nil, "%d", i)); err != nil {
			t.Errorf("PutIfAbsent %q: %v", k, err)
		}
	}
	for i, k := range keys {
		got, o, err := w.Get(ctx, k)
		if err != nil || string(got) != fmt.Sprint(i) || o.Key != k {
			t.Errorf("Get %q = %q as %q, %v; want %d", k, got, o.Key, err, i)
		}
		if l := w.list(t, k, ""); !slices.Contains(l, k) {
			t.Errorf("List with prefix %q gives %q", k, l)
		}
	}
	slices.Sort(keys)
	wantKeys(t, "List", w.list(t, "", ""), keys)
	for _, k := range keys {
		w.must(t, w.Delete(ctx, k))
	}
	wantKeys(t, "List after deleting all", w.list(t, "", ""), nil)
}

func invalidKeys(t *testing.T, w *world) {
	ctx := t.Context()
	for _, k := range []string{
		"", "/", "/abs", "a//b", "a/", "..", "../up", "a/../b", "a/..", ".", "./a", "a/./b", "nul\x00", "bad\xffutf8", strings.Repeat("x", 2000),
	} {
		_, _, err := w.Get(ctx, k)
		wantError(t, fmt.Sprintf("Get %.20q", k), err, storage.ErrInvalidKey)
		wantError(t, fmt.Sprintf("PutIfAbsent %.20q", k), w.PutIfAbsent(ctx, k, nil), storage.ErrInvalidKey)
		wantError(t, fmt.Sprintf("Put %.20q", k), w.Put(ctx, k, nil), storage.ErrInvalidKey)
		wantError(t, fmt.Sprintf("Delete %.20q", k), w.Delete(ctx, k), storage.ErrInvalidKey)
		_, err = w.Create(ctx, k)
		wantError(t, fmt.Sprintf("Create %.20q", k), err, storage.ErrInvalidKey)
	}
	for _, p := range []string{"/", "../", "a/../", "a//", "./", "nul\x00"} {
		var last error
		for _, err := range w.List(ctx, p, "") {
			last = err
		}
		wantError(t, fmt.Sprintf("List %q", p), last, storage.ErrInvalidKey)
	}
}

func sub(t *testing.T, w *world) {
	ctx := t.Context()
	w.fill(t, "a/b c/one", "a/b c/two/x", "a/b cd", "z")
	s := w.Sub("a").Sub("b c/")
	got, o, err := s.Get(ctx, "two/x")
	if err != nil || string(got) != "a/b c/two/x" || o.Key != "two/x" {
		t.Errorf("Get through Sub = %q as %q, %v", got, o.Key, err)
	}
	var keys []string
	for o, err := range s.List(ctx, "", "one") {
		w.must(t, err)
		keys = append(keys, o.Key)
	}
	wantKeys(t, "List through Sub", keys, []string{"two/x"})
	_, _, err = s.Get(ctx, "../../z")
	wantError(t, "leaving a Sub", err, storage.ErrInvalidKey)
	if !strings.HasSuffix(s.URL(), "/a/b%20c") {
		t.Errorf("URL of Sub = %s", s.URL())
	}
	if n := s.Stats(); n.Lists == 0 || n != w.Stats() {
		t.Errorf("counters of Sub %+v, of the bucket %+v", n, w.Stats())
	}
}
