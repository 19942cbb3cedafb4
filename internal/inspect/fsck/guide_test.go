package fsck

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/guide/fsck.md anew")

const guide = "../../../docs/guide/fsck.md"

// The guide lists every code with what it means and what to do.
func TestGuide(t *testing.T) {
	var b strings.Builder
	b.WriteString("# What fsck finds\n\n" +
		"`sluice fsck TABLE` reads the log, everything that repeats it, and one listing of the store; with `--deep` the data files too. An error loses rows,\n" +
		"shows wrong ones, or keeps some reader out; a warning may harm another reader or the next step; an info is worth knowing. Codes do not\n" +
		"change from release to release. `go test ./internal/inspect/fsck -update` writes this page.\n")
	for _, s := range []Severity{Error, Warning, Info} {
		fmt.Fprintf(&b, "\n## %ss\n\n| code | what it means | what to do |\n|---|---|---|\n", strings.ToUpper(string(s[:1]))+string(s[1:]))
		for _, c := range slices.Sorted(maps.Keys(explanations)) {
			if e := explanations[c]; e.severity == s {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c, cell(e.meaning), cell(e.advice))
			}
		}
	}
	if *update {
		if err := os.WriteFile(guide, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(guide)
	if err != nil || strings.ReplaceAll(string(have), "\r\n", "\n") != b.String() {
		t.Errorf("docs/guide/fsck.md does not list the codes as they are (%v); if that is meant, run: go test ./internal/inspect/fsck -update", err)
	}
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// Every code has an explanation that says what to do.
func TestCodesAreExplained(t *testing.T) {
	for c, e := range explanations {
		if !strings.HasPrefix(string(c), "FSCK_") || e.meaning == "" || e.advice == "" || e.severity == "" {
			t.Errorf("%s: %+v", c, e)
		}
	}
}
