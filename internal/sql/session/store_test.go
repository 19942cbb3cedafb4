package session

import (
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
)

// TestStructsAreStored is what Spark answers (4.0.1, and where it differs the corpus) to structs
// of another type than the column's, and to names that are no columns.
func TestStructsAreStored(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{"UPDATE target SET s = s.z", "DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION"},
		{"UPDATE target SET s.nosuch = 1", "FIELD_NOT_FOUND"},
		{"UPDATE target SET s.x.y = 1", "INVALID_EXTRACT_BASE_FIELD_TYPE"},
		{"UPDATE target SET s.x = 99999999999", "DELTA_CAST_OVERFLOW_IN_TABLE_WRITE"},
		{"UPDATE target SET nosuch = 1", "UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"UPDATE target SET k = 1 WHERE rand() < 2", "INVALID_NON_DETERMINISTIC_EXPRESSIONS"},
		{"INSERT INTO target VALUES (5, struct(1))", "DELTA_INSERT_COLUMN_ARITY_MISMATCH"},
		{"INSERT INTO target VALUES (5, struct(1, struct(2), 3))", "DELTA_METADATA_MISMATCH"},
		{"INSERT INTO target VALUES (5, struct(struct(1), struct(2)))", "DELTA_COLUMN_STRUCT_TYPE_MISMATCH"},
		{"MERGE INTO target t USING (SELECT 1 AS k, 2 AS n) s ON t.k = s.k WHEN MATCHED AND s.k THEN DELETE", "CANNOT_UP_CAST_DATATYPE"},
		{"MERGE INTO target t USING (SELECT 1 AS k, 2 AS n) s ON t.k = s.k WHEN NOT MATCHED THEN INSERT (k, k) VALUES (1, 2)", "DELTA_DUPLICATE_COLUMNS_ON_INSERT"},
		{"MERGE WITH SCHEMA EVOLUTION INTO target t USING (SELECT 1 AS k, 2 AS n) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET t.n = s.n", "DELTA_MERGE_UNRESOLVED_EXPRESSION"},
		{"MERGE WITH SCHEMA EVOLUTION INTO target t USING (SELECT 1 AS k, 2 AS n) u ON t.k = u.k WHEN MATCHED THEN UPDATE SET u.n = u.n", `{"k":1,"s":{"x":1,"z":{"w":2}},"n":2}`},
		{"MERGE WITH SCHEMA EVOLUTION INTO target t USING (SELECT 1 AS k, CAST(NULL AS STRUCT<x: INT, z: STRUCT<w: INT>>) AS s) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET *", `{"k":1,"s":{"x":null,"z":{"w":null}}}`},
		{"MERGE INTO target t USING (SELECT 1 AS k, CAST(NULL AS STRUCT<z: STRUCT<w: INT>, x: INT>) AS s) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET *", `{"k":1,"s":null}`},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET s = named_struct('x', 1), s.x = 5", "DELTA_CONFLICT_SET_COLUMN"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET t.s.x = 1, t.s.X = nosuch", "DELTA_MERGE_UNRESOLVED_EXPRESSION"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET k = 1, k = t.s", "DELTA_CONFLICT_SET_COLUMN"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET k = 1, k = 2 WHEN NOT MATCHED THEN INSERT (nosuch) VALUES (1)", "DELTA_MERGE_UNRESOLVED_EXPRESSION"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET k = 1, k = 2, nosuch = 3", "DELTA_MERGE_UNRESOLVED_EXPRESSION"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED AND t.k IN (SELECT 1) THEN UPDATE SET k = 1, k = 2", "DELTA_UNSUPPORTED_SUBQUERY"},
		{"UPDATE target SET k = 1, k = nosuch", "UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"UPDATE target SET k = 1, k = s", "DELTA_CONFLICT_SET_COLUMN"},
		{"UPDATE target SET k = 1, k = 2 WHERE nosuch = 1", "UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"UPDATE target SET k = 1, k = 2 WHERE rand() > 2", "DELTA_CONFLICT_SET_COLUMN"},
		{"UPDATE target SET s.x = 5, s.z = NULL, s.X = 6", "DELTA_CONFLICT_SET_COLUMN"},
		{"UPDATE target SET k = (SELECT max(k) + 1 FROM target), s.x = (SELECT 5 WHERE false)", `{"k":2,"s":{"x":null,"z":{"w":2}}}`},
		{"UPDATE target SET k = (SELECT max(u.k) FROM target u WHERE u.k = target.s.x)", "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY"},
		{"UPDATE target SET k = (SELECT 1 UNION ALL SELECT 2)", "SCALAR_SUBQUERY_TOO_MANY_ROWS"},
		{"UPDATE target SET k = (SELECT 1, 2)", "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN"},
		{"UPDATE target SET k = CASE WHEN EXISTS (SELECT 1) THEN 7 END", "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY"},
		{"UPDATE target SET k = CASE WHEN k IN (SELECT 1) THEN 7 END", "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY"},
		{"UPDATE target SET k = (SELECT nosuch)", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"},
		{"UPDATE target SET k = row_number() OVER (ORDER BY k)", "UNSUPPORTED_EXPR_FOR_OPERATOR"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET k = max(t.k)", "UNSUPPORTED_EXPR_FOR_OPERATOR"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED AND max(t.k) = 1 THEN DELETE", "DELTA_AGGREGATION_NOT_SUPPORTED"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET k = (SELECT 8)", `{"k":8,"s":{"x":1,"z":{"w":2}}}`},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET k = (SELECT s.k)", "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY"},
		{"MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED AND t.k = (SELECT 1) THEN DELETE", "DELTA_UNSUPPORTED_SUBQUERY"},
		{"DELETE FROM target WHERE k = (SELECT 1)", "DELTA_UNSUPPORTED_SUBQUERY"},
		{"UPDATE target SET k = CAST(rand() * 0 AS INT)", "INVALID_NON_DETERMINISTIC_EXPRESSIONS"},
		{"UPDATE target SET k = explode(array(1))", "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT"},
		{"ALTER TABLE target DROP COLUMN nosuch", "UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"ALTER TABLE target DROP COLUMN k", "DELTA_UNSUPPORTED_DROP_COLUMN"},
		{"ALTER TABLE target DROP COLUMN IF EXISTS nosuch", `{"k":1,"s":{"x":1,"z":{"w":2}}}`},
		{"ALTER TABLE target RENAME COLUMN nosuch TO n", "UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"ALTER TABLE target RENAME COLUMN k TO n", "DELTA_UNSUPPORTED_RENAME_COLUMN"},
		{"INSERT OVERWRITE target VALUES (7, CAST(NULL AS STRUCT<x: BIGINT, z: STRUCT<w: INT>>))", `{"k":7,"s":null}`},
	} {
		t.Run(c.sql, func(t *testing.T) {
			k := tablekit.New(t, tablekit.Spec{DDL: "k INT, s STRUCT<x: INT, z: STRUCT<w: INT>>", Files: [][]string{{`{"k":1,"s":{"x":1,"z":{"w":2}}}`}}})
			s := New(World{Env: k.Env})
			s.AddLog("target", k.Log)
			st, err := parse.One(c.sql)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Exec(t.Context(), st)
			if !strings.HasPrefix(c.want, "{") {
				if err == nil || !strings.Contains(err.Error(), "["+c.want+"]") {
					t.Fatalf("%v, want %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			at, err := k.Log.Update(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if rows, err := tablekit.Rows(t.Context(), at); err != nil || strings.Join(rows, "\n") != c.want {
				t.Fatalf("%v %v, want %s", rows, err, c.want)
			}
		})
	}
}
