package expr

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The page of functions lists what exists, and what does not is refused.
func TestFunctionsPage(t *testing.T) {
	raw, err := os.ReadFile("../docs/guide/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	first := strings.Index(page, "\n## ")
	here, rest, ok := strings.Cut(page[first:], "## What Spark has and sluice does not")
	missing, _, ok2 := strings.Cut(rest, "## Where results differ")
	if first < 0 || !ok || !ok2 {
		t.Fatal("the page has lost its headings")
	}
	word := regexp.MustCompile("`(\\w+)`")
	listed := map[string]bool{}
	for _, m := range word.FindAllStringSubmatch(here, -1) {
		name := m[1]
		listed[name] = true
		switch name {
		case "timestampadd", "timestampdiff", "position", "extract", "case", "cast": // forms of the grammar
			continue
		}
		if elsewhere[name] != "" || !known(&Call{Fn: name}) {
			t.Errorf("%s is listed and does not exist", name)
		}
	}
	for _, name := range Functions() {
		if !listed[name] && name != "path" && name != "iff" && !generators[name] {
			t.Errorf("%s exists and is not listed", name)
		}
	}
	for _, m := range word.FindAllStringSubmatch(missing, -1) {
		if known(&Call{Fn: m[1]}) && elsewhere[m[1]] == "" && m[1] != "TIME" && !generators[m[1]] {
			t.Errorf("%s is said to be missing and exists", m[1])
		}
	}
}
