package sluicesql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/sluicesql"
	"github.com/sluicelake/sluice/types/civil"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func lake(t *testing.T) (*sql.DB, string) {
	t.Helper()
	dir := t.TempDir()
	db, err := sql.Open("sluice", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, dir
}

func exec(t *testing.T, db *sql.DB, text string, args ...any) int64 {
	t.Helper()
	res, err := db.Exec(text, args...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A catalog folder: tables are made in it, found in it, and listed.
func TestCatalog(t *testing.T) {
	db, dir := lake(t)
	exec(t, db, "CREATE TABLE people (id BIGINT NOT NULL, name STRING, since DATE, score DECIMAL(6,2), raw BINARY, at TIMESTAMP, ok BOOLEAN, tags ARRAY<STRING>)")
	at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
	price, ok := sluice.Decimal{}, true
	if err := price.Scan("12.50"); err != nil {
		t.Fatal(err)
	}
	n := exec(t, db, "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, array(?, 'x')), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
		1, "it's -- \"quoted\"; DROP TABLE people", civil.DayOf(at), price, []byte{0, 1}, at, &ok, "a")
	if n != 2 {
		t.Errorf("%d rows were inserted", n)
	}
	if _, err := os.Stat(filepath.Join(dir, "people", "_delta_log")); err != nil {
		t.Error(err)
	}
	var (
		id    int64
		name  string
		since civil.Day
		score sluice.Decimal
		raw   []byte
		when  time.Time
		yes   bool
		tags  string
	)
	row := db.QueryRow("SELECT * FROM PEOPLE WHERE id = $1 AND since = $2 AND at = $3", 1, civil.DayOf(at), at)
	if err := row.Scan(&id, &name, &since, &score, &raw, &when, &yes, &tags); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(id, name, since, score, raw, when, yes, tags)
	if want := `1 it's -- "quoted"; DROP TABLE people 2026-03-04 12.50 [0 1] 2026-03-04 05:06:07.000008 +0000 UTC true ["a","x"]` + "\n"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	var nothing sql.NullString
	if err := db.QueryRow("SELECT name FROM people WHERE id = :id", sql.Named("id", 2)).Scan(&nothing); err != nil || nothing.Valid {
		t.Error(nothing, err)
	}

	again, err := sql.Open("sluice", "catalog="+dir+"; conf.spark.sql.session.timeZone=Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.Ping(); err != nil {
		t.Error(err)
	}
	if err := again.QueryRow("SHOW TABLES").Scan(new(string), &name, &yes); err != nil || name != "people" {
		t.Error(name, err)
	}
	if _, err := again.Exec("DROP TABLE people"); err == nil || !strings.Contains(err.Error(), "remove") {
		t.Error(err)
	}
	if n := exec(t, again, "UPDATE people SET name = ? WHERE id = ?; DELETE FROM people WHERE id = ?", "new", 1, 2); n != 2 {
		t.Errorf("%d rows were changed", n)
	}
}

func TestColumnTypes(t *testing.T) {
	db, _ := lake(t)
	rows, err := db.Query("SELECT 1 AS a, CAST(NULL AS BIGINT) AS b, 1.25BD AS c, DATE'2026-01-01' AS d, array(1) AS e, 'x' AS f, 1.5D AS g, X'00' AS h, true AS i")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	cols, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cols {
		null, ok := c.Nullable()
		p, s, dec := c.DecimalSize()
		got = append(got, fmt.Sprint(c.Name(), " ", c.DatabaseTypeName(), " ", null, " ", ok, " ", p, " ", s, " ", dec, " ", c.ScanType()))
	}
	want := []string{"a INT false true 0 0 false int64", "b BIGINT true true 0 0 false sql.Null[int64]", "c DECIMAL false true 3 2 true string", "d DATE false true 0 0 false time.Time",
		"e ARRAY<INT> false true 0 0 false string", "f STRING false true 0 0 false string", "g DOUBLE false true 0 0 false float64", "h BINARY false true 0 0 false []uint8", "i BOOLEAN false true 0 0 false bool"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for rows.Next() {
		into := make([]any, len(cols))
		for i, c := range cols {
			into[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			t.Error(err)
		}
	}
}

func TestPrepared(t *testing.T) {
	db, _ := lake(t)
	exec(t, db, "CREATE TABLE t (k BIGINT, v STRING)")
	in, err := db.Prepare("INSERT INTO t VALUES (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for i := range 5 {
		if _, err := in.Exec(i, fmt.Sprint("v", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.Exec(1); err == nil {
		t.Error("a value was missing and nobody said so")
	}
	if _, err := db.Prepare("SELECT FROM WHERE"); sluice.ErrorClass(err) != "PARSE_SYNTAX_ERROR" {
		t.Error(err)
	}
	out, err := db.Prepare("SELECT v FROM t WHERE k >= :from ORDER BY k LIMIT :n")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	rows, err := out.Query(sql.Named("n", 2), sql.Named("from", 3))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if fmt.Sprint(got) != "[v3 v4]" || rows.Err() != nil {
		t.Error(got, rows.Err())
	}
}

func TestResultSets(t *testing.T) {
	db, _ := lake(t)
	rows, err := db.Query("SELECT ? AS a; SELECT ? AS b, 2 AS c; SELECT nothing", "x", "y")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for {
		names, _ := rows.Columns()
		n := 0
		for rows.Next() {
			n++
		}
		got = append(got, fmt.Sprint(names, n))
		if !rows.NextResultSet() {
			break
		}
	}
	if fmt.Sprint(got) != "[[a] 1 [b c] 1]" {
		t.Error(got)
	}
	if c := sluice.ErrorClass(rows.Err()); c != "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION" {
		t.Error(rows.Err())
	}
}

func TestRefusals(t *testing.T) {
	db, _ := lake(t)
	exec(t, db, "CREATE TABLE t (k INT NOT NULL, CHECK (k > 0))")
	if _, err := db.Begin(); !errors.Is(err, sluicesql.ErrTransactions) {
		t.Error(err)
	}
	for _, c := range []struct {
		text  string
		args  []any
		class string
		part  string
	}{
		{"SELECT * FROM nowhere", nil, "TABLE_OR_VIEW_NOT_FOUND", "nowhere"},
		{"SELECT * FROM `../t`", nil, "TABLE_OR_VIEW_NOT_FOUND", ""},
		{"INSERT INTO t VALUES (?)", []any{0}, "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", ""},
		{"INSERT INTO t VALUES (?)", []any{nil}, "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", ""},
		{"INSERT INTO t VALUES (?)", []any{1 << 40}, "CAST_OVERFLOW_IN_TABLE_INSERT", ""},
		{"SELECT ?", nil, "UNBOUND_SQL_PARAMETER", "the placeholder ?"},
		{"SELECT ?, $3", []any{1, 2}, "UNBOUND_SQL_PARAMETER", "$3"},
		{"SELECT :a", []any{sql.Named("b", 1)}, "UNBOUND_SQL_PARAMETER", ":a"},
		{"SELECT 1", []any{1}, "", "none takes the value of $1"},
		{"ALTER TABLE t ADD CONSTRAINT c CHECK (k < ?)", []any{1}, "UNBOUND_SQL_PARAMETER", "cannot stand here"},
		{"CREATE TABLE u (k INT, CHECK (k < ?))", []any{1}, "UNBOUND_SQL_PARAMETER", "cannot stand here"},
		{"SELECT ?", []any{make(chan int)}, "", "chan int"},
		{"SELECT 1 +", nil, "PARSE_SYNTAX_ERROR", "^"},
	} {
		_, err := db.Exec(c.text, c.args...)
		if err == nil || sluice.ErrorClass(err) != c.class && c.class != "" || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: [%s] %v", c.text, sluice.ErrorClass(err), err)
		}
	}
	for _, dsn := range []string{"catalog=/x;colour=red", "workers=many", `catalog="/x`, `catalog="/x" y`, "conf.spark.sql.ansi.enabled=perhaps"} {
		db, err := sql.Open("sluice", dsn)
		if err == nil {
			err = db.Ping()
			db.Close()
		}
		if err == nil {
			t.Errorf("%s: it was opened", dsn)
		}
	}
}

func TestDSN(t *testing.T) {
	text := `catalog=/data/lake;table.people=s3://lake/people;view.new="a;""b"".json";option.region=eu;conf.spark.sql.ansi.enabled=false;workers=4;memory=100;user-metadata=nightly`
	c, err := sluicesql.ParseDSN(text)
	if err != nil || c.String() != text || c.Views["new"] != `a;"b".json` {
		t.Errorf("%+v %v\n%s", c, err, c)
	}
	for _, plain := range []string{"/data/country=UK/lake", "s3://bucket/lake", ""} {
		if c, err := sluicesql.ParseDSN(plain); err != nil || c.Catalog != plain {
			t.Errorf("%q: %+v %v", plain, c, err)
		}
	}
}

// Connections share a session; what one is told, all know. Statements of many
// goroutines on one table are fitted behind each other.
func TestConcurrency(t *testing.T) {
	db, _ := lake(t)
	exec(t, db, "CREATE TABLE t (k BIGINT, n BIGINT); INSERT INTO t VALUES (0, 0), (1, 0), (2, 0), (3, 0)")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 5 {
				if _, err := db.Exec("UPDATE t SET n = n + ? WHERE k = ?", 1, w); err != nil {
					t.Error(err)
				}
				if _, err := db.Exec("INSERT INTO t VALUES (?, ?)", 100+w, i); err != nil {
					t.Error(err)
				}
				var n int
				if err := db.QueryRow("SELECT n FROM t WHERE k = ?", w).Scan(&n); err != nil || n != i+1 {
					t.Error(n, err)
				}
			}
		})
	}
	wg.Wait()
	var sum, count int
	if err := db.QueryRow("SELECT sum(n), count(*) FROM t").Scan(&sum, &count); err != nil || sum != 20+4*10 || count != 24 {
		t.Error(sum, count, err)
	}
}

// A query that is left, or whose context ends, stops; nothing of it goes on.
func TestCancel(t *testing.T) {
	db, _ := lake(t)
	ctx, cancel := context.WithCancel(context.Background())
	rows, err := db.QueryContext(ctx, "SELECT a.id FROM range(100000) a CROSS JOIN range(100000) b")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	cancel()
	for rows.Next() {
	}
	if !errors.Is(rows.Err(), context.Canceled) {
		t.Error(rows.Err())
	}
	session := sluice.NewSession(sluice.SessionOptions{})
	defer session.Close()
	given := sql.OpenDB(sluicesql.NewConnector(session))
	rows, err = given.Query("SELECT id FROM range(1000000)")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() {
		t.Error(rows.Err())
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if err := given.Close(); err != nil {
		t.Error(err)
	}
	if err := session.Exec(context.Background(), "SELECT 1"); err != nil {
		t.Error(err)
	}
}
