package local

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sluicelake/sluice/storage"
)

func TestWalkLookRemove(t *testing.T) {
	dir := t.TempDir()
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, d := range []string{"a/b", "empty/er", "skip/x", "../" + filepath.Base(dir) + "-out"} {
		os.MkdirAll(filepath.Join(dir, d), 0o777)
	}
	out := dir + "-out"
	for _, f := range []string{"a/b/f", "g", ".1.sluice-tmp", "skip/x/f", "../" + filepath.Base(out) + "/precious"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("xy"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	defer os.RemoveAll(out)
	if err := os.Symlink("a", filepath.Join(dir, "in")); err != nil {
		t.Skip(err)
	}
	os.Symlink(out, filepath.Join(dir, "out"))
	b := storage.NewBucket(s)
	for sub, want := range map[string][]string{
		"": {".1.sluice-tmp 3", "a 1", "a/b 1", "a/b/f 0", "empty 1", "empty/er 1", "g 0", "in 2", "out 2", "skip 1"}, "a": {"b 1", "b/f 0"}, "g": nil, "in": nil, "none": nil,
	} {
		at := b
		if sub != "" {
			at = b.Sub(sub)
		}
		w, ok := at.Walker()
		if !ok {
			t.Fatal("no walker")
		}
		var got []string
		for e, err := range w.Walk(t.Context(), "", func(key string) bool { return key != "skip" }) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(e.Key, " ", e.Kind))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", sub, got, want)
		}
	}
	w, _ := b.Walker()
	for _, key := range []string{"../x", "/x", ""} {
		if _, err := w.Remove(t.Context(), key); err == nil {
			t.Errorf("%q can be removed", key)
		}
	}
	for _, c := range []struct {
		key  string
		done bool
	}{
		{"in/b/f", false}, {"out/precious", false}, {"a", false}, {"a/b/f", true}, {"a/b/f", false}, {"a/b", true}, {"empty", false}, {".1.sluice-tmp", true}, {"in", true}, {"out", true}, {"none/x", false},
	} {
		if done, err := w.Remove(t.Context(), c.key); done != c.done || err != nil {
			t.Errorf("remove %s: %v, %v", c.key, done, err)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "precious")); err != nil {
		t.Error(err)
	}
	if obj, err := w.Look(t.Context(), "g"); err != nil || obj.Size != 2 || obj.Key != "g" {
		t.Errorf("%+v, %v", obj, err)
	}
}
