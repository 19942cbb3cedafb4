package prune

import (
	"testing"

	"github.com/sluicelake/sluice/expr"
)

// TestBoundPredicates judges predicates as users write them, after binding.
func TestBoundPredicates(t *testing.T) {
	uk, day, r := "UK", "2020-01-15", "1.5"
	f := file{parts: []*string{&uk, &day, &r}, stats: stats}
	for _, c := range []struct{ sql, want string }{
		{"p = 'UK'", "keep"},
		{"p = 'FR'", "partition values"},
		{"p IN ('FR', 'DE')", "partition values"},
		{"p IN ('FR', 'UK')", "keep"},
		{"p <> 'UK'", "partition values"},
		{"NOT (p = 'UK')", "partition values"},
		{"p LIKE 'F%'", "partition values"},
		{"p IS NULL", "partition values"},
		{"p <=> NULL", "partition values"},
		{"q = '2020-01-16'", "partition values"},
		{"q = '2020-01-15'", "keep"},
		{"q = DATE '2020-01-16'", "partition values"},
		{"q >= '2020-02-01'", "partition values"},
		{"q BETWEEN '2020-01-01' AND '2020-01-31'", "keep"},
		{"q BETWEEN '2020-01-01' AND '2020-01-10'", "partition values"},
		{"q > TIMESTAMP '2020-01-15 00:00:00'", "partition values"},
		{"year(q) = 2021", "partition values"},
		{"r > 2", "partition values"},
		{"r = 1.5", "keep"},
		{"a = 4", "statistics"},
		{"a > 9", "statistics"},
		{"a BETWEEN 10 AND 20", "statistics"},
		{"a = 7 AND p = 'UK'", "keep"},
		{"a > 3.5", "keep"},
		{"a > 9.5", "statistics"},
		{"a = '4'", "statistics"},
		{"b < 1", "statistics"},
		{"d > 2", "statistics"},
		{"d = 1.5", "keep"},
		{"s = 'c'", "statistics"},
		{"s >= 'bb' AND s < 'bc'", "keep"},
		{"n.x = 9", "statistics"},
		{"n.x = 3", "keep"},
		{"n.y IS NOT NULL", "statistics"},
		{"day < '2020-01-01'", "statistics"},
		{"day >= '2020-03-02'", "statistics"},
		{"t > '1970-01-02'", "statistics"},
		{"t >= TIMESTAMP '1970-01-01 00:00:01'", "keep"},
		{"CAST(t AS DATE) = DATE '1970-01-02'", "statistics"},
		{"a + 1 = 5", "statistics"},
		{"a IN (1, 2, 3)", "statistics"},
		{"coalesce(a, 0) = 4", "statistics"},
		{"CASE WHEN p = 'UK' THEN a = 4 ELSE TRUE END", "statistics"},
		{"if(p = 'FR', true, a = 4)", "statistics"},
		{"upper(s) = 'X'", "keep"},
		{"upper(p) = 'FR'", "partition values"},
		{"lower(p) = 'uk'", "keep"},
		{"p RLIKE '^F'", "partition values"},
		{"p || 'x' = 'FRx'", "partition values"},
		{"month(q) = 2", "partition values"},
		{"year(t) = 1971", "statistics"},
		{"p || 'x' = 'UKx'", "keep"},
		{"q = date_add(DATE '2020-01-14', 1)", "keep"},
		{"CAST(q AS STRING) = '2020-01-15'", "keep"},
		{"CAST(q AS STRING) < '2020'", "partition values"},
		{"p LIKE '%R'", "keep"},
		{"a = 2 + 2", "statistics"},
		{"rand() < 0.5", "keep"},
		{"p = 'FR' AND rand() < 0.5", "partition values"},
		{"f", "statistics"},
		{"p = 'FR' OR a = 4", "statistics"},
		{"p = 'FR' OR a = 7", "keep"},
		{"(p = 'FR' AND q = '2020-01-15') OR (p = 'UK' AND q = '2021-01-01')", "partition values"},
	} {
		parsed, err := expr.Parse(c.sql)
		if err != nil {
			t.Fatal(err)
		}
		e, err := expr.Bind(parsed, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: schema}}})
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		v := New(e, schema, parts).Keep(f)
		got := v.By.String()
		if v.Keep {
			got = "keep"
		}
		if got != c.want {
			t.Errorf("%s (%s): %s, want %s", c.sql, dump(e), got, c.want)
		}
	}
}

func dump(e expr.Expr) string {
	switch e := e.(type) {
	case *expr.Call:
		s := e.Fn + "("
		for _, a := range e.Args {
			s += dump(a) + " "
		}
		return s + ")"
	case *expr.Cast:
		return "cast " + dump(e.Arg) + " to " + e.To.String()
	}
	return e.String()
}
