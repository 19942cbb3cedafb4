package txn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// attempt is the state of one commit while it is tried.
type attempt struct {
	t      *Txn
	work   Work
	o      Options
	base   *snapshot.Snapshot // the version the work is fitted behind; nil before version 0
	eff    Effects            // as last derived
	result Result
	// actions are those that were published.
	actions  []action.Action
	losses   int
	cost     time.Duration    // of the last publish
	seen     *recent          // the commit that took the version, as just read
	ahead    map[int64]recent // winners that were read and not met yet
	began    time.Time        // the last round of winners
	round    time.Duration    // what the round before took
	rounds   int              // rounds of winners since the last reservation
	met      int              // rounds of winners altogether
	repaired bool             // something had to be repaired
	found    int64            // winners of the round before
	reserved int              // reservations made
	turn     storage.Turn     // between processes; nil when the attempt has none
	since    time.Time        // when the turn was given
}

// CommitWork publishes a statement's effects as the next version. The
// transaction ends, whatever the outcome.
func (t *Txn) CommitWork(ctx context.Context, work Work, o Options) (Result, error) {
	a := &attempt{t: t, work: work, o: o, base: t.snap, result: Result{TxnID: t.id}}
	res, err := a.run(ctx)
	if w, ok := work.(Writes); ok {
		all, superseded := w.Written()
		if res.WrittenTwice = superseded; !res.Committed {
			res.WrittenTwice = all
		}
	}
	if err != nil || !res.Committed || res.Snapshot == nil {
		return res, err
	}
	after := t.log.policy.After
	if o.After != nil {
		after = o.After
	}
	for _, do := range after { // the lane is free again
		do(ctx, t.log, Committed{res, a.eff.Operation.Name, a.actions})
	}
	return res, nil
}

// run is one commit, from its turn in the lane to its end.
func (a *attempt) run(ctx context.Context) (Result, error) {
	t := a.t
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return Result{}, ErrEnded
	}
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		t.ended = true
		t.mu.Unlock()
		t.turn.End()
	}()
	eff, err := a.work.Effects(ctx)
	if err != nil {
		return a.result, err
	}
	a.eff = eff
	if len(eff.Actions) == 0 && !eff.Always {
		t.debug("nothing to commit", "operation", eff.Operation.Name)
		a.result.Version, a.result.Snapshot = t.ReadVersion(), t.snap
		return a.result, nil
	}
	if a.o.BeforePublish != nil {
		if err := a.o.BeforePublish(ctx); err != nil {
			return a.result, fmt.Errorf("before publishing: %w", err)
		}
	}
	leave, err := t.log.lane.enter(ctx)
	if err != nil {
		return a.result, fmt.Errorf("waiting for the commit lane of %s: nothing was committed: %w", t.log.bucket.URL(), err)
	}
	defer leave()
	defer a.step()
	a.startBehind()
	return a.loop(ctx)
}

func (a *attempt) version() int64 {
	if a.base == nil {
		return -1
	}
	return a.base.Version()
}

func (a *attempt) loop(ctx context.Context) (Result, error) {
	l := a.t.log
	for {
		if err := a.catchUp(ctx); err != nil || a.result.Again {
			return a.result, err
		}
		for again := true; again; again = a.turn != nil && l.lane.others.first(a.t.id, l.env.Now()) != nil {
			if err := a.giveWay(ctx); err != nil || a.result.Again {
				return a.result, err
			}
			if err := a.stand(ctx); err != nil || a.result.Again {
				return a.result, err
			}
		}
		puts := l.bucket.Stats().Puts
		eff, err := a.work.Effects(ctx)
		if err != nil {
			return a.result, err
		}
		a.eff = eff
		if len(eff.Actions) == 0 && !eff.Always {
			a.t.debug("nothing left to commit", "operation", eff.Operation.Name)
			a.result.Version, a.result.Snapshot = a.version(), a.base
			return a.result, nil
		}
		if a.result.Attempts >= l.policy.MaxAttempts {
			return a.result, a.tooMany(a.result.Attempts)
		}
		if a.met > 0 && l.bucket.Stats().Puts > puts { // writing took time: look again before a try is wasted
			behind := a.version()
			if err := a.meet(ctx); err != nil || a.result.Again {
				return a.result, err
			}
			if a.version() > behind {
				continue
			}
		}
		outcome, actions, data, err := a.publish(ctx, eff)
		if err != nil {
			return a.result, err
		}
		if outcome == deltalog.Taken && a.own(ctx, data) {
			outcome = deltalog.Done
		}
		if outcome == deltalog.Done {
			return a.finish(ctx, eff, actions, data)
		}
		a.losses++
		if a.turn != nil && l.env.Now().Sub(a.since) > patience {
			a.step() // others have gone past
		}
		if fn := l.env.Listener.Lost; fn != nil {
			fn(observe.Lost{Table: l.bucket.URL(), TxnID: a.t.id, Version: a.version() + 1})
		}
		a.t.debug("version taken by another writer", "version", a.version()+1, "losses", a.losses)
		if err := a.pause(ctx); err != nil {
			return a.result, err
		}
		// Winners are met last: from here to the next try nobody is waited for, so
		// that few can come in between.
		if err := a.meet(ctx); err != nil || a.result.Again {
			return a.result, err
		}
	}
}

func (a *attempt) tooMany(n int) error {
	return fmt.Errorf("[DELTA_MAX_COMMIT_RETRIES_EXCEEDED] %s on %s lost %d times in a row, last to version %d; nothing was committed",
		a.eff.Operation.Name, a.t.log.bucket.URL(), n, a.version())
}

// catchUp fits the work behind versions that this process knows of already, so
// that no publish is wasted on them.
func (a *attempt) catchUp(ctx context.Context) error {
	for !a.result.Again {
		known := a.t.log.Known()
		ahead := known != nil && known.Version() > a.version()
		if !ahead && a.base != nil {
			_, ahead = a.t.log.lane.recall(a.base.Metadata().ID, a.version()+1)
		}
		if !ahead {
			return nil
		}
		if found, err := a.reconcile(ctx, a.version()+1); err != nil || !found {
			return err
		}
	}
	return nil
}

// own reports whether the version that was taken is this very commit: something
// between here and the store sent the request twice, and the second answer came back.
func (a *attempt) own(ctx context.Context, data []byte) bool {
	won, err := a.winner(ctx, a.version()+1)
	if err != nil {
		return false // the one who reads it next tells why
	}
	a.seen = &won
	if !bytes.Equal(won.data, data) && deltalog.TxnID(won.data) != a.t.id {
		return false
	}
	a.t.debug("the version was taken by this commit itself: a request was sent twice on its way", "version", won.version)
	return true
}

// winner finds a version that was published: in this process' memory, or in the store.
func (a *attempt) winner(ctx context.Context, version int64) (recent, error) {
	l := a.t.log
	if a.seen != nil && a.seen.version == version {
		return *a.seen, nil
	}
	if won, ok := a.ahead[version]; ok {
		return won, nil
	}
	if a.base != nil {
		if r, ok := l.lane.recall(a.base.Metadata().ID, version); ok {
			return r, nil
		}
	}
	data, obj, err := deltalog.ReadCommit(ctx, l.bucket, version)
	if err != nil {
		return recent{}, err
	}
	l.lane.others.notice(l.env.Now())
	acts, err := action.ParseCommit(data, deltalog.CommitPath(version))
	return recent{version: version, actions: acts, data: data, obj: obj}, err
}

// meet fits the work behind the winners until there is none: it reads those that
// are there, fits, and looks again unless fitting asked the store for nothing: then
// its look is fresh. When the winners of each round take so long that there are new
// ones behind, again and again, it asks for time.
func (a *attempt) meet(ctx context.Context) error {
	now := a.t.log.env.Now()
	for first := true; !a.result.Again; first = false {
		n, err := a.readAhead(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			if first && a.seen == nil {
				a.t.debug("no winner is visible", "version", a.version()+1)
			}
			return nil
		}
		if a.met++; a.met > a.t.log.policy.MaxAttempts {
			return a.tooMany(a.met)
		}
		if !a.began.IsZero() {
			a.round = now.Sub(a.began)
		}
		a.began = now
		looked := a.t.log.bucket.Stats()
		if a.rounds++; a.hopeless(n) {
			if err := a.reserve(ctx); err != nil {
				return err
			}
		}
		for to := a.version() + n; a.version() < to && !a.result.Again; {
			if ok, err := a.reconcile(ctx, a.version()+1); err != nil || !ok {
				return err
			}
		}
		if n < farAhead && a.t.log.bucket.Stats() == looked {
			return nil
		}
		now = a.t.log.env.Now()
	}
	return nil
}

// publish tries the next version once.
func (a *attempt) publish(ctx context.Context, eff Effects) (deltalog.Outcome, []action.Action, []byte, error) {
	l, version := a.t.log, a.version()+1
	if err := ctx.Err(); err != nil {
		return deltalog.Taken, nil, nil, fmt.Errorf("%s on %s: nothing was committed: %w", eff.Operation.Name, l.bucket.URL(), err)
	}
	actions, err := a.prepare(eff)
	if err != nil {
		return deltalog.Taken, nil, nil, err
	}
	data, err := action.Marshal(actions)
	if err != nil {
		return deltalog.Taken, nil, nil, fmt.Errorf("commit %d of %s: %w", version, l.bucket.URL(), err)
	}
	a.result.Attempts++
	if fn := l.env.Listener.Attempt; fn != nil {
		fn(observe.Attempt{Table: l.bucket.URL(), TxnID: a.t.id, Version: version, Number: a.result.Attempts})
	}
	a.t.debug("publishing", "version", version, "attempt", a.result.Attempts, "bytes", len(data), "actions", len(actions))
	start := l.env.Now()
	outcome, err := deltalog.Publish(ctx, l.bucket, version, data)
	if outcome == deltalog.Unknown {
		a.t.debug("the store cannot tell whether the commit landed: reading it back", "version", version)
		if outcome, err = deltalog.Settle(ctx, l.env, l.bucket, version, a.t.id, data); outcome == deltalog.Unknown {
			return outcome, nil, nil, &UnknownError{Table: l.bucket.URL(), Version: version, TxnID: a.t.id, Cause: err}
		}
	}
	a.cost = l.env.Now().Sub(start)
	if err != nil {
		return outcome, nil, nil, fmt.Errorf("commit %d of %s failed; nothing was committed: %w", version, l.bucket.URL(), err)
	}
	return outcome, actions, data, nil
}

// reconcile fits the work behind one winner; false when that version does not exist.
func (a *attempt) reconcile(ctx context.Context, version int64) (bool, error) {
	l := a.t.log
	start := l.env.Now()
	won, err := a.winner(ctx, version)
	if errors.Is(err, storage.ErrNotExist) {
		if known := l.Known(); known != nil && known.Version() >= version {
			return false, fmt.Errorf("version %d of %s was there and is gone: the log was cleaned or replaced while this transaction ran; nothing was committed", version, l.bucket.URL())
		}
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the winner, version %d of %s; nothing was committed: %w", version, l.bucket.URL(), err)
	}
	w := &conflict.Winner{Version: version, Time: won.obj.ModTime, Actions: won.actions}
	if a.base == nil {
		return true, a.created(w)
	}
	next, err := a.base.Apply(version, won.actions, won.data, won.obj)
	if err != nil {
		return false, err
	}
	delete(a.ahead, version)
	if !won.here {
		l.lane.others.heed(infoOf(won.actions), version, won.obj.ModTime, start)
	}
	if reservedBy(a.t.id, won.actions) { // no winner, but the transaction's own request for time
		a.base = next
		l.advance(next)
		if next.CheckpointDue() {
			l.follow(next, a.t.id, reserveName)
		}
		return true, nil
	}
	facts := a.facts()
	rec := Reconciliation{Winner: version, Operation: w.Operation(), Verdict: conflict.Check(&facts, w, conflict.Precise),
		Reference: a.reference(facts, w)}
	if err := a.byRows(ctx, &rec.Verdict, &facts, next); err != nil {
		return false, err
	}
	a.t.debug("winner judged", "winner", version, "operation", w.Operation(), "verdict", rec.Verdict.Kind.String(), "evidence", len(rec.Verdict.Evidence))
	switch rec.Verdict.Kind {
	case conflict.Conflict:
		rec.Elapsed = l.env.Now().Sub(start)
		a.tell(rec)
		return false, conflict.NewError(l.bucket.URL(), &facts, a.t.ReadVersion(), w, rec.Verdict)
	case conflict.ReExecute:
		a.result.Again = true
	default:
		if rec.Verdict.Protocol != nil || rec.Verdict.Metadata != nil {
			if err := feature.CheckWrite(next.Protocol(), next.Metadata()); err != nil {
				return false, err
			}
		}
		if facts.Repairable {
			if rec.Repaired, err = a.work.Repair(ctx, rec.Verdict, next); err != nil {
				if !facts.Rebindable || !a.overtaken(ctx, version) {
					return false, fmt.Errorf("fitting %s behind version %d (%s); nothing was committed: %w", facts.Operation, version, w.Operation(), err)
				}
				a.t.debug("what is wrong behind this winner may be right behind the next: running again", "winner", version, "error", err)
				rec.Verdict.Kind, a.result.Again = conflict.ReExecute, true
			}
		}
	}
	a.base = next
	l.advance(next)
	a.repaired = a.repaired || rec.Repaired.Dropped+rec.Repaired.Computed > 0
	rec.Elapsed = l.env.Now().Sub(start)
	a.result.Winners = append(a.result.Winners, rec)
	a.tell(rec)
	return true, nil
}

// tell lets the listener know what was made of a winner.
func (a *attempt) tell(rec Reconciliation) {
	if fn := a.t.log.env.Listener.Reconciled; fn != nil {
		fn(observe.Reconciled{Table: a.t.log.bucket.URL(), TxnID: a.t.id, Winner: rec.Winner, Operation: rec.Operation, Verdict: rec.Verdict.Kind.String(),
			Dropped: rec.Repaired.Dropped, Computed: rec.Repaired.Computed, Rows: rec.Repaired.Rows, Elapsed: rec.Elapsed})
	}
}

// overtaken reports whether there is a version behind a winner already: then an
// error of the statement at the winner's version is not its last word.
func (a *attempt) overtaken(ctx context.Context, version int64) bool {
	if ctx.Err() != nil {
		return false
	}
	_, err := a.winner(ctx, version+1)
	return err == nil
}

// created answers a winner that published version 0 before this transaction did.
func (a *attempt) created(w *conflict.Winner) error {
	deps := a.work.Depends()
	if deps.Rebindable {
		a.result.Again = true
		rec := Reconciliation{Winner: w.Version, Operation: w.Operation(), Verdict: conflict.Verdict{Kind: conflict.ReExecute}}
		a.result.Winners = append(a.result.Winners, rec)
		a.tell(rec)
		return nil
	}
	v := conflict.Verdict{Kind: conflict.Conflict, Class: conflict.ClassProtocol,
		Evidence: []conflict.Evidence{{Kind: "protocol", Detail: "another writer created the table first", Strength: conflict.ByName}}}
	a.tell(Reconciliation{Winner: w.Version, Operation: w.Operation(), Verdict: v})
	return conflict.NewError(a.t.log.bucket.URL(), &conflict.Facts{}, -1, w, v)
}

// facts states the transaction for the checker, as of the present base. Its own
// actions are those last derived: deriving them again for each winner would
// write deletion vectors that the next repair throws away.
func (a *attempt) facts() conflict.Facts {
	d := a.work.Depends()
	return conflict.Facts{
		Version: a.version(), Protocol: a.base.Protocol(), Metadata: a.base.Metadata(), Schema: a.base.Schema(),
		PartitionColumns: a.base.PartitionColumns(), Reads: d.Reads, ReadFiles: d.Files, WholeTable: d.Whole, ReadApps: d.Apps,
		Actions: a.eff.Actions, Operation: a.eff.Operation.Name, Isolation: isolationOf(a.eff, a.base),
		Repairable: d.Repairable, Rebindable: d.Rebindable,
	}
}

// reference asks what delta-spark would have said.
func (a *attempt) reference(f conflict.Facts, w *conflict.Winner) conflict.Verdict {
	if fn := a.work.Depends().Reference; fn != nil {
		r := fn(w)
		f.Reads, f.ReadFiles, f.WholeTable = r.Reads, r.Files, r.Whole
	}
	return conflict.Check(&f, w, conflict.Reference)
}

// byRows lets the winner's rows decide where partition values and statistics
// could not: a file that holds no row the reads select hits nobody.
func (a *attempt) byRows(ctx context.Context, v *conflict.Verdict, f *conflict.Facts, next *snapshot.Snapshot) error {
	if v.Kind != conflict.Conflict || a.o.SeesRow == nil {
		return nil
	}
	for _, e := range v.Evidence {
		if e.Kind != "added" {
			return nil
		}
	}
	for i, add := range v.Added {
		for _, r := range f.Reads {
			sees, err := a.o.SeesRow(ctx, next, add, r)
			if err != nil {
				return fmt.Errorf("looking into %s, added by version %d: %w", add.Path, next.Version(), err)
			}
			if sees {
				v.Evidence = v.Evidence[i : i+1]
				v.Evidence[0].Strength = conflict.ByRow
				return nil
			}
		}
	}
	*v = conflict.Verdict{Kind: conflict.Independent, Protocol: v.Protocol, Metadata: v.Metadata}
	return nil
}

// pause backs off with full jitter from the second loss on; the span follows
// what a publish costs on this store. It grows with the losses at first, so that
// many writers get out of each other's way, and shrinks again from the seventh on:
// who has lost often goes first, and a long statement comes through a stream of
// short ones.
func (a *attempt) pause(ctx context.Context) error {
	if a.losses < 2 || a.turn != nil {
		return nil
	}
	e := a.t.log.env
	span := min(max(a.cost, time.Millisecond)<<backOffShift(a.losses), time.Second)
	d := time.Duration(e.Float() * float64(span))
	if fn := e.Listener.BackOff; fn != nil {
		fn(observe.BackOff{Table: a.t.log.bucket.URL(), TxnID: a.t.id, Pause: d})
	}
	a.t.debug("backing off", "pause", d)
	if err := e.Sleep(ctx, d); err != nil {
		return fmt.Errorf("backing off after %d lost attempts on %s; nothing was committed: %w", a.losses, a.t.log.bucket.URL(), err)
	}
	return nil
}

func backOffShift(losses int) int {
	shift := losses - 2
	if shift > 4 {
		shift = max(8-shift, 0)
	}
	return shift
}
