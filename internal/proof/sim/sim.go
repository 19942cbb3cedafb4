// Package sim runs random statements against each other and holds the result
// against running them one after the other by brute force, in the order in which
// they were committed.
//
// A seed is drawn into a plan: the table, the statements, what goes wrong, and the
// schedule. Nobody moves by himself: every call to the store waits until the
// schedule lets it go, one at a time, so that a plan that fails does it again. A
// plan is data: one that fails is made smaller for as long as it fails, and
// printed with all calls. The oracle knows nothing of files: it applies each
// statement to a list of rows.
package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/checkpoint"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage/memory"
)

// world is one run.
type world struct {
	*plan
	kit     *tablekit.Kit
	g       *gate // nil until the writers begin
	start   []row
	store   *memory.Store
	foreign map[int64]*foreign
	excused []string // files that commits by hand left behind
	writers []*writer

	clock      *clock
	oldest     int64           // the first version that is retained
	first      int64           // the version on which the statements begin
	past, gone map[int64][]row // what a RESTORE may bring back: versions that are retained, and older ones
	mentions   map[string]bool // keys that versions up to first name
	batches    map[int64]int64 // the last batch of the stream that is in a version
	extras     map[int64]bool  // versions with the column x
	reserved   int             // commits that ask others to wait
	damage     func(*world)    // a mistake of a test, made before the check
}

// Failure is what a run found, with what led there.
type Failure struct {
	Seed  uint64
	What  string
	Lines []string
}

func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d: %s\n  %s", f.Seed, f.What, strings.Join(f.Lines, "\n  "))
}

// Counts say what happened in runs.
type Counts struct {
	mu                                              sync.Mutex
	Runs, Commits, Winners, Foreign, Errors, Upkeep int
	Calls, Reserved                                 int
}

// play plays a plan. c may be nil.
func (p *plan) play(t *testing.T, c *Counts, damage func(*world)) (failed *Failure) {
	synctest.Test(t, func(t *testing.T) { failed = p.run(t.Context(), c, damage) })
	return failed
}

func (p *plan) run(ctx context.Context, c *Counts, damage func(*world)) *Failure {
	w := &world{plan: p, foreign: map[int64]*foreign{}, mentions: map[string]bool{}, clock: newClock(), damage: damage}
	fail := func(what string, err error) *Failure {
		f := &Failure{p.seed, what + err.Error(), p.lines()}
		if w.g != nil {
			for _, l := range w.g.record {
				f.Lines = append(f.Lines, l.String())
			}
		}
		return f
	}
	defer func() {
		if w.kit != nil {
			w.kit.Log.Close(ctx)
		}
	}()
	if err := w.build(ctx); err != nil {
		return fail("building: ", err)
	}
	w.begin(ctx)
	if err := w.walk(ctx); err != nil {
		return fail("", err)
	}
	defer w.count(c)
	if w.damage != nil {
		w.damage(w)
	}
	if err := w.check(ctx); err != nil {
		return fail("", err)
	}
	return nil
}

func (w *world) count(c *Counts) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Runs++
	for _, x := range w.writers {
		c.Winners += x.winners
		if x.committed {
			c.Commits++
		}
		if x.err != nil {
			c.Errors++
		}
		c.Upkeep += len(x.made)
	}
	c.Foreign += len(w.foreign)
	c.Reserved += w.reserved
	for _, l := range w.g.record {
		if l.text == "" {
			c.Calls++
		}
	}
}

// build makes the table, its first rows, and what happens before the writers begin.
func (w *world) build(ctx context.Context) (err error) {
	spec := tablekit.Spec{DDL: ddl, Properties: maps.Clone(w.table.properties)}
	if w.table.partitioned {
		spec.PartitionBy = []string{"p"}
	}
	w.store = memory.New(memory.WithURL(tablekit.Place().URL()), memory.WithClock(w.clock.now))
	spec.Driver = w.store
	e := env.New()
	e.Now = w.clock.now
	e.Workers = w.table.workers
	spec.Env = drawn(e, w.seed, "table")
	for _, rows := range w.files {
		w.start = append(w.start, rows...)
	}
	if w.kit, err = tablekit.Make(ctx, spec); err != nil {
		return err
	}
	for _, rows := range w.files {
		if err := w.kit.Append(ctx, texts(rows, false)...); err != nil {
			return err
		}
		synctest.Wait() // for what goes on behind the commit
	}
	if w.table.clustered {
		if _, err := alter.Run(ctx, w.kit.Log, alter.ClusterBy{Columns: [][]string{{"k"}, {"v"}}}, alter.Options{}); err != nil {
			return err
		}
	}
	for i, e := range w.before {
		if err := w.happen(ctx, i, e); err != nil {
			return fmt.Errorf("%s: %w", e.s, err)
		}
		synctest.Wait()
		w.clock.pass(e.pass)
	}
	s, err := w.kit.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		return err
	}
	w.first = s.Version()
	if slices.ContainsFunc(w.actors, func(a actor) bool { return a.s.kind == "restore" || a.s.upkeep != nil }) {
		if w.past, err = w.remember(ctx, w.oldest, w.first); err != nil {
			return err
		}
	}
	known, err := w.mentioned(ctx, w.oldest, w.first)
	maps.Copy(w.mentions, known)
	return err
}

func (w *world) happen(ctx context.Context, i int, e event) error {
	switch e.kind {
	case "checkpoint":
		_, err := checkpoint.Run(ctx, w.kit.Log, checkpoint.Spec{})
		return err
	case "days":
		s, err := w.kit.Snapshot(ctx, snapshot.Latest())
		if err != nil {
			return err
		}
		w.oldest = s.Version()                                           // it holds when the window begins
		if w.mentions, err = w.mentioned(ctx, 0, w.oldest); err != nil { // VACUUM and the cleaning of the log come later
			return err
		}
		w.gone, err = w.remember(ctx, 1, w.oldest-1)
		return err
	}
	x := newWriter(actor{name: fmt.Sprintf("before%d", i), s: e.s})
	w.g = &gate{}
	defer func() { w.g = nil }()
	go func() {
		defer close(x.done)
		w.exec(ctx, x)
	}()
	for !x.ended() { // it is alone, but what goes on behind its commits is not
		if !w.move(x, toEnd) {
			time.Sleep(time.Millisecond)
		}
	}
	var many *merge.MultipleMatchError
	if errors.As(x.err, &many) {
		return nil
	}
	if x.err == nil {
		w.start, _ = e.s.apply(w.start)
	}
	return x.err
}

// mentioned are the keys that versions name.
func (w *world) mentioned(ctx context.Context, from, to int64) (map[string]bool, error) {
	known := map[string]bool{}
	for v := from; v <= to; v++ {
		s, err := w.kit.Snapshot(ctx, snapshot.Version(v))
		var gone *snapshot.VersionError
		if errors.As(err, &gone) { // cleaned up
			continue
		}
		if err != nil {
			return nil, err
		}
		changed, err := w.changeFiles(ctx, v)
		if err != nil {
			return nil, err
		}
		for _, key := range append(changed, tablekit.Referenced(s)...) {
			known[key] = true
			known[unescaped(key)] = true
		}
	}
	return known, nil
}

func newWriter(a actor) *writer { return &writer{actor: a, done: make(chan struct{})} }

// begin starts the writers; each stops at its first call.
func (w *world) begin(ctx context.Context) {
	w.g = &gate{}
	for _, a := range w.actors {
		if a.s.kind == "restore" {
			a.s = w.restored(a.s)
		}
		w.writers = append(w.writers, newWriter(a))
	}
	for _, x := range w.writers {
		go func() {
			defer close(x.done)
			w.exec(ctx, x)
		}()
	}
}

// publish is where a writer waits when its work is prepared.
const publish = "publish"

// walk plays the schedule, and lets everybody end.
func (w *world) walk(ctx context.Context) error {
	defer func() { // nobody is left behind, whatever happens
		w.g.all()
		for _, x := range w.writers {
			<-x.done
		}
	}()
	for _, s := range w.steps {
		w.g.note("%s", s)
		if s.actor == "" {
			w.clock.pass(time.Minute)
			if err := w.hand(ctx, s); err != nil {
				return err
			}
			continue
		}
		for _, x := range w.writers {
			if x.name == s.actor {
				w.clock.pass(time.Second)
				w.move(x, s.calls)
			}
		}
	}
	if w.atOnce {
		w.g.note("all at once")
		w.g.all()
	}
	for tries := 0; ; tries++ {
		moved, busy := false, false
		for _, x := range w.writers {
			moved = w.move(x, toEnd) || moved
			busy = busy || !x.ended()
		}
		if !busy {
			break
		}
		if moved {
			tries = 0
		} else if time.Sleep(time.Second); tries > 1000 { // of the bubble's time: somebody pauses
			return errors.New("nobody goes on: those that are left wait for each other")
		}
	}
	for _, x := range w.writers {
		w.g.note("%s: version %d committed %t error %v", x.name, x.version, x.committed, x.err)
	}
	return nil
}

func (x *writer) ended() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

// move lets a writer do calls; it reports whether it did any.
func (w *world) move(x *writer, calls int) (moved bool) {
	for n := 0; calls < 0 || n < calls; n++ {
		c := w.g.next(x.name)
		if c == nil || calls == toPublish && c.op == publish {
			return moved
		}
		w.g.release(c)
		moved = true
	}
	return moved
}

// hand lets another engine commit.
func (w *world) hand(ctx context.Context, s step) error {
	synctest.Wait()
	f, err := w.winner(ctx, rand.New(rand.NewPCG(s.seed, 2)), s.kind)
	if err != nil {
		return fmt.Errorf("a winner by hand: %w", err)
	}
	if f != nil {
		w.foreign[f.version] = f
		w.g.note("  version %d: %s", f.version, f.text)
	}
	return nil
}
