package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/storage"
)

// world is a session whose tables lie in memory.
func world(t *testing.T) *session.Session {
	t.Helper()
	e := env.New()
	s := session.New(session.World{Env: e,
		Log: func(context.Context, string) (*txn.Log, error) {
			l := txn.NewLog(e, storage.NewBucket(tablekit.Place()), txn.Policy{})
			t.Cleanup(func() { l.Close(context.Background()) })
			return l, nil
		},
		File: func(context.Context, string, source.Format) (source.Source, error) {
			return nil, errors.New("no files here")
		}})
	s.AddTable("t", "t")
	s.AddTable("u", "u")
	return s
}

// play runs statements and writes down their rows; an error ends a line with its class.
func play(t *testing.T, s *session.Session, text string) string {
	t.Helper()
	var out []string
	script := parse.NewScript(text)
	for {
		st, words, more, err := script.Next()
		if !more {
			return strings.Join(out, "\n")
		}
		if err == nil {
			err = run(t, s, st, &out)
		}
		if err != nil {
			msg := err.Error()
			if i := strings.IndexByte(msg, '['); i >= 0 {
				msg = msg[i:]
			}
			out = append(out, "error "+strings.SplitAfter(msg, "]")[0])
			if !strings.HasPrefix(msg, "[") {
				t.Errorf("%s: an error without a class: %v", words, err)
			}
		}
	}
}

func run(t *testing.T, s *session.Session, st parse.Statement, out *[]string) error {
	r, err := s.Exec(t.Context(), st)
	if err != nil {
		return err
	}
	for b, err := range r.Rows {
		if err != nil {
			return err
		}
		if r.Commit != nil {
			continue
		}
		for i := range int(b.NumRows()) {
			*out = append(*out, string(columns.AppendCanonicalRow(nil, b.Columns(), r.Schema, i)))
		}
	}
	return nil
}

// TestStatements: what each script prints.
func TestStatements(t *testing.T) {
	const table = "CREATE TABLE t (id BIGINT, v INT DEFAULT 40 + 2, p STRING) PARTITIONED BY (p) TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported');"
	const all = "SELECT * FROM t ORDER BY id, v"
	for _, c := range []struct{ name, script, want string }{
		{"by position", table + "INSERT INTO t VALUES ('1', 2, 3), ('2', DEFAULT, NULL);" + all, `{"id":1,"v":2,"p":"3"}` + "\n" + `{"id":2,"v":42,"p":null}`},
		{"too few", table + "INSERT INTO t SELECT 1, 2", "error [DELTA_INSERT_COLUMN_ARITY_MISMATCH]"},
		{"too many", table + "INSERT INTO t SELECT 1, 2, '3', 4 AS more", "error [DELTA_METADATA_MISMATCH]"},
		{"columns", table + "INSERT INTO t (P, id) VALUES ('x', 1);" + all, `{"id":1,"v":42,"p":"x"}`},
		{"columns, arity", table + "INSERT INTO t (id, v) VALUES (1)", "error [INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS]"},
		{"columns, unknown", table + "INSERT INTO t (id, nope) VALUES (1, 2)", "error [UNRESOLVED_COLUMN.WITH_SUGGESTION]"},
		{"columns, twice", table + "INSERT INTO t (id, ID) VALUES (1, 2)", "error [COLUMN_ALREADY_EXISTS]"},
		{"by name", table + "INSERT INTO t BY NAME SELECT 'x' AS p, 1 AS ID;" + all, `{"id":1,"v":42,"p":"x"}`},
		{"evolution", table + "INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 1 AS id, 2 AS n;" + all, `{"id":1,"v":42,"p":null,"n":2}`},
		{"store assignment", table + "INSERT INTO t VALUES (1, 5000000000, 'x')", "error [CAST_OVERFLOW_IN_TABLE_INSERT]"},
		{"static partition", table + "INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'); INSERT OVERWRITE t PARTITION (p = 'x') SELECT 3, 3;" + all, `{"id":2,"v":2,"p":"y"}` + "\n" + `{"id":3,"v":3,"p":"x"}`},
		{"dynamic", table + "INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'); SET spark.sql.sources.partitionOverwriteMode = dynamic; INSERT OVERWRITE t SELECT 3, 3, 'x';" + all,
			`{"key":"spark.sql.sources.partitionOverwriteMode","value":"dynamic"}` + "\n" + `{"id":2,"v":2,"p":"y"}` + "\n" + `{"id":3,"v":3,"p":"x"}`},
		{"replace where", table + "INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'); INSERT INTO t REPLACE WHERE v > 1 SELECT 3, 1, 'z'; INSERT INTO t REPLACE WHERE v > 1 VALUES (4, 4, 'z');" + all,
			"error [DELTA_REPLACE_WHERE_MISMATCH]\n" + `{"id":1,"v":1,"p":"x"}` + "\n" + `{"id":4,"v":4,"p":"z"}`},
		{"update to default", table + "INSERT INTO t VALUES (1, 1, 'x'); UPDATE t SET v = DEFAULT;" + all, `{"id":1,"v":42,"p":"x"}`},
		{"merge a query", table + "INSERT INTO t VALUES (1, 1, 'x'); MERGE INTO t USING (SELECT max(id) AS m FROM t) AS s ON t.id = s.m WHEN MATCHED THEN UPDATE SET v = t.v + s.m;" + all, `{"id":1,"v":2,"p":"x"}`},
		{"replace by itself", table + "INSERT INTO t VALUES (1, 1, 'x'); CREATE OR REPLACE TABLE t AS SELECT id, v + 1 AS w FROM t;" + all[:15] + ";SELECT * FROM t VERSION AS OF 1", `{"id":1,"w":2}` + "\n" + `{"id":1,"v":1,"p":"x"}`},
		{"twice", table + table + "CREATE TABLE IF NOT EXISTS t (a INT); SHOW COLUMNS IN t", "error [TABLE_OR_VIEW_ALREADY_EXISTS]\n" + `{"col_name":"id"}` + "\n" + `{"col_name":"v"}` + "\n" + `{"col_name":"p"}`},
		{"views", "CREATE TEMP VIEW w (x) AS VALUES (1), (2); CREATE TEMP VIEW w AS SELECT 1; SELECT sum(x) AS s FROM w; INSERT INTO w VALUES (3); DROP VIEW w; SELECT * FROM w",
			"error [TEMP_TABLE_OR_VIEW_ALREADY_EXISTS]\n" + `{"s":3}` + "\nerror [EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE]\nerror [TABLE_OR_VIEW_NOT_FOUND]"},
		{"settings", "SET spark.sql.ansi.enabled = false; SELECT 1/0 AS x; RESET spark.sql.ansi.enabled; SELECT 1/0 AS x; SET spark.sql.session.timeZone = 'Mars'",
			`{"key":"spark.sql.ansi.enabled","value":"false"}` + "\n" + `{"x":null}` + "\nerror [DIVIDE_BY_ZERO]\nerror [INVALID_CONF_VALUE.TIME_ZONE]"},
		{"changes", "CREATE TABLE t (id INT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true'); INSERT INTO t VALUES (1); DELETE FROM t; SELECT id, _change_type AS c FROM table_changes('t', 1) ORDER BY c",
			`{"id":1,"c":"delete"}` + "\n" + `{"id":1,"c":"insert"}`},
		{"not built", "GRANT SELECT ON t TO u; CREATE TABLE nowhere (a INT)", "error [UNSUPPORTED_FEATURE.NOT_BUILT]\nerror [UNSUPPORTED_FEATURE.NOT_BUILT]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := play(t, world(t), c.script); got != c.want {
				t.Errorf("%s\n got\n%s\nwant\n%s", c.script, got, c.want)
			}
		})
	}
}

// TestInsertOfItself: each of many statements at once sees what those before it
// have written, so every number comes once.
func TestInsertOfItself(t *testing.T) {
	s := world(t)
	play(t, s, "CREATE TABLE u (n BIGINT); INSERT INTO u VALUES (0)")
	var all sync.WaitGroup
	const writers = 4
	for range writers {
		all.Go(func() {
			st, err := parse.One("INSERT INTO u SELECT max(n) + 1 FROM u")
			if err == nil {
				_, err = s.Exec(context.Background(), st)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, want := play(t, s, "SELECT count(*) AS a, count(DISTINCT n) AS b, max(n) AS c FROM u"), fmt.Sprintf(`{"a":%d,"b":%d,"c":%d}`, writers+1, writers+1, writers); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
