package insert_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

func TestOverwriteSchema(t *testing.T) {
	for _, mapping := range []string{"none", "name"} {
		for _, c := range []struct {
			name string
			o    insert.Options
			want string // columns and partition columns
			err  string
		}{
			{name: "other columns", o: insert.Options{PartitionBy: []string{}}, want: "k string, q bigint by "},
			{name: "other partitions", o: insert.Options{PartitionBy: []string{"Q"}}, want: "k string, q bigint by q"},
			{name: "partitions that are gone", o: insert.Options{}, err: "DELTA_PARTITION_COLUMN_NOT_FOUND"},
			{name: "all columns", o: insert.Options{PartitionBy: []string{"k", "q"}}, err: "ALL_PARTITION_COLUMNS_NOT_ALLOWED"},
			{name: "of partitions", o: insert.Options{Mode: insert.Dynamic}, err: "DELTA_OVERWRITE_SCHEMA_WITH_DYNAMIC_PARTITION_OVERWRITE"},
			{name: "of rows", o: insert.Options{Mode: insert.ReplaceWhere, Where: where(t, "k = 1")}, err: "DELTA_REPLACE_WHERE_WITH_SCHEMA_OVERWRITE"},
		} {
			k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Properties: map[string]string{"delta.columnMapping.mode": mapping}, Files: [][]string{{one, two, three}}})
			schema, err := types.ParseDDL("k STRING, q BIGINT")
			if err != nil {
				t.Fatal(err)
			}
			src, err := tablekit.Source(schema, `{"k":"x","q":1}`, `{"k":"y","q":null}`)
			if err != nil {
				t.Fatal(err)
			}
			if c.o.OverwriteSchema = true; c.o.Mode == insert.Append {
				c.o.Mode = insert.Overwrite
			}
			_, err = insert.Run(t.Context(), k.Log, src, c.o)
			if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.name, err, c.err)
			}
			s, err := k.Snapshot(t.Context(), snapshot.Latest())
			if err != nil {
				t.Fatal(err)
			}
			rows := []string{one, two, three}
			if c.err == "" {
				rows = []string{`{"k":"x","q":1}`, `{"k":"y","q":null}`}
				var names []string
				for _, f := range s.Schema().Fields {
					names = append(names, f.Name+" "+f.Type.String())
				}
				if got := strings.Join(names, ", ") + " by " + strings.Join(s.PartitionColumns(), ","); got != c.want {
					t.Errorf("%s: %s, want %s", c.name, got, c.want)
				}
			}
			if got := k.Rows(t); !slices.Equal(got, rows) {
				t.Errorf("%s: %v", c.name, got)
			}
			before, err := k.Snapshot(t.Context(), snapshot.Version(1))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := tablekit.Rows(t.Context(), before); err != nil || !slices.Equal(got, []string{one, two, three}) {
				t.Errorf("%s: version 1 has %v, %v", c.name, got, err)
			}
		}
	}
}

// TestRearranged: actions say that no row changes.
func TestRearranged(t *testing.T) {
	for _, mode := range []insert.Mode{insert.Overwrite, insert.ReplaceWhere, insert.Dynamic} {
		k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Properties: map[string]string{"delta.enableChangeDataFeed": "true"}, Files: [][]string{{one}, {two, three}}})
		src, err := tablekit.Source(k.Schema, one, two, three)
		if err != nil {
			t.Fatal(err)
		}
		res, err := insert.Run(t.Context(), k.Log, src, insert.Options{Options: merge.Options{}, Mode: mode, Where: where(t, "true"), Rearranges: true})
		if err != nil {
			t.Fatal(err)
		}
		info := res.Commit.Snapshot.CommitInfo()
		if *info.IsolationLevel != "SnapshotIsolation" {
			t.Errorf("mode %d: %s", mode, *info.IsolationLevel)
		}
		data, _, err := k.Bucket.Get(t.Context(), "_delta_log/00000000000000000003.json")
		if err != nil {
			t.Fatal(err)
		}
		if text := string(data); strings.Contains(text, `"dataChange":true`) || !strings.Contains(text, `"dataChange":false`) || strings.Contains(text, `"cdc"`) {
			t.Errorf("mode %d: %s", mode, text)
		}
	}
}
