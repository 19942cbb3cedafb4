package azure

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// paths are made of what the order of a hierarchy and of bytes disagree about.
func paths() *rapid.Generator[[]string] {
	name := rapid.StringMatching(`[ab!.0-]{1,3}`)
	return rapid.Custom(func(t *rapid.T) []string {
		var all []string
		for _, parts := range rapid.SliceOfN(rapid.SliceOfN(name, 1, 3), 0, 25).Draw(t, "paths") {
			all = append(all, "t/"+strings.Join(parts, "/"))
		}
		slices.Sort(all)
		return slices.Compact(all)
	})
}

func stream(paths []string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for _, p := range paths {
			if !yield(entry{path: p}, nil) {
				return
			}
		}
	}
}

// Both orders of a store come out in byte order, and stopping early is harmless.
func TestInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := paths().Draw(t, "all")
		byTree := slices.Clone(want)
		slices.SortFunc(byTree, hierarchical)
		for _, in := range [][]string{want, byTree} {
			var got []string
			for e, err := range inOrder("t/", stream(in)) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.path)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("from %q\n got %q\nwant %q", in, got, want)
			}
			stop := rapid.IntRange(0, len(in)).Draw(t, "stop")
			for range inOrder("t/", stream(in)) {
				if stop--; stop <= 0 {
					break
				}
			}
		}
	})
}

// Beginning a listing at the position loses nothing that is asked for, in either order.
func TestFrom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := paths().Draw(t, "all")
		if len(all) == 0 {
			return
		}
		pick := rapid.SampledFrom(all)
		k := pick.Draw(t, "prefix")
		l := listing{prefix: k[:rapid.IntRange(2, len(k)).Draw(t, "cut")]}
		if rapid.Bool().Draw(t, "with after") {
			k = pick.Draw(t, "after")
			l.after = k[:rapid.IntRange(2, len(k)).Draw(t, "cut")]
		}
		for _, least := range []string{"", l.prefix} {
			from := l.from(least)
			if from != "" && !strings.HasPrefix(from, l.dir()) {
				t.Fatalf("%+v: from %q is outside of the directory", l, from)
			}
			for _, p := range all {
				wanted := strings.HasPrefix(p, l.prefix) && p > l.after
				if wanted && from != "" && (p < from || hierarchical(p, from) < 0) {
					t.Fatalf("%+v: from %q loses %q", l, from, p)
				}
			}
		}
	})
	l := listing{prefix: "t/_delta_log/", after: "t/_delta_log/00000000000000000123.json"}
	if got, want := l.from(""), "t/_delta_log/00000000000000000123"; got != want {
		t.Errorf("from %q, want %q", got, want)
	}
}
