package query

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/types"
)

func plan(t *testing.T, c Catalog, text string) *Plan {
	t.Helper()
	q, err := ParseText(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Bind(context.Background(), q, c, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What a node must hold is counted; what streams is not.
func TestMemory(t *testing.T) {
	e := env.New()
	e.Memory = 1 << 20
	for text, fits := range map[string]bool{
		"SELECT id FROM range(1000000) ORDER BY id":                                                 false,
		"SELECT DISTINCT id FROM range(1000000)":                                                    false,
		"SELECT id, count(*) FROM range(1000000) GROUP BY id":                                       false,
		"SELECT count(*) FROM range(3) a JOIN range(1000000) b ON a.id = b.id":                      false,
		"SELECT collect_list(id) FROM range(1000000)":                                               false,
		"SELECT id FROM range(1000000) WHERE id IN (SELECT id FROM range(1000000)) OR id = 3":       false,
		"WITH q AS (SELECT * FROM range(1000000)) SELECT count(*) FROM q UNION ALL SELECT 1 FROM q": false,
		"SELECT id FROM range(3) EXCEPT SELECT id FROM range(1000000)":                              false,
		"SELECT sum(id), max(id + 1) FROM range(1000000) WHERE id % 7 = 1":                          true,
		"SELECT count(*) FROM range(1000000) a JOIN range(3) b ON a.id = b.id":                      true,
		"SELECT id % 3, count(*) FROM range(1000000) GROUP BY id % 3":                               true,
		"SELECT id FROM range(9000000000000000000) LIMIT 10":                                        true,
	} {
		var failed error
		for _, err := range plan(t, nil, text).Run(context.Background(), e) {
			failed = err
		}
		var m *MemoryError
		if errors.As(failed, &m) == fits || (failed == nil) != fits {
			t.Errorf("%s: %v", text, failed)
		}
	}
}

// asked is a relation that remembers what it was asked for.
type asked struct {
	*rows
	columns []int
	where   string
	limit   int64
}

func newAsked(t *testing.T, text string) *asked {
	r, err := execute(&tables{}, text)
	if err != nil {
		t.Fatal(err)
	}
	return &asked{rows: r}
}

func (a *asked) scan(o ScanOptions) {
	a.columns, a.limit, a.where = o.Columns, o.Limit, ""
	if o.Where != nil {
		a.where = o.Where.String()
	}
}

// A relation is asked for the columns that are read, with the conditions on it alone.
func TestScans(t *testing.T) {
	for _, c := range []struct {
		sql   string
		cols  []int
		where string
		limit int64
	}{
		{"SELECT a FROM t", []int{0}, "", 0},
		{"SELECT count(*) FROM t", []int{}, "", 0},
		{"SELECT a FROM t WHERE b = 'x' AND c > 1", []int{0, 1, 2}, "b = 'x' AND c > 1", 0},
		{"SELECT a FROM (SELECT * FROM t) q WHERE b = 'x'", []int{0, 1}, "b = 'x'", 0},
		{"SELECT * FROM t LIMIT 3 OFFSET 2", []int{0, 1, 2}, "", 5},
		{"SELECT n FROM t LIMIT 3", nil, "", 0},
		{"SELECT t.a FROM t JOIN (VALUES 1) v(x) ON t.a = v.x WHERE t.c = 2 AND v.x < 3", []int{0, 2}, "t.c = 2", 0},
		{"SELECT t.a FROM (VALUES 1) v(x) LEFT JOIN t ON t.a = v.x AND t.c = 2", []int{0, 2}, "t.c = 2", 0},
		{"SELECT t.a FROM (VALUES 1) v(x) LEFT JOIN t ON t.a = v.x WHERE t.c = 2", []int{0, 2}, "", 0},
		{"SELECT t.a FROM t, (VALUES 1) v(x) WHERE t.a = v.x AND t.c + 1 = 2 AND b = 'y'", []int{0, 1, 2}, "b = 'y'", 0},
		{"SELECT a FROM t WHERE c = (SELECT 1 + 1)", []int{0, 2}, "c = 2", 0},
		{"SELECT a FROM t WHERE c IN (1, 2) ORDER BY b", []int{0, 1, 2}, "c IN (1, 2)", 0},
		{"WITH q AS (SELECT a, c FROM t) SELECT a FROM q", []int{0}, "", 0},
		{"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM (VALUES 1) v(x) WHERE x = c)", []int{0, 2}, "", 0},
	} {
		rel := newAsked(t, "SELECT * FROM VALUES (1, 'x', 2), (2, 'y', 1) AS t(a, b, c)")
		cat := &tables{rels: map[string]Relation{"t": recorder{rel}}}
		q, err := ParseText(c.sql)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Bind(context.Background(), q, cat, testOptions)
		if c.cols == nil {
			if !unresolved(err) {
				t.Errorf("%s: %v", c.sql, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		for _, err := range p.Run(context.Background(), env.New()) {
			if err != nil {
				t.Errorf("%s: %v", c.sql, err)
			}
		}
		if !slices.Equal(rel.columns, c.cols) || rel.where != c.where || rel.limit != c.limit {
			t.Errorf("%s: asked for %v where %q limit %d", c.sql, rel.columns, rel.where, rel.limit)
		}
	}
}

// Outside ANSI mode what fails is NULL, and sums wrap.
func TestLegacy(t *testing.T) {
	o := testOptions
	o.Legacy = true
	for text, want := range map[string]string{
		"SELECT sum(x) FROM VALUES (9223372036854775807), (1) AS v(x)":                         "`sum(x)` BIGINT\n-9223372036854775808\n",
		"SELECT sum(x) FROM VALUES ('1'), ('x') AS v(x)":                                       "`sum(x)` DOUBLE\n1\n",
		"SELECT sum(x) AS s FROM VALUES (CAST(repeat('9', 38) AS DECIMAL(38,0))), (1) AS v(x)": "s DECIMAL(38,0)\nnull\n",
		"SELECT 1 AS x UNION ALL SELECT 'a'":                                                   "x STRING NOT NULL\n\"1\"\n\"a\"\n",
		"SELECT count(*) AS n FROM (VALUES 1) a(x) JOIN (VALUES '1', 'z') b(x) ON a.x = b.x":   "n BIGINT NOT NULL\n1\n",
	} {
		q, err := ParseText(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Bind(context.Background(), q, nil, o)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := show(collect(p)); got != want {
			t.Errorf("%s\n%s", text, got)
		}
	}
}

// A plan has no state of a run.
func TestRunsAtOnce(t *testing.T) {
	p := plan(t, nil, `WITH q AS (SELECT id % 10 AS k FROM range(20000))
		SELECT k, count(*) AS n FROM q WHERE k IN (SELECT id FROM range(4)) OR k = (SELECT max(k) FROM q) GROUP BY k ORDER BY k`)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			want := "k BIGINT NOT NULL, n BIGINT NOT NULL\n0|2000\n1|2000\n2|2000\n3|2000\n9|2000\n"
			if got := show(collect(p)); got != want {
				t.Error(got)
			}
		})
	}
	wait.Wait()
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p := plan(t, nil, "SELECT count(*) FROM range(9000000000000000000)")
	cancel()
	for _, err := range p.Run(ctx, env.New()) {
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

func TestParseStopsBehindTheQuery(t *testing.T) {
	p := expr.NewParser("SELECT a FROM t WHERE b ) AS s ON true")
	q, err := Parse(p)
	if err != nil || q.Text != "SELECT a FROM t WHERE b" || !p.Peek().Is(")") || p.Queries != nil {
		t.Fatal(q, err, p.Peek())
	}
	if q, err = ParseText("SELECT 1;"); err != nil || len(q.Body.(*Select).Items) != 1 || q.Body.(*Select).Items[0].Expr.Type() != types.Integer {
		t.Fatal(q, err)
	}
}

// recorder is an asked relation.
type recorder struct{ *asked }

func (r recorder) Scan(ctx context.Context, o ScanOptions) iter.Seq2[arrow.RecordBatch, error] {
	r.scan(o)
	return r.rows.Scan(ctx, o)
}
