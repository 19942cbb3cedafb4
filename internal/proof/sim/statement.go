package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

var errMultiple = errors.New("several source rows match")

// statement is one statement as data: what it says, and so what it does to all
// rows (apply) and how it is spelled. A part that is left out is a smaller
// statement.
type statement struct {
	kind   string // append, merge, update, delete, overwrite, replaceWhere, dynamic, restore, read, or a verb of upkeep
	batch  int64  // of a stream, which is written once; 0 is none
	source []row
	where  cond
	set    change

	// Of a MERGE.
	on       cond
	matched  []clause
	inserts  []cond
	bySource []clause

	// Of a RESTORE: which version is known when the table is made.
	pick uint64
	lost bool // one that VACUUM may have taken away
	to   int64
	back []row

	upkeep *upkeep
}

// clause is one of a MERGE that changes rows.
type clause struct {
	when   cond
	delete bool
	set    change
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
	switch n := r.IntN(20); {
	case n < 3:
		return appendOf(r)
	case n < 12:
		return mergeOf(r)
	case n < 14:
		return updateOf(r)
	case n < 16:
		return deleteOf(r)
	case n < 17:
		return statement{kind: "overwrite", source: randomRows(r, r.IntN(5), 12)}
	case n < 19 || !partitioned:
		return replaceOf(r)
	}
	return statement{kind: "dynamic", source: randomRows(r, r.IntN(4), 12)}
}

func appendOf(r *rand.Rand) statement {
	return statement{kind: "append", source: randomRows(r, 1+r.IntN(4), 12)}
}

func updateOf(r *rand.Rand) statement {
	return statement{kind: "update", where: condition(r, ""), set: changes(r, false)}
}

func deleteOf(r *rand.Rand) statement { return statement{kind: "delete", where: condition(r, "")} }

func replaceOf(r *rand.Rand) statement {
	s := statement{kind: "replaceWhere", where: condition(r, "")}
	for _, x := range randomRows(r, r.IntN(9), 12) {
		if s.where.holds(x, x) {
			s.source = append(s.source, x)
		}
	}
	return s
}

func mergeOf(r *rand.Rand) statement {
	equal := func(a, b int) bool { return a == b }
	s := statement{kind: "merge", source: randomRows(r, 1+r.IntN(7), 12),
		on: cond{"t.k = s.k", func(t, s row) tri { return both(t.k, s.k, equal) }}}
	switch r.IntN(8) {
	case 0:
		s.on = cond{"t.k <=> s.k", func(t, s row) tri {
			return truth(t.k == nil && s.k == nil || both(t.k, s.k, equal) == yes)
		}}
	case 1:
		s.on = s.on.conj(cond{"t.p = s.p", func(t, s row) tri { return both(t.p, s.p, func(a, b string) bool { return a == b }) }})
	case 2:
		s.on = s.on.conj(condition(r, "t"))
	case 3:
		s.on = s.on.conj(condition(r, "s"))
	case 4:
		s.on = s.on.conj(cond{"t.v < s.v", func(t, s row) tri { return both(t.v, s.v, func(a, b int) bool { return a < b }) }})
	case 5:
		if r.IntN(2) == 0 { // no equality
			s.on = cond{"t.k + 1 > s.k AND t.k <= s.k", s.on.is}
		}
	}
	when := func(last bool, alias string) cond {
		if last && r.IntN(2) == 0 {
			return always()
		}
		return condition(r, alias)
	}
	for i, n := 0, r.IntN(3); i < n; i++ {
		c := clause{when: when(i == n-1, []string{"t", "s"}[r.IntN(2)]), delete: r.IntN(4) == 0}
		if !c.delete {
			c.set = changes(r, true)
		}
		s.matched = append(s.matched, c)
	}
	for i, n := 0, r.IntN(3); i < n; i++ {
		s.inserts = append(s.inserts, when(i == n-1, "s"))
	}
	for i, n := 0, max(0, r.IntN(5)-2); i < n; i++ {
		c := clause{when: when(i == n-1, "t"), delete: r.IntN(2) == 0}
		if !c.delete {
			c.set = changes(r, false)
		}
		s.bySource = append(s.bySource, c)
	}
	if len(s.matched)+len(s.inserts)+len(s.bySource) == 0 {
		s.inserts = []cond{always()}
	}
	return s
}

// sql are the clauses of a MERGE.
func (s statement) sql() string {
	var b strings.Builder
	b.WriteString("MERGE INTO target t USING source s ON " + s.on.sql)
	some := func(when string, list []clause) {
		for _, c := range list {
			if c.delete {
				fmt.Fprintf(&b, " WHEN %s%s THEN DELETE", when, c.when.and())
			} else {
				fmt.Fprintf(&b, " WHEN %s%s THEN UPDATE SET %s", when, c.when.and(), c.set.sql)
			}
		}
	}
	some("MATCHED", s.matched)
	for _, c := range s.inserts {
		fmt.Fprintf(&b, " WHEN NOT MATCHED%s THEN INSERT (k, p, v) VALUES (s.k, s.p, s.v)", c.and())
	}
	some("NOT MATCHED BY SOURCE", s.bySource)
	return b.String()
}

func (s statement) String() string {
	text := s.kind
	switch s.kind {
	case "merge":
		text = s.sql()
	case "update":
		text = "UPDATE SET " + s.set.sql + " WHERE " + s.where.sql
	case "delete":
		text = "DELETE WHERE " + s.where.sql
	case "append", "overwrite", "dynamic":
		text = map[string]string{"append": "APPEND", "overwrite": "OVERWRITE", "dynamic": "DYNAMIC OVERWRITE"}[s.kind]
	case "replaceWhere":
		text = "REPLACE WHERE " + s.where.sql
	case "restore":
		text = fmt.Sprintf("RESTORE to version %d", s.to)
	default:
		if s.upkeep != nil {
			text = s.upkeep.text
		}
	}
	if s.batch > 0 {
		text = fmt.Sprintf("batch %d: %s", s.batch, text)
	}
	if len(s.source) > 0 {
		text += "; source " + strings.Join(texts(s.source, false), " ")
	}
	return text
}

func clone(rows []row) []row { return slices.Clone(rows) }

// apply is what the statement makes of all rows.
func (s statement) apply(rows []row) ([]row, error) {
	where := func(x row) bool { return s.where.holds(x, x) }
	switch s.kind {
	case "append":
		return append(clone(rows), s.source...), nil
	case "overwrite":
		return clone(s.source), nil
	case "restore":
		return clone(s.back), nil
	case "merge":
		return s.applyMerge(rows)
	case "update":
		out := clone(rows)
		for i, x := range out {
			if where(x) {
				out[i] = s.set.to(x, x)
			}
		}
		return out, nil
	case "delete":
		return slices.DeleteFunc(clone(rows), where), nil
	case "replaceWhere":
		return append(clone(s.source), slices.DeleteFunc(clone(rows), where)...), nil
	case "dynamic":
		part := func(x row) string {
			if x.p == nil {
				return "null"
			}
			return "=" + *x.p
		}
		hit := map[string]bool{}
		for _, x := range s.source {
			hit[part(x)] = true
		}
		return append(clone(s.source), slices.DeleteFunc(clone(rows), func(x row) bool { return hit[part(x)] })...), nil
	}
	return clone(rows), nil
}

func (s statement) applyMerge(rows []row) ([]row, error) {
	many := len(s.matched) == 0 && len(s.bySource) == 0 || len(s.matched) == 1 && s.matched[0].delete && s.matched[0].when.is == nil
	matchedOnly := len(s.bySource) == 0 && len(s.inserts) == 0
	used := make([]bool, len(s.source))
	var out []row
	for _, t := range rows {
		var matches []row
		hit := false
		for j, src := range s.source {
			if !s.on.holds(t, src) {
				continue
			}
			hit, used[j] = true, true
			any := no
			for _, c := range s.matched {
				any = any.or(c.when.truth(t, src))
			}
			if len(s.matched) == 0 || any != null || !matchedOnly { // the reference does not count the others
				matches = append(matches, src)
			}
		}
		if len(matches) > 1 && !many {
			return nil, errMultiple
		}
		clauses, src := s.bySource, row{}
		if hit {
			clauses = nil
		}
		if len(matches) > 0 {
			clauses, src = s.matched, matches[0]
		}
		keep := true
		for _, c := range clauses {
			if !c.when.holds(t, src) {
				continue
			}
			if c.delete {
				keep = false
			} else {
				t = c.set.to(t, src)
			}
			break
		}
		if keep {
			out = append(out, t)
		}
	}
	for j, src := range s.source {
		if !used[j] && slices.ContainsFunc(s.inserts, func(c cond) bool { return c.holds(src, src) }) {
			out = append(out, src)
		}
	}
	return out, nil
}
