package metamorph

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// DDL are the columns of the table: of every kind, some of them nested.
const DDL = `k INT, p STRING, v BIGINT, n DECIMAL(12,2), x DOUBLE, day DATE, at TIMESTAMP, bin BINARY,
o STRUCT<a: INT, b: STRUCT<c: STRING, d: DECIMAL(6,1)>>, l ARRAY<INT>, m MAP<STRING, INT>`

// names are those of DDL in order.
var names = []string{"k", "p", "v", "n", "x", "day", "at", "bin", "o", "l", "m"}

// writer writes random statements. What it writes has one result whatever order
// rows come in, and conditions that never fail: which rows a condition looks at
// depends on the files.
type writer struct{ r *rand.Rand }

func (w writer) pick(of ...string) string { return of[w.r.IntN(len(of))] }

// value is a random value of a column, as SQL.
func (w writer) value(column string) string {
	if w.r.IntN(8) == 0 && column != "k" {
		return "NULL"
	}
	n := w.r.IntN(20)
	switch column {
	case "k":
		return fmt.Sprint(n)
	case "p": // not the empty text: in a partition column that is NULL
		return w.pick("'a'", "'b'", "'ü x'", "'c=1'", "' '", "'%'")
	case "v":
		return w.pick(fmt.Sprint(n), fmt.Sprint(-n), "9223372036854775807L", "0")
	case "n":
		return w.pick("1.25", "-0.01", "9999999999.99", fmt.Sprint(n))
	case "x":
		return w.pick("0.5D", "-0.0D", "double('NaN')", "double('Infinity')", "1e300D", fmt.Sprint(n))
	case "day":
		return w.pick("DATE'1969-12-31'", "DATE'2024-02-29'", "DATE'9999-12-31'", fmt.Sprintf("date_add(DATE'2020-01-01', %d)", n))
	case "at":
		return w.pick("TIMESTAMP'1969-12-31 23:59:59.999999'", "TIMESTAMP'2024-02-29 12:00:00.000001'", fmt.Sprintf("timestamp_seconds(%d)", n))
	case "bin":
		return w.pick("X''", "X'00FF'", fmt.Sprintf("X'%02X'", n))
	case "o":
		return w.pick(fmt.Sprintf("named_struct('a', %d, 'b', named_struct('c', 'z%d', 'd', 1.5))", n, n),
			fmt.Sprintf("named_struct('a', %d, 'b', NULL)", n), "named_struct('a', NULL, 'b', named_struct('c', NULL, 'd', -0.1))")
	case "l":
		return w.pick("array()", "array(1, NULL)", fmt.Sprintf("array(%d, 2, 3)", n))
	}
	return w.pick("map()", fmt.Sprintf("map('a', %d)", n), "map('a', 1, 'ü', NULL)")
}

func (w writer) row() string {
	out := make([]string, len(names))
	for i, c := range names {
		out[i] = w.value(c)
	}
	return "(" + strings.Join(out, ", ") + ")"
}

func (w writer) rows(n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = w.row()
	}
	return strings.Join(out, ", ")
}

// source is a query with the columns of the table; keys are apart from each other
// but sometimes.
func (w writer) source(n int) string {
	out := make([]string, n)
	first := w.r.IntN(12)
	for i := range out {
		cells := []string{fmt.Sprint(first + i*(1+w.r.IntN(3)))}
		for _, c := range names[1:] {
			cells = append(cells, w.value(c))
		}
		out[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	q := fmt.Sprintf("SELECT CAST(k AS INT) k, CAST(p AS STRING) p, CAST(v AS BIGINT) v, CAST(n AS DECIMAL(12,2)) n, CAST(x AS DOUBLE) x, CAST(day AS DATE) day, CAST(at AS TIMESTAMP) at, CAST(bin AS BINARY) bin, "+
		"CAST(o AS STRUCT<a: INT, b: STRUCT<c: STRING, d: DECIMAL(6,1)>>) o, CAST(l AS ARRAY<INT>) l, CAST(m AS MAP<STRING, INT>) m FROM VALUES %s AS q(%s)", strings.Join(out, ", "), strings.Join(names, ", "))
	if w.r.IntN(8) == 0 { // the table itself
		q = "SELECT " + strings.Join(names, ", ") + " FROM target WHERE v > 2"
	}
	return q
}

// condition is over the columns of one side.
func (w writer) condition(alias string, depth int) string {
	c := func(name string) string { return alias + name }
	if depth > 0 && w.r.IntN(3) == 0 {
		return fmt.Sprintf("(%s %s %s)", w.condition(alias, depth-1), w.pick("AND", "OR"), w.condition(alias, depth-1))
	}
	n := w.r.IntN(15)
	return w.pick(
		fmt.Sprintf("%s %s %d", c("k"), w.pick("=", "<", ">=", "<>", "<=>"), n),
		fmt.Sprintf("%s IN (%d, %d, NULL)", c("k"), n, n+3),
		fmt.Sprintf("%s BETWEEN %d AND %d", c("k"), n-4, n),
		fmt.Sprintf("%s %s %s", c("p"), w.pick("=", "<>", ">", "<=>"), w.value("p")),
		fmt.Sprintf("%s IS %sNULL", c(w.pick(names...)), w.pick("", "NOT ")),
		fmt.Sprintf("%s LIKE '%s'", c("p"), w.pick("a%", "%x", "_", "%")),
		fmt.Sprintf("%s > %d", c("v"), n),
		fmt.Sprintf("%s %s 1.25", c("n"), w.pick("=", "<", ">")),
		fmt.Sprintf("%s %s %s", c("x"), w.pick("=", "<", ">="), w.pick("0.0D", "double('NaN')", "1.5D")),
		fmt.Sprintf("%s < DATE'2020-01-10'", c("day")),
		fmt.Sprintf("%s >= TIMESTAMP'1970-01-01 00:00:05'", c("at")),
		fmt.Sprintf("%s = X'00FF'", c("bin")),
		fmt.Sprintf("%s = %d", c("o.a"), n),
		fmt.Sprintf("%s LIKE 'z1%%'", c("o.b.c")),
		fmt.Sprintf("size(%s) > 1", c("l")),
		fmt.Sprintf("exists(%s, e -> e > %d)", c("l"), n),
		fmt.Sprintf("%s['a'] >= %d", c("m"), n),
		fmt.Sprintf("NOT (%s > 3)", c("v")),
		fmt.Sprintf("upper(%s) = 'A'", c("p")),
		fmt.Sprintf("year(%s) = 2020", c("day")),
		"TRUE", "FALSE", "NULL")
}

// assignments set columns of the target; s is the alias of a source, or "".
func (w writer) assignments(t, s string) string {
	opts := []string{"v = %sv %% 1000 + 1", "p = 'moved'", "p = NULL, n = -%sn", "o.a = %so.a + 1", "o.b.c = concat(%sp, '!')", "o = NULL", "l = array_append(%sl, 7)",
		"m = map('a', %sk)", "x = %sx * 2, day = date_add(%sday, -1)", "bin = NULL", "at = %sat - INTERVAL 1 DAY", "k = %sk + 100", "v = %sv + 1", "v = 10 div (%sk - 3)", "n = %sv", "o.b.d = %sn"}
	out := strings.ReplaceAll(w.pick(opts...), "%%", "%")
	out = strings.ReplaceAll(out, "%s", t)
	if s != "" && w.r.IntN(2) == 0 {
		out = strings.ReplaceAll(w.pick("v = %sv", "p = %sp, l = %sl", "o = %so", "o.a = %sk", "n = %sn, x = %sx, m = %sm", "k = %sk, bin = %sbin", "o.b = %so.b, at = %sat"), "%s", s)
	}
	return out
}

// merge is a MERGE with any clauses.
func (w writer) merge() string {
	on := w.pick("t.k = s.k", "t.k = s.k", "t.k = s.k AND t.p = s.p", "t.k <=> s.k", "t.o.a = s.k", "t.k = s.k AND t.p = 'a'", "t.k = s.k + 1", "t.p = s.p AND t.k > s.k", "FALSE")
	b := &strings.Builder{}
	fmt.Fprintf(b, "MERGE INTO target t USING (%s) s ON %s", w.source(1+w.r.IntN(6)), on)
	and := func(alias string) string {
		if w.r.IntN(2) == 0 {
			return ""
		}
		return " AND " + w.condition(alias, 1)
	}
	clauses := 0
	for range w.r.IntN(3) {
		clauses++
		fmt.Fprintf(b, " WHEN MATCHED AND %s THEN %s", w.condition(w.pick("t.", "s."), 1), w.pick("DELETE", "UPDATE SET *", "UPDATE SET "+w.assignments("t.", "s.")))
	}
	if w.r.IntN(3) > 0 {
		clauses++
		fmt.Fprintf(b, " WHEN MATCHED THEN %s", w.pick("DELETE", "UPDATE SET *", "UPDATE SET "+w.assignments("t.", "s.")))
	}
	if w.r.IntN(3) > 0 {
		clauses++
		fmt.Fprintf(b, " WHEN NOT MATCHED%s THEN %s", and("s."), w.pick("INSERT *", "INSERT (k, p, v) VALUES (s.k, s.p, s.v)", "INSERT (o, k) VALUES (s.o, s.k)"))
	}
	if w.r.IntN(3) == 0 || clauses == 0 {
		fmt.Fprintf(b, " WHEN NOT MATCHED BY SOURCE AND %s THEN %s", w.condition("t.", 1), w.pick("DELETE", "UPDATE SET "+w.assignments("t.", "")))
	}
	return b.String()
}

// statement is any statement that changes rows or how they lie.
func (w writer) statement() string {
	switch w.r.IntN(16) {
	case 0, 1:
		return "INSERT INTO target VALUES " + w.rows(1+w.r.IntN(5))
	case 2:
		return "INSERT INTO target (k, o, p) " + w.pick("SELECT 5, NULL, 'a'", "SELECT k + 50, o, p FROM target WHERE "+w.condition("", 0), "VALUES (1, NULL, 'b')")
	case 3, 4, 5:
		return fmt.Sprintf("UPDATE target SET %s WHERE %s", w.assignments("", ""), w.condition("", 2))
	case 6, 7:
		return "DELETE FROM target WHERE " + w.condition("", 2)
	case 8:
		return fmt.Sprintf("INSERT INTO target REPLACE WHERE %s %s", w.pick("k < 5", "p = 'a'", "k BETWEEN 3 AND 9", "v IS NULL"), "SELECT 4, 'a', NULL, 1.5, 2.5D, NULL, NULL, X'01', NULL, array(4), map('k', 4)")
	case 9:
		if w.r.IntN(2) == 0 {
			return "INSERT OVERWRITE target VALUES " + w.rows(2+w.r.IntN(6))
		}
		return "INSERT INTO target BY NAME SELECT 9 AS k, 'b' AS p, 9 AS v"
	case 10:
		return "OPTIMIZE target"
	}
	return w.merge()
}

// Script is the first rows of a table and statements over them.
type Script struct {
	Rows       []string // VALUES
	Statements []string
}

// Write makes the script of a seed.
func Write(seed uint64, statements int) Script {
	w := writer{rand.New(rand.NewPCG(seed, 6))}
	var s Script
	for i := range 3 + w.r.IntN(12) {
		cells := []string{fmt.Sprint(i)}
		for _, c := range names[1:] {
			cells = append(cells, w.value(c))
		}
		s.Rows = append(s.Rows, "("+strings.Join(cells, ", ")+")")
	}
	for range statements {
		s.Statements = append(s.Statements, w.statement())
	}
	return s
}
