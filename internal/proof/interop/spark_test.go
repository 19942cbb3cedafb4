package interop

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/types"
)

// spark is a Spark session that answers requests.
type spark struct {
	in  io.Writer
	out *bufio.Reader
}

type reply struct {
	Rows  []json.RawMessage `json:"rows"`
	Error string            `json:"error"`
}

// startSpark starts one; env adds to its environment (see spark.py).
func startSpark(t *testing.T, env ...string) *spark {
	t.Helper()
	python := os.Getenv("SLUICE_SPARK_PYTHON")
	if python == "" {
		t.Skip("SLUICE_SPARK_PYTHON is not set: it names a Python with the packages pyspark 4.0.1 and delta-spark 4.0.1 (and Java 17)")
	}
	cmd := exec.Command(python, "testdata/spark.py")
	cmd.Env = append(os.Environ(), env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	s := &spark{in, bufio.NewReaderSize(out, 1<<20)}
	s.read(t)
	return s
}

// read takes the next answer; other things that the session prints are skipped.
func (s *spark) read(t *testing.T) reply {
	t.Helper()
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("Spark has ended: %v (%s)", err, line)
		}
		var r reply
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &r) == nil {
			return r
		}
	}
}

func (s *spark) ask(t *testing.T, q map[string]any) reply {
	t.Helper()
	text, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.in.Write(append(text, '\n')); err != nil {
		t.Fatal(err)
	}
	return s.read(t)
}

func (s *spark) rows(t *testing.T, schema *types.Struct, q map[string]any) []string {
	t.Helper()
	r := s.ask(t, q)
	if r.Error != "" {
		t.Fatalf("Spark on %v: %s", q, r.Error)
	}
	lines := make([]string, len(r.Rows))
	for i, row := range r.Rows {
		lines[i] = string(row)
	}
	return canonical(t, schema, lines...)
}

func (s *spark) sql(t *testing.T, text string) {
	t.Helper()
	if r := s.ask(t, map[string]any{"sql": text}); r.Error != "" {
		t.Fatalf("Spark: %s: %s", text, r.Error)
	}
}

func equalRows(t *testing.T, what string, ours, theirs []string) {
	t.Helper()
	if !slices.Equal(ours, theirs) {
		t.Errorf("%s: sluice has\n  %s\nSpark has\n  %s", what, strings.Join(ours, "\n  "), strings.Join(theirs, "\n  "))
	}
}

// feedOf is the change feed as sluice reads it, with its schema.
func feedOf(t *testing.T, k *tablekit.Kit, from int64) ([]string, *types.Struct) {
	t.Helper()
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	names := append(s.Schema().Names(), "_change_type", "_commit_version")
	p, err := changes.NewPlan(t.Context(), k.Env, s, changes.Spec{From: snapshot.Version(from), Columns: names})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for b, err := range p.Rows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(b.Record.NumRows()) {
			rows = append(rows, string(columns.AppendCanonicalRow(nil, b.Record.Columns(), p.Schema(), i)))
		}
	}
	sort.Strings(rows)
	return rows, p.Schema()
}

// idsOf are the keys of rows with their row ids.
func idsOf(t *testing.T, k *tablekit.Kit) ([]string, *types.Struct) {
	t.Helper()
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	p, err := read.NewPlan(s, read.Spec{Columns: []string{"k", "_metadata.row_id AS id", "_metadata.row_commit_version AS at"}, Limit: -1})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for b, err := range p.Rows(t.Context(), k.Env) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(b.NumRows()) {
			rows = append(rows, string(columns.AppendCanonicalRow(nil, b.Columns(), p.Schema(), i)))
		}
	}
	sort.Strings(rows)
	return rows, p.Schema()
}

// TestSpark lets Spark read what sluice writes, and both write one table in
// turns: rows, change feeds and row ids are the same for both. (Nothing races
// here: Spark's own log store on a local disk is exclusive in one process only.)
func TestSpark(t *testing.T) {
	s := startSpark(t)
	if os.Getenv("SLUICE_PYTHON") == "" {
		t.Setenv("SLUICE_PYTHON", os.Getenv("SLUICE_SPARK_PYTHON"))
	}
	start := [][]string{{`{"k":1,"p":"a","v":1}`, `{"k":2,"p":"b c","v":2}`, `{"k":3,"p":null,"v":3}`, `{"k":4,"p":"ü/x=1%","v":4}`}, {`{"k":5,"p":"a","v":5}`}}
	for _, c := range []struct {
		name  string
		props map[string]string
	}{
		{"deletion vectors", nil},
		{"copies", map[string]string{"delta.enableDeletionVectors": "false", "delta.checkpointInterval": "2"}},
		{"change feed", map[string]string{"delta.enableChangeDataFeed": "true"}},
		{"change feed, copies, mapped by name", map[string]string{"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "false", "delta.columnMapping.mode": "name"}},
		{"mapped by id, in-commit timestamps", map[string]string{"delta.columnMapping.mode": "id", "delta.enableInCommitTimestamps": "true", "delta.checkpointInterval": "3"}},
		{"row ids", map[string]string{"delta.enableRowTracking": "true"}},
		{"row ids, copies, change feed", map[string]string{"delta.enableRowTracking": "true", "delta.enableDeletionVectors": "false", "delta.enableChangeDataFeed": "true"}},
		{"type widening, V2 checkpoints", map[string]string{"delta.enableTypeWidening": "true", "delta.checkpointPolicy": "v2", "delta.checkpointInterval": "2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, dir := build(t, tablekit.Spec{DDL: "k BIGINT, p STRING, v INT", PartitionBy: []string{"p"}, Properties: c.props, Files: start})
			check := func(when string) {
				t.Helper()
				equalRows(t, when, k.Rows(t), s.rows(t, k.Schema, map[string]any{"rows": dir}))
			}
			check("written by sluice")
			mergeInto(t, k.Log, k.Schema, upsert, `{"k":1,"p":"z","v":10}`, `{"k":2,"p":"b c","v":-1}`, `{"k":6,"p":"a","v":60}`)
			check("after sluice's MERGE")
			s.sql(t, "UPDATE delta.`"+dir+"` SET v = v * 2 WHERE k > 3")
			check("after Spark's UPDATE")
			change(t, k.Log, "DELETE FROM target WHERE v = 8")
			s.sql(t, "MERGE INTO delta.`"+dir+"` t USING (SELECT 3L k, 'q' p, 33 v UNION ALL SELECT 77L, 'a', 7) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
			change(t, k.Log, "UPDATE target SET p = 'moved', v = v + 1 WHERE k IN (3, 5)")
			check("after turns")
			s.sql(t, "OPTIMIZE delta.`"+dir+"`")
			change(t, k.Log, "DELETE FROM target WHERE k = 77")
			check("after Spark's OPTIMIZE")
			if c.props["delta.enableChangeDataFeed"] == "true" {
				feed, schema := feedOf(t, k, 1)
				equalRows(t, "change feed", feed, s.rows(t, schema, map[string]any{"changes": dir, "from": 1}))
			}
			if c.props["delta.enableRowTracking"] == "true" {
				ids, schema := idsOf(t, k)
				equalRows(t, "row ids", ids, s.rows(t, schema, map[string]any{"rows": dir, "columns": []string{"k", "_metadata.row_id AS id", "_metadata.row_commit_version AS at"}}))
			}
		})
	}
	t.Run("every type", func(t *testing.T) {
		k, dir := build(t, everyType)
		equalRows(t, "every type", k.Rows(t), s.rows(t, k.Schema, map[string]any{"rows": dir}))
	})
}
