package vacuum

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// skew is by how much the clocks of writers and of the store may differ for files
// of transactions of this process; what they wrote is known by name as well.
const skew = 2 * time.Second

// Run vacuums a table. The files are found first; then VACUUM START is committed,
// the files are deleted, and VACUUM END is committed. A result comes with a
// *StoppedError too.
func Run(ctx context.Context, l *txn.Log, spec Spec, o Options) (*Result, error) {
	v, err := begin(ctx, l, spec, o)
	if err != nil {
		return nil, err
	}
	defer v.watch.Close()
	if err := v.find(); err != nil {
		return nil, err
	}
	if spec.DryRun {
		v.res.Removed = v.f.empty.n
		return v.res, nil
	}
	return v.res, v.apply()
}

// run is one VACUUM under way.
type run struct {
	ctx   context.Context
	log   *txn.Log
	env   *env.Env
	spec  Spec
	o     Options
	snap  *snapshot.Snapshot
	watch *inflight.Watch
	f     *finder
	res   *Result
	own   time.Duration
	now   time.Time
	end   int64 // the newest version outside of the window
}

// begin reads what decides. The watch begins before the newest version is read:
// a file is either in that version, or seen by the watch, or nobody's.
func begin(ctx context.Context, l *txn.Log, spec Spec, o Options) (_ *run, err error) {
	v := &run{ctx: ctx, log: l, env: l.Env(), spec: spec, o: o, watch: inflight.Watching(l.Bucket().URL()), end: -1}
	defer func() {
		if err != nil {
			v.watch.Close()
		}
	}()
	v.now = v.env.Now()
	if v.snap, err = l.Update(ctx); err != nil {
		return nil, err
	}
	t, err := l.BeginAt(v.snap) // may the table be written to? (PROTOCOL.md, VACUUM Protocol Check)
	if err != nil {
		return nil, err
	}
	t.Abandon()
	used, own, err := retention(v.snap, spec, o)
	if err != nil {
		return nil, err
	}
	v.own = own
	cutoff := v.now.Add(-used)
	floor := cutoff
	if began, ok := v.watch.Oldest(); ok && began.Add(-skew).Before(floor) {
		floor = began.Add(-skew)
	}
	v.res = &Result{Table: l.Bucket().URL(), Version: v.snap.Version(), Cutoff: cutoff, Retention: used, DryRun: spec.DryRun, Mode: "FULL", FirstRead: -1, LastRead: -1, Start: -1, End: -1}
	switch {
	case spec.Inventory != nil:
		v.res.Mode = "INVENTORY"
	case spec.Lite:
		v.res.Mode = "LITE"
	}
	v.f = &finder{ctx: ctx, env: v.env, bucket: l.Bucket(), snap: v.snap, cutoff: floor, names: namesOf(v.snap), watch: v.watch,
		deep: used > own, res: v.res}
	v.f.keep = home(v.snap, cutoff)
	if v.f.cloned, err = v.look(); err != nil {
		return nil, err
	}
	for _, c := range v.f.cloned.clones {
		v.res.note("the shallow clone %s keeps the files that it reads", c.Clone)
	}
	for _, c := range v.f.cloned.never {
		v.res.note("the shallow clone %s was begun at %s and never finished: its entry goes", c.Clone, stamp(c.At()))
	}
	return v, nil
}

// find lists what may go.
func (v *run) find() (err error) {
	switch {
	case v.spec.Inventory != nil:
		return v.f.fromInventory(v.spec.Inventory)
	case v.spec.Lite:
		if v.end, err = v.f.outsideWindow(); err != nil {
			return err
		}
		return v.f.fromLog(v.end)
	}
	if !v.spec.DryRun {
		if v.end, err = v.f.outsideWindow(); err != nil {
			return err
		}
	}
	return v.f.list()
}

// apply deletes what was found.
func (v *run) apply() error {
	latest, err := v.started()
	if err != nil {
		return err
	}
	reads, err := v.f.cloned.begun(v) // others may have been entered while files were looked for
	if err != nil {
		return v.stopped(err)
	}
	keep := func(key string) bool { return v.watch.Holds(key) || reads.has(key) }
	if mine := min(v.res.Start, 0) + 1; latest.Version() != v.snap.Version()+mine {
		// Files may have come back since they were looked for (RESTORE), or been added by others.
		again := home(latest, v.res.Cutoff)
		keep = func(key string) bool { return again.has(key) || v.watch.Holds(key) || reads.has(key) }
	}
	if err := reads.tidy(v.ctx, v.o.ForgetClones); err != nil {
		return v.stopped(err)
	}
	w, _ := v.log.Bucket().Walker()
	r := &remover{env: v.env, bucket: v.log.Bucket(), walker: w, keep: keep, rate: v.o.DeletesPerSecond, res: v.res}
	err = r.files(v.ctx, &v.res.found)
	if err == nil && w != nil {
		err = v.tidy(r)
	}
	if err != nil {
		return v.stopped(err)
	}
	if n := r.spared.Load(); n > 0 {
		v.res.note("%d of the files that were found are needed by a newer version, a clone or a transaction that began meanwhile, and stay", n)
	}
	if err := v.ended("COMPLETED"); err != nil {
		return err
	}
	if v.spec.Inventory != nil {
		return nil // it may not have listed all
	}
	last, err := readLast(v.ctx, v.log.Bucket())
	if err != nil {
		return err
	}
	return writeLast(v.ctx, v.log.Bucket(), max(last, v.end))
}

// tidy removes leftovers and empty directories.
func (v *run) tidy(r *remover) error {
	if err := r.leftovers(v.ctx, &v.f.leftovers); err != nil {
		return err
	}
	var dirs []string
	for key := range v.f.empty.all() {
		dirs = append(dirs, key)
	}
	if v.res.Mode != "FULL" {
		dirs = parents(&v.res.found)
	}
	return r.directories(v.ctx, dirs)
}

// stopped says how far it got, in the log too.
func (v *run) stopped(cause error) error {
	err := &StoppedError{Table: v.res.Table, Deleted: v.res.Deleted, Found: v.res.Found, Cause: cause}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.ctx), 10*time.Second)
	defer cancel()
	saved := v.ctx
	v.ctx = ctx
	defer func() { v.ctx = saved }()
	if failed := v.ended("FAILED"); failed != nil {
		v.env.Log.Warn("VACUUM END was not committed", "table", v.res.Table, "error", failed)
	}
	return err
}

// started commits VACUUM START; the version that comes back is the newest one.
func (v *run) started() (*snapshot.Snapshot, error) {
	if v.o.NoLog {
		if v.o.BeforePublish != nil {
			if err := v.o.BeforePublish(v.ctx); err != nil {
				return nil, err
			}
		}
		return v.log.Update(v.ctx)
	}
	parameters := map[string]json.RawMessage{
		"retentionCheckEnabled":  json.RawMessage(strconv.FormatBool(!v.o.NoRetentionCheck)),
		"defaultRetentionMillis": number(v.own.Milliseconds()),
	}
	if v.spec.Retain != nil {
		parameters["specifiedRetentionMillis"] = number(v.spec.Retain.Milliseconds())
	}
	res, err := v.commit(txn.Operation{Name: "VACUUM START", Parameters: parameters,
		Metrics: map[string]string{"numFilesToDelete": text(v.res.Found), "sizeOfDataToDelete": text(v.res.Bytes)}}, v.o.BeforePublish)
	if err != nil {
		return nil, err
	}
	v.res.Start = res.Version
	if res.Snapshot != nil {
		return res.Snapshot, nil
	}
	return v.log.Update(v.ctx)
}

// ended commits VACUUM END.
func (v *run) ended(status string) error {
	if v.o.NoLog {
		return nil
	}
	op := txn.Operation{Name: "VACUUM END", Parameters: map[string]json.RawMessage{"status": json.RawMessage(strconv.Quote(status))}}
	if status == "COMPLETED" {
		op.Metrics = map[string]string{"numDeletedFiles": text(v.res.Deleted), "numVacuumedDirectories": text(v.res.Directories)}
	}
	res, err := v.commit(op, nil)
	if err == nil {
		v.res.End = res.Version
	}
	return err
}

// maxRuns bounds how often a remark is made anew: each time, the table's metadata
// has changed in between.
const maxRuns = 50

func (v *run) commit(op txn.Operation, before func(context.Context) error) (res txn.Result, err error) {
	op.UserMetadata = v.o.UserMetadata
	for range maxRuns {
		t, err := v.log.Begin(v.ctx)
		if err != nil {
			return txn.Result{}, err
		}
		v.watch.Announces(t.ID())
		res, err = t.CommitWork(v.ctx, &remark{op}, txn.Options{BeforePublish: before})
		if err != nil || !res.Again {
			return res, err
		}
		before = nil
	}
	return res, fmt.Errorf("[DELTA_METADATA_CHANGED] the metadata of %s changed %d times meanwhile", v.res.Table, maxRuns)
}

// remark is a commit without actions: it depends on nothing.
type remark struct{ op txn.Operation }

func (r *remark) Depends() txn.Dependencies {
	return txn.Dependencies{Repairable: true, Rebindable: true}
}

func (r *remark) Effects(context.Context) (txn.Effects, error) {
	return txn.Effects{Operation: r.op, Always: true}, nil
}

func (r *remark) Repair(context.Context, conflict.Verdict, *snapshot.Snapshot) (txn.Repaired, error) {
	return txn.Repaired{}, nil
}

func number(n int64) json.RawMessage { return json.RawMessage(text(n)) }

func text(n int64) string { return strconv.FormatInt(n, 10) }
