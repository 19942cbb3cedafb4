// Package sim runs random statements against each other and holds the result
// against running them one after the other by brute force, in the order in which
// they were committed.
//
// A seed decides the table, the statements, the winners written by hand in
// between, and the schedule. The oracle knows nothing of files: it applies each
// statement to a list of rows.
package sim

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
)

// row is a row of the simulated table (k INT, p STRING, v INT); nil is NULL.
type row struct {
	k *int
	p *string
	v *int
}

const ddl = "k INT, p STRING, v INT"

// text is the canonical form of the row; extra says that a column x was added.
func (r row) text(extra bool) string {
	num := func(n *int) string {
		if n == nil {
			return "null"
		}
		return strconv.Itoa(*n)
	}
	p := "null"
	if r.p != nil {
		p = strconv.Quote(*r.p)
	}
	s := fmt.Sprintf(`{"k":%s,"p":%s,"v":%s`, num(r.k), p, num(r.v))
	if extra {
		s += `,"x":null`
	}
	return s + "}"
}

func texts(rows []row, extra bool) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.text(extra)
	}
	sort.Strings(out)
	return out
}

// tri is a truth value of SQL.
type tri int8

const (
	no tri = iota
	null
	yes
)

func truth(b bool) tri {
	if b {
		return yes
	}
	return no
}

func (a tri) and(b tri) tri { return min(a, b) }
func (a tri) or(b tri) tri  { return max(a, b) }

// over applies a test to a value that may be NULL.
func over[T any](v *T, test func(T) bool) tri {
	if v == nil {
		return null
	}
	return truth(test(*v))
}

// both applies a test to two values that may be NULL.
func both[T any](a, b *T, test func(a, b T) bool) tri {
	if a == nil || b == nil {
		return null
	}
	return truth(test(*a, *b))
}

// cond is a condition in SQL and as a function of a target and a source row. The
// zero value is no condition.
type cond struct {
	sql string
	is  func(t, s row) tri
}

func always() cond { return cond{} }

func (c cond) truth(t, s row) tri {
	if c.is == nil {
		return yes
	}
	return c.is(t, s)
}

func (c cond) holds(t, s row) bool { return c.truth(t, s) == yes }

// and spells " AND condition" for a clause.
func (c cond) and() string {
	if c.is == nil {
		return ""
	}
	return " AND " + c.sql
}

func (c cond) conj(d cond) cond {
	return cond{c.sql + " AND " + d.sql, func(t, s row) tri { return c.truth(t, s).and(d.truth(t, s)) }}
}

var partitions = []string{"a", "b", "ü x", "c=1"}

// condition is a random condition over one side; alias is t, s or "".
func condition(r *rand.Rand, alias string) cond {
	name := func(col string) string {
		if alias == "" {
			return col
		}
		return alias + "." + col
	}
	n := r.IntN(12)
	p := partitions[r.IntN(len(partitions))]
	of := func(sql string, is func(x row) tri) cond {
		return cond{sql, func(t, s row) tri {
			if alias == "s" {
				return is(s)
			}
			return is(t)
		}}
	}
	isP := func(x row) tri { return over(x.p, func(v string) bool { return v == p }) }
	switch r.IntN(9) {
	case 0:
		return of(fmt.Sprintf("%s = '%s'", name("p"), p), isP)
	case 1:
		return of(fmt.Sprintf("%s <> '%s'", name("p"), p), func(x row) tri { return over(x.p, func(v string) bool { return v != p }) })
	case 2:
		return of(fmt.Sprintf("%s IS NULL", name("p")), func(x row) tri { return truth(x.p == nil) })
	case 3:
		return of(fmt.Sprintf("%s > %d", name("v"), n), func(x row) tri { return over(x.v, func(v int) bool { return v > n }) })
	case 4:
		return of(fmt.Sprintf("%s <= %d", name("v"), n), func(x row) tri { return over(x.v, func(v int) bool { return v <= n }) })
	case 5:
		return of(fmt.Sprintf("%s %% 2 = 0", name("v")), func(x row) tri { return over(x.v, func(v int) bool { return v%2 == 0 }) })
	case 6:
		return of(fmt.Sprintf("%s BETWEEN %d AND %d", name("k"), n-3, n), func(x row) tri { return over(x.k, func(v int) bool { return v >= n-3 && v <= n }) })
	case 7:
		return of(fmt.Sprintf("(%s = '%s' OR %s > %d)", name("p"), p, name("k"), n), func(x row) tri {
			return isP(x).or(over(x.k, func(v int) bool { return v > n }))
		})
	}
	return of(fmt.Sprintf("NOT (%s < %d)", name("v"), n), func(x row) tri { return over(x.v, func(v int) bool { return v >= n }) })
}

// change is what an update sets.
type change struct {
	sql string
	to  func(t, s row) row
}

func plus(n *int, d int) *int {
	if n == nil {
		return nil
	}
	m := *n + d
	return &m
}

func changes(r *rand.Rand, source bool) change {
	p := partitions[r.IntN(len(partitions))]
	opts := []change{
		{"v = v + 1", func(t, _ row) row { t.v = plus(t.v, 1); return t }},
		{fmt.Sprintf("p = '%s'", p), func(t, _ row) row { t.p = &p; return t }},
		{"p = NULL, v = v + 100", func(t, _ row) row { t.p, t.v = nil, plus(t.v, 100); return t }},
		{"k = k + 1", func(t, _ row) row { t.k = plus(t.k, 1); return t }},
	}
	if source {
		opts = []change{
			{"v = s.v", func(t, s row) row { t.v = s.v; return t }},
			{"v = t.v + s.v, p = s.p", func(t, s row) row {
				if t.v != nil && s.v != nil {
					t.v = plus(t.v, *s.v)
				} else {
					t.v = nil
				}
				t.p = s.p
				return t
			}},
			{"k = s.k, p = s.p, v = s.v", func(_, s row) row { return s }},
			{"v = t.v + 1", func(t, _ row) row { t.v = plus(t.v, 1); return t }},
		}
	}
	return opts[r.IntN(len(opts))]
}
