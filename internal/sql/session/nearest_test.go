package session_test

import (
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/sql/parse"
)

// TestBindingErrorsNameCandidates: what is not found is told with what there is.
func TestBindingErrorsNameCandidates(t *testing.T) {
	s := world(t)
	play(t, s, "CREATE TABLE t (id BIGINT, price DECIMAL(10,2), o STRUCT<street: STRING, city: STRING>) PARTITIONED BY (id); CREATE TABLE u (id BIGINT, price DOUBLE)")
	for _, c := range []struct{ statement, want string }{
		{"SELECT prise FROM t", "price"},
		{"SELECT t.prise FROM t", "price"},
		{"SELECT o.stret FROM t", "street"},
		{"SELECT x.prise FROM t AS x JOIN u AS y ON x.id = y.id", "price"},
		{"SELECT uper('a')", "upper"},
		{"SELECT summ(price) FROM t", "sum"},
		{"SELECT id FROM tt", "t"},
		{"SELECT id FROM t GROUP BY idd", "id"},
		{"SELECT id AS key FROM t ORDER BY kei", "key"},
		{"WITH source AS (SELECT 1 AS a) SELECT * FROM sorce", "source"},
		{"UPDATE t SET prise = 1", "price"},
		{"UPDATE t SET o.citi = 'x'", "city"},
		{"UPDATE t SET price = prise + 1", "price"},
		{"DELETE FROM t WHERE prise > 1", "price"},
		{"DELETE FROM tt WHERE id > 1", "t"},
		{"INSERT INTO t (id, prise) VALUES (1, 2)", "price"},
		{"INSERT INTO t BY NAME SELECT 1 AS id, 2 AS prise", "price"},
		{"INSERT INTO t PARTITION (idd = 1) SELECT 2, NULL", "id"},
		{"INSERT INTO t REPLACE WHERE prise = 1 SELECT 1, 1, NULL", "price"},
		{"MERGE INTO t USING u ON t.id = u.idd WHEN MATCHED THEN DELETE", "id"},
		{"MERGE INTO t USING u ON t.id = u.id WHEN MATCHED AND u.prise > 1 THEN DELETE", "price"},
		{"MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET prise = 1", "price"},
		{"MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET price = u.prise", "price"},
		{"MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED THEN INSERT (idd) VALUES (u.id)", "id"},
		{"ALTER TABLE t ADD CONSTRAINT c CHECK (prise > 0)", "price"},
		{"ALTER TABLE t ADD COLUMN x INT AFTER prise", "price"},
		{"CREATE TABLE w (a INT, b INT GENERATED ALWAYS AS (aa + 1)) LOCATION 'w'", "a"},
		{"SHOW COLUMNS IN tt", "t"},
	} {
		st, err := parse.One(c.statement)
		if err == nil {
			var out []string
			err = run(t, s, st, &out)
		}
		if err == nil {
			t.Errorf("%s: no error", c.statement)
			continue
		}
		_, told, ok := strings.Cut(err.Error(), "did you mean ")
		for _, all := range []string{"given columns ", "there are ", ": "} { // where all are named
			if !ok {
				_, told, ok = strings.Cut(err.Error(), all)
			}
		}
		if !ok || !strings.Contains(told, c.want) {
			t.Errorf("%s: does not name %s: %v", c.statement, c.want, err)
		}
	}
}
