package races

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPastedErrors reads errors of every class and engine as people paste them:
// with their stack, cut off, wrapped by other tools. Each file says in its head
// what has to be found in it.
func TestPastedErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/pasted/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no errors", err)
	}
	seen := map[string]bool{}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			head, text, _ := strings.Cut(string(data), "---\n")
			x, err := Explain(text)
			if err != nil {
				t.Fatal(err)
			}
			seen[x.Class] = true
			if x.Meaning == nil || x.Meaning.What == "" || len(x.Meaning.Change) == 0 || x.Meaning.Sluice == "" {
				t.Errorf("nothing is said about %s", x.Class)
			}
			w := x.Winner
			if w == nil {
				w = &Commit{}
			}
			found := map[string]string{"class": x.Class, "condition": x.Condition, "exception": x.Exception, "engine": x.Engine, "partition": x.Partition, "file": x.File,
				"table": x.Table, "link": x.DocLink, "root": fmt.Sprint(x.Root), "operation": w.Operation, "txn": w.TxnID, "user": w.User, "cause": x.Cause}
			if x.Version != nil {
				found["version"] = fmt.Sprint(*x.Version)
			}
			for _, line := range strings.Split(strings.TrimSpace(head), "\n") {
				key, want, _ := strings.Cut(line, ": ")
				if got := found[key]; got != want && !(key == "cause" && strings.HasPrefix(got, want)) {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
			for _, key := range []string{"version", "operation", "cause"} { // nothing is made up
				if found[key] != "" && !strings.Contains(head, key+": ") {
					t.Errorf("%s is %q, of which the head says nothing", key, found[key])
				}
			}
		})
	}
	for _, k := range kinds {
		if !seen[k.class] {
			t.Errorf("no text of %s", k.class)
		}
	}
}
