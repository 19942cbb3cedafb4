package sim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/storage/faultstore"
)

// plan is one run as data: nothing of it is drawn while it is played, so that the
// same plan is the same run, and a plan with a part left out is a smaller run.
type plan struct {
	seed   uint64
	table  table
	files  [][]row
	before []event
	actors []actor
	steps  []step
	atOnce bool // behind the steps all go on at the same time, and the Go scheduler decides
}

// table is what the table and the writers' handles are like.
type table struct {
	partitioned, clustered bool
	properties             map[string]string
	small                  int64 // files up to this size are read in one pass; 0 is the default
	workers                int
	apart                  bool // each writer is a process of its own: no shared lane
}

// event is one thing that happens to the table before the writers begin.
type event struct {
	kind string // say, checkpoint, days (what is older may be cleaned up)
	s    statement
	pass time.Duration // afterwards
}

// actor is one statement, and what goes wrong for it.
type actor struct {
	name    string
	s       statement
	trouble *trouble
	late    uint64 // decides which answers of the store arrive late; 0 is none
}

// step is one move of the schedule: somebody does so many calls to the store, or
// another engine commits.
type step struct {
	actor string // "" is another engine
	calls int    // or toPublish, toEnd
	kind  string // of the other engine's commit
	seed  uint64
}

const (
	toPublish = -1 // until its work is prepared
	toEnd     = -2
)

func (s step) String() string {
	switch {
	case s.actor == "":
		return fmt.Sprintf("another engine: %s (%d)", s.kind, s.seed%1000)
	case s.calls == toPublish:
		return s.actor + " prepares its work"
	case s.calls == toEnd:
		return s.actor + " goes on to its end"
	}
	return fmt.Sprintf("%s does %d calls", s.actor, s.calls)
}

// trouble is what goes wrong in a writer's store.
type trouble struct {
	kind string // lost, unsent, both, any, gone
	n, m int    // which call
}

func randomTrouble(r *rand.Rand) *trouble {
	t := &trouble{kind: []string{"lost", "unsent", "both", "any", "gone"}[r.IntN(5)], n: 1 + r.IntN(3), m: 1 + r.IntN(3)}
	switch t.kind {
	case "any":
		t.n = 1 + r.IntN(30)
	case "gone":
		t.n = 1 + r.IntN(40)
	}
	return t
}

func (t *trouble) String() string {
	return map[string]string{"lost": fmt.Sprintf("the reply to commit attempt %d is lost", t.n), "unsent": fmt.Sprintf("the request of commit attempt %d is lost", t.n),
		"both": fmt.Sprintf("the reply to commit attempt %d and the request of %d are lost", t.n, t.m),
		"any":  fmt.Sprintf("the reply to call %d is lost", t.n), "gone": fmt.Sprintf("the store is gone from call %d on", t.n)}[t.kind]
}

func (t *trouble) plan() faultstore.Plan {
	commits := faultstore.OpPutIfAbsent
	switch t.kind {
	case "lost":
		return faultstore.Nth(t.n, commits, "_delta_log/0", faultstore.Lost())
	case "unsent":
		return faultstore.Nth(t.n, commits, "_delta_log/0", faultstore.NotSent())
	case "both":
		return faultstore.First(faultstore.Nth(t.n, commits, "_delta_log/0", faultstore.Lost()), faultstore.Nth(t.m, commits, "_delta_log/0", faultstore.NotSent()))
	case "any":
		return faultstore.Nth(t.n, faultstore.OpsAll, "", faultstore.Lost())
	}
	return faultstore.From(t.n, faultstore.OpsAll, faultstore.Fail())
}

// draw makes the plan of a seed.
func draw(seed uint64) *plan {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &plan{seed: seed, table: table{partitioned: r.IntN(2) == 0, properties: map[string]string{}, workers: 1, apart: r.IntN(2) == 0, small: int64(r.IntN(2))}}
	tending := r.IntN(3) == 0 // upkeep verbs are among the statements
	p.drawTable(r, tending)
	for range r.IntN(4) {
		p.files = append(p.files, randomRows(r, 1+r.IntN(6), 12))
	}
	if len(p.files) > 0 && r.IntN(3) == 0 { // some rows are marked before
		p.before = append(p.before, event{kind: "say", s: deleteOf(r)})
	}
	if tending {
		p.age(r)
	}
	troubled := r.IntN(4) == 0
	n, stream := 2, r.IntN(20) == 0
	if r.IntN(2) == 0 {
		n += r.IntN(3)
	}
	if stream { // many small ones beside the first
		n = 6 + r.IntN(6)
		p.table.apart = true
	}
	for i := range n {
		a := actor{name: fmt.Sprintf("w%d", i), s: randomStatement(r, p.table.partitioned)}
		switch {
		case stream && i == 0:
			a.s = mergeOf(r)
		case stream:
			a.s = appendOf(r)
		case r.IntN(12) == 0:
			a.s = statement{kind: "read"}
		case tending && r.IntN(2) == 0:
			if a.s = p.table.randomUpkeep(r); r.IntN(8) == 0 {
				a.s = statement{kind: "restore", pick: r.Uint64(), lost: !p.table.apart && r.IntN(2) == 0}
			}
		}
		if (a.s.kind == "append" || a.s.kind == "merge") && r.IntN(6) == 0 {
			a.s.batch = 1 + r.Int64N(2)
		}
		if troubled {
			a.trouble = randomTrouble(r)
		}
		p.actors = append(p.actors, a)
	}
	if stream {
		p.overtake(r)
	} else {
		p.schedule(r)
	}
	return p
}

// overtake draws the schedule of a stream: whatever the first does, another is
// faster.
func (p *plan) overtake(r *rand.Rand) {
	first := p.actors[0].name
	p.steps = append(p.steps, step{actor: first, calls: toPublish})
	for _, a := range p.actors[1:] {
		p.steps = append(p.steps, step{actor: a.name, calls: toEnd}, step{actor: first, calls: 1 + r.IntN(3)})
	}
}

func (p *plan) drawTable(r *rand.Rand, tending bool) {
	t := &p.table
	if r.IntN(3) == 0 {
		t.properties = tablekit.WithoutVectors()
	}
	if r.IntN(8) == 0 {
		t.workers = 2
	}
	for _, x := range []struct {
		one   int
		key   string
		value string
	}{
		{4, "delta.enableInCommitTimestamps", "true"},
		{4, "delta.checkpointInterval", fmt.Sprint(1 + r.IntN(3))},
		{6, "delta.dataSkippingNumIndexedCols", "0"},
		{3, "delta.enableChangeDataFeed", "true"},
		{4, "delta.enableRowTracking", "true"},
	} {
		if r.IntN(x.one) == 0 {
			t.properties[x.key] = x.value
		}
	}
	if tending && r.IntN(4) == 0 {
		t.properties["delta.checkpointPolicy"] = "v2"
	}
	t.clustered = tending && !t.partitioned && t.properties["delta.dataSkippingNumIndexedCols"] == "" && r.IntN(3) == 0
}

// age lets days pass between the first rows and what is done now, so that VACUUM
// and the cleaning of the log find something.
func (p *plan) age(r *rand.Rand) {
	say := func(s statement, pass time.Duration) {
		p.before = append(p.before, event{kind: "say", s: s, pass: pass})
	}
	for range r.IntN(3) {
		say(appendOf(r), 0)
		say(deleteOf(r), time.Duration(r.IntN(3))*time.Minute)
	}
	if r.IntN(2) == 0 {
		if u := p.table.randomUpkeep(r); u.kind == "optimize" {
			say(u, 0)
		}
	}
	if r.IntN(2) == 0 {
		p.before = append(p.before, event{kind: "checkpoint"})
	}
	p.before = append(p.before, event{kind: "days", pass: 40 * 24 * time.Hour})
	for range r.IntN(3) {
		say(randomStatement(r, p.table.partitioned), time.Minute)
	}
}

// schedule draws the steps: statements that all prepare before the first commits,
// or calls of all of them in any order.
func (p *plan) schedule(r *rand.Rand) {
	hand := func() {
		p.steps = append(p.steps, step{kind: foreignKinds[r.IntN(len(foreignKinds))], seed: r.Uint64()})
	}
	others := r.IntN(3)
	n := len(p.actors)
	if style := r.IntN(10); style < 5 {
		for _, a := range p.actors {
			p.steps = append(p.steps, step{actor: a.name, calls: toPublish})
		}
		p.atOnce = style == 0
		for _, i := range r.Perm(n) {
			for ; others > 0 && r.IntN(2) == 0; others-- {
				hand()
			}
			if !p.atOnce {
				p.steps = append(p.steps, step{actor: p.actors[i].name, calls: toEnd})
			}
		}
		return
	}
	for i := range p.actors {
		if r.IntN(3) == 0 {
			p.actors[i].late = r.Uint64() | 1
		}
		if r.IntN(2) == 0 {
			p.steps = append(p.steps, step{actor: p.actors[i].name, calls: toPublish})
		}
	}
	for range 4 + r.IntN(12) {
		if others > 0 && r.IntN(6) == 0 {
			others--
			hand()
		}
		s := step{actor: p.actors[r.IntN(n)].name, calls: 1 + r.IntN(12)}
		if r.IntN(5) == 0 {
			s.calls = toPublish
		}
		p.steps = append(p.steps, s)
	}
}

// lines is the plan for people.
func (p *plan) lines() []string {
	t := p.table
	out := []string{fmt.Sprintf("table partitioned=%t clustered=%t apart=%t small=%d workers=%d properties=%v", t.partitioned, t.clustered, t.apart, t.small, t.workers, t.properties)}
	for _, f := range p.files {
		out = append(out, "  file "+strings.Join(texts(f, false), " "))
	}
	for _, e := range p.before {
		text := e.kind
		if e.kind == "say" {
			text = e.s.String()
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("before: %s", text)))
	}
	for _, a := range p.actors {
		text := a.name + ": " + a.s.String()
		if a.trouble != nil {
			text += "; " + a.trouble.String()
		}
		if a.late != 0 {
			text += "; some answers are late"
		}
		out = append(out, text)
	}
	for _, s := range p.steps {
		out = append(out, "then "+s.String())
	}
	if p.atOnce {
		return append(out, "then all at once")
	}
	return append(out, "then each to its end")
}

// clone copies what shrinking changes.
func (p *plan) clone() *plan {
	q := *p
	q.table.properties = maps.Clone(p.table.properties)
	q.files = slices.Clone(p.files)
	q.before = slices.Clone(p.before)
	q.actors = slices.Clone(p.actors)
	q.steps = slices.Clone(p.steps)
	return &q
}
