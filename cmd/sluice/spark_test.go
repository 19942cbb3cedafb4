package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/proof/testkit"
)

// sparkMeta is expected/meta.json of a table that Spark wrote.
type sparkMeta struct {
	Latest  int64                      `json:"latest"`
	History []map[string]any           `json:"history"`
	Detail  map[string]any             `json:"detail"`
	Times   map[string]json.RawMessage `json:"commitFileMillis"`
	Travel  []struct {
		At    string           `json:"timestampAsOf"`
		Rows  []map[string]any `json:"rows"`
		Error *struct {
			Condition string `json:"condition"`
			SQLState  string `json:"sqlstate"`
		} `json:"error"`
	} `json:"timeTravel"`
}

// eachSparkTable runs a test on each table of the corpus.
func eachSparkTable(t *testing.T, test func(t *testing.T, dir string, meta *sparkMeta)) {
	root := filepath.Join(testkit.Corpus(t, "SLUICE_SPARK_CORPUS"), "tables")
	for _, archive := range testkit.Archives(t, root) {
		t.Run(testkit.ArchiveName(root, archive), func(t *testing.T) {
			dir := testkit.Unpack(t, archive)
			text, err := os.ReadFile(filepath.Join(dir, "expected", "meta.json"))
			if err != nil {
				t.Fatal(err)
			}
			var meta sparkMeta
			if err := json.Unmarshal(text, &meta); err != nil {
				t.Fatal(err)
			}
			test(t, dir, &meta)
		})
	}
}

// asMap is a map of the corpus, which lists its entries.
func asMap(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for _, e := range list {
		kv := e.([]any)
		out[kv[0].(string)] = kv[1]
	}
	return out
}

// compareFields says which fields of want are otherwise in got.
func compareFields(t *testing.T, where string, want, got map[string]any) {
	t.Helper()
	for k, w := range want {
		switch k {
		case "operationParameters", "operationMetrics", "properties":
			w = asMap(w)
		case "timestamp":
			at, err := time.Parse(time.RFC3339Nano, w.(string))
			if err != nil {
				t.Fatal(err)
			}
			w = stamp(at)
		}
		if g, ok := got[k]; !ok || !reflect.DeepEqual(w, g) {
			t.Errorf("%s: %s is %v (there: %v), Spark says %v", where, k, g, ok, w)
		}
	}
}

// history and detail say what DESCRIBE HISTORY and DESCRIBE DETAIL say.
func TestSparkDescriptions(t *testing.T) {
	eachSparkTable(t, func(t *testing.T, dir string, meta *sparkMeta) {
		table := filepath.Join(dir, "table")
		var detail map[string]any
		if err := json.Unmarshal([]byte(mustRun(t, "detail", table, "--json")), &detail); err != nil {
			t.Fatal(err)
		}
		compareFields(t, "detail", meta.Detail, detail)

		got := strings.Split(strings.TrimSpace(mustRun(t, "history", table, "--json")), "\n")
		if len(got) != len(meta.History) {
			t.Fatalf("%d commits, want %d", len(got), len(meta.History))
		}
		slices.Reverse(got)
		for i, want := range meta.History {
			var h map[string]any
			if err := json.Unmarshal([]byte(got[i]), &h); err != nil {
				t.Fatal(err)
			}
			compareFields(t, fmt.Sprintf("version %v", want["version"]), want, h)
		}
		if limited := mustRun(t, "history", table, "--json", "--limit", "2"); strings.Count(limited, "\n") != min(2, len(got)) {
			t.Errorf("--limit 2: %s", limited)
		}
	})
}

// --at finds the version that Spark finds, and fails as it does.
func TestSparkTimeTravel(t *testing.T) {
	eachSparkTable(t, func(t *testing.T, dir string, meta *sparkMeta) {
		table := filepath.Join(dir, "table")
		for v, raw := range meta.Times {
			var version, millis int64
			if err := json.Unmarshal([]byte(v), &version); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &millis); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(table, "_delta_log", fmt.Sprintf("%020d.json", version))
			if err := os.Chtimes(name, time.UnixMilli(millis), time.UnixMilli(millis)); err != nil {
				t.Fatal(err)
			}
		}
		for _, travel := range meta.Travel {
			at := strings.TrimSuffix(travel.At, " UTC")
			var out, errs bytes.Buffer
			code := run(t.Context(), []string{"cat", table, "--at", at, "--json"}, nil, &out, &errs)
			if travel.Error != nil {
				if code != 1 || !strings.Contains(out.String(), `"class":"`+travel.Error.Condition+`"`) || !strings.Contains(out.String(), `"sqlState":"`+travel.Error.SQLState+`"`) {
					t.Errorf("at %s: status %d, %s; want %v", at, code, out.String(), *travel.Error)
				}
				continue
			}
			if code != 0 {
				t.Errorf("at %s: %s", at, errs.String())
				continue
			}
			var got []map[string]any
			dec := json.NewDecoder(&out)
			for dec.More() {
				var row map[string]any
				if err := dec.Decode(&row); err != nil {
					t.Fatal(err)
				}
				got = append(got, row)
			}
			if len(got) != len(travel.Rows) {
				t.Errorf("at %s: %d rows, want %d", at, len(got), len(travel.Rows))
			}
		}
	})
}

// Row ids and row commit versions are those that Spark reads.
func TestSparkRowIDs(t *testing.T) {
	eachSparkTable(t, func(t *testing.T, dir string, _ *sparkMeta) {
		expected, err := filepath.Glob(filepath.Join(dir, "expected", "rowids-v*.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range expected {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "rowids-v"), ".jsonl")
			got := mustRun(t, "cat", filepath.Join(dir, "table"), "--version", version, "--json",
				"--columns", "*, _metadata.row_id AS _row_id, _metadata.row_commit_version AS _row_commit_version")
			if a, b := rowsIn(got), rowsIn(string(want)); !slices.Equal(a, b) {
				t.Errorf("version %s:\n%s\nwant\n%s", version, strings.Join(a, "\n"), strings.Join(b, "\n"))
			}
		}
	})
}

func rowsIn(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

func TestSplitNames(t *testing.T) {
	for list, want := range map[string][]string{
		"a,b": {"a", "b"}, " a , b AS c ": {"a", "b AS c"}, "`x,y`,z": {"`x,y`", "z"}, "`a``,b`": {"`a``,b`"}, "": {}, ",,": {}, "`open,b": {"`open,b"},
	} {
		if got := splitNames(list); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}
