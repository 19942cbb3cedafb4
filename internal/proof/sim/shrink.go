package sim

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Shrink makes a plan smaller for as long as it fails in the same way: fewer
// writers, steps, faults, rows, clauses and features. play plays a plan; budget
// bounds how many are played.
func shrink(p *plan, first *Failure, budget int, play func(*plan) *Failure) (*plan, *Failure) {
	end := time.Now().Add(time.Minute)
	last := first
	for again := true; again; {
		again = false
		for _, cut := range cuts {
			for i := 0; ; {
				q := p.clone()
				if !cut(q, i) {
					break
				}
				if budget--; budget < 0 || time.Now().After(end) {
					return p, last
				}
				if f := play(q); f != nil && f.kind() == first.kind() {
					p, last, again = q, f, true // what was next is at i now
				} else {
					i++
				}
			}
		}
	}
	return p, last
}

var varying = regexp.MustCompile(`\bw[0-9]+\b|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+|".*?"`)

// kind is what a failure is about, without what differs between runs of different
// size.
func (f *Failure) kind() string {
	what, _, _ := strings.Cut(f.What, "\n")
	return varying.ReplaceAllString(what, "#")
}

// cuts take the i-th part of their kind out of a plan; false when there are not so many.
var cuts = []func(p *plan, i int) bool{
	func(p *plan, i int) bool { // a writer and its steps
		if i >= len(p.actors) || len(p.actors) == 1 {
			return false
		}
		name := p.actors[i].name
		p.actors = slices.Delete(p.actors, i, i+1)
		p.steps = slices.DeleteFunc(p.steps, func(s step) bool { return s.actor == name })
		return true
	},
	func(p *plan, i int) bool { // half of the steps, a quarter, ...
		for n := len(p.steps) / 2; n > 0; n /= 2 {
			if parts := (len(p.steps) + n - 1) / n; i < parts {
				p.steps = slices.Delete(p.steps, i*n, min(i*n+n, len(p.steps)))
				return true
			} else {
				i -= parts
			}
		}
		return false
	},
	func(p *plan, i int) bool { return without(&p.before, i) },
	func(p *plan, i int) bool { return without(&p.files, i) },
	func(p *plan, i int) bool { // a fault, late answers
		n := 0
		for j := range p.actors {
			a := &p.actors[j]
			if a.trouble != nil {
				if n == i {
					a.trouble = nil
					return true
				}
				n++
			}
			if a.late != 0 {
				if n == i {
					a.late = 0
					return true
				}
				n++
			}
		}
		return false
	},
	plainer,
	func(p *plan, i int) bool { // a row of a file
		for j, f := range p.files {
			if i < len(f) {
				p.files[j] = slices.Delete(slices.Clone(f), i, i+1)
				return true
			}
			i -= len(f)
		}
		return false
	},
	func(p *plan, i int) bool { // a part of a statement
		for j := range p.actors {
			n := 0
			if smaller(&p.actors[j].s, i, &n) {
				return true
			}
			i -= n
		}
		for j := range p.before {
			n := 0
			if smaller(&p.before[j].s, i, &n) {
				return true
			}
			i -= n
		}
		return false
	},
	func(p *plan, i int) bool { // a step that is as short as it can be
		n := 0
		for j, s := range p.steps {
			if s.calls > 1 {
				if n == i {
					p.steps[j].calls = s.calls / 2
					return true
				}
				n++
			}
		}
		return false
	},
}

// plainer takes something special away from the table.
func plainer(p *plan, i int) bool {
	t := &p.table
	var can []func()
	if p.atOnce {
		can = append(can, func() { p.atOnce = false }, func() {
			p.atOnce = false
			for _, a := range slices.Backward(p.actors) {
				p.steps = append(p.steps, step{actor: a.name, calls: toEnd})
			}
		})
	}
	if t.workers > 1 {
		can = append(can, func() { t.workers = 1 })
	}
	for _, key := range slices.Sorted(maps.Keys(t.properties)) {
		can = append(can, func() { delete(t.properties, key) })
	}
	if t.clustered {
		can = append(can, func() { t.clustered = false })
	}
	if t.partitioned {
		can = append(can, func() { t.partitioned = false })
	}
	if t.small != 0 {
		can = append(can, func() { t.small = 0 })
	}
	if t.apart {
		can = append(can, func() { t.apart = false })
	}
	if i >= len(can) {
		return false
	}
	can[i]()
	return true
}

// smaller takes the i-th part out of a statement; n counts its parts.
func smaller(s *statement, i int, n *int) bool {
	part := func(count int) (int, bool) {
		at := i - *n
		*n += count
		return at, at >= 0 && at < count
	}
	if at, ok := part(len(s.source)); ok {
		return without(&s.source, at)
	}
	if s.batch > 0 {
		if _, ok := part(1); ok {
			s.batch = 0
			return true
		}
	}
	clauses := len(s.matched) + len(s.inserts) + len(s.bySource)
	for _, list := range []*[]clause{&s.matched, &s.bySource} {
		if clauses > 1 {
			if at, ok := part(len(*list)); ok {
				return without(list, at)
			}
		}
		for j, c := range *list {
			if c.when.is == nil {
				continue
			}
			if _, ok := part(1); ok {
				*list = slices.Clone(*list)
				(*list)[j].when = always()
				return true
			}
		}
	}
	if clauses > 1 {
		if at, ok := part(len(s.inserts)); ok {
			return without(&s.inserts, at)
		}
	}
	for j, c := range s.inserts {
		if c.is == nil {
			continue
		}
		if _, ok := part(1); ok {
			s.inserts = slices.Clone(s.inserts)
			s.inserts[j] = always()
			return true
		}
	}
	return false
}

func without[T any](list *[]T, i int) bool {
	if i >= len(*list) {
		return false
	}
	*list = slices.Delete(slices.Clone(*list), i, i+1)
	return true
}
