package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sluice": main})
}

// TestScripts runs testdata/script/*.txtar: one file for each command and each
// kind of bad input. They show the command line as people see it.
//
// Besides testscript's own commands there are
//
//	fails CODE command...   the command exits with that status
//	mark DIR                remember every file and byte below DIR
//	same DIR                nothing below DIR has changed since
//	field PATH TEXT         the JSON on standard output has that text (or JSON) at PATH
//	lines FILE              standard output has the lines of FILE, in any order
//	screen FILE             standard output is FILE, in which <*> stands for any text of a line
//	await FILE              wait until FILE is there
//	touch FILE              make FILE
//	cut GLOB BYTES          keep only the first bytes of the files
//	drop GLOB               remove the files
//	keep GLOB FILE          copy the first of the files
//	name GLOB VAR           set VAR to the name of the first of the files, without its folder
//	commit TABLE N FILE     write FILE as commit N of TABLE
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: false,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GOCOVERDIR", os.Getenv("GOCOVERDIR"))
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else every command of a race build ends with a second's sleep
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"fails": fails, "mark": mark, "same": same, "field": field, "lines": lines, "screen": screen,
			"await": await, "touch": touch, "cut": cut, "drop": drop, "commit": commit, "keep": keep, "name": name,
		},
	})
}

func want(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", usage)
	}
}

func fails(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "fails CODE command...")
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case err == nil:
		ts.Fatalf("it succeeded, want status %d", code)
	case !errors.As(err, &exit):
		ts.Fatalf("it was not run: %v", err)
	case exit.ExitCode() != code:
		ts.Fatalf("status %d, want %d", exit.ExitCode(), code)
	}
}

// treeHash is a digest of every name and byte below a folder.
func treeHash(dir string) (string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		line := path
		if !d.IsDir() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %x %d", sha256.Sum256(data), info.ModTime().UnixNano())
		}
		names = append(names, line)
		return nil
	})
	sort.Strings(names)
	return strings.Join(names, "\n"), err
}

func mark(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "mark DIR")
	h, err := treeHash(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Setenv("MARK_"+args[0], h)
}

func same(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "same DIR")
	h, err := treeHash(ts.MkAbs(args[0]))
	ts.Check(err)
	if before := ts.Getenv("MARK_" + args[0]); h != before {
		ts.Fatalf("%s has changed:\n-- before\n%s\n-- now\n%s", args[0], before, h)
	}
}

func field(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, false, args, 2, "field PATH TEXT")
	text := strings.TrimSpace(ts.ReadFile("stdout"))
	var v any
	last := text[strings.LastIndexByte(text, '\n')+1:]
	if err := json.Unmarshal([]byte(last), &v); err != nil {
		ts.Fatalf("the last line is no JSON: %v", err)
	}
	for _, name := range strings.Split(args[0], ".") {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[name]
			if !ok {
				ts.Fatalf("there is no %q in %v", name, v)
			}
			v = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(x) {
				ts.Fatalf("there is no %q in %v", name, v)
			}
			v = x[i]
		default:
			ts.Fatalf("there is no %q in %v", name, v)
		}
	}
	got, ok := v.(string)
	if !ok {
		data, err := json.Marshal(v)
		ts.Check(err)
		got = string(data)
	}
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

func sortedLines(s string) []string {
	out := strings.Split(strings.TrimSpace(s), "\n")
	sort.Strings(out)
	return out
}

func lines(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "lines FILE")
	got, expected := sortedLines(ts.ReadFile("stdout")), sortedLines(ts.ReadFile(args[0]))
	if strings.Join(got, "\n") != strings.Join(expected, "\n") {
		ts.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(expected, "\n"))
	}
}

func screen(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "screen FILE")
	got, expected := ts.ReadFile("stdout"), ts.ReadFile(args[0])
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(expected), regexp.QuoteMeta("<*>"), "[^\n]*") + "$"
	if !regexp.MustCompile(pattern).MatchString(got) {
		ts.Fatalf("got\n%s\nwant\n%s", got, expected)
	}
}

func waitFor(file string) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s did not appear", file)
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "await FILE")
	ts.Check(waitFor(ts.MkAbs(args[0])))
}

func touch(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "touch FILE")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), nil, 0o644))
}

func matches(ts *testscript.TestScript, glob string) []string {
	files, err := filepath.Glob(ts.MkAbs(glob))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("nothing matches %s", glob)
	}
	return files
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "cut GLOB BYTES")
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	for _, f := range matches(ts, args[0]) {
		ts.Check(os.Truncate(f, n))
	}
}

func drop(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "drop GLOB")
	for _, f := range matches(ts, args[0]) {
		ts.Check(os.Remove(f))
	}
}

func keep(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "keep GLOB FILE")
	data, err := os.ReadFile(matches(ts, args[0])[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o644))
}

func name(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "name GLOB VAR")
	ts.Setenv(args[1], filepath.Base(matches(ts, args[0])[0]))
}

func commit(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "commit TABLE N FILE")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), "_delta_log", fmt.Sprintf("%020d.json", n)), []byte(ts.ReadFile(args[2])), 0o644))
}

// sluiceIn runs the command line in this process.
func sluiceIn(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// mustRun fails the test when the command does not succeed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := sluiceIn(t, args...)
	if code != 0 {
		t.Fatalf("sluice %s: status %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// people makes a small table and a source for it.
func people(t *testing.T, dir string) (table, source string) {
	t.Helper()
	table, source = filepath.Join(dir, "people"), filepath.Join(t.TempDir(), "uk.json")
	rows := `{"user_id":"1","name":"Ada","city":"London","country":"UK"}` + "\n" + `{"user_id":"2","name":"Ben","city":"Leeds","country":"UK"}` + "\n"
	if err := os.WriteFile(source, []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "create", table, "--schema", "user_id STRING NOT NULL, name STRING, city STRING, country STRING", "--partition-by", "country")
	mustRun(t, "append", table, "--source", source)
	return table, source
}

// A signal ends a command that waits, with status 130; nothing is left behind.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be sent signals there")
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			table, source := people(t, t.TempDir())
			before, err := treeHash(table)
			if err != nil {
				t.Fatal(err)
			}
			self, err := exec.LookPath("sluice")
			if err != nil {
				t.Fatal(err)
			}
			prefix := filepath.Join(t.TempDir(), "hold")
			cmd := exec.Command(self, "append", table, "--source", source, "--hold", prefix, "--json")
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if err := waitFor(prefix + ".ready"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			err = cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 130 {
				t.Fatalf("got %v, want status 130\n%s", err, errs.String())
			}
			if text := errs.String(); !strings.Contains(text, "interrupted; nothing was committed") {
				t.Errorf("standard error: %s", text)
			}
			if !strings.Contains(out.String(), `"kind":"interrupted"`) {
				t.Errorf("standard output: %s", out.String())
			}
			if after, err := treeHash(table); err != nil || after != before {
				t.Errorf("the table has changed (%v):\n%s\nwas\n%s", err, after, before)
			}
		})
	}
}

// --at reads the version that was the newest at a time.
func TestTimeTravel(t *testing.T) {
	table, source := people(t, t.TempDir())
	mustRun(t, "append", table, "--source", source)
	mustRun(t, "delete", table)
	for line := range strings.Lines(mustRun(t, "history", table, "--json")) {
		var h struct {
			Version   int64
			Timestamp string
		}
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatal(err)
		}
		rows := []string{"0\n", "2\n", "4\n", "0\n"}[h.Version]
		if got := mustRun(t, "count", table, "--at", h.Timestamp); got != rows {
			t.Errorf("at %s, version %d: %s rows, want %s", h.Timestamp, h.Version, got, rows)
		}
		if got := mustRun(t, "count", table, "--version", fmt.Sprint(h.Version)); got != rows {
			t.Errorf("version %d: %s rows, want %s", h.Version, got, rows)
		}
		if at, err := time.Parse(time.RFC3339Nano, h.Timestamp); err != nil {
			t.Error(err)
		} else if got := mustRun(t, "count", table, "--at", fmt.Sprint(at.UnixMilli())); got != rows {
			t.Errorf("at %d ms, version %d: %s rows, want %s", at.UnixMilli(), h.Version, got, rows)
		}
	}
}

// A context that is cancelled in the middle is an interruption as well.
func TestCancelledContext(t *testing.T) {
	table, source := people(t, t.TempDir())
	before, err := treeHash(table)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	prefix := filepath.Join(t.TempDir(), "hold")
	go func() {
		_ = waitFor(prefix + ".ready")
		cancel()
	}()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"merge", table, "--source", source, "--on", "t.user_id = s.user_id", "--when-matched", "UPDATE SET name = 'x'", "--hold", prefix}, nil, &out, &errs); code != 130 {
		t.Errorf("status %d, want 130: %s", code, errs.String())
	}
	if after, err := treeHash(table); err != nil || after != before {
		t.Errorf("the table has changed (%v):\n%s\nwas\n%s", err, after, before)
	}
}
