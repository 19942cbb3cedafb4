package insert_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

func where(t *testing.T, sql string) expr.Expr {
	t.Helper()
	if sql == "" {
		return nil
	}
	e, err := expr.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const one, two, three = `{"k":1,"p":"a"}`, `{"k":2,"p":"b"}`, `{"k":3,"p":null}`

func TestModes(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  insert.Mode
		where string
		rows  []string
		want  []string
		err   string
	}{
		{"append", insert.Append, "", []string{`{"k":9,"p":"z"}`}, []string{one, two, three, `{"k":9,"p":"z"}`}, ""},
		{"append nothing", insert.Append, "", nil, []string{one, two, three}, ""},
		{"overwrite", insert.Overwrite, "", []string{`{"k":9,"p":"z"}`}, []string{`{"k":9,"p":"z"}`}, ""},
		{"overwrite with nothing", insert.Overwrite, "", nil, []string{}, ""},
		{"replace a partition", insert.ReplaceWhere, "p = 'a'", []string{`{"k":9,"p":"a"}`}, []string{two, three, `{"k":9,"p":"a"}`}, ""},
		{"replace rows", insert.ReplaceWhere, "k > 1", []string{`{"k":9,"p":"a"}`}, []string{one, `{"k":9,"p":"a"}`}, ""},
		{"replace with nothing", insert.ReplaceWhere, "p IS NULL", nil, []string{one, two}, ""},
		{"replace with a row that does not belong", insert.ReplaceWhere, "p = 'a'", []string{`{"k":9,"p":"a"}`, `{"k":10,"p":"b"}`}, []string{one, two, three}, "DELTA_REPLACE_WHERE_MISMATCH"},
		{"replace, NULL does not belong", insert.ReplaceWhere, "p <> 'a'", []string{`{"k":9}`}, []string{one, two, three}, "DELTA_REPLACE_WHERE_MISMATCH"},
		{"dynamic", insert.Dynamic, "", []string{`{"k":9,"p":"a"}`, `{"k":10,"p":null}`, `{"k":11,"p":"new"}`}, []string{two, `{"k":9,"p":"a"}`, `{"k":10,"p":null}`, `{"k":11,"p":"new"}`}, ""},
		{"dynamic with nothing", insert.Dynamic, "", nil, []string{one, two, three}, ""},
	} {
		for _, vectors := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, deletion vectors %t", c.name, vectors), func(t *testing.T) {
				spec := tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Files: [][]string{{one, two, three}}}
				if !vectors {
					spec.Properties = tablekit.WithoutVectors()
				}
				k := tablekit.New(t, spec)
				src, err := tablekit.Source(k.Schema, c.rows...)
				if err != nil {
					t.Fatal(err)
				}
				res, err := insert.Run(t.Context(), k.Log, src, insert.Options{Mode: c.mode, Where: where(t, c.where)})
				if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
					t.Fatalf("want %q: %v", c.err, err)
				}
				slices.Sort(c.want)
				if rows := k.Rows(t); !slices.Equal(rows, c.want) {
					t.Errorf("%v, want %v", rows, c.want)
				}
				if err == nil && res.Rows != int64(len(c.rows)) {
					t.Errorf("%d rows", res.Rows)
				}
				if err != nil && len(k.DataFiles(t)) != 3 {
					t.Errorf("left behind: %v", k.DataFiles(t))
				}
			})
		}
	}
}

// TestFollowsTheTable: what the winner adds is overwritten, what it removes is
// not removed again, and an append does not care.
func TestFollowsTheTable(t *testing.T) {
	for _, c := range []struct {
		mode  insert.Mode
		where string
		want  []string
	}{
		{insert.Append, "", []string{`{"k":4,"p":"a"}`, `{"k":9,"p":"a"}`, two, three}},
		{insert.Overwrite, "", []string{`{"k":9,"p":"a"}`}},
		{insert.ReplaceWhere, "p = 'a'", []string{`{"k":9,"p":"a"}`, two, three}},
		{insert.Dynamic, "", []string{`{"k":9,"p":"a"}`, two, three}},
	} {
		k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Files: [][]string{{one, two, three}}})
		src, err := tablekit.Source(k.Schema, `{"k":9,"p":"a"}`)
		if err != nil {
			t.Fatal(err)
		}
		winners := func(ctx context.Context) error {
			s, err := k.Snapshot(ctx, snapshot.Latest())
			if err != nil {
				return err
			}
			var gone action.Action
			for i := range s.Files().All() {
				if v, null := s.Files().Partition(i, 0); !null && v == "a" {
					gone = rewrite.RemoveOf(s.Files().Add(i), 1)
				}
			}
			if err := tablekit.Publish(ctx, k.Bucket, s.Version()+1, "DELETE", gone); err != nil {
				return err
			}
			return k.Append(ctx, `{"k":4,"p":"a"}`)
		}
		res, err := insert.Run(t.Context(), k.Log, src, insert.Options{Mode: c.mode, Where: where(t, c.where),
			Options: merge.Options{Commit: txn.Options{BeforePublish: winners}}})
		slices.Sort(c.want)
		if rows := k.Rows(t); err != nil || len(res.Winners) != 2 || !slices.Equal(rows, c.want) {
			t.Errorf("mode %d: %v behind %d winners, want %v (%v)", c.mode, rows, len(res.Winners), c.want, err)
		}
	}
}

// TestDynamicKnowsValues: engines spell one moment in several ways.
func TestDynamicKnowsValues(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p TIMESTAMP", PartitionBy: []string{"p"}, Files: [][]string{{`{"k":1,"p":"2024-01-02T00:00:00.000000Z"}`}}})
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	theirs := *s.Files().Add(0)
	spelled := "2024-01-02 00:00:00"
	if *theirs.PartitionValues["p"] == spelled {
		spelled = "2024-01-02T00:00:00.000000Z"
	}
	r := rewrite.RemoveOf(&theirs, 1)
	theirs.PartitionValues = action.PartitionValues{"p": &spelled}
	if err := tablekit.Publish(t.Context(), k.Bucket, s.Version()+1, "WRITE", r, &theirs); err != nil {
		t.Fatal(err)
	}
	src, err := tablekit.Source(k.Schema, `{"k":2,"p":"2024-01-02T00:00:00.000000Z"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := insert.Run(t.Context(), k.Log, src, insert.Options{Mode: insert.Dynamic}); err != nil {
		t.Fatal(err)
	}
	if rows := k.Rows(t); len(rows) != 1 || !strings.Contains(rows[0], `"k":2`) {
		t.Errorf("%v", rows)
	}
}

func TestColumnsByName(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p STRING"})
	for _, c := range []struct {
		ddl, row, want, err string
	}{
		{"P STRING, K INT", `{"P":"x","K":1}`, `{"k":1,"p":"x"}`, ""},
		{"k INT", `{"k":2}`, `{"k":2,"p":null}`, ""},
		{"k BIGINT, p INT", `{"k":3,"p":4}`, `{"k":3,"p":"4"}`, ""},
		{"k BIGINT", `{"k":3000000000}`, "", "OVERFLOW"},
		{"k INT, extra INT", `{"k":3,"extra":1}`, "", "DELTA_METADATA_MISMATCH"},
	} {
		schema, err := types.ParseDDL(c.ddl)
		if err != nil {
			t.Fatal(err)
		}
		src, err := tablekit.Source(schema, c.row)
		if err != nil {
			t.Fatal(err)
		}
		_, err = insert.Run(t.Context(), k.Log, src, insert.Options{})
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", c.ddl, err)
		}
		if c.want != "" && !slices.Contains(k.Rows(t), c.want) {
			t.Errorf("%s: %v", c.ddl, k.Rows(t))
		}
	}
}
