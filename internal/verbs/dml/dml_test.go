package dml_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

func TestStatements(t *testing.T) {
	files := [][]string{{`{"k":1,"p":"a"}`, `{"k":2,"p":"a"}`}, {`{"k":3,"p":"b"}`, `{"k":null,"p":null}`}}
	all := []string{`{"k":1,"p":"a"}`, `{"k":2,"p":"a"}`, `{"k":3,"p":"b"}`, `{"k":null,"p":null}`}
	for _, c := range []struct {
		sql    string
		want   []string
		n      int64
		copied int64 // without deletion vectors
		err    string
	}{
		{"DELETE FROM target WHERE k = 2", []string{all[0], all[2], all[3]}, 1, 1, ""},
		{"DELETE FROM target WHERE k <> 2", []string{all[1], all[3]}, 2, 1, ""},
		{"DELETE FROM target AS t WHERE t.k > 100", all, 0, 0, ""},
		{"DELETE FROM target WHERE p = 'a'", all[2:], 2, 0, ""},
		{"DELETE FROM target WHERE NULL", all, 0, 0, ""},
		{"DELETE FROM target", []string{}, 4, 0, ""},
		{"UPDATE target SET k = k + 1 WHERE k IS NOT NULL", []string{`{"k":2,"p":"a"}`, `{"k":3,"p":"a"}`, `{"k":4,"p":"b"}`, all[3]}, 3, 0, ""},
		{"UPDATE target t SET t.p = 'z', k = length(t.p) WHERE t.p = 'b'", []string{all[0], all[1], `{"k":1,"p":"z"}`, all[3]}, 1, 0, ""},
		{"UPDATE target SET p = NULL", []string{`{"k":1,"p":null}`, `{"k":2,"p":null}`, `{"k":3,"p":null}`, all[3]}, 4, 0, ""},
		{"UPDATE target SET k = 5000000000", nil, 0, 0, "OVERFLOW"},
		{"UPDATE target SET nope = 1", nil, 0, 0, "cannot resolve nope in SET"},
		{"UPDATE target SET k = 'x'", nil, 0, 0, "CAST_INVALID_INPUT"},
		{"DELETE FROM target WHERE k", nil, 0, 0, "DATATYPE_MISMATCH"},
	} {
		for _, vectors := range []bool{true, false} {
			spec := tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Files: files}
			if !vectors {
				spec.Properties = tablekit.WithoutVectors()
			}
			k := tablekit.New(t, spec)
			read := parse.UpdateStatement
			if strings.HasPrefix(c.sql, "DELETE") {
				read = parse.DeleteStatement
			}
			s, err := read(c.sql)
			if err != nil {
				t.Fatal(err)
			}
			res, err := dml.Run(t.Context(), k.Log, s.Spec, merge.Options{})
			rows := k.Rows(t)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !slices.Equal(rows, all) {
					t.Errorf("%s: want %s: %v", c.sql, c.err, err)
				}
				continue
			}
			slices.Sort(c.want)
			if err != nil || !slices.Equal(rows, c.want) {
				t.Errorf("%s: %v %v", c.sql, rows, err)
			}
			if n := res.Metrics.Updated() + res.Metrics.Deleted(); n != c.n || res.Commit.Committed != (c.n > 0) {
				t.Errorf("%s: %d rows changed, committed %t", c.sql, n, res.Commit.Committed)
			}
			if !vectors && res.Metrics.Copied != c.copied || vectors && res.Metrics.Copied != 0 {
				t.Errorf("%s: %d rows copied", c.sql, res.Metrics.Copied)
			}
		}
	}
}

// TestAppendOnly: rows of an append-only table stay, even those that a condition
// does not find.
func TestAppendOnly(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: map[string]string{"delta.appendOnly": "true"}, Files: [][]string{{`{"k":1}`}}})
	for _, sql := range []string{"DELETE FROM t", "DELETE FROM t WHERE k = 99"} {
		s, err := parse.DeleteStatement(sql)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := dml.Run(t.Context(), k.Log, s.Spec, merge.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_CANNOT_MODIFY_APPEND_ONLY") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// TestWholeFilesGoUnread: what statistics decide is not read.
func TestWholeFilesGoUnread(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{{`{"k":1}`, `{"k":2}`}, {`{"k":50}`, `{"k":60}`}}})
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Files().All() { // the files are gone, their statistics are there
		if err := k.Bucket.Delete(t.Context(), s.Files().Path(i)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := parse.DeleteStatement("DELETE FROM t WHERE k < 10")
	if err != nil {
		t.Fatal(err)
	}
	res, err := dml.Run(t.Context(), k.Log, d.Spec, merge.Options{})
	if err != nil || res.Metrics.Deleted() != 2 || res.Metrics.FilesRemoved != 1 {
		t.Errorf("%+v %v", res.Metrics, err)
	}
}
