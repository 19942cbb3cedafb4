package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// tree mixes names around the slash in byte order: space ! - . come before it, 0 and letters behind.
var tree = []string{"a", "a b", "a!", "a-x/1", "a.json", "b/0", "b/1/deep/er", "b/1.x", "b/10", "b0", "b-", "b.", "c/c/c/c", "_delta_log/1", "_delta_log/2", "é/1", "z"}

func listOrder(t *testing.T, w *world) {
	w.fill(t, tree...)
	want := slices.Sorted(slices.Values(tree))
	wantKeys(t, "List", w.list(t, "", ""), want)
}

func listStartAfter(t *testing.T, w *world) {
	w.fill(t, tree...)
	want := slices.Sorted(slices.Values(tree))
	for _, after := range append(slices.Clone(want), "b", "b/", "b/1/", "b/1/deep", "b/1/z", "~", "\u00ff", "c/c/c/c/c", "A") {
		var rest []string
		for _, k := range want {
			if k > after {
				rest = append(rest, k)
			}
		}
		wantKeys(t, fmt.Sprintf("List after %q", after), w.list(t, "", after), rest)
	}
	wantKeys(t, "List prefix b/ after b/1.x", w.list(t, "b/", "b/1.x"), []string{"b/1/deep/er", "b/10"})
	wantKeys(t, "List prefix b/ after a", w.list(t, "b/", "a"), []string{"b/0", "b/1.x", "b/1/deep/er", "b/10"})
	wantKeys(t, "List prefix b/ after c", w.list(t, "b/", "c"), nil)
}

func listPrefix(t *testing.T, w *world) {
	w.fill(t, tree...)
	for prefix, want := range map[string][]string{
		"a":           {"a", "a b", "a!", "a-x/1", "a.json"},
		"b":           {"b-", "b.", "b/0", "b/1.x", "b/1/deep/er", "b/10", "b0"},
		"b/":          {"b/0", "b/1.x", "b/1/deep/er", "b/10"},
		"b/1":         {"b/1.x", "b/1/deep/er", "b/10"},
		"b/1/":        {"b/1/deep/er"},
		"b/1/de":      {"b/1/deep/er"},
		"_delta_log/": {"_delta_log/1", "_delta_log/2"},
		"_delta":      {"_delta_log/1", "_delta_log/2"},
		"b/2":         nil, "bb": nil, "c/c/c/c": {"c/c/c/c"}, "c/c/c/c/": nil,
	} {
		wantKeys(t, "List with prefix "+prefix, w.list(t, prefix, ""), want)
	}
}

func listStops(t *testing.T, w *world) {
	w.fill(t, tree...)
	n := 0
	for _, err := range w.List(t.Context(), "", "") {
		w.must(t, err)
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("the loop saw %d objects", n)
	}
}

// listModel compares listings of random trees with the obvious answer.
func listModel(t *testing.T, w *world) {
	r := rand.New(rand.NewPCG(1, 2))
	segment := func() string { return string([]byte{"ab.-0~ "[r.IntN(7)], "ab.-0~"[r.IntN(6)]}) }
	keys := map[string]bool{}
	for range 120 {
		parts := []string{}
		for range 1 + r.IntN(3) {
			// Files get one name more, so that no key is the directory of another.
			parts = append(parts, strings.ReplaceAll(segment(), "..", "d."))
		}
		keys[strings.Join(parts, "/")+"/f"] = true
	}
	var all []string
	for k := range keys {
		all = append(all, k)
	}
	slices.Sort(all)
	w.fill(t, all...)
	for range 60 {
		prefix, after := "", ""
		if k := all[r.IntN(len(all))]; r.IntN(4) > 0 {
			prefix = k[:r.IntN(len(k)+1)]
		}
		if k := all[r.IntN(len(all))]; r.IntN(3) > 0 {
			after = k[:r.IntN(len(k)+1)]
		}
		var want []string
		for _, k := range all {
			if strings.HasPrefix(k, prefix) && k > after {
				want = append(want, k)
			}
		}
		wantKeys(t, fmt.Sprintf("List(%q, %q)", prefix, after), w.list(t, prefix, after), want)
	}
}

// listMany needs more than one page of any store.
func listMany(t *testing.T, w *world) {
	if testing.Short() {
		t.Skip("many objects")
	}
	const n = 2100
	want := make([]string, n)
	for i := range n {
		want[i] = fmt.Sprintf("_delta_log/%020d.json", i)
	}
	w.fill(t, want...)
	wantKeys(t, "List", w.list(t, "_delta_log/", ""), want)
	wantKeys(t, "List from the middle", w.list(t, "_delta_log/", want[1049]), want[1050:])
}
