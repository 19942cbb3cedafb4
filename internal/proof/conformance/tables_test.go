package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/types"
)

// sparkTable is expected/meta.json of a table of the Spark corpus.
type sparkTable struct {
	Latest   int64                   `json:"latest"`
	Versions map[string]sparkVersion `json:"versions"`
	CDF      map[string]sparkVersion `json:"cdf"`
	Travel   []struct {
		At    string            `json:"timestampAsOf"`
		Rows  []json.RawMessage `json:"rows"`
		Error *sparkError       `json:"error"`
	} `json:"timeTravel"`
	FileMillis map[string]int64 `json:"commitFileMillis"`
	History    []map[string]any `json:"history"`
	Detail     map[string]any   `json:"detail"`
}

type sparkVersion struct {
	Schema json.RawMessage `json:"schema"`
	Rows   int             `json:"rows"`
	Error  *sparkError     `json:"error"`
}

type sparkError struct {
	Condition string `json:"condition"`
}

// TestSparkTables runs every table that Spark wrote.
func TestSparkTables(t *testing.T) {
	root := filepath.Join(testkit.Corpus(t, "SLUICE_SPARK_CORPUS"), "tables")
	var c tally
	t.Run("tables", func(t *testing.T) {
		for _, archive := range testkit.Archives(t, root) {
			name := testkit.ArchiveName(root, archive)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				dir := testkit.Unpack(t, archive)
				var want sparkTable
				readJSON(t, filepath.Join(dir, "expected", "meta.json"), &want)
				s := sparkRun{c: &c, dir: dir, table: filepath.Join(dir, "table")}
				if _, err := os.Stat(filepath.Join(dir, "source")); err == nil {
					// Files of clones are named where the table was made.
					s.options = []string{"--allow-outside", "/corpus/" + name + "/=" + dir}
				}
				for v, millis := range want.FileMillis {
					n, err := strconv.ParseInt(v, 10, 64)
					if err != nil {
						t.Fatal(err)
					}
					at := time.UnixMilli(millis)
					if err := os.Chtimes(filepath.Join(s.table, "_delta_log", fmt.Sprintf("%020d.json", n)), at, at); err != nil {
						t.Fatal(err)
					}
				}
				s.rows(t, want)
				s.changes(t, want)
				s.travel(t, want)
				s.history(t, want)
				s.detail(t, want)
			})
		}
	})
	t.Log(c.line("tables of Spark"))
}

type sparkRun struct {
	c          *tally
	dir, table string
	options    []string
}

func (s sparkRun) run(t *testing.T, verb string, args ...string) ([]byte, error) {
	return sluice(t, slices.Concat([]string{verb, s.table}, s.options, args)...)
}

// compare runs a verb whose rows Spark's file holds.
func (s sparkRun) compare(t *testing.T, what, file string, want sparkVersion, verb string, args ...string) {
	t.Helper()
	out, err := s.run(t, verb, args...)
	switch {
	case want.Error != nil && err == nil:
		s.c.say(t, what, fmt.Sprintf("rows, Spark says %s", want.Error.Condition))
		return
	case want.Error != nil:
		s.c.say(t, what, "")
		return
	case err != nil:
		s.c.say(t, what, err.Error())
		return
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "expected", file))
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	for _, l := range rows(bytes.TrimSpace(text)) {
		lines = append(lines, plainVariants(l))
	}
	slices.SortFunc(lines, bytes.Compare)
	s.c.say(t, what, difference(rows(out), lines))
}

// plainVariants writes {"$variant": json} as the command line does: a string of JSON.
func plainVariants(line []byte) []byte {
	const mark = `{"$variant":`
	var out []byte
	for {
		i := bytes.Index(line, []byte(mark))
		if i < 0 {
			return append(out, line...)
		}
		dec := json.NewDecoder(bytes.NewReader(line[i+len(mark):]))
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return append(out, line...)
		}
		text, err := json.Marshal(string(v))
		if err != nil {
			return append(out, line...)
		}
		out = append(append(out, line[:i]...), text...)
		line = line[i+len(mark)+len(v)+1:]
	}
}

// rows holds each version's rows, row ids and schema against Spark's.
func (s sparkRun) rows(t *testing.T, want sparkTable) {
	for v, w := range want.Versions {
		s.compare(t, "version "+v, "rows-v"+v+".jsonl", w, "cat", "--version", v)
		ids := filepath.Join(s.dir, "expected", "rowids-v"+v+".jsonl")
		if _, err := os.Stat(ids); err == nil {
			s.compare(t, "row ids "+v, filepath.Base(ids), w, "cat", "--version", v,
				"--columns", "*,_metadata.row_id AS _row_id,_metadata.row_commit_version AS _row_commit_version")
		}
		if w.Error != nil {
			continue
		}
		out, err := s.run(t, "schema", "--version", v)
		var got struct {
			Schema json.RawMessage `json:"schema"`
		}
		if err == nil {
			err = json.Unmarshal(out, &got)
		}
		if err != nil {
			s.c.say(t, "schema "+v, err.Error())
			continue
		}
		s.c.say(t, "schema "+v, schemaDiff(t, w.Schema, got.Schema))
	}
}

func schemaDiff(t *testing.T, want, got json.RawMessage) string {
	t.Helper()
	w, err := types.ParseSchema(string(want))
	if err != nil {
		t.Fatal(err)
	}
	g, err := types.ParseSchema(string(got))
	if err != nil {
		return err.Error()
	}
	return cmp.Diff(types.JSON(nullable(bare(w))), types.JSON(nullable(bare(g))))
}

// nullable is a schema whose every field may be null: the frames that Spark
// reads say so of every column.
func nullable(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Struct:
		fields := make([]types.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = types.Field{Name: f.Name, Type: nullable(f.Type), Nullable: true}
		}
		return types.NewStruct(fields...)
	case *types.Array:
		return &types.Array{Element: nullable(t.Element), ContainsNull: true}
	case *types.Map:
		return &types.Map{Key: nullable(t.Key), Value: nullable(t.Value), ValueContainsNull: true}
	}
	return t
}

// changes holds each change feed against Spark's.
func (s sparkRun) changes(t *testing.T, want sparkTable) {
	for name, w := range want.CDF {
		part := strings.Split(name, "-")
		args := []string{"--from", part[1], "--to", part[2]}
		if w.Error == nil {
			schema, err := types.ParseSchema(string(w.Schema))
			if err != nil {
				t.Fatal(err)
			}
			args = append(args, "--columns", names(schema, nil))
		}
		s.compare(t, name, name+".jsonl", w, "changes", args...)
	}
}

// travel reads by timestamp.
func (s sparkRun) travel(t *testing.T, want sparkTable) {
	for _, w := range want.Travel {
		out, err := s.run(t, "cat", "--at", strings.TrimSuffix(w.At, " UTC"))
		var diff string
		var refused *refusal
		switch {
		case w.Error != nil && err == nil:
			diff = "rows, Spark says " + w.Error.Condition
		case w.Error != nil:
			refused = err.(*refusal)
			diff = cmp.Diff(w.Error.Condition, refused.Class)
		case err != nil:
			diff = err.Error()
		default:
			var lines [][]byte
			for _, r := range w.Rows {
				var b bytes.Buffer
				if err := json.Compact(&b, r); err != nil {
					t.Fatal(err)
				}
				lines = append(lines, b.Bytes())
			}
			diff = difference(rows(out), lines)
		}
		s.c.say(t, "at "+w.At, diff)
	}
}

// history holds DESCRIBE HISTORY against `sluice history`.
func (s sparkRun) history(t *testing.T, want sparkTable) {
	out, err := s.run(t, "history")
	if err != nil {
		s.c.say(t, "history", err.Error())
		return
	}
	got := map[float64]map[string]any{}
	for l := range bytes.Lines(out) {
		var h map[string]any
		if err := json.Unmarshal(l, &h); err != nil {
			t.Fatal(err)
		}
		got[h["version"].(float64)] = h
	}
	if len(got) != len(want.History) {
		t.Logf("history: %d commits, Spark lists %d", len(got), len(want.History))
	}
	for _, w := range want.History {
		h := got[w["version"].(float64)]
		s.c.say(t, fmt.Sprintf("history of version %v", w["version"]), factsDiff(w, h))
	}
}

// detail holds DESCRIBE DETAIL against `sluice detail`.
func (s sparkRun) detail(t *testing.T, want sparkTable) {
	if want.Detail == nil {
		return
	}
	out, err := s.run(t, "detail")
	var got map[string]any
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err != nil {
		s.c.say(t, "detail", err.Error())
		return
	}
	s.c.say(t, "detail", factsDiff(want.Detail, got))
}

// factsDiff compares what Spark states by name. Maps of Spark are lists of
// pairs; times are compared as times.
func factsDiff(want, got map[string]any) string {
	pick := map[string]any{}
	expect := map[string]any{}
	for k, w := range want {
		g, ok := got[k]
		if !ok {
			return fmt.Sprintf("%s is not stated", k)
		}
		if pairs, ok := w.([]any); ok {
			if _, isMap := g.(map[string]any); isMap {
				m := map[string]any{}
				for _, p := range pairs {
					kv := p.([]any)
					m[kv[0].(string)] = kv[1]
				}
				w = m
			}
		}
		if ts, ok := w.(string); ok && k == "timestamp" {
			a, err1 := time.Parse(time.RFC3339Nano, ts)
			b, err2 := time.Parse(time.RFC3339Nano, fmt.Sprint(g))
			if err1 == nil && err2 == nil && a.Equal(b) {
				continue
			}
		}
		expect[k], pick[k] = w, g
	}
	return cmp.Diff(expect, pick)
}
