package parse_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
)

// correct are statements of each kind; the tests spoil them.
var correct = []string{
	"CREATE OR REPLACE TABLE IF NOT EXISTS t (id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1 INCREMENT BY 2), v INT NOT NULL DEFAULT 1 COMMENT 'c', p STRING, CONSTRAINT c CHECK (v > 0)) USING DELTA PARTITIONED BY (p) LOCATION 'x' TBLPROPERTIES ('a' = 'b')",
	"CREATE TABLE t (a STRUCT<x: INT, y: ARRAY<MAP<STRING, DECIMAL(10,2)>>>, b DATE GENERATED ALWAYS AS (CAST(c AS DATE))) CLUSTER BY (a.x, b)",
	"INSERT INTO t PARTITION (p = 'a') (id, v) SELECT id, v + 1 FROM u AS x WHERE v IN (1, 2) ORDER BY id LIMIT 3",
	"INSERT OVERWRITE t BY NAME SELECT 1 AS a",
	"INSERT INTO t REPLACE WHERE p = 'a' VALUES (1, 2), (3, DEFAULT)",
	"UPDATE t AS x SET a = 1, b.c = CASE WHEN d THEN 'x' ELSE concat(e, 'y') END WHERE x.f BETWEEN 1 AND 2",
	"DELETE FROM t WHERE a LIKE 'x%' ESCAPE '/' OR NOT b <=> NULL",
	"MERGE WITH SCHEMA EVOLUTION INTO t USING (SELECT * FROM s) AS s ON t.k = s.k WHEN MATCHED AND s.d THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v) WHEN NOT MATCHED BY SOURCE AND t.k > 3 THEN UPDATE SET v = 0",
	"ALTER TABLE t ADD COLUMNS (a INT COMMENT 'x' AFTER b, c STRING FIRST)",
	"ALTER TABLE t RENAME COLUMN a.b TO c",
	"ALTER TABLE t SET TBLPROPERTIES ('a' = 'b', 'c' = 'd')",
	"ALTER TABLE t ADD CONSTRAINT c CHECK (a > 1)",
	"DESCRIBE HISTORY t LIMIT 3",
	"SHOW TBLPROPERTIES t ('a')",
	"WITH q AS (SELECT a, count(*) AS n FROM t VERSION AS OF 3 GROUP BY a HAVING n > 1) SELECT q.a, u.b FROM q JOIN u ON q.a = u.a UNION ALL SELECT 1, 2 FROM VALUES (1, 2) AS w(x, y)",
	"SELECT transform(a, e -> e + 1), o.x[0]::INT, DATE'2020-01-01', INTERVAL '1' DAY, -1.5e3, X'00' FROM t",
	"DROP TABLE IF EXISTS t",
	"SET spark.sql.ansi.enabled = true",
}

// pieces are the words and signs of a statement.
func pieces(s string) (out []string) {
	for _, word := range strings.Fields(s) {
		for word != "" {
			if i := strings.IndexAny(word, "(),"); i > 0 {
				out, word = append(out, word[:i]), word[i:]
			} else if i == 0 {
				out, word = append(out, word[:1]), word[1:]
			} else {
				out, word = append(out, word), ""
			}
		}
	}
	return out
}

// misplaced tells what is wrong with the place that an error of parsing shows.
func misplaced(text string, err error) string {
	var p *expr.ParseError
	if !errors.As(err, &p) {
		return "an error without a place"
	}
	lines := strings.Split(text, "\n")
	if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1 {
		return fmt.Sprintf("there is no line %d, column %d", p.Line, p.Column)
	}
	shown := strings.Split(p.Error(), "\n")
	caret, line := shown[len(shown)-1], strings.ReplaceAll(lines[p.Line-1], "\t", " ")
	if len(shown) < 3 || strings.TrimSpace(caret) != "^" || len(caret) != p.Column+2 || shown[len(shown)-2] != "  "+line {
		return fmt.Sprintf("no caret at column %d", p.Column)
	}
	return ""
}

// TestEverySyntaxErrorHasAPlace spoils statements word by word. What does not
// parse any more is refused with the line, the column and a caret below it.
func TestEverySyntaxErrorHasAPlace(t *testing.T) {
	refused := 0
	check := func(text string) {
		t.Helper()
		_, err := parse.One(text)
		if err == nil {
			return
		}
		refused++
		if wrong := misplaced(text, err); wrong != "" {
			t.Errorf("%q: %s\n%v", text, wrong, err)
		}
	}
	for _, s := range correct {
		if _, err := parse.One(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		words := pieces(s)
		for i := range words {
			head, tail := strings.Join(words[:i], " "), strings.Join(words[i+1:], "\n")
			for _, instead := range []string{"", "@", ")", "'open", "12x", words[i] + " " + words[i], "SELECT"} {
				check(head + "\n" + instead + " " + tail)
			}
			check(head)
		}
	}
	if refused < 1000 {
		t.Errorf("only %d were refused", refused)
	}
}
