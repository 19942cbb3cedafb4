package mutants

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutant is one mistake.
type mutant struct {
	name     string
	file     string
	old, new string
}

var mutants = []mutant{
	{"the matches of an image that is gone still count", "internal/rows/rewrite/ledger.go",
		"l.matches[p.Src]--", "_ = p"},
	{"rows that were copied from a file that is gone stay", "internal/rows/rewrite/ledger.go",
		"run.Output.drop(run.From, run.Rows)", "_ = run"},
	{"an insert is kept although its row matches now", "internal/rows/rewrite/ledger.go",
		"case n > 0 && at.done:", "case n > 1 && at.done:"},
	{"rows that were written for a file that is gone stay", "internal/rows/rewrite/ledger.go",
		"r.Output.drop(r.At, 1)", "_ = r.At"},
	{"rows that a winner moved are not looked for", "internal/table/conflict/files.go",
		"if !relocation || f.Repairable {", "if !relocation {"},
	{"a file that a winner moved is changed all the same", "internal/table/conflict/files.go",
		"	if f.Repairable {\n		if f.reads(id) {", "	if f.Repairable {\n		if f.reads(id) && !relocation {"},
	{"a constraint of the winner is overlooked", "internal/table/conflict/precise.go",
		`{"delta.constraints.", `, `{`},
	{"a batch that the winner committed is committed again", "internal/table/conflict/precise.go",
		"t, ok := a.(*action.Txn)\n		if !ok {", "t, ok := a.(*action.Txn)\n		if !ok || true {"},
	{"row ids are those of the version that was read", "internal/table/txn/rowids.go",
		"text, ok := a.base.Domain(rowIDDomain)", "text, ok := a.t.snap.Domain(rowIDDomain)"},
	{"every commit calls itself a blind append", "internal/table/txn/prepare.go",
		"blind := facts.BlindAppend() && !eff.NotBlind", "blind := facts.BlindAppend() || !eff.NotBlind"},
	{"an overwrite removes the files that it saw first", "internal/verbs/insert/work.go",
		"	w.live = at\n", "	w.live = w.live\n"},
	{"a restore takes back what it saw first", "internal/verbs/restore/restore.go",
		"	w.plan = p\n	p.hold(w.then)", "	p.hold(w.then)"},
	{"OPTIMIZE brings rows back that a winner deleted", "internal/verbs/optimize/work.go",
		"return j.delete(ctx, in, gone)", "return int64(gone.GetCardinality()), nil"},
	{"a source that reads the table is not read again", "internal/verbs/merge/work.go",
		"d.Repairable, d.Whole = false, true", "d.Whole = true"},
}

// TestTexts: the mistakes are of today's code.
func TestTexts(t *testing.T) {
	for _, m := range mutants {
		real, err := os.ReadFile(filepath.Join("../../..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(real), m.old); n != 1 {
			t.Errorf("%s: %s has %q %d times, want once: say the mistake in today's words", m.name, m.file, m.old, n)
		}
	}
}

func TestEachIsFound(t *testing.T) {
	if os.Getenv("SLUICE_HEAVY") == "" {
		t.Skip("SLUICE_HEAVY is not set: each mutant is built")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			text, failed := play(t, root, m)
			if !failed {
				t.Fatalf("nothing noticed it:\n%s", text)
			}
			found := regexp.MustCompile(`(?m)^\s+world_test\.go:\d+: .*$`).FindString(text)
			if found == "" {
				t.Fatalf("it failed, but not in a race:\n%s", text)
			}
			t.Log(strings.TrimSpace(found))
		})
	}
}

// play builds the small world with the mistake and runs its pairs.
func play(t *testing.T, root string, m mutant) (text string, failed bool) {
	file := filepath.Join(root, m.file)
	real, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(real), m.old); n != 1 {
		t.Fatalf("%s has %q %d times, want once: say the mistake in today's words", m.file, m.old, n)
	}
	dir := t.TempDir()
	wrong, overlay := filepath.Join(dir, "wrong.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(wrong, []byte(strings.Replace(string(real), m.old, m.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {file: wrong}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "world")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", program, "./internal/proof/smallworld")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building it: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), program, "-test.run", "^TestPairs$")
	run.Dir = dir
	out, err := run.CombinedOutput()
	return string(out), err != nil
}
