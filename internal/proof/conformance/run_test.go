package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluicelake/sluice/types"
)

// scratch holds the command line, built once for the package.
var scratch string

func TestMain(m *testing.M) {
	code := m.Run()
	if scratch != "" {
		os.RemoveAll(scratch)
	}
	os.Exit(code)
}

var binary = sync.OnceValues(func() (string, error) {
	var err error
	if scratch, err = os.MkdirTemp("", "sluice-conformance"); err != nil {
		return "", err
	}
	path := filepath.Join(scratch, "sluice")
	out, err := exec.Command("go", "build", "-o", path, "../../../cmd/sluice").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// refusal is an error that the command line prints with --json.
type refusal struct {
	Class   string `json:"class"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Message }

// sluice runs the command line and returns what it printed; an error of the
// table is a *refusal.
func sluice(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, append(args, "--json")...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out.Bytes(), nil
	case !errors.As(err, &exit) || exit.ExitCode() != 1:
		t.Errorf("sluice %s: %v\n%s", strings.Join(args, " "), err, errs.Bytes())
	}
	var last struct {
		Error *refusal `json:"error"`
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if json.Unmarshal(lines[len(lines)-1], &last) != nil || last.Error == nil || last.Error.Class == "" {
		t.Errorf("sluice %s failed without an error object: %s\n%s", strings.Join(args, " "), out.Bytes(), errs.Bytes())
		return nil, &refusal{Message: errs.String()}
	}
	return out.Bytes(), last.Error
}

// rows are the sorted canonical lines that the command line printed.
func rows(out []byte) [][]byte {
	var lines [][]byte
	for l := range bytes.Lines(out) {
		lines = append(lines, bytes.TrimRight(l, "\n"))
	}
	slices.SortFunc(lines, bytes.Compare)
	return lines
}

// difference shows the first lines that differ; "" when none does.
func difference(got, want [][]byte) string {
	for i := range max(len(got), len(want)) {
		var g, w []byte
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if !bytes.Equal(g, w) {
			return fmt.Sprintf("%d rows, want %d; row %d\n got %.400s\nwant %.400s", len(got), len(want), i, g, w)
		}
	}
	return ""
}

// names lists columns for --columns, less those that are left out.
func names(s *types.Struct, omit []string) string {
	var out []string
	for _, f := range s.Fields {
		if !slices.Contains(omit, f.Name) {
			out = append(out, types.QuoteIdentifier(f.Name))
		}
	}
	return strings.Join(out, ",")
}

// bare is a schema without the metadata of its fields.
func bare(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Struct:
		fields := make([]types.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = types.Field{Name: f.Name, Type: bare(f.Type), Nullable: f.Nullable}
		}
		return types.NewStruct(fields...)
	case *types.Array:
		return &types.Array{Element: bare(t.Element), ContainsNull: t.ContainsNull}
	case *types.Map:
		return &types.Map{Key: bare(t.Key), Value: bare(t.Value), ValueContainsNull: t.ValueContainsNull}
	}
	return t
}

// tally counts answers.
type tally struct {
	sync.Mutex
	passed, refused, failed int
}

// say counts one answer; diff says what is wrong with it.
func (c *tally) say(t *testing.T, what, diff string) {
	t.Helper()
	c.Lock()
	defer c.Unlock()
	if diff == "" {
		c.passed++
		return
	}
	c.failed++
	t.Errorf("%s: %s", what, diff)
}

// refuse counts a refusal that the corpus allows.
func (c *tally) refuse() {
	c.Lock()
	defer c.Unlock()
	c.refused++
}

func (c *tally) line(what string) string {
	return fmt.Sprintf("%s: %d passed (%d of them refusals of optional features), %d failed, 0 skipped", what, c.passed+c.refused, c.refused, c.failed)
}
