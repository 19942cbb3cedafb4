package query

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse: no text stops the parser, and the text of a query is a query.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(data), "\n\n") {
			text, _, _ := strings.Cut(block, "\n----\n")
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseText(text)
		if err != nil {
			return
		}
		if _, err := ParseText(q.Text); err != nil {
			t.Fatalf("%q was read out of %q and is no query: %v", q.Text, text, err)
		}
	})
}
