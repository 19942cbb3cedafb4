package alter

import (
	"context"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// plain is a commit of actions that depend on nothing.
type plain struct {
	acts []action.Action
	op   txn.Operation
}

func (w *plain) Depends() txn.Dependencies { return txn.Dependencies{Rebindable: true} }

func (w *plain) Effects(context.Context) (txn.Effects, error) {
	return txn.Effects{Actions: w.acts, Operation: w.op, Always: true}, nil
}

func (w *plain) Repair(context.Context, conflict.Verdict, *snapshot.Snapshot) (txn.Repaired, error) {
	return txn.Repaired{}, nil
}

// barrier is a version that changes nothing, with a checkpoint: a reader that
// starts from it need not look at older versions.
func barrier(ctx context.Context, l *txn.Log, o Options) error {
	err := commitWork(ctx, l, func(*snapshot.Snapshot) (txn.Work, error) {
		return &plain{op: txn.Operation{Name: "Empty Commit", UserMetadata: o.UserMetadata}}, nil
	})
	if err != nil {
		return err
	}
	s, err := l.Update(ctx)
	if err != nil {
		return err
	}
	return snapshot.WriteCheckpoint(ctx, s)
}

// truncate makes sure that no older version that the log still has uses the
// feature.
func (c DropFeature) truncate(ctx context.Context, l *txn.Log, r removal, made bool) error {
	s, err := l.Update(ctx)
	if err != nil {
		return err
	}
	wait := feature.TruncatedRetention(s.Metadata())
	if made {
		return refuse("DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD",
			"the feature %s is no longer used by the newest version, but older versions use it: repeat DROP FEATURE ... TRUNCATE HISTORY after %s, when nobody reads them any more, or drop it without TRUNCATE HISTORY", c.Name, wait)
	}
	if err := forget(ctx, l, s, wait); err != nil {
		return err
	}
	from, err := firstVersion(ctx, l, s)
	if err != nil || r.uses == nil {
		return err
	}
	used, err := c.usedSince(ctx, l, s, r, from)
	if err != nil {
		return err
	}
	if used {
		return refuse("DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST",
			"the log still has versions that use the feature %s: repeat it when they are older than %s (delta.dropFeatureTruncateHistory.retentionDuration), or drop it without TRUNCATE HISTORY", c.Name, wait)
	}
	return nil
}

// usedSince reads the log from its first version on. Tombstones in the checkpoint
// that it begins with do not count: no reader needs them, and the reference passes
// over them too, since they are kept for longer than the versions may be.
func (c DropFeature) usedSince(ctx context.Context, l *txn.Log, now *snapshot.Snapshot, r removal, from int64) (bool, error) {
	if from > 0 { // what came before is in the checkpoint
		first, err := snapshot.Load(ctx, l.Env(), l.Bucket(), snapshot.Version(from))
		if err != nil {
			return false, err
		}
		if r.used != nil && r.used(first) {
			return true, nil
		}
	}
	for v := from; v <= now.Version(); v++ {
		data, _, err := deltalog.ReadCommit(ctx, l.Bucket(), v)
		if err != nil {
			return false, fmt.Errorf("looking for the feature %s in version %d: %w", c.Name, v, err)
		}
		actions, err := action.ParseCommit(data, deltalog.CommitPath(v))
		if err != nil {
			return false, fmt.Errorf("looking for the feature %s in version %d: %w", c.Name, v, err)
		}
		for _, a := range actions {
			if r.uses(a) {
				return true, nil
			}
		}
	}
	return false, nil
}

// unprotected makes sure that the versions are gone that checkpointProtection protects.
func (c DropFeature) unprotected(ctx context.Context, l *txn.Log, before int64) error {
	if before <= 0 {
		return nil
	}
	s, err := l.Update(ctx)
	if err != nil {
		return err
	}
	wait := feature.TruncatedRetention(s.Metadata())
	if err := forget(ctx, l, s, wait); err != nil {
		return err
	}
	from, err := firstVersion(ctx, l, s)
	if err != nil {
		return err
	}
	if from < before {
		return refuse("DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD",
			"the log still has version %d, and the versions before %d are protected: repeat it when they are older than %s (delta.dropFeatureTruncateHistory.retentionDuration)", from, before, wait)
	}
	return nil
}

// forget removes what the log has of versions that are older than the wait.
func forget(ctx context.Context, l *txn.Log, s *snapshot.Snapshot, wait time.Duration) error {
	_, err := l.CleanLog(ctx, s, snapshot.CleanOptions{Force: true, Retention: &wait, Exact: true})
	return err
}

// firstVersion is the oldest version whose commit the log still has.
func firstVersion(ctx context.Context, l *txn.Log, s *snapshot.Snapshot) (int64, error) {
	for f, err := range deltalog.List(ctx, l.Bucket(), 0) {
		if err != nil {
			return 0, err
		}
		if f.Kind == deltalog.Commit {
			return f.Version, nil
		}
	}
	return s.Version(), nil
}
