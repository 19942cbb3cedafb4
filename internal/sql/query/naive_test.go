package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// This file runs random queries over small tables twice: by the engine, and by
// nested loops over Go values with SQL's logic of three values.

type row []any // int64 or nil

// truth is TRUE (1), FALSE (0) or NULL (-1).
type truth int

func truthOf(b bool) truth {
	if b {
		return 1
	}
	return 0
}

// naive is a condition as text and as a function of a row.
type naive struct {
	text string
	eval func(row) truth
}

// conditions draws a condition over named columns.
func conditions(names []string, depth int) *rapid.Generator[naive] {
	return rapid.Custom(func(t *rapid.T) naive {
		kind := rapid.IntRange(0, 7).Draw(t, "kind")
		if depth == 0 && kind > 4 {
			kind -= 5
		}
		i := rapid.IntRange(0, len(names)-1).Draw(t, "left")
		j := rapid.IntRange(0, len(names)-1).Draw(t, "right")
		c := rapid.Int64Range(0, 3).Draw(t, "constant")
		compare := func(op string, f func(a, b int64) bool) naive {
			if rapid.Bool().Draw(t, "with constant") {
				return naive{fmt.Sprintf("%s %s %d", names[i], op, c), func(r row) truth {
					if r[i] == nil {
						return -1
					}
					return truthOf(f(r[i].(int64), c))
				}}
			}
			return naive{fmt.Sprintf("%s %s %s", names[i], op, names[j]), func(r row) truth {
				if r[i] == nil || r[j] == nil {
					return -1
				}
				return truthOf(f(r[i].(int64), r[j].(int64)))
			}}
		}
		switch kind {
		case 0, 1:
			return compare("=", func(a, b int64) bool { return a == b })
		case 2:
			return compare("<", func(a, b int64) bool { return a < b })
		case 3:
			return naive{names[i] + " <=> " + names[j], func(r row) truth { return truthOf(r[i] == r[j]) }}
		case 4:
			return naive{names[i] + " IS NULL", func(r row) truth { return truthOf(r[i] == nil) }}
		case 5:
			x := conditions(names, depth-1).Draw(t, "not")
			return naive{"NOT (" + x.text + ")", func(r row) truth {
				if v := x.eval(r); v >= 0 {
					return 1 - v
				}
				return -1
			}}
		}
		x, y := conditions(names, depth-1).Draw(t, "x"), conditions(names, depth-1).Draw(t, "y")
		if kind == 6 {
			return naive{"(" + x.text + ") AND (" + y.text + ")", func(r row) truth {
				a, b := x.eval(r), y.eval(r)
				switch {
				case a == 0 || b == 0:
					return 0
				case a < 0 || b < 0:
					return -1
				}
				return 1
			}}
		}
		return naive{"(" + x.text + ") OR (" + y.text + ")", func(r row) truth {
			a, b := x.eval(r), y.eval(r)
			switch {
			case a == 1 || b == 1:
				return 1
			case a < 0 || b < 0:
				return -1
			}
			return 0
		}}
	})
}

var smallRows = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
	r := make(row, 2)
	for i := range r {
		if v := rapid.Int64Range(-1, 3).Draw(t, "v"); v >= 0 {
			r[i] = v
		}
	}
	return r
}), 0, 7)

// inline writes rows as a query.
func inline(rows []row) string {
	if len(rows) == 0 {
		return "(SELECT CAST(NULL AS INT) AS k, CAST(NULL AS INT) AS v WHERE false)"
	}
	var list []string
	for _, r := range rows {
		list = append(list, strings.ReplaceAll(fmt.Sprintf("(CAST(%v AS INT), CAST(%v AS INT))", r[0], r[1]), "<nil>", "NULL"))
	}
	return "(SELECT col1 AS k, col2 AS v FROM VALUES " + strings.Join(list, ", ") + ")"
}

func text(r row) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(strings.Trim(fmt.Sprint([]any(r)), "[]")), "|"), "<nil>", "null")
}

func texts(rows []row) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, text(r))
	}
	slices.Sort(out)
	return out
}

// got runs a query and gives its rows as sorted text.
func got(t *rapid.T, sql string) []string {
	out := show(execute(&tables{}, sql))
	if strings.HasPrefix(out, "error") {
		t.Fatalf("%s\n%s", sql, out)
	}
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")[1:]
	slices.Sort(lines)
	return lines
}

func same(t *rapid.T, sql string, want []row) {
	if g, w := got(t, sql), texts(want); !slices.Equal(g, w) {
		t.Fatalf("%s\ngot  %v\nwant %v", sql, g, w)
	}
}

func filterRows(rows []row, c naive) (out []row) {
	for _, r := range rows {
		if c.eval(r) == 1 {
			out = append(out, r)
		}
	}
	return out
}

// joinRows joins by nested loops.
func joinRows(kind string, left, right []row, on naive) (out []row) {
	rightIn := make([]bool, len(right))
	for _, l := range left {
		matched := false
		for k, r := range right {
			pair := append(append(row{}, l...), r...)
			if on.eval(pair) != 1 {
				continue
			}
			matched, rightIn[k] = true, true
			if kind != "LEFT SEMI" && kind != "LEFT ANTI" {
				out = append(out, pair)
			}
		}
		switch {
		case matched && kind == "LEFT SEMI", !matched && kind == "LEFT ANTI":
			out = append(out, l)
		case !matched && (kind == "LEFT" || kind == "FULL"):
			out = append(out, append(append(row{}, l...), nil, nil))
		}
	}
	if kind == "RIGHT" || kind == "FULL" {
		for k, r := range right {
			if !rightIn[k] {
				out = append(out, append(row{nil, nil}, r...))
			}
		}
	}
	return out
}

var joinKinds = rapid.SampledFrom([]string{"INNER", "LEFT", "RIGHT", "FULL", "LEFT SEMI", "LEFT ANTI"})

func TestJoinsAreNestedLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := smallRows.Draw(t, "a"), smallRows.Draw(t, "b")
		kind := joinKinds.Draw(t, "kind")
		names := []string{"a.k", "a.v", "b.k", "b.v"}
		on := conditions(names, 2).Draw(t, "on")
		out := joinRows(kind, a, b, on)
		if kind == "LEFT SEMI" || kind == "LEFT ANTI" {
			names = names[:2]
		}
		where := conditions(names, 2).Draw(t, "where")
		same(t, fmt.Sprintf("SELECT * FROM %s a %s JOIN %s b ON %s WHERE %s", inline(a), kind, inline(b), on.text, where.text), filterRows(out, where))
	})
}

// Conditions of WHERE over three tables move into joins and below them.
func TestCommaJoinsAreProducts(t *testing.T) {
	always := naive{"true", func(row) truth { return 1 }}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := smallRows.Draw(t, "a"), smallRows.Draw(t, "b"), smallRows.Draw(t, "c")
		kind := joinKinds.Draw(t, "kind")
		if strings.HasPrefix(kind, "LEFT ") {
			kind = "FULL"
		}
		on := conditions([]string{"a.k", "a.v", "b.k", "b.v"}, 1).Draw(t, "on")
		where := conditions([]string{"a.k", "a.v", "b.k", "b.v", "c.k", "c.v"}, 3).Draw(t, "where")
		want := filterRows(joinRows("INNER", joinRows(kind, a, b, on), c, always), where)
		same(t, fmt.Sprintf("SELECT * FROM %s a %s JOIN %s b ON %s, %s c WHERE %s", inline(a), kind, inline(b), on.text, inline(c), where.text), want)
	})
}

func TestGroupsAreSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := smallRows.Draw(t, "a")
		where := conditions([]string{"k", "v"}, 1).Draw(t, "where")
		keyed := rapid.Bool().Draw(t, "keyed")
		groups, order := map[any][]row{}, []any{}
		if !keyed {
			order = append(order, any(nil))
		}
		for _, r := range filterRows(a, where) {
			var k any
			if keyed {
				k = r[0]
			}
			if _, ok := groups[k]; !ok && keyed {
				order = append(order, k)
			}
			groups[k] = append(groups[k], r)
		}
		var want []row
		for _, k := range order {
			var sum, least, most any
			seen, count, big := map[any]bool{}, int64(0), int64(0)
			for _, r := range groups[k] {
				v, ok := r[1].(int64)
				if !ok {
					continue
				}
				count++
				seen[v] = true
				if v > 1 {
					big++
				}
				if sum == nil {
					sum, least, most = int64(0), v, v
				}
				sum, least, most = sum.(int64)+v, min(least.(int64), v), max(most.(int64), v)
			}
			r := row{int64(len(groups[k])), count, int64(len(seen)), big, sum, least, most}
			if keyed {
				r = append(row{k}, r...)
			}
			want = append(want, r)
		}
		list := "count(*), count(v), count(DISTINCT v), count(*) FILTER (WHERE v > 1), sum(v), min(v), max(v)"
		sql := fmt.Sprintf("SELECT %s FROM %s a WHERE %s", list, inline(a), where.text)
		if keyed {
			sql = fmt.Sprintf("SELECT k, %s FROM %s a WHERE %s GROUP BY k", list, inline(a), where.text)
		}
		same(t, sql, want)
	})
}

func TestSetOperationsAreMultisets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := smallRows.Draw(t, "a"), smallRows.Draw(t, "b")
		op := rapid.SampledFrom([]string{"UNION", "INTERSECT", "EXCEPT"}).Draw(t, "op")
		all := rapid.Bool().Draw(t, "all")
		na, nb, keys := map[string]int{}, map[string]int{}, map[string]row{}
		for _, r := range a {
			na[text(r)]++
			keys[text(r)] = r
		}
		for _, r := range b {
			nb[text(r)]++
			keys[text(r)] = r
		}
		var want []row
		for k, r := range keys {
			x, y := na[k], nb[k]
			if !all {
				x, y = min(x, 1), min(y, 1)
			}
			n := map[string]int{"UNION": x + y, "INTERSECT": min(x, y), "EXCEPT": max(0, x-y)}[op]
			if !all {
				n = min(n, 1)
			}
			for range n {
				want = append(want, r)
			}
		}
		if all {
			op += " ALL"
		}
		same(t, fmt.Sprintf("SELECT * FROM %s %s SELECT * FROM %s", inline(a), op, inline(b)), want)
	})
}

// A subquery as a condition by itself becomes a join, beside OR it becomes a list.
func TestMembership(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := smallRows.Draw(t, "a"), smallRows.Draw(t, "b")
		negated := rapid.Bool().Draw(t, "not")
		correlated := rapid.Bool().Draw(t, "correlated")
		in := naive{eval: func(r row) truth {
			out := truth(0)
			for _, s := range b {
				switch {
				case correlated && (s[1] == nil || r[1] == nil || s[1] != r[1]):
				case s[0] == nil || r[0] == nil:
					out = max(out, -1)
					if out == 0 {
						out = -1
					}
				case s[0] == r[0]:
					return 1
				}
			}
			return out
		}}
		want := filterRows(a, naive{eval: func(r row) truth {
			v := in.eval(r)
			if negated && v >= 0 {
				return 1 - v
			}
			return v
		}})
		not, inner := "", "SELECT k FROM "+inline(b)+" b"
		if negated {
			not = "NOT "
		}
		if correlated {
			inner += " WHERE b.v = a.v"
		}
		sql := fmt.Sprintf("SELECT * FROM %s a WHERE k %sIN (%s)", inline(a), not, inner)
		same(t, sql, want)
		if !correlated {
			same(t, sql+" OR (k IS NULL AND false)", want)
		}
		same(t, fmt.Sprintf("SELECT * FROM %s a WHERE %sEXISTS (SELECT 1 FROM %s b WHERE b.k = a.k)", inline(a), not, inline(b)),
			filterRows(a, naive{eval: func(r row) truth {
				hit := r[0] != nil && slices.ContainsFunc(b, func(s row) bool { return s[0] == r[0] })
				return truthOf(hit != negated)
			}}))
	})
}

func TestOrderAndLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := smallRows.Draw(t, "a")
		desc, first := rapid.Bool().Draw(t, "desc"), rapid.Bool().Draw(t, "nulls first")
		n, skip := rapid.IntRange(0, 8).Draw(t, "limit"), rapid.IntRange(0, 4).Draw(t, "offset")
		want := slices.Clone(a)
		slices.SortStableFunc(want, func(x, y row) int {
			a, b := x[1], y[1]
			switch {
			case a == nil && b == nil:
				return 0
			case a == nil || b == nil:
				if (a == nil) == first {
					return -1
				}
				return 1
			}
			c := int(a.(int64) - b.(int64))
			if desc {
				return -c
			}
			return c
		})
		want = want[min(skip, len(want)):]
		want = want[:min(n, len(want))]
		words := map[bool]string{true: "DESC", false: "ASC"}[desc] + " NULLS " + map[bool]string{true: "FIRST", false: "LAST"}[first]
		same(t, fmt.Sprintf("SELECT k, v FROM %s ORDER BY v %s LIMIT %d OFFSET %d", inline(a), words, n, skip), want)
	})
}
