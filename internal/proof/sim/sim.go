package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/manifest"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/restore"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
	"github.com/sluicelake/sluice/storage/memory"
)

// world is one run.
type world struct {
	seed    uint64
	kit     *tablekit.Kit
	start   []row
	store   storage.Driver
	lines   []string // what happened, for people
	mu      sync.Mutex
	foreign map[int64]*foreign
	excused []string // files that commits by hand left behind
	writers []*writer
	small   int64 // files up to this size are read in one pass; 0 is the default
	apart   bool  // each writer is a process of its own: no shared lane

	clock       *clock
	partitioned bool
	clustered   bool
	tending     bool            // upkeep verbs are among the statements
	oldest      int64           // the first version that is retained
	first       int64           // the version on which the statements begin
	past, gone  map[int64][]row // what a RESTORE may bring back: versions that are retained, and older ones
	before      map[string]bool // keys that versions up to first name
}

// writer is one statement on its way.
type writer struct {
	name    string
	s       statement
	ready   chan struct{} // prepared, or ended
	release chan struct{}
	done    chan struct{}
	once    sync.Once

	trouble faultstore.Plan // what goes wrong in its store

	version   int64
	committed bool // as the log has it
	winners   int
	made      []int64 // versions that upkeep committed
	err       error
	lie       error // what it was told is not so
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// Failure is what a run found, with the schedule that led there.
type Failure struct {
	Seed  uint64
	What  string
	Lines []string
}

func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d: %s\n  %s", f.Seed, f.What, strings.Join(f.Lines, "\n  "))
}

// Counts say what happened in runs.
type Counts struct{ Runs, Commits, Winners, Foreign, Errors, Upkeep int }

// Run plays one seed.
func Run(ctx context.Context, seed uint64, c *Counts) error {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{seed: seed, foreign: map[int64]*foreign{}, before: map[string]bool{}, clock: newClock()}
	fail := func(format string, args ...any) error {
		return &Failure{seed, fmt.Sprintf(format, args...), w.lines}
	}
	partitioned, err := w.build(ctx, r)
	if err != nil {
		return fail("building: %v", err)
	}
	defer w.kit.Log.Close(ctx)
	w.prepare(ctx, r, partitioned)
	if err := w.play(ctx, r); err != nil {
		return fail("%v", err)
	}
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
	if err := w.check(ctx); err != nil {
		return fail("%v", err)
	}
	return nil
}

// build makes the table and its first rows.
func (w *world) build(ctx context.Context, r *rand.Rand) (partitioned bool, err error) {
	partitioned = r.IntN(2) == 0
	spec := tablekit.Spec{DDL: ddl, Properties: map[string]string{}}
	if partitioned {
		spec.PartitionBy = []string{"p"}
	}
	vectors := r.IntN(3) > 0
	if !vectors {
		spec.Properties = tablekit.WithoutVectors()
	}
	if r.IntN(4) == 0 {
		spec.Properties["delta.enableInCommitTimestamps"] = "true"
	}
	if r.IntN(3) == 0 {
		spec.Properties["delta.checkpointInterval"] = fmt.Sprint(1 + r.IntN(3))
	}
	if r.IntN(6) == 0 {
		spec.Properties["delta.dataSkippingNumIndexedCols"] = "0"
	}
	if r.IntN(3) == 0 {
		spec.Properties["delta.enableChangeDataFeed"] = "true"
	}
	if r.IntN(4) == 0 {
		spec.Properties["delta.enableRowTracking"] = "true"
	}
	w.apart, w.small = r.IntN(2) == 0, int64(r.IntN(2))
	w.tending, w.partitioned = r.IntN(2) == 0, partitioned
	if w.tending && r.IntN(4) == 0 {
		spec.Properties["delta.checkpointPolicy"] = "v2"
	}
	w.store = memory.New(memory.WithURL(tablekit.Place().URL()), memory.WithClock(w.clock.now))
	spec.Driver = w.store
	spec.Env = env.New()
	spec.Env.Now = w.clock.now
	spec.Env.Workers = 1 + r.IntN(2)
	spec.Env.Sleep = func(ctx context.Context, d time.Duration) error { // pauses are short
		time.Sleep(min(d, 100*time.Microsecond))
		return ctx.Err()
	}
	files := r.IntN(4)
	if w.tending {
		files += r.IntN(3)
	}
	for range files {
		rows := randomRows(r, 1+r.IntN(6), 12)
		w.start = append(w.start, rows...)
		spec.Files = append(spec.Files, texts(rows, false))
	}
	w.kit, err = tablekit.Make(ctx, spec)
	if err != nil {
		return partitioned, err
	}
	w.note("table partitioned=%t vectors=%t apart=%t small=%d properties=%v", partitioned, vectors, w.apart, w.small, spec.Properties)
	for _, f := range spec.Files {
		w.note("  file %s", strings.Join(f, " "))
	}
	if len(w.start) > 0 && r.IntN(3) == 0 { // some rows are marked before
		s := deleteOf(r)
		x := w.newWriter("before", s)
		close(x.release)
		w.exec(ctx, x)
		if x.err != nil {
			return partitioned, x.err
		}
		w.start, _ = s.apply(w.start)
		w.note("  before: %s", s.text)
	}
	if w.tending {
		if !partitioned && spec.Properties["delta.dataSkippingNumIndexedCols"] == "" && r.IntN(3) == 0 {
			w.clustered = true
			if _, err := alter.Run(ctx, w.kit.Log, alter.ClusterBy{Columns: [][]string{{"k"}, {"v"}}}, alter.Options{}); err != nil {
				return partitioned, err
			}
		}
		if err := w.age(ctx, r); err != nil {
			return partitioned, err
		}
	}
	return partitioned, w.settled(ctx)
}

// settled looks at the table before the statements.
func (w *world) settled(ctx context.Context) error {
	s, err := w.kit.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		return err
	}
	w.first = s.Version()
	known, err := w.mentioned(ctx, w.oldest, w.first)
	maps.Copy(w.before, known)
	return err
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

func (w *world) newWriter(name string, s statement) *writer {
	return &writer{name: name, s: s, ready: make(chan struct{}), release: make(chan struct{}), done: make(chan struct{})}
}

// prepare starts the writers; each stops before it publishes.
func (w *world) prepare(ctx context.Context, r *rand.Rand, partitioned bool) {
	troubled := r.IntN(4) == 0
	for i := range 2 + r.IntN(3) {
		s := randomStatement(r, partitioned)
		if w.tending && r.IntN(2) == 0 {
			if s = w.randomUpkeep(r, partitioned); r.IntN(8) == 0 {
				s = w.restoreOf(r)
			}
		}
		x := w.newWriter(fmt.Sprintf("w%d", i), s)
		if troubled {
			x.trouble = trouble(r)
		}
		w.writers = append(w.writers, x)
		w.note("%s: %s; source %s", x.name, x.s.text, strings.Join(texts(x.s.source, false), " "))
		go func() {
			defer close(x.done)
			w.exec(ctx, x)
			x.once.Do(func() { close(x.ready) })
		}()
	}
	for _, x := range w.writers {
		<-x.ready
	}
}

// trouble is a random plan: replies or requests of some commits are lost, or the
// store goes away for this writer at some call.
func trouble(r *rand.Rand) faultstore.Plan {
	commits := faultstore.OpPutIfAbsent
	lost := faultstore.Nth(1+r.IntN(3), commits, "_delta_log/0", faultstore.Lost())
	unsent := faultstore.Nth(1+r.IntN(3), commits, "_delta_log/0", faultstore.NotSent())
	switch r.IntN(5) {
	case 0:
		return lost
	case 1:
		return unsent
	case 2:
		return faultstore.First(lost, unsent)
	case 3:
		return faultstore.Nth(1+r.IntN(30), faultstore.OpsAll, "", faultstore.Lost())
	}
	return faultstore.From(1+r.IntN(40), faultstore.OpsAll, faultstore.Fail())
}

// exec runs a statement on a handle of its own.
func (w *world) exec(ctx context.Context, x *writer) {
	driver := w.store
	if w.apart {
		driver = &elsewhere{w.store.(*memory.Store), fmt.Sprintf("%s/%p", w.store.URL(), x)}
	}
	if x.trouble != nil {
		driver = faultstore.New(driver, x.trouble)
	}
	l := txn.NewLog(w.kit.Env, storage.NewBucket(driver), txn.Policy{})
	defer l.Close(ctx)
	before := func(context.Context) error {
		x.once.Do(func() { close(x.ready) })
		<-x.release
		return nil
	}
	if x.s.upkeep != nil {
		w.tend(ctx, x, l, before)
		return
	}
	o := merge.Options{SmallFile: w.small, Commit: txn.Options{BeforePublish: before}}
	var commit txn.Result
	var winners []txn.Reconciliation
	where, err := parsed(x.s.where)
	if err != nil {
		x.err = err
		return
	}
	switch x.s.kind {
	case "restore":
		var res restore.Result
		res, x.err = restore.Run(ctx, l, restore.Spec{To: snapshot.Version(x.s.to)}, o.Commit)
		commit, winners = res.Commit, res.Winners
	case "merge":
		m, err := parse.MergeStatement(x.s.merge)
		if err != nil {
			x.err = err
			return
		}
		src, err := tablekit.Table(w.kit.Schema, texts(x.s.source, false)...)
		if err != nil {
			x.err = err
			return
		}
		var res merge.Result
		res, x.err = merge.Run(ctx, l, m.Spec, src, o)
		commit, winners = res.Commit, res.Winners
	case "update", "delete":
		var res merge.Result
		if x.s.kind == "delete" {
			res, x.err = dml.Delete(ctx, l, where, o)
		} else {
			set, err := parse.Assignments(x.s.set)
			if err != nil {
				x.err = err
				return
			}
			res, x.err = dml.Update(ctx, l, set, where, o)
		}
		commit, winners = res.Commit, res.Winners
	default:
		src, err := tablekit.Source(w.kit.Schema, texts(x.s.source, false)...)
		if err != nil {
			x.err = err
			return
		}
		mode := map[string]insert.Mode{"append": insert.Append, "overwrite": insert.Overwrite, "replaceWhere": insert.ReplaceWhere, "dynamic": insert.Dynamic}[x.s.kind]
		var res insert.Result
		res, x.err = insert.Run(ctx, l, src, insert.Options{Options: o, Mode: mode, Where: where})
		commit, winners = res.Commit, res.Winners
	}
	x.version, x.committed, x.winners = commit.Version, commit.Committed, len(winners)
	if x.trouble != nil {
		w.settle(ctx, x, commit.TxnID)
	}
	for _, win := range winners {
		w.note("  %s met %d (%s): %s dropped=%d computed=%d", x.name, win.Winner, win.Operation, win.Verdict.Kind, win.Repaired.Dropped, win.Repaired.Computed)
	}
}

// settle looks into the log for a writer in trouble: what it was told must be
// true, and when it was told that nobody knows, the log does.
func (w *world) settle(ctx context.Context, x *writer, id string) {
	found := int64(-1)
	for v := w.first; id != ""; v++ { // older ones may be cleaned up
		data, _, err := deltalog.ReadCommit(ctx, w.kit.Bucket, v)
		if err != nil {
			break
		}
		if deltalog.TxnID(data) == id {
			found = v
		}
	}
	var unknown *txn.UnknownError
	switch {
	case x.committed && found != x.version:
		x.lie = fmt.Errorf("%s was told version %d, and the log has it as %d", x.name, x.version, found)
	case !x.committed && found >= 0 && !errors.As(x.err, &unknown):
		x.lie = fmt.Errorf("%s was told that it is not committed (%v), and the log has it as version %d", x.name, x.err, found)
	case found >= 0:
		x.committed, x.version, x.err = true, found, nil
	}
}

func parsed(c cond) (expr.Expr, error) {
	if c.is == nil {
		return nil, nil
	}
	return expr.Parse(c.sql)
}

// elsewhere is the same store at another address, so that writers do not meet
// in one commit lane.
type elsewhere struct {
	*memory.Store
	url string
}

func (e *elsewhere) URL() string { return e.url }

// play lets the writers publish, in an order of the seed or all at once, with
// commits of other engines in between.
func (w *world) play(ctx context.Context, r *rand.Rand) error {
	order := r.Perm(len(w.writers))
	race := r.IntN(4) == 0
	others := r.IntN(3)
	for n, i := range order {
		for others > 0 && r.IntN(2) == 0 {
			others--
			f, err := w.winner(ctx, r)
			if err != nil {
				return fmt.Errorf("a winner by hand: %w", err)
			}
			if f != nil {
				w.foreign[f.version] = f
				w.note("version %d by hand: %s", f.version, f.text)
			}
		}
		x := w.writers[i]
		w.clock.pass(time.Minute)
		w.note("%s is let go (%d of %d, race %t)", x.name, n+1, len(order), race)
		close(x.release)
		if !race {
			<-x.done
			w.told(x)
		}
	}
	for _, x := range w.writers {
		<-x.done
		if race {
			w.told(x)
		}
	}
	return nil
}

func (w *world) told(x *writer) {
	w.note("  %s: version %d committed %t error %v", x.name, x.version, x.committed, x.err)
}

// check replays what was committed, version by version.
func (w *world) check(ctx context.Context) error {
	newest, err := w.kit.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		return err
	}
	by := map[int64]*writer{}
	for _, x := range w.writers {
		if x.lie != nil {
			return x.lie
		}
		if !x.committed {
			continue
		}
		if by[x.version] != nil || w.foreign[x.version] != nil {
			return fmt.Errorf("version %d was acknowledged twice", x.version)
		}
		by[x.version] = x
	}
	first := w.first
	states := map[int64][]row{first: w.start}
	extra, widened := false, false
	var errs []error
	for v := first; v <= newest.Version(); v++ {
		if v > first {
			tended, err := by[v] == nil && w.foreign[v] == nil, error(nil)
			if tended {
				tended, err = w.tended(ctx, v)
			}
			if tended && err == nil {
				err = w.kept(ctx, v)
			}
			if err != nil {
				return err
			}
			rows, err := w.replay(states[v-1], by[v], w.foreign[v], tended, &extra)
			widened = widened || extra
			if err != nil {
				return fmt.Errorf("version %d: %w", v, err)
			}
			states[v] = rows
		}
		if err := w.compare(ctx, v, states[v], extra); err != nil {
			errs = append(errs, err)
			break
		}
	}
	if len(errs) == 0 {
		for _, v := range slices.Sorted(maps.Keys(w.past)) { // VACUUM and the cleaning of the log leave them
			errs = append(errs, w.compare(ctx, v, w.past[v], false))
		}
		errs = append(errs, w.feeds(ctx, first, newest, states, widened))
		errs = append(errs, w.silent(first, newest.Version(), states)...)
		if !slices.ContainsFunc(w.writers, func(x *writer) bool { return x.trouble != nil }) {
			errs = append(errs, w.litter(ctx, newest.Version()))
		}
	}
	return errors.Join(errs...)
}

// litter looks for files that no version mentions: what repairs wrote and did
// not need has to be gone.
func (w *world) litter(ctx context.Context, newest int64) error {
	known, err := w.mentioned(ctx, w.first, newest)
	if err != nil {
		return err
	}
	maps.Copy(known, w.before)
	for _, key := range w.excused {
		known[key] = true
		known[unescaped(key)] = true
	}
	all, err := w.kit.Objects(ctx)
	if err != nil {
		return err
	}
	for _, key := range all {
		if !strings.HasPrefix(key, "_delta_log/") && !strings.HasPrefix(key, manifest.Dir) && !known[key] {
			return fmt.Errorf("%s was left behind: no version mentions it", key)
		}
	}
	return nil
}

// replay is one step of the serial history.
func (w *world) replay(before []row, x *writer, f *foreign, tended bool, extra *bool) ([]row, error) {
	switch {
	case tended:
		return before, nil
	case x != nil:
		if x.s.kind == "restore" {
			*extra = false
		}
		return x.s.apply(before)
	case f == nil:
		return nil, errors.New("nobody committed it")
	}
	if f.extra {
		*extra = true
	}
	if f.becomes {
		return fromTexts(f.back)
	}
	rest := clone(before)
	for _, text := range f.gone {
		i := slices.IndexFunc(rest, func(r row) bool { return r.text(*extra) == text })
		if i < 0 {
			return nil, fmt.Errorf("the winner by hand removed %s, which the serial history has not", text)
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return rest, nil
}

// compare holds one version against the oracle.
func (w *world) compare(ctx context.Context, v int64, want []row, extra bool) error {
	s, err := w.kit.Snapshot(ctx, snapshot.Version(v))
	if err != nil {
		return err
	}
	got, err := tablekit.Rows(ctx, s)
	if err != nil {
		return fmt.Errorf("reading version %d: %w", v, err)
	}
	if expect := texts(want, extra); !slices.Equal(got, expect) {
		return fmt.Errorf("version %d holds\n    %s\n  and a serial run gives\n    %s", v, strings.Join(got, "\n    "), strings.Join(expect, "\n    "))
	}
	seen := map[string]bool{}
	files := s.Files()
	for i := range files.All() {
		a := files.Add(i)
		if seen[a.Path] {
			return fmt.Errorf("version %d: %s is live twice", v, a.Path)
		}
		seen[a.Path] = true
	}
	return nil
}

// silent checks the statements that committed nothing: an error must be one
// that a serial run has, and no commit means that there was nothing to do.
func (w *world) silent(first, last int64, states map[int64][]row) (errs []error) {
	for _, x := range w.writers {
		if x.committed || x.s.upkeep != nil && x.err == nil {
			continue
		}
		if x.err == nil {
			after, err := x.s.apply(states[x.version])
			if err != nil || !slices.Equal(texts(after, false), texts(states[x.version], false)) {
				errs = append(errs, fmt.Errorf("%s committed nothing at version %d, but a serial run changes rows (%v)", x.name, x.version, err))
			}
			continue
		}
		if errors.Is(x.err, faultstore.ErrInjected) || w.tooOld(x) {
			continue
		}
		var many *merge.MultipleMatchError
		serial := false
		for v := first; v <= last; v++ {
			if _, err := x.s.apply(states[v]); errors.Is(err, errMultiple) {
				serial = true
			}
		}
		if !errors.As(x.err, &many) || !serial {
			errs = append(errs, fmt.Errorf("%s failed: %w", x.name, x.err))
		}
	}
	sort.Slice(errs, func(i, j int) bool { return errs[i].Error() < errs[j].Error() })
	return errs
}
