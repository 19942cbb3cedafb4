package mutants

import (
	"encoding/json"
	"fmt"
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
	{"a schema of the winner is overlooked", "internal/table/conflict/precise.go",
		"if old.SchemaString != md.SchemaString {", "if old.SchemaString != md.SchemaString && old.SchemaString == \"\" {"},
	{"a batch that the winner committed is committed again", "internal/table/conflict/precise.go",
		"t, ok := a.(*action.Txn)\n		if !ok {", "t, ok := a.(*action.Txn)\n		if !ok || true {"},
	{"row ids are those of the version that was read", "internal/table/txn/rowids.go",
		"text, ok := a.base.Domain(rowIDDomain)", "text, ok := a.t.snap.Domain(rowIDDomain)"},
	{"every commit calls itself a blind append", "internal/table/txn/prepare.go",
		"blind := facts.BlindAppend() && !eff.NotBlind", "blind := facts.BlindAppend() || !eff.NotBlind"},
	{"an overwrite removes the files that it saw first", "internal/verbs/insert/work.go",
		"	w.live = at\n", "	w.live = w.live\n"},
	{"a restore takes back what it saw first", "internal/verbs/restore/restore.go",
		"w.plan, w.now = p, at", "w.now = at"},
	{"OPTIMIZE brings rows back that a winner deleted", "internal/verbs/optimize/work.go",
		"return j.delete(ctx, in, gone)", "return int64(gone.GetCardinality()), nil"},
	{"a source that reads the table is not read again", "internal/verbs/merge/work.go",
		"d.Repairable, d.Whole = false, true", "d.Whole = true"},
	{"change data is kept although the rows are others now", "internal/rows/rewrite/effect.go",
		"e.mark, e.change = nil, nil", "e.mark = nil"},
	{"a deletion vector forgets the rows that were deleted before", "internal/rows/rewrite/actions.go",
		"all := roaring64.Or(old, e.positions())", "all := roaring64.Or(roaring64.AndNot(old, old), e.positions())"},
	{"OPTIMIZE finds deleted rows where another file's were put", "internal/verbs/optimize/job.go",
		"map[int]*roaring64.Bitmap{i: rows}", "map[int]*roaring64.Bitmap{i * 0: rows}"},
	{"the times of commits stand still", "internal/table/txn/prepare.go",
		"ict = max(ict, a.base.Timestamp().UnixMilli()+1)", "ict = max(ict, a.base.Timestamp().UnixMilli())"},
	{"row ids are given twice", "internal/table/txn/rowids.go",
		"if !given {", "if given {"},
	{"a commit is acknowledged of which nobody knows", "internal/format/deltalog/publish.go",
		"	case errors.Is(err, storage.ErrOutcomeUnknown):\n		return Unknown, nil", "	case errors.Is(err, storage.ErrOutcomeUnknown):\n		return Done, nil"},
	{"VACUUM retains nothing", "internal/verbs/vacuum/run.go",
		"cutoff := v.now.Add(-used)", "cutoff := v.now.Add(-used * 0)"},
	{"the log is cleaned up whatever its age", "internal/table/snapshot/cleanlog.go",
		"s.env.Now().Add(-keep).UTC()", "s.env.Now().Add(-keep * 0).UTC()"},
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

// TestEachIsFound plays each mutant in the small world and in the simulation; one
// of them has to notice it. It prints which did. SLUICE_MUTANTS is for how many
// schedules of the simulation (4000).
func TestEachIsFound(t *testing.T) {
	if os.Getenv("SLUICE_HEAVY") == "" {
		t.Skip("SLUICE_HEAVY is not set: each mutant is built")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	schedules := "4000"
	if n := os.Getenv("SLUICE_MUTANTS"); n != "" {
		schedules = n
	}
	var table strings.Builder
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			overlay := m.overlay(t, root)
			world := play(t, root, overlay, "smallworld", "TestPairs", `world_test\.go:\d+: (.*)$`, "SLUICE_WORLD=first")
			sim := play(t, root, overlay, "sim", "TestSerial", `sim_test\.go:\d+: seed \d+, (.*)$`, "SLUICE_SHRINK=0", "SLUICE_SIM="+schedules)
			found := fmt.Sprintf("%s\n    small world: %s\n    simulation: %s\n", m.name, world, sim)
			table.WriteString(found)
			t.Log(found)
			if world == "" && sim == "" {
				t.Error("nothing noticed it")
			}
		})
	}
	t.Logf("\n%s", table.String())
}

// overlay puts the mistake over the real file.
func (m mutant) overlay(t *testing.T, root string) string {
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
	return overlay
}

// play builds a proof with the mistake and runs it; what it found is "" for nothing.
func play(t *testing.T, root, overlay, pkg, test, pattern string, environ ...string) string {
	dir := filepath.Dir(overlay)
	program := filepath.Join(dir, pkg)
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", program, "./internal/proof/"+pkg)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building it: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), program, "-test.run", "^"+test+"$")
	run.Dir = dir
	run.Env = append(os.Environ(), environ...)
	out, err := run.CombinedOutput()
	if err == nil {
		return ""
	}
	found := regexp.MustCompile(`(?m)^\s+` + pattern).FindStringSubmatch(string(out))
	if found == nil {
		t.Fatalf("%s failed, but found nothing:\n%s", pkg, out)
	}
	return found[1]
}
