package smallworld

import (
	"fmt"
	"slices"
)

// What statements do to rows, said a second time and without the engine: a table
// is a list of rows here. It covers the statements that leave the columns as they
// are.

// fact is a row: k is never NULL.
type fact struct {
	k int
	p *string
	v *int
}

// model is a table.
type model struct {
	rows        []fact
	partitioned bool
	batch       int  // the last one that was written
	failed      bool // a statement is an error
}

func (f fact) String() string {
	p, v := "null", "null"
	if f.p != nil {
		p = fmt.Sprintf("%q", *f.p)
	}
	if f.v != nil {
		v = fmt.Sprint(*f.v)
	}
	return fmt.Sprintf(`{"k":%d,"p":%s,"v":%s}`, f.k, p, v)
}

func (m *model) texts() []string {
	out := make([]string, len(m.rows))
	for i, f := range m.rows {
		out[i] = f.String()
	}
	slices.Sort(out)
	return out
}

func at(k int, p string, v int) fact { return fact{k, &p, &v} }

// first are the rows of the version n.
func first(n int) []fact {
	rows := []fact{at(1, "a", 10), at(2, "a", 20), at(7, "a", 70), at(3, "a", 30), at(4, "a", 40), at(5, "b", 50), at(6, "b", 60)}
	switch n {
	case 1:
		return rows[:3]
	case 4:
		return rows
	}
	return slices.Delete(rows, 2, 3)
}

func (f fact) in(p string) bool       { return f.p != nil && *f.p == p }
func (f fact) more(than int) bool     { return f.v != nil && *f.v > than }
func key(keys ...int) func(fact) bool { return func(f fact) bool { return slices.Contains(keys, f.k) } }
func part(p string) func(fact) bool   { return func(f fact) bool { return f.in(p) } }

func adds(rows ...fact) func(*model) {
	return func(m *model) { m.rows = append(m.rows, rows...) }
}

func removes(which func(fact) bool) func(*model) {
	return func(m *model) { m.rows = slices.DeleteFunc(m.rows, which) }
}

func both(list ...func(*model)) func(*model) {
	return func(m *model) {
		for _, do := range list {
			do(m)
		}
	}
}

func sets(which func(fact) bool, to func(*fact)) func(*model) {
	return func(m *model) {
		for i := range m.rows {
			if which(m.rows[i]) {
				to(&m.rows[i])
			}
		}
	}
}

func becomes(version int) func(*model) { return func(m *model) { m.rows = first(version) } }

// overwrites a partition; without partitions, everything.
func overwrites(p string, row fact) func(*model) {
	return func(m *model) {
		m.rows = append(slices.DeleteFunc(m.rows, func(f fact) bool { return !m.partitioned || f.in(p) }), row)
	}
}

// merging is a MERGE on equal keys, within a partition when p is not "".
type merging struct {
	source  []fact
	p       string
	matched func(t *fact, s fact) // nil leaves the row
	remove  bool                  // rows that match go
	insert  bool
	alone   func(t *fact) (stays bool) // for rows that match nothing
}

func (g merging) do(m *model) {
	used := make([]bool, len(g.source))
	var out []fact
	for _, t := range m.rows {
		hits := 0
		var s fact
		for i, x := range g.source {
			if x.k == t.k && (g.p == "" || t.in(g.p)) {
				hits, s, used[i] = hits+1, x, true
			}
		}
		switch {
		case hits > 1 && g.matched != nil:
			m.failed = true
		case hits > 0 && g.remove:
			continue
		case hits > 0 && g.matched != nil:
			g.matched(&t, s)
		case hits == 0 && g.alone != nil && !g.alone(&t):
			continue
		}
		out = append(out, t)
	}
	for i, s := range g.source {
		if g.insert && !used[i] {
			out = append(out, s)
		}
	}
	m.rows = out
}

func setV(t *fact, s fact) { t.v = s.v }

func addV(t *fact, s fact) {
	if t.v != nil && s.v != nil {
		v := *t.v + *s.v
		t.v = &v
	}
}

func batchOf(n int) func(*model) {
	return func(m *model) {
		if n > m.batch {
			m.batch = n
			m.rows = append(m.rows, at(n, "s", n))
		}
	}
}

// effects are what statements do, by name.
var effects = map[string]func(*model){
	"append":             adds(at(8, "a", 80)),
	"append key 9":       adds(at(9, "a", 99), at(9, "b", -1)),
	"append null":        adds(fact{k: 8}),
	"append default":     adds(fact{k: 8, p: at(0, "b", 0).p}),
	"append all columns": adds(at(9, "b", 90)),
	"append from itself": func(m *model) {
		for _, f := range slices.Clone(m.rows) {
			if f.k < 3 {
				f.k += 100
				m.rows = append(m.rows, f)
			}
		}
	},
	"batch 5":            batchOf(5),
	"batch 6":            batchOf(6),
	"overwrite":          func(m *model) { m.rows = []fact{at(1, "a", 0)} },
	"replace where a":    both(removes(part("a")), adds(at(1, "a", 0), at(9, "a", 9))),
	"replace where rows": both(removes(func(f fact) bool { return f.more(35) }), adds(at(9, "b", 90))),
	"dynamic a":          overwrites("a", at(1, "a", 0)),
	"dynamic b":          overwrites("b", at(5, "b", 0)),
	"delete 1":           removes(key(1)),
	"delete 2":           removes(key(2)),
	"delete 1 and 2":     removes(key(1, 2)),
	"delete 3 5":         removes(key(3, 5)),
	"delete b":           removes(part("b")),
	"delete all":         removes(func(fact) bool { return true }),
	"update 1":           sets(key(1), func(f *fact) { addV(f, at(0, "", 7)) }),
	"update 2 to b":      sets(key(2), func(f *fact) { f.p = at(0, "b", 0).p }),
	"update 5 to 1":      sets(key(5), func(f *fact) { f.k = 1 }),
	"update v":           sets(func(f fact) bool { return f.more(29) }, func(f *fact) { addV(f, *f) }),
	"upsert 1 9":         merging{source: []fact{at(1, "a", 11), at(9, "a", 90)}, matched: addV, insert: true}.do,
	"upsert 2 9":         merging{source: []fact{at(2, "a", 22), at(9, "b", 91)}, matched: addV, insert: true}.do,
	"upsert 5":           merging{source: []fact{at(5, "b", 55)}, p: "b", matched: setV, insert: true}.do,
	"upsert 9 twice":     merging{source: []fact{at(9, "a", 1), at(9, "b", 2)}, matched: setV, insert: true}.do,
	"merge deletes 1 3":  merging{source: []fact{at(1, "a", 0), at(3, "a", 0)}, remove: true}.do,
	"merge scoped": merging{source: []fact{at(1, "a", 12), at(9, "a", 92)}, p: "a", matched: setV, insert: true,
		alone: func(t *fact) bool { return !t.in("a") }}.do,
	"merge scoped b": merging{source: []fact{at(5, "b", 12), at(9, "b", 93)}, p: "b", matched: setV, insert: true,
		alone: func(t *fact) bool {
			if t.in("b") {
				t.v = at(0, "", 0).v
			}
			return true
		}}.do,
	"merge unscoped": merging{source: []fact{at(1, "a", 13), at(5, "b", 14), at(9, "a", 94)}, matched: setV, insert: true,
		alone: func(*fact) bool { return false }}.do,
	"insert only": merging{source: []fact{at(1, "a", 0), at(9, "a", 95)}, insert: true}.do,
	"merge from itself": func(m *model) {
		s := fact{k: -1 << 40}
		for _, f := range m.rows {
			s.k = max(s.k, f.k)
			if f.v != nil {
				sum := *f.v
				if s.v != nil {
					sum += *s.v
				}
				s.v = &sum
			}
		}
		merging{source: []fact{s}, matched: setV}.do(m)
	},
	"merge two deletes": func(m *model) {
		m.rows = slices.DeleteFunc(m.rows, func(f fact) bool { return f.k != 9 && (f.more(45) || f.v != nil && *f.v < 25) })
	},
	"restore":       becomes(4),
	"restore first": becomes(1),
}

// told are the rows after statements; false when one of them is not modelled.
func (w *World) told(list ...Statement) (m *model, ok bool) {
	m = &model{rows: first(5), partitioned: w.kind.Partitioned}
	for _, s := range list {
		do := effects[s.Name]
		if do == nil && !s.keeps() || w.kind.Identity {
			return nil, false
		}
		if do != nil {
			do(m)
		}
	}
	return m, true
}
