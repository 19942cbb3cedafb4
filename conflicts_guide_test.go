package sluice_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice"
)

const conflictsGuide = "docs/guide/conflicts"

var sqlBlock = regexp.MustCompile("(?s)```sql (setup|example|instead|rewritten)\n(.*?)\n```")

// TestConflictsGuide: every finding has its page, the example on it triggers the
// finding, in the library and by EXPLAIN; what stands there instead does not, and
// neither does the rewritten statement, which is the one on the page.
func TestConflictsGuide(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(conflictsGuide, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(conflictsGuide)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if code := strings.TrimSuffix(e.Name(), ".md"); code != "README" && !slices.Contains(sluice.FindingCodes(), code) {
			t.Errorf("%s is the page of no finding", e.Name())
		}
	}
	for _, code := range sluice.FindingCodes() {
		t.Run(code, func(t *testing.T) {
			if !strings.Contains(string(readme), "["+code+"]("+code+".md)") {
				t.Error("README.md does not list it")
			}
			text, err := os.ReadFile(filepath.Join(conflictsGuide, code+".md"))
			if err != nil {
				t.Fatal(err)
			}
			blocks := map[string]string{}
			for _, m := range sqlBlock.FindAllStringSubmatch(string(text), -1) {
				blocks[m[1]] = m[2]
			}
			if blocks["setup"] == "" || blocks["example"] == "" || blocks["instead"] == "" {
				t.Fatalf("the page needs blocks setup, example and instead; it has %d", len(blocks))
			}
			s := sluice.NewSession(sluice.SessionOptions{})
			defer s.Close()
			if err := s.Catalog(t.Context(), t.TempDir()); err != nil {
				t.Fatal(err)
			}
			if err := s.Exec(t.Context(), blocks["setup"]); err != nil {
				t.Fatal(err)
			}
			rewritten := ""
			has := func(statement string) bool {
				x, err := s.Explain(t.Context(), statement)
				if err != nil {
					t.Fatalf("%s\n%v", statement, err)
				}
				rewritten = x.Rewritten
				return slices.ContainsFunc(x.Findings, func(f sluice.Finding) bool {
					return f.Code == code && f.Page == "guide/conflicts/"+code+".md" && f.Text != ""
				})
			}
			if !has(blocks["example"]) {
				t.Error("the example does not trigger it")
			}
			if text := explained(t, s, blocks["example"]); !strings.Contains(text, " "+code+": ") {
				t.Errorf("EXPLAIN does not tell of it:\n%s", text)
			}
			if want := blocks["rewritten"]; want != "" {
				if rewritten != want {
					t.Errorf("it is rewritten as\n%s\nwant\n%s", rewritten, want)
				}
				if !strings.HasPrefix(want, "SET ") && has(want) {
					t.Error("the rewritten statement triggers it too")
				}
				if err := s.Exec(t.Context(), want); err != nil {
					t.Errorf("the rewritten statement does not run: %v", err)
				}
			}
			if has(blocks["instead"]) {
				t.Error("what stands there instead triggers it too")
			}
		})
	}
}

// explained is what the SQL statement EXPLAIN gives.
func explained(t *testing.T, s *sluice.Session, statement string) string {
	t.Helper()
	text := ""
	for r, err := range s.SQL(t.Context(), "EXPLAIN "+statement) {
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range r.Batches(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			text += b.Column(0).ValueStr(0)
		}
	}
	return text
}
