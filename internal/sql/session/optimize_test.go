package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// everyType is a table with a column of each type, rows with and without values.
const everyType = `
CREATE TABLE t (k INT, b BOOLEAN, i8 TINYINT, i16 SMALLINT, i64 BIGINT, f FLOAT, d DOUBLE, dec DECIMAL(10,2), big DECIMAL(38,10), s STRING, bin BINARY, dt DATE,
 ts TIMESTAMP, ntz TIMESTAMP_NTZ, st STRUCT<a: INT, b: STRUCT<c: STRING, v: VARIANT>>, arr ARRAY<STRUCT<x: INT, y: STRING>>, m MAP<STRING, ARRAY<INT>>, v VARIANT)
 TBLPROPERTIES (%s);
`

// insertEvery appends rows in a file of its own.
func insertEvery(f int, rows string) string {
	return fmt.Sprintf(`INSERT INTO t SELECT k, k %% 3 = 0, CAST(k %% 100 AS TINYINT), CAST(k %% 1000 AS SMALLINT), k * 1000000000L, CAST(k / 7 AS FLOAT), k / 3, CAST(k / 11 AS DECIMAL(10,2)),
 CAST(k AS DECIMAL(38,10)) / 7, repeat(concat('s', k %% 50), 3), CAST(concat('bin', k) AS BINARY), date_add(DATE'2020-01-01', k), TIMESTAMP'2020-01-01 00:00:00.123456', TIMESTAMP_NTZ'1900-01-01 12:00:00',
 IF(k %% 5 = 0, NULL, named_struct('a', k, 'b', IF(k %% 7 = 0, NULL, named_struct('c', 'deep', 'v', parse_json('[1,"a",null]'))))), array(named_struct('x', k, 'y', 'e'), NULL), map('a', array(k, NULL), 'b', NULL),
 parse_json(concat('{"k":', k, ',"list":[1,2.5,"x"],"f%d":true}')) FROM (%s) UNION ALL SELECT %d, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL;
`, f, rows, 1_000_000+f)
}

// TestEveryTypeMoves: whatever OPTIMIZE and REORG do to files, each row is the same.
func TestEveryTypeMoves(t *testing.T) {
	digits := "(VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9))"
	few := "SELECT 10 * a.d + b.d + %d AS k FROM " + digits + " a(d) CROSS JOIN " + digits + " b(d)"
	many := "SELECT 1000 * a.d + 100 * b.d + 10 * c.d + e.d + %d AS k FROM " + digits + " a(d) CROSS JOIN " + digits + " b(d) CROSS JOIN " + digits + " c(d) CROSS JOIN " + digits + " e(d)"
	const tracked, plain = "'delta.enableRowTracking' = 'true'", "'delta.enableRowTracking' = 'false'" // ids that are not stored keep pages from being copied
	for name, c := range map[string]struct{ properties, rows, prepare, how string }{
		"packed":          {tracked, few, "", "OPTIMIZE t"},
		"pages copied":    {plain, many, "", "OPTIMIZE t"},
		"one not copied":  {plain, many, "DELETE FROM t WHERE k BETWEEN 1000000 AND 1000000 OR k = 17", "OPTIMIZE t"},
		"sorted":          {tracked, few, "DELETE FROM t WHERE k % 9 = 1", "OPTIMIZE t ZORDER BY (k, s)"},
		"sorted by field": {tracked, few, "", "OPTIMIZE t ZORDER BY (st.a, dt)"},
		"sorted by all":   {tracked, few, "", "OPTIMIZE t ZORDER BY (st)"},
		"clustered":       {tracked, few, "ALTER TABLE t CLUSTER BY (s, i64)", "OPTIMIZE t"},
		"purged":          {tracked + ", 'delta.columnMapping.mode' = 'name'", few, "ALTER TABLE t DROP COLUMN bin", "REORG TABLE t APPLY (PURGE)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := world(t)
			script := fmt.Sprintf(everyType, c.properties)
			for f := range 4 {
				script += insertEvery(f, fmt.Sprintf(c.rows, f*10_000))
			}
			if out := play(t, s, script+c.prepare+";"); out != "" {
				t.Fatal(out)
			}
			before := strings.Split(play(t, s, "SELECT * FROM t;"), "\n")
			if out := play(t, s, c.how+";"); strings.Contains(out, "error") {
				t.Fatal(out)
			}
			if out := play(t, s, "DESCRIBE DETAIL t;"); !strings.Contains(out, `"numFiles":1,`) || len(before) < 300 {
				t.Errorf("%d rows, %s", len(before), out)
			}
			after := strings.Split(play(t, s, "SELECT * FROM t;"), "\n")
			slices.Sort(before)
			slices.Sort(after)
			if !slices.Equal(before, after) {
				for i := range min(len(before), len(after)) {
					if before[i] != after[i] {
						t.Fatalf("%d rows, %d before; one was %s, is %s", len(after), len(before), before[i], after[i])
					}
				}
				t.Fatalf("%d rows, %d before", len(after), len(before))
			}
		})
	}
}

// TestBatches: a job is committed in parts of the size that is set.
func TestBatches(t *testing.T) {
	s := world(t)
	for _, p := range []string{"a", "b", "a", "b"} {
		play(t, s, "CREATE TABLE IF NOT EXISTS t (k INT, p STRING) PARTITIONED BY (p);\nINSERT INTO t VALUES (1, '"+p+"');")
	}
	if out := play(t, s, "SET spark.databricks.delta.optimize.batchSize = few;\nOPTIMIZE t;"); !strings.Contains(out, "INVALID_CONF_VALUE") {
		t.Error(out)
	}
	play(t, s, "SET spark.databricks.delta.optimize.batchSize = 1b;\nOPTIMIZE t;")
	if out := play(t, s, "DESCRIBE HISTORY t;"); strings.Count(out, `"operation":"OPTIMIZE"`) != 2 {
		t.Error(out)
	}
}
