package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestInterruptBetweenCommits: a signal in the middle of a large OPTIMIZE leaves the
// commits that were made, and says which; another run does the rest.
func TestInterruptBetweenCommits(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be sent signals there")
	}
	self, err := exec.LookPath("sluice")
	if err != nil {
		t.Fatal(err)
	}
	for _, asJSON := range []bool{true, false} {
		t.Run(fmt.Sprint("json ", asJSON), func(t *testing.T) {
			for range 5 { // the command may be done before the signal gets there
				if interruptOptimize(t, self, asJSON) {
					return
				}
			}
			t.Error("no run was still busy when the signal came")
		})
	}
}

// interruptOptimize reports whether the signal came in time.
func interruptOptimize(t *testing.T, self string, asJSON bool) bool {
	const partitions = 150
	dir := t.TempDir()
	table, source := filepath.Join(dir, "t"), filepath.Join(dir, "rows.json")
	var rows strings.Builder
	for p := range partitions {
		fmt.Fprintf(&rows, `{"k":%d,"p":%d}`+"\n", p, p)
	}
	if err := os.WriteFile(source, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "create", table, "--schema", "k INT, p INT", "--partition-by", "p")
	mustRun(t, "append", table, "--source", source)
	mustRun(t, "append", table, "--source", source)
	rowsOf := func() []string {
		return slices.Sorted(strings.Lines(mustRun(t, "cat", table, "--format", "jsonl")))
	}
	before := rowsOf()
	hold := filepath.Join(dir, "hold")
	args := []string{"optimize", table, "--commit-size", "1", "--hold", hold}
	if asJSON {
		args = append(args, "--json")
	}
	cmd := exec.Command(self, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := waitFor(hold + ".ready"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hold+".go", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := waitFor(filepath.Join(table, "_delta_log", fmt.Sprintf("%020d.json", 3))); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Fatalf("got %v, want status 130\n%s", err, errs.String())
	}
	commits, err := filepath.Glob(filepath.Join(table, "_delta_log", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	done := len(commits) - 3 // without CREATE and two appends
	says := fmt.Sprintf("stopped after %d commits (versions 3 to %d); what they did stands", done, done+2)
	if done == 1 {
		says = "stopped after 1 commit (version 3); what they did stands"
	}
	if !strings.Contains(errs.String(), says) || strings.Contains(errs.String(), "nothing was committed") {
		t.Errorf("standard error: %s, want %s", errs.String(), says)
	}
	if asJSON {
		var object struct {
			Error struct {
				Kind   string
				Detail struct{ Versions []int64 }
			}
		}
		d := json.NewDecoder(&out)
		if err := d.Decode(&object); err != nil || d.More() || object.Error.Kind != "interrupted" || len(object.Error.Detail.Versions) != done {
			t.Errorf("%v, %+v, more: %v", err, object, d.More())
		}
	} else if !strings.Contains(out.String(), "OPTIMIZE: version ") {
		t.Errorf("standard output: %s", out.String())
	}
	if got := rowsOf(); len(got) != 2*partitions || !slices.Equal(got, before) {
		t.Errorf("%d rows, %d before", len(got), len(before))
	}
	mustRun(t, "optimize", table)
	if got := mustRun(t, "optimize", table); !strings.Contains(got, "nothing to change") {
		t.Errorf("a third run: %s", got)
	}
	mustRun(t, "fsck", table)
	return true
}
