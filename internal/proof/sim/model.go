// Package sim runs random statements against each other and holds the result
// against running them one after the other by brute force, in the order in which
// they were committed.
//
// A seed decides the table, the statements, the winners written by hand in
// between, and the schedule. The oracle knows nothing of files: it applies each
// statement to a list of rows.
package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
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

var errMultiple = errors.New("several source rows match")

// statement is one statement in SQL-like text and as a function of all rows.
type statement struct {
	kind   string // append, merge, update, delete, overwrite, replaceWhere, dynamic, restore, or a verb of upkeep
	text   string
	source []row
	where  cond
	set    string
	apply  func(rows []row) ([]row, error)
	merge  string // clauses in SQL
	to     int64  // of RESTORE
	upkeep *upkeep
}

func randomRow(r *rand.Rand, key int) row {
	x := row{k: &key}
	if r.IntN(12) == 0 {
		x.k = nil
	}
	if r.IntN(8) != 0 {
		p := partitions[r.IntN(len(partitions))]
		x.p = &p
	}
	if r.IntN(10) != 0 {
		v := r.IntN(12)
		x.v = &v
	}
	return x
}

// randomRows have distinct keys, mostly.
func randomRows(r *rand.Rand, n, keys int) []row {
	perm := r.Perm(keys)
	out := make([]row, n)
	for i := range out {
		key := perm[i%len(perm)]
		if r.IntN(25) == 0 {
			key = r.IntN(keys)
		}
		out[i] = randomRow(r, key)
	}
	return out
}

func randomStatement(r *rand.Rand, partitioned bool) statement {
	for {
		var s statement
		switch n := r.IntN(20); {
		case n < 3:
			s = appendOf(r)
		case n < 12:
			s = mergeOf(r)
		case n < 14:
			s = updateOf(r)
		case n < 16:
			s = deleteOf(r)
		case n < 17:
			s = overwriteOf(r)
		case n < 19:
			s = replaceOf(r)
		case partitioned:
			s = dynamicOf(r)
		default:
			continue
		}
		return s
	}
}

func clone(rows []row) []row { return append([]row(nil), rows...) }

func appendOf(r *rand.Rand) statement {
	src := randomRows(r, 1+r.IntN(4), 12)
	return statement{kind: "append", text: "APPEND", source: src, apply: func(rows []row) ([]row, error) { return append(clone(rows), src...), nil }}
}

func overwriteOf(r *rand.Rand) statement {
	src := randomRows(r, r.IntN(5), 12)
	return statement{kind: "overwrite", text: "OVERWRITE", source: src, apply: func([]row) ([]row, error) { return clone(src), nil }}
}

func replaceOf(r *rand.Rand) statement {
	where := condition(r, "")
	var src []row
	for _, x := range randomRows(r, r.IntN(9), 12) {
		if where.holds(x, x) {
			src = append(src, x)
		}
	}
	return statement{kind: "replaceWhere", text: "REPLACE WHERE " + where.sql, source: src, where: where, apply: func(rows []row) ([]row, error) {
		out := clone(src)
		for _, x := range rows {
			if !where.holds(x, x) {
				out = append(out, x)
			}
		}
		return out, nil
	}}
}

func dynamicOf(r *rand.Rand) statement {
	src := randomRows(r, r.IntN(4), 12)
	part := func(x row) string {
		if x.p == nil {
			return "null"
		}
		return "=" + *x.p
	}
	return statement{kind: "dynamic", text: "DYNAMIC OVERWRITE", source: src, apply: func(rows []row) ([]row, error) {
		hit := map[string]bool{}
		for _, x := range src {
			hit[part(x)] = true
		}
		out := clone(src)
		for _, x := range rows {
			if !hit[part(x)] {
				out = append(out, x)
			}
		}
		return out, nil
	}}
}

func updateOf(r *rand.Rand) statement {
	where, set := condition(r, ""), changes(r, false)
	return statement{kind: "update", text: "UPDATE SET " + set.sql + " WHERE " + where.sql, where: where, set: set.sql,
		apply: func(rows []row) ([]row, error) {
			out := clone(rows)
			for i, x := range out {
				if where.holds(x, x) {
					out[i] = set.to(x, x)
				}
			}
			return out, nil
		}}
}

func deleteOf(r *rand.Rand) statement {
	where := condition(r, "")
	return statement{kind: "delete", text: "DELETE WHERE " + where.sql, where: where, apply: func(rows []row) ([]row, error) {
		var out []row
		for _, x := range rows {
			if !where.holds(x, x) {
				out = append(out, x)
			}
		}
		return out, nil
	}}
}

type modelClause struct {
	when   cond
	delete bool
	set    change
}

func mergeOf(r *rand.Rand) statement {
	src := randomRows(r, 1+r.IntN(7), 12)
	equal := func(a, b int) bool { return a == b }
	on := cond{"t.k = s.k", func(t, s row) tri { return both(t.k, s.k, equal) }}
	sameP := cond{"t.p = s.p", func(t, s row) tri { return both(t.p, s.p, func(a, b string) bool { return a == b }) }}
	switch r.IntN(8) {
	case 0:
		on = cond{"t.k <=> s.k", func(t, s row) tri {
			return truth(t.k == nil && s.k == nil || both(t.k, s.k, equal) == yes)
		}}
	case 1:
		on = on.conj(sameP)
	case 2:
		on = on.conj(condition(r, "t"))
	case 3:
		on = on.conj(condition(r, "s"))
	case 4:
		on = on.conj(cond{"t.v < s.v", func(t, s row) tri { return both(t.v, s.v, func(a, b int) bool { return a < b }) }})
	case 5:
		if r.IntN(2) == 0 { // no equality
			on = cond{"t.k + 1 > s.k AND t.k <= s.k", on.is}
		}
	}
	var matched, bySource []modelClause
	var inserts []cond
	var sql strings.Builder
	when := func(last bool, alias string) cond {
		if last && r.IntN(2) == 0 {
			return always()
		}
		return condition(r, alias)
	}
	for i, n := 0, r.IntN(3); i < n; i++ {
		side := []string{"t", "s"}[r.IntN(2)]
		c := modelClause{when: when(i == n-1, side), delete: r.IntN(4) == 0}
		if c.delete {
			fmt.Fprintf(&sql, " WHEN MATCHED%s THEN DELETE", c.when.and())
		} else {
			c.set = changes(r, true)
			fmt.Fprintf(&sql, " WHEN MATCHED%s THEN UPDATE SET %s", c.when.and(), c.set.sql)
		}
		matched = append(matched, c)
	}
	for i, n := 0, r.IntN(3); i < n; i++ {
		c := when(i == n-1, "s")
		fmt.Fprintf(&sql, " WHEN NOT MATCHED%s THEN INSERT (k, p, v) VALUES (s.k, s.p, s.v)", c.and())
		inserts = append(inserts, c)
	}
	for i, n := 0, max(0, r.IntN(5)-2); i < n; i++ {
		c := modelClause{when: when(i == n-1, "t"), delete: r.IntN(2) == 0}
		if c.delete {
			fmt.Fprintf(&sql, " WHEN NOT MATCHED BY SOURCE%s THEN DELETE", c.when.and())
		} else {
			c.set = changes(r, false)
			fmt.Fprintf(&sql, " WHEN NOT MATCHED BY SOURCE%s THEN UPDATE SET %s", c.when.and(), c.set.sql)
		}
		bySource = append(bySource, c)
	}
	if sql.Len() == 0 {
		fmt.Fprintf(&sql, " WHEN NOT MATCHED THEN INSERT (k, p, v) VALUES (s.k, s.p, s.v)")
		inserts = append(inserts, always())
	}
	text := "MERGE INTO target t USING source s ON " + on.sql + sql.String()
	many := len(matched) == 0 && len(bySource) == 0 || len(matched) == 1 && matched[0].delete && matched[0].when.is == nil
	return statement{kind: "merge", text: text, merge: text, source: src, apply: func(rows []row) ([]row, error) {
		return applyMerge(rows, src, on, matched, bySource, inserts, many)
	}}
}

func applyMerge(rows, src []row, on cond, matched, bySource []modelClause, inserts []cond, many bool) ([]row, error) {
	matchedOnly := len(bySource) == 0 && len(inserts) == 0
	used := make([]bool, len(src))
	var out []row
	for _, t := range rows {
		var matches []row
		hit := false
		for j, s := range src {
			if !on.holds(t, s) {
				continue
			}
			hit, used[j] = true, true
			known := len(matched) == 0
			any := no
			for _, c := range matched {
				any = any.or(c.when.truth(t, s))
			}
			known = known || any != null
			if known || !matchedOnly { // the reference does not count the others
				matches = append(matches, s)
			}
		}
		if len(matches) > 1 && !many {
			return nil, errMultiple
		}
		clauses, s := bySource, row{}
		if hit {
			clauses = nil
		}
		if len(matches) > 0 {
			clauses, s = matched, matches[0]
		}
		keep := true
		for _, c := range clauses {
			if !c.when.holds(t, s) {
				continue
			}
			if c.delete {
				keep = false
			} else {
				t = c.set.to(t, s)
			}
			break
		}
		if keep {
			out = append(out, t)
		}
	}
	for j, s := range src {
		if used[j] {
			continue
		}
		for _, c := range inserts {
			if c.holds(s, s) {
				out = append(out, s)
				break
			}
		}
	}
	return out, nil
}
