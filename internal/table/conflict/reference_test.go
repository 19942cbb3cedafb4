package conflict_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/types"
)

// scenario is a case of the conflict corpus: a transaction against winners.
type scenario struct {
	ID        string              `json:"id"`
	Name      string              `json:"name"`
	Isolation string              `json:"isolation"`
	Table     []json.RawMessage   `json:"table"`
	Reads     []map[string]any    `json:"reads"`
	Own       []json.RawMessage   `json:"own"`
	Winners   [][]json.RawMessage `json:"winners"`
	ReadFiles []string            `json:"readFiles"`
	Verdict   struct {
		Commit    *int64 `json:"commit"`
		Exception string `json:"exception"`
		Condition string `json:"condition"`
	} `json:"verdict"`
}

func actions(t *testing.T, list []json.RawMessage) []action.Action {
	t.Helper()
	var b bytes.Buffer
	for _, raw := range list {
		b.Write(raw)
		b.WriteByte('\n')
	}
	acts, err := action.ParseCommit(b.Bytes(), "case")
	if err != nil {
		t.Fatal(err)
	}
	return acts
}

// factsOf states the scenario's transaction as the checker takes it.
func factsOf(t *testing.T, s scenario) *conflict.Facts {
	f := &conflict.Facts{ReadFiles: map[conflict.FileID]*action.Add{}, ReadApps: map[string]int64{}, Operation: "Manual Update"}
	adds := map[string]*action.Add{}
	for _, a := range actions(t, s.Table) {
		switch x := a.(type) {
		case *action.Protocol:
			f.Protocol = x
		case *action.Metadata:
			f.Metadata = x
		case *action.Add:
			adds[x.Path] = x
		}
	}
	schema, err := types.ParseSchema(f.Metadata.SchemaString)
	if err != nil {
		t.Fatal(err)
	}
	f.Schema, f.PartitionColumns = schema, f.Metadata.PartitionColumns
	f.Actions = actions(t, s.Own)
	var scan []expr.Expr
	flush := func() {
		if len(scan) > 0 {
			f.Reads = append(f.Reads, conflict.Read{Clause: "filter", Predicate: expr.And(scan...)})
			scan = nil
		}
	}
	for _, r := range s.Reads {
		if _, also := r["also"]; also {
			flush()
		}
		for _, key := range []string{"filter", "also"} {
			text, ok := r[key].(string)
			if !ok {
				continue
			}
			e, err := expr.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: schema}}}); err != nil {
				t.Fatal(err)
			}
			scan = append(scan, e)
		}
		if app, ok := r["txn"].(string); ok {
			f.ReadApps[app] = -1
		}
		if _, ok := r["wholeTable"]; ok {
			f.WholeTable = true
			f.Reads = append(f.Reads, conflict.Read{Clause: "the whole table"})
		}
	}
	flush()
	for _, path := range s.ReadFiles {
		if a := adds[path]; a != nil {
			f.ReadFiles[conflict.IDOf(a)] = a
		} else {
			f.ReadFiles[conflict.FileID{Path: path}] = &action.Add{Path: path}
		}
	}
	f.Isolation = isolation(f, s.Isolation)
	return f
}

// isolation downgrades as the reference does: nothing changes a row.
func isolation(f *conflict.Facts, level string) conflict.Isolation {
	for _, a := range f.Actions {
		switch x := a.(type) {
		case *action.Add:
			if x.DataChange {
				return conflict.Isolation(level)
			}
		case *action.Remove:
			if x.DataChange {
				return conflict.Isolation(level)
			}
		case *action.DomainMetadata:
			if x.Domain != "delta.rowTracking" {
				return conflict.Isolation(level)
			}
		default:
			return conflict.Isolation(level)
		}
	}
	return conflict.SnapshotIsolation
}

func judge(t *testing.T, s scenario, m conflict.Mode) conflict.Verdict {
	f := factsOf(t, s)
	for i, list := range s.Winners {
		w := &conflict.Winner{Version: int64(i + 1), Actions: actions(t, list)}
		v := conflict.Check(f, w, m)
		if v.Kind != conflict.Independent {
			return v
		}
		if v.Protocol != nil {
			f.Protocol = v.Protocol
		}
		if v.Metadata != nil {
			f.Metadata = v.Metadata
		}
	}
	return conflict.Verdict{}
}

func scenarios(t *testing.T) []scenario {
	dir := os.Getenv("SLUICE_SPARK_CORPUS")
	if dir == "" {
		t.Skip("SLUICE_SPARK_CORPUS is not set")
	}
	file, err := os.Open(filepath.Join(dir, "conflicts.jsonl.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := zstd.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	var out []scenario
	for lines.Scan() {
		var s scenario
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReferenceVerdicts asks whether delta-spark would have said the same.
func TestReferenceVerdicts(t *testing.T) {
	passed, failed := 0, 0
	for _, s := range scenarios(t) {
		v := judge(t, s, conflict.Reference)
		want, got := s.Verdict.Condition, v.Class
		if got != want {
			failed++
			t.Errorf("%s %s\n  reference says %q, Check says %q: %v", s.ID, s.Name, want, got, v.Evidence)
			continue
		}
		passed++
	}
	fmt.Printf("conflict corpus, reference mode: %d passed, %d failed, 0 skipped\n", passed, failed)
}

// TestPreciseIsNeverStricter: where the reference lets a transaction commit,
// precise judgement does too.
func TestPreciseIsNeverStricter(t *testing.T) {
	freed := 0
	for _, s := range scenarios(t) {
		v := judge(t, s, conflict.Precise)
		switch {
		case s.Verdict.Commit != nil && v.Kind == conflict.Conflict:
			// one exception: what both removed or what a read saw removed is judged by (path, vector)
			t.Errorf("%s %s: the reference commits, precise says %s: %v", s.ID, s.Name, v.Class, v.Evidence)
		case s.Verdict.Commit == nil && v.Kind != conflict.Conflict:
			freed++
		}
	}
	t.Logf("%d transactions that the reference refuses are independent by statistics or identity", freed)
}

func TestSplitKeepsPartitionPart(t *testing.T) {
	schema := types.NewStruct(types.Field{Name: "p", Type: types.String, Nullable: true}, types.Field{Name: "v", Type: types.Long, Nullable: true})
	e, err := expr.Parse("p = 'a' AND v > 10")
	if err != nil {
		t.Fatal(err)
	}
	if e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: schema}}}); err != nil {
		t.Fatal(err)
	}
	part, data := prune.Split(e, schema, []string{"p"})
	if part == nil || data == nil || strings.Contains(part.String(), "v") {
		t.Errorf("Split gave %v and %v", part, data)
	}
}
