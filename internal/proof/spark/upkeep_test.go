package spark

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// upkeepStory is statements of upkeep on fresh tables and what Spark 4.2 with Delta
// 4.4 answered to each (testdata/upkeep.jsonl).
type upkeepStory struct {
	Name  string `json:"name"`
	Steps []struct {
		SQL      string            `json:"sql"`
		Columns  [][2]string       `json:"columns"`
		Rows     []map[string]any  `json:"rows"`
		Error    *storyError       `json:"error"`
		Versions map[string]int64  `json:"versions"`
		Set      map[string]string `json:"set"`
		Unset    []string          `json:"unset"`
		Strip    string            `json:"strip"`
		Gather   []string          `json:"gather"`
		// Ours is the error class of sluice where it means to differ, "" for none;
		// Apart says that the rows differ. Why says why.
		Ours  *string `json:"ours"`
		Apart bool    `json:"apart"`
		Why   string  `json:"why"`
	} `json:"steps"`
	History map[string][]struct {
		Version    int64             `json:"version"`
		Operation  string            `json:"operation"`
		Parameters map[string]string `json:"operationParameters"`
		Metrics    map[string]string `json:"operationMetrics"`
		Isolation  string            `json:"isolationLevel"`
		Blind      bool              `json:"isBlindAppend"`
	} `json:"history"`
}

// TestUpkeepAsSpark runs statements of upkeep and holds columns, rows, errors,
// versions and history against what Spark answered.
func TestUpkeepAsSpark(t *testing.T) {
	f, err := os.Open("testdata/upkeep.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 8<<20)
	statements := 0
	for in.Scan() {
		var s upkeepStory
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		statements += len(s.Steps)
		t.Run(s.Name, func(t *testing.T) { s.play(t) })
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d statements", statements)
}

func (s *upkeepStory) play(t *testing.T) {
	base := t.TempDir()
	fresh := func() *sluice.Session {
		x := sluice.NewSession(sluice.SessionOptions{Options: []sluice.Option{sluice.WithOutside("file://" + base + "/")}})
		t.Cleanup(func() { x.Close() })
		return x
	}
	session := fresh()
	for i, step := range s.Steps {
		what := fmt.Sprintf("%d: %s", i, step.SQL)
		switch {
		case step.Set != nil:
			for k, v := range step.Set {
				if err := session.Set(k, v); err != nil {
					t.Errorf("set %s=%s: %v", k, v, err)
				}
			}
			continue
		case step.Unset != nil:
			for _, k := range step.Unset {
				if err := session.Exec(t.Context(), "RESET "+k); err != nil {
					t.Error(err)
				}
			}
			continue
		case step.Strip != "":
			session.Close()
			if err := os.RemoveAll(filepath.Join(base, step.Strip, "_delta_log")); err != nil {
				t.Fatal(err)
			}
			session = fresh() // which knows nothing of the log that was there
			continue
		case step.Gather != nil:
			gather(t, base, step.Gather)
			continue
		}
		schema, rows, err := ask(t, session, strings.ReplaceAll(step.SQL, "<base>", base))
		want := ""
		if step.Error != nil {
			want = step.Error.Condition
		}
		if step.Ours != nil {
			want = *step.Ours
		}
		if got := sluice.ErrorClass(err); (err != nil) != (want != "" || step.Error != nil && step.Ours == nil) || got != want {
			t.Errorf("%s\n\tSpark says %q, sluice %v", what, want, err)
			if err == nil != (step.Error == nil) {
				t.Errorf("%s\n\tthe rest of the story is not told", s.Name)
				return
			}
			continue
		}
		if want == "" && step.Error == nil && !step.Apart && tended.MatchString(step.SQL) {
			sameColumns(t, what, schema, step.Columns)
			if a, b := shown(step.SQL, rows, base), shown(step.SQL, step.Rows, base); a != b {
				t.Errorf("%s\n\tsluice has %s\n\tSpark has  %s", what, a, b)
			}
		}
		for name, v := range step.Versions {
			if got := versionOf(t, filepath.Join(base, name)); got != v {
				t.Errorf("%s\n\t%s is at version %d, with Spark at %d", what, name, got, v)
				return
			}
		}
	}
	for name := range s.History {
		s.history(t, filepath.Join(base, name), name)
	}
}

// ask runs one statement and takes its rows.
func ask(t *testing.T, session *sluice.Session, sql string) (schema *types.Struct, rows []map[string]any, err error) {
	t.Helper()
	for res, err := range session.SQL(t.Context(), sql) {
		if err != nil {
			return nil, nil, err
		}
		schema = res.Schema
		for b, err := range res.Batches(t.Context()) {
			if err != nil {
				return nil, nil, err
			}
			for i := range int(b.NumRows()) {
				var row map[string]any
				if err := json.Unmarshal(columns.AppendCanonical(nil, b, res.Schema, i), &row); err != nil {
					t.Fatal(err)
				}
				rows = append(rows, row)
			}
		}
	}
	return schema, rows, nil
}

func gather(t *testing.T, base string, names []string) {
	t.Helper()
	to := filepath.Join(base, names[len(names)-1])
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, from := range names[:len(names)-1] {
		files, err := filepath.Glob(filepath.Join(base, from, "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err == nil {
				err = os.WriteFile(filepath.Join(to, fmt.Sprintf("%d-%s", i, filepath.Base(f))), data, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func versionOf(t *testing.T, dir string) int64 {
	t.Helper()
	d, err := sluice.Open(t.Context(), dir)
	if err != nil {
		return -1
	}
	defer d.Close()
	s, err := d.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Version()
}

func sameColumns(t *testing.T, what string, got *types.Struct, want [][2]string) {
	t.Helper()
	if got == nil {
		got = &types.Struct{}
	}
	var names, theirs []string
	for _, f := range got.Fields {
		names = append(names, f.Name)
	}
	for _, c := range want {
		theirs = append(theirs, c[0])
	}
	if !slices.Equal(names, theirs) {
		t.Errorf("%s\n\tthe columns are  %v\n\tSpark's are %v", what, names, theirs)
		return
	}
	for i, c := range want {
		w, err := types.ParseDDL("c " + c[1])
		if err != nil {
			t.Fatalf("%s: %v", c[1], err)
		}
		if a, b := got.Fields[i].Type.String(), w.Fields[0].Type.String(); !strings.EqualFold(a, b) {
			t.Errorf("%s\n\tcolumn %s is\n\t%s, with Spark\n\t%s", what, c[0], a, b)
		}
	}
}

var (
	tended = regexp.MustCompile(`^(OPTIMIZE|REORG|VACUUM|RESTORE|CONVERT|GENERATE|DESCRIBE|SHOW|SELECT|CREATE.* CLONE|REPLACE.* CLONE)`)
	hidden = regexp.MustCompile(`(?i)size|min|max|avg|time|ms$|parallelism|^id$|created|lastModified|engineInfo|materialized|numFiles|totalFiles|num_|considered|skipped|scheduled|^num$`)
	// materialized are columns for row ids, whose names each engine makes up.
	materialized = regexp.MustCompile(`(Row(?:Id|CommitVersion)ColumnName":")[^"]*"`)
	rowColumns   = regexp.MustCompile(`(_row-(?:id|commit-version)-col-)[-0-9a-f]+`)
	data         = regexp.MustCompile(`part-[^/"]*\.parquet`)
)

// shown writes rows down without what depends on the writer of files and on time.
func shown(sql string, rows []map[string]any, base string) string {
	var out []string
	for _, r := range rows {
		var text strings.Builder
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(plainly(r, strings.HasPrefix(sql, "SELECT"))); err != nil {
			return err.Error()
		}
		line := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(text.String()), "file://"+base, "file:"+base), base, "<base>")
		out = append(out, rowColumns.ReplaceAllString(data.ReplaceAllString(line, "FILE"), "$1?"))
	}
	if strings.HasPrefix(sql, "VACUUM") {
		slices.Sort(out)
		out = slices.Compact(out) // how many files there are is up to the writer
	}
	return strings.Join(out, "\n\t")
}

func plainly(v any, all bool) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
		out := map[string]any{}
		for k, x := range v {
			if all || !hidden.MatchString(k) {
				out[k] = plainly(x, all)
			}
		}
		return out
	case []any:
		if pairs, ok := asMap(v); ok {
			return plainly(pairs, all)
		}
		if len(v) == 0 { // an empty map is told like an empty list
			return nil
		}
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = plainly(x, all)
		}
		return out
	}
	return v
}

// asMap reads a map in its canonical form, a list of pairs.
func asMap(list []any) (map[string]any, bool) {
	out := map[string]any{}
	for _, x := range list {
		pair, ok := x.([]any)
		if !ok || len(pair) != 2 {
			return nil, false
		}
		key, ok := pair[0].(string)
		if !ok {
			return nil, false
		}
		out[key] = pair[1]
	}
	return out, len(list) > 0
}

func (s *upkeepStory) history(t *testing.T, dir, name string) {
	d, err := sluice.Open(t.Context(), dir)
	if err != nil {
		t.Error(err)
		return
	}
	defer d.Close()
	list, err := d.History(t.Context(), sluice.HistoryOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	slices.Reverse(list)
	for i, w := range s.History[name] {
		if i >= len(list) || list[i].Version != w.Version {
			t.Errorf("%s has %d versions", name, len(list))
			return
		}
		g := list[i]
		what := fmt.Sprintf("%s version %d %s", name, w.Version, w.Operation)
		if g.Operation != w.Operation || g.IsolationLevel != w.Isolation || g.IsBlindAppend == nil || *g.IsBlindAppend != w.Blind {
			t.Errorf("%s: sluice has %s, %s, %v; Spark %s, %v", what, g.Operation, g.IsolationLevel, *g.IsBlindAppend, w.Isolation, w.Blind)
			continue
		}
		parameters := map[string]string{}
		for k, v := range g.OperationParameters {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			parameters[k] = strings.ReplaceAll(strings.ReplaceAll(text, "file://", "file:"), filepath.Dir(dir), "<base>")
		}
		for _, m := range []map[string]string{parameters, w.Parameters} {
			for k, v := range m {
				if k == "newProtocol" || k == "predicate" && (v != "[]" || m["auto"] == "true") {
					m[k] = "?"
					continue
				}
				var inner any
				if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
					if err := json.Unmarshal([]byte(v), &inner); err != nil {
						t.Fatal(err)
					}
					sorted, err := json.Marshal(inner)
					if err != nil {
						t.Fatal(err)
					}
					m[k] = materialized.ReplaceAllString(string(sorted), "$1?\"")
				}
			}
			delete(m, "statsOnLoad")
		}
		if !maps.Equal(parameters, w.Parameters) {
			t.Errorf("%s: the parameters are\n\t%v, with Spark\n\t%v", what, parameters, w.Parameters)
		}
		for k, v := range w.Metrics {
			got, ok := g.OperationMetrics[k]
			if !ok && !strings.Contains(k, "Time") {
				t.Errorf("%s: no metric %s=%s in %v", what, k, v, g.OperationMetrics)
			} else if ok && got != v && !depends(k) {
				t.Errorf("%s: metric %s=%s, with Spark %s", what, k, got, v)
			}
		}
		for k := range g.OperationMetrics {
			if _, ok := w.Metrics[k]; !ok && !strings.Contains(k, "Time") && !strings.HasPrefix(w.Operation, "WRITE") {
				t.Errorf("%s: metric %s=%s, which Spark has not: %v", what, k, g.OperationMetrics[k], w.Metrics)
			}
		}
	}
}
