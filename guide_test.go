package sluice_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestGuideNames: the names of the library that the guide and the README use are
// those that it has, with the fields of its options.
func TestGuideNames(t *testing.T) {
	api, err := os.ReadFile("testdata/api.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^(?:const|var|type|func) (\w+)|^func \(\w+ \*?(\w+)\) (\w+)|^field (\w+\.\w+)`)
	for _, m := range declared.FindAllStringSubmatch(string(api), -1) {
		for _, name := range []string{m[1], m[2] + "." + m[3], m[4]} {
			known[name] = true
		}
	}
	var (
		exported = regexp.MustCompile(`\bsluice\.([A-Z]\w*)`)
		methods  = regexp.MustCompile(`\b(t|s|snapshot|session|tx)\.([A-Z]\w*)`)
		options  = regexp.MustCompile(`\bsluice\.(\w+Options)\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}`)
		field    = regexp.MustCompile(`(?:^|, )([A-Z]\w*)(?::|$|,)`)
		of       = map[string]string{"t": "Table", "s": "Snapshot", "snapshot": "Snapshot", "session": "Session", "tx": "Txn"}
		pages    = []string{"README.md"}
		seen     int
	)
	err = fs.WalkDir(os.DirFS("."), "docs/guide", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what, name string) {
			if seen++; !known[name] {
				t.Errorf("%s: the library has no %s (%s)", page, name, what)
			}
		}
		for _, m := range exported.FindAllStringSubmatch(string(text), -1) {
			check(m[0], m[1])
		}
		for _, m := range methods.FindAllStringSubmatch(string(text), -1) {
			check(m[0], of[m[1]]+"."+m[2])
		}
		for _, m := range options.FindAllStringSubmatch(string(text), -1) {
			for _, f := range field.FindAllStringSubmatch(m[2], -1) {
				if embeds := known["field "+m[1]+".CommitOptions"]; !embeds {
					check(m[0], m[1]+"."+f[1])
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("%d names found in the pages: are they looked for rightly?", seen)
	}
}
