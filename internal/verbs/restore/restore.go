// Package restore is RESTORE: a table becomes again what it was at an older
// version, by a commit that brings the files of that version back and takes the
// others away.
//
// It reads no rows. Behind a winner it derives its lists again, so what the
// winner did is taken back too, as if the restore had come later.
package restore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// Spec is a RESTORE as a value.
type Spec struct {
	To snapshot.At // a version or a time; the latest version is none
	// IgnoreMissing restores although data files of the version are gone; reading
	// them will fail.
	IgnoreMissing bool
	// Downgrade gives the table the protocol that it had; otherwise features that
	// came since stay.
	Downgrade    bool
	UserMetadata string
}

// Plan is what a restore would do to the version that it looked at.
type Plan struct {
	From, To int64 // versions
	// Time of the version that is restored.
	Time     time.Time
	Restored []*action.Add // files that come back
	Removed  []*action.Add // files that go
	Files    int           // of the table afterwards
	Bytes    int64         // of these files
	// Changes says what becomes of schema, properties and protocol; nothing when
	// they stay.
	Changes []string

	acts []action.Action
}

// RestoredBytes is the size of the files that come back.
func (p *Plan) RestoredBytes() int64 { return total(p.Restored) }

// RemovedBytes is the size of the files that go.
func (p *Plan) RemovedBytes() int64 { return total(p.Removed) }

func total(files []*action.Add) (n int64) {
	for _, a := range files {
		n += a.Size
	}
	return n
}

// Result is what a restore did.
type Result struct {
	Plan    *Plan // as it was committed
	Commit  txn.Result
	Winners []txn.Reconciliation
	Runs    int
}

// maxRuns bounds how often a restore starts over because the metadata changed.
const maxRuns = 50

// Preview works a restore out without committing it.
func Preview(ctx context.Context, l *txn.Log, spec Spec) (*Plan, error) {
	now, err := l.Update(ctx)
	if err != nil {
		return nil, err
	}
	then, err := target(ctx, l, now, spec.To)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(now, then, spec)
	if err != nil {
		return nil, err
	}
	return p, p.check(ctx, then, spec)
}

// Run restores a table.
func Run(ctx context.Context, l *txn.Log, spec Spec, o txn.Options) (Result, error) {
	var res Result
	var then *snapshot.Snapshot
	for res.Runs < maxRuns {
		res.Runs++
		t, err := l.Begin(ctx)
		if err != nil {
			return res, err
		}
		if then == nil { // the same version, whatever is committed meanwhile
			if then, err = target(ctx, l, t.Snapshot(), spec.To); err != nil {
				t.Abandon()
				return res, err
			}
		}
		w := &work{spec: spec, then: then, now: t.Snapshot()}
		if w.plan, err = newPlan(w.now, then, spec); err == nil {
			w.plan.hold(then) // before they are looked for
			err = w.plan.unswept(ctx, w.now, spec)
		}
		if err == nil {
			err = w.plan.check(ctx, then, spec)
		}
		if err != nil {
			t.Abandon()
			return res, err
		}
		c, err := t.CommitWork(ctx, w, o)
		res.Plan, res.Commit = w.plan, c
		res.Winners = append(res.Winners, c.Winners...)
		if err == nil {
			err = w.plan.landed(ctx, w.now, then, c, spec)
		}
		if err != nil || !c.Again {
			return res, err
		}
		o.BeforePublish = nil
	}
	return res, fmt.Errorf("[DELTA_METADATA_CHANGED] the metadata of %s changed %d times while it was restored; nothing was committed", l.Bucket().URL(), maxRuns)
}

// target is the version to restore.
func target(ctx context.Context, l *txn.Log, now *snapshot.Snapshot, at snapshot.At) (*snapshot.Snapshot, error) {
	if n, ok := at.Number(); ok && n == now.Version() {
		return now, nil
	}
	then, err := snapshot.Load(ctx, l.Env(), l.Bucket(), at)
	var v *snapshot.VersionError
	if !errors.As(err, &v) {
		return then, err
	}
	out := *v
	out.Wanted = "the restore to " + v.Wanted
	switch _, byTime := at.Instant(); {
	case !byTime:
		out.Class = "DELTA_CANNOT_RESTORE_TABLE_VERSION"
	case strings.Contains(v.Class, "EARLIER"):
		out.Class = "DELTA_CANNOT_RESTORE_TIMESTAMP_EARLIER"
	default:
		out.Class = "DELTA_CANNOT_RESTORE_TIMESTAMP_GREATER"
	}
	return nil, &out
}

// work is a restore as the commit loop sees it.
type work struct {
	spec Spec
	now  *snapshot.Snapshot // that the plan is made for
	then *snapshot.Snapshot
	plan *Plan
}

func (w *work) Depends() txn.Dependencies {
	return txn.Dependencies{Whole: true, Repairable: true, Rebindable: true, Reads: []conflict.Read{{Clause: "restore"}}}
}

// Repair derives the lists for the files that are live now.
func (w *work) Repair(_ context.Context, v conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	p, err := newPlan(at, w.then, w.spec)
	if err != nil {
		return txn.Repaired{}, err
	}
	if err := p.overtaken(at, w.spec); err != nil {
		return txn.Repaired{}, err
	}
	w.plan, w.now = p, at
	p.hold(w.then)
	return txn.Repaired{Dropped: len(v.Dropped) + len(v.Remarked), Computed: len(v.Added)}, nil
}

func (w *work) Effects(context.Context) (txn.Effects, error) {
	p := w.plan
	if len(p.acts) == 0 {
		return txn.Effects{}, nil // the table is what it was
	}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	parameters := map[string]json.RawMessage{"version": json.RawMessage("null"), "timestamp": json.RawMessage("null")}
	if t, ok := w.spec.To.Instant(); ok {
		parameters["timestamp"], _ = json.Marshal(t.UTC().Format("2006-01-02 15:04:05.999999"))
	} else {
		parameters["version"] = json.RawMessage(n(p.To))
	}
	return txn.Effects{Actions: p.acts, Operation: txn.Operation{Name: "RESTORE", Parameters: parameters, UserMetadata: w.spec.UserMetadata, ChangesData: true,
		Metrics: p.Metrics()}}, nil
}

// Metrics are those of the operation, by the names that history has.
func (p *Plan) Metrics() map[string]string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return map[string]string{
		"tableSizeAfterRestore": n(p.Bytes), "numOfFilesAfterRestore": n(int64(p.Files)),
		"numRemovedFiles": n(int64(len(p.Removed))), "numRestoredFiles": n(int64(len(p.Restored))),
		"removedFilesSize": n(p.RemovedBytes()), "restoredFilesSize": n(p.RestoredBytes()),
	}
}

func refuse(class, format string, args ...any) error {
	return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}
