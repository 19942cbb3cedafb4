package session

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// TestNames is what Spark 4.0.1 answers to the statements about names.
func TestNames(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, s STRUCT<a: INT COMMENT 'inner'>, p STRING", Files: [][]string{{`{"k":1,"s":null,"p":"x"}`}}, PartitionBy: []string{"p"},
		Properties: map[string]string{"a.b": "c", "delta.constraints.pos": "k > 0"}})
	s := New(World{Env: k.Env, Log: func(context.Context, string) (*txn.Log, error) {
		return txn.NewLog(k.Env, storage.NewBucket(memory.New()), txn.Policy{}), nil
	}})
	s.AddLog("target", k.Log)
	for _, c := range []struct{ sql, want string }{
		{"CREATE TEMPORARY VIEW v AS SELECT 1 AS x", ""},
		{"SHOW TABLES", "default|target|false\n|v|true"},
		{"SHOW TABLES LIKE 't*'", "default|target|false"},
		{"SHOW TABLES IN default 'x*|v'", "|v|true"},
		{"SHOW TABLES IN nosuch", "SCHEMA_NOT_FOUND"},
		{"SHOW VIEWS", "|v|true"},
		{"SHOW DATABASES", "default"},
		{"SHOW SCHEMAS LIKE 'x*'", ""},
		{"SHOW CATALOGS", "spark_catalog"},
		{"USE default", ""},
		{"USE SCHEMA spark_catalog.default", ""},
		{"USE nosuch", "SCHEMA_NOT_FOUND"},
		{"DESCRIBE DATABASE nosuch", "SCHEMA_NOT_FOUND"},
		{"DESCRIBE target s.a", "col_name|a\ndata_type|int\ncomment|inner"},
		{"DESCRIBE TABLE EXTENDED target k", "col_name|k\ndata_type|int\ncomment|NULL"},
		{"DESC v x", "col_name|x\ndata_type|int\ncomment|NULL"},
		{"DESCRIBE target nosuch", "UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"SHOW PARTITIONS target", "INVALID_PARTITION_OPERATION.PARTITION_MANAGEMENT_IS_UNSUPPORTED"},
		{"SHOW CREATE TABLE target", "DELTA_OPERATION_NOT_ALLOWED"},
		{"ANALYZE TABLE target COMPUTE STATISTICS FOR ALL COLUMNS", "NOT_SUPPORTED_COMMAND_FOR_V2_TABLE"},
		{"ANALYZE TABLE nosuch COMPUTE STATISTICS", "TABLE_OR_VIEW_NOT_FOUND"},
		{"MSCK REPAIR TABLE target SYNC PARTITIONS", "NOT_SUPPORTED_COMMAND_FOR_V2_TABLE"},
		{"REFRESH TABLE target", ""},
		{"CACHE LAZY TABLE target", ""},
		{"CACHE TABLE v", ""},
		{"UNCACHE TABLE IF EXISTS nosuch", ""},
		{"REFRESH TABLE nosuch", "TABLE_OR_VIEW_NOT_FOUND"},
		{"CLEAR CACHE", ""},
		{"CREATE TABLE other LIKE target LOCATION 'other' TBLPROPERTIES ('x' = 'y')", ""},
		{"CREATE TABLE IF NOT EXISTS other LIKE target LOCATION 'other'", ""},
		{"CREATE TABLE other LIKE target LOCATION 'other'", "TABLE_OR_VIEW_ALREADY_EXISTS"},
		{"CREATE TABLE another LIKE v LOCATION 'another'", "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE"},
		{"SELECT count(*) FROM other", "0"},
		{"SHOW TBLPROPERTIES other (x)", "x|y"},
		{"DESCRIBE other", "k|int|null\ns|struct<a:int>|null\np|string|null\n# Partition Information||\n# col_name|data_type|comment\np|string|null"},
		{"INSERT INTO other VALUES (0, NULL, 'x')", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"},
	} {
		st, err := parse.One(c.sql)
		var got []string
		if err == nil {
			var r *Result
			if r, err = s.Exec(t.Context(), st); err == nil {
				for b, rerr := range r.Rows {
					if rerr != nil {
						t.Fatal(rerr)
					}
					for i := range int(b.NumRows()) {
						var row []string
						for _, col := range b.Columns() {
							row = append(row, strings.ReplaceAll(col.ValueStr(i), "(null)", "null"))
						}
						got = append(got, strings.Join(row, "|"))
					}
				}
			}
		}
		text := strings.Join(got, "\n")
		if err != nil {
			text = fmt.Sprint(err)
			if strings.Contains(text, "["+c.want+"]") {
				text = c.want
			}
		}
		if text != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.sql, text, c.want)
		}
	}
}
