package read_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/types"
)

func latest(t testing.TB, k *tablekit.Kit) *snapshot.Snapshot {
	t.Helper()
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func planOf(t testing.TB, s *snapshot.Snapshot, where string, cols ...string) (*read.Plan, error) {
	t.Helper()
	spec := read.Spec{Columns: cols, Limit: -1}
	if where != "" {
		e, err := expr.Parse(where)
		if err != nil {
			t.Fatal(err)
		}
		spec.Where = e
	}
	return read.NewPlan(s, spec)
}

func rowsOf(ctx context.Context, t testing.TB, p *read.Plan) []string {
	t.Helper()
	out := []string{}
	for b, err := range p.Rows(ctx, env.New()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(b.NumRows()) {
			out = append(out, string(columns.AppendCanonicalRow(nil, b.Columns(), p.Schema(), i)))
		}
	}
	slices.Sort(out)
	return out
}

func check(t *testing.T, s *snapshot.Snapshot, where string, cols []string, want ...string) {
	t.Helper()
	p, err := planOf(t, s, where, cols...)
	if err != nil {
		t.Fatal(err)
	}
	want = slices.Sorted(slices.Values(want))
	if got := rowsOf(t.Context(), t, p); !slices.Equal(got, want) {
		t.Errorf("%s of %s:\n%s\nwant\n%s", cols, where, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	n, err := p.Count(t.Context(), env.New())
	if err != nil || n != int64(len(want)) {
		t.Errorf("count of %s: %d, %v; want %d", where, n, err, len(want))
	}
}

// tracked is a table with row tracking: the first file has no columns for ids, the
// second one has, with values in some rows, and the third has no first id.
func tracked(t *testing.T, enabled string) *tablekit.Kit {
	t.Helper()
	k := tablekit.New(t, tablekit.Spec{DDL: "id INT", Files: [][]string{{`{"id":1}`, `{"id":2}`, `{"id":3}`}}})
	schema, err := types.ParseDDL("id INT, `_row-id` BIGINT, `_row-version` BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	publish := func(acts ...action.Action) {
		t.Helper()
		if err := tablekit.Publish(t.Context(), k.Bucket, latest(t, k).Version()+1, "by hand", acts...); err != nil {
			t.Fatal(err)
		}
	}
	md := *latest(t, k).Metadata()
	md.SchemaString = types.JSON(schema)
	publish(&md)
	k.Schema = schema
	for _, rows := range [][]string{{`{"id":10,"_row-id":77,"_row-version":1}`, `{"id":11}`, `{"id":12,"_row-id":78}`, `{"id":13,"_row-version":2}`}, {`{"id":20}`}} {
		if err := k.Append(t.Context(), rows...); err != nil {
			t.Fatal(err)
		}
	}
	s := latest(t, k)
	bare, err := types.ParseDDL("id INT")
	if err != nil {
		t.Fatal(err)
	}
	last := *s.Metadata()
	last.SchemaString = types.JSON(bare)
	last.Configuration = map[string]string{"delta.enableRowTracking": enabled, "delta.enableDeletionVectors": "true",
		"delta.rowTracking.materializedRowIdColumnName": "_row-id", "delta.rowTracking.materializedRowCommitVersionColumnName": "_row-version"}
	protocol := *s.Protocol()
	protocol.WriterFeatures = append(slices.Clone(protocol.WriterFeatures), "rowTracking", "domainMetadata")
	acts := []action.Action{&last, &protocol}
	base := int64(100)
	files := s.Files()
	for i := range files.All() {
		add := *files.Add(i)
		if strings.Contains(add.Stats, "20") {
			acts = append(acts, &add)
			continue
		}
		first, version := base, base/100
		add.BaseRowID, add.DefaultRowCommitVersion = &first, &version
		base += 100
		acts = append(acts, &add)
	}
	publish(acts...)
	return k
}

func TestRowIDs(t *testing.T) {
	k := tracked(t, "true")
	cols := []string{"id", "_metadata.row_id", "_metadata.row_commit_version AS v", "_metadata.row_index"}
	s := latest(t, k)
	rows := []string{
		`{"id":1,"row_id":100,"v":1,"row_index":0}`, `{"id":2,"row_id":101,"v":1,"row_index":1}`, `{"id":3,"row_id":102,"v":1,"row_index":2}`,
		`{"id":10,"row_id":77,"v":1,"row_index":0}`, `{"id":11,"row_id":201,"v":2,"row_index":1}`,
		`{"id":12,"row_id":78,"v":2,"row_index":2}`, `{"id":13,"row_id":203,"v":2,"row_index":3}`,
		`{"id":20,"row_id":null,"v":null,"row_index":0}`}
	check(t, s, "", cols, rows...)
	check(t, s, "_metadata.row_id BETWEEN 78 AND 101", cols, rows[0], rows[1], rows[5])
	check(t, s, "_metadata.row_id = 203 OR id = 1", cols, rows[0], rows[6])
	check(t, s, "t._metadata.row_id IS NULL", []string{"id"}, `{"id":20}`)
	check(t, s, "_metadata.base_row_id = 200 AND id <> 12", []string{"id", "_metadata.base_row_id", "_metadata.default_row_commit_version"},
		`{"id":10,"base_row_id":200,"default_row_commit_version":2}`, `{"id":11,"base_row_id":200,"default_row_commit_version":2}`,
		`{"id":13,"base_row_id":200,"default_row_commit_version":2}`)

	// Deleted rows keep their places.
	files := s.Files()
	var acts []action.Action
	for i := range files.All() {
		if add := files.Add(i); add.BaseRowID != nil && *add.BaseRowID == 100 {
			marked, err := tablekit.Mark(t.Context(), s, add, 1)
			if err != nil {
				t.Fatal(err)
			}
			acts = append(acts, marked...)
		}
	}
	if err := tablekit.Publish(t.Context(), k.Bucket, s.Version()+1, "DELETE", acts...); err != nil {
		t.Fatal(err)
	}
	check(t, latest(t, k), "_metadata.base_row_id = 100", cols, rows[0], rows[2])
	check(t, latest(t, k), "id < 4", []string{"id"}, `{"id":1}`, `{"id":3}`)
}

// Without the property there are no row ids, and it is said why; what the log
// says of files is there.
func TestRowIDsNotEnabled(t *testing.T) {
	s := latest(t, tracked(t, "false"))
	check(t, s, "id = 20 OR id = 3", []string{"id", "_metadata.base_row_id"}, `{"id":20,"base_row_id":null}`, `{"id":3,"base_row_id":100}`)
	for _, where := range []string{"", "_metadata.row_id = 1"} {
		_, err := planOf(t, s, where, "_metadata.row_commit_version")
		if err == nil || !strings.Contains(err.Error(), "row tracking is not enabled at version") {
			t.Errorf("%q: %v", where, err)
		}
	}
	if _, err := planOf(t, latest(t, tablekit.New(t, tablekit.Spec{DDL: "id INT"})), "", "_metadata.base_row_id"); err == nil || !strings.Contains(err.Error(), "row tracking is not enabled") {
		t.Error(err)
	}
}

func TestColumns(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "id INT, st STRUCT<a: INT, `b.c`: STRUCT<d: STRING>>, m MAP<STRING, INT>, l ARRAY<STRUCT<x: INT>>, `p.q` INT",
		Files: [][]string{{`{"id":1,"st":{"a":5,"b.c":{"d":"deep"}},"m":[["k",7]],"l":[{"x":1},{"x":2}],"p.q":9}`, `{"id":2}`}}})
	s := latest(t, k)
	for _, c := range []struct {
		cols []string
		want []string
	}{
		{[]string{"ID"}, []string{`{"id":1}`, `{"id":2}`}},
		{[]string{"st.a", "st.`b.c`.d AS deep"}, []string{`{"a":5,"deep":"deep"}`, `{"a":null,"deep":null}`}},
		{[]string{"`p.q`", "p.q"}, []string{`{"p.q":9,"p.q":9}`, `{"p.q":null,"p.q":null}`}},
		{[]string{"m.k", "l.x"}, []string{`{"k":7,"x":[1,2]}`, `{"k":null,"x":null}`}},
		{[]string{"t.id as `my id`"}, []string{`{"my id":1}`, `{"my id":2}`}},
		{[]string{"id", "id AS id2", "_metadata.row_index"}, []string{`{"id":1,"id2":1,"row_index":0}`, `{"id":2,"id2":2,"row_index":1}`}},
		{[]string{}, []string{`{}`, `{}`}},
	} {
		check(t, s, "", c.cols[:len(c.cols):len(c.cols)], c.want...)
	}
	p, err := planOf(t, s, "id = 1", "*", "_metadata")
	if err != nil {
		t.Fatal(err)
	}
	if names := strings.Join(p.Schema().Names(), " "); names != "id st m l p.q _metadata" {
		t.Error(names)
	}
	for entry, class := range map[string]string{"nope": "UNRESOLVED_COLUMN.WITH_SUGGESTION", "st.nope": "FIELD_NOT_FOUND", "id.x": "INVALID_EXTRACT_BASE_FIELD_TYPE",
		"id x": "PARSE_SYNTAX_ERROR", "": "PARSE_SYNTAX_ERROR", "id AS": "PARSE_SYNTAX_ERROR", "_metadata.nope": "FIELD_NOT_FOUND"} {
		_, err := planOf(t, s, "", entry)
		if err == nil || !strings.Contains(fmt.Sprint(err), class) {
			t.Errorf("%q: %v, want %s", entry, err, class)
		}
	}
}

// Conditions on files drop files; the verdict says so.
func TestFileConditions(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "id INT", Files: [][]string{{`{"id":1}`}, {`{"id":2}`}, {`{"id":3}`}}})
	s := latest(t, k)
	var path string
	for b := range s.Files().All() {
		path = s.Files().Add(b).Path
	}
	p, err := planOf(t, s, fmt.Sprintf("_metadata.file_name = '%s' AND _metadata.file_size + 0 > 1 AND _metadata.row_index >= 0", path), "_metadata.file_path")
	if err != nil {
		t.Fatal(err)
	}
	kept := slices.Collect(p.Kept())
	if len(kept) != 1 || kept[0].Path != path {
		t.Errorf("kept %v", kept)
	}
	dropped := 0
	for f := range p.Judge {
		if !f.Verdict.Keep {
			dropped++
			if f.Verdict.By.String() != "file metadata" || !strings.Contains(f.Verdict.Reason, "_metadata.file_name = ") {
				t.Errorf("%+v", f.Verdict)
			}
		}
	}
	if dropped != 2 {
		t.Errorf("%d dropped", dropped)
	}
	if got := rowsOf(t.Context(), t, p); len(got) != 1 || !strings.HasPrefix(got[0], `{"file_path":"memory://kit-`) {
		t.Error(got)
	}
}
