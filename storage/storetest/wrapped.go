package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/storage"
)

// removeMany deletes more objects than one request takes, missing ones among them.
func removeMany(t *testing.T, w *world) {
	ctx := t.Context()
	var gone, keys []string
	for i := range 30 {
		key := fmt.Sprintf("d=%d/part %02d & <i>.parquet", i%3, i)
		keys = append(keys, key)
		if i%10 != 7 {
			gone = append(gone, key)
		}
	}
	w.fill(t, keys...)
	n, err := w.Sub("").DeleteMany(ctx, append(slices.Clone(gone), "d=0/none", "none"))
	w.must(t, err)
	if n != len(gone)+2 {
		t.Errorf("%d objects are said to be gone, of %d", n, len(gone)+2)
	}
	wantKeys(t, "List after DeleteMany", w.list(t, "", ""), []string{keys[27], keys[7], keys[17]})
	sub := w.Sub("d=2")
	if n, err := sub.DeleteMany(ctx, []string{"part 17 & <i>.parquet", "part 18 & <i>.parquet"}); n != 2 || err != nil {
		t.Errorf("below a folder: %d, %v", n, err)
	}
	wantKeys(t, "List after DeleteMany below a folder", w.list(t, "", ""), []string{keys[27], keys[7]})
	if n, err := w.DeleteMany(ctx, nil); n != 0 || err != nil {
		t.Errorf("DeleteMany of nothing: %d, %v", n, err)
	}
	if size := w.BatchSize(); size > 1 {
		many := make([]string, size+5)
		for i := range many {
			many[i] = fmt.Sprintf("none/%05d", i)
		}
		many[0], many[size+1] = keys[27], keys[7]
		if n, err := w.DeleteMany(ctx, many); n != len(many) || err != nil {
			t.Errorf("DeleteMany of %d: %d, %v", len(many), n, err)
		}
		wantKeys(t, "List after DeleteMany of many", w.list(t, "", ""), nil)
	}
}

// walk goes through the directories of a store that has them.
func walk(t *testing.T, w *world) {
	ctx := t.Context()
	dirs, ok := w.Sub("table").Walker()
	if !ok {
		t.Skip("the store has no directories")
	}
	w.fill(t, "table/_log/a", "table/a/x", "table/a/sub/y", "table/a-b/z", "table/top", "beside/other")
	got := func(dir string, closed ...string) (out []string) {
		for e, err := range dirs.Walk(ctx, dir, func(key string) bool { return !slices.Contains(closed, key) }) {
			w.must(t, err)
			name := e.Key
			if e.Kind == storage.EntryDirectory {
				name += "/"
			}
			if e.Seen != nil && (e.Seen.Key != e.Key || e.Kind == storage.EntryFile && e.Seen.Size != int64(len("table/"+e.Key))) {
				t.Errorf("%s is described as %+v", e.Key, e.Seen)
			}
			if i := strings.LastIndexByte(e.Key, '/'); i >= 0 && e.Key[:i] != dir && !slices.Contains(out, e.Key[:i]+"/") {
				t.Errorf("%s comes before its directory", e.Key)
			}
			out = append(out, name)
		}
		slices.Sort(out)
		return out
	}
	wantKeys(t, "Walk", got("", "_log"), []string{"_log/", "a-b/", "a-b/z", "a/", "a/sub/", "a/sub/y", "a/x", "top"})
	wantKeys(t, "Walk of a directory", got("a"), []string{"a/sub/", "a/sub/y", "a/x"})
	wantKeys(t, "Walk of a missing directory", got("none"), nil)
	if o, err := dirs.Look(ctx, "a/x"); err != nil || o.Key != "a/x" || o.Size != int64(len("table/a/x")) {
		t.Errorf("Look: %+v, %v", o, err)
	}
	if _, err := dirs.Look(ctx, "a"); err != nil {
		t.Errorf("Look at a directory: %v", err)
	}
	if _, err := dirs.Look(ctx, "none"); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("Look at nothing: %v", err)
	}
	for _, step := range []struct {
		key  string
		done bool
	}{{"a", false}, {"a/sub/y", true}, {"a/sub/y", false}, {"a/sub", true}, {"a/x", true}, {"a", true}, {"none", false}} {
		if done, err := dirs.Remove(ctx, step.key); done != step.done || err != nil {
			t.Errorf("Remove %s: %v, %v, want %v", step.key, done, err, step.done)
		}
	}
	wantKeys(t, "List afterwards", w.list(t, "", ""), []string{"beside/other", "table/_log/a", "table/a-b/z", "table/top"})
}
