// Package checkpoint is what a user says to shorten a table's log: write a
// checkpoint of a version, or put the commits of some versions into one file.
// Both are plans first. Neither changes what any version of the table is.
package checkpoint

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/storage"
)

// Spec says which checkpoint is wanted.
type Spec struct {
	At      snapshot.At
	Options snapshot.CheckpointOptions
	DryRun  bool
}

// Result is what was planned, and what was written unless it was a dry run.
type Result struct {
	Plan    *snapshot.CheckpointPlan
	Files   []string // keys of the files that were written
	Bytes   int64
	Actions int64 // in the checkpoint
	Written bool
}

// Run writes a checkpoint.
func Run(ctx context.Context, l *txn.Log, spec Spec) (*Result, error) {
	s, err := snapshotAt(ctx, l, spec.At)
	if err != nil {
		return nil, err
	}
	if spec.DryRun {
		p, err := s.PlanCheckpoint(spec.Options)
		return &Result{Plan: p}, err
	}
	c, err := l.Checkpoint(ctx, s, spec.Options)
	if err != nil {
		return nil, err
	}
	return &Result{Plan: c.CheckpointPlan, Files: c.Written.Files, Bytes: c.Bytes, Actions: c.Actions, Written: true}, nil
}

func snapshotAt(ctx context.Context, l *txn.Log, at snapshot.At) (*snapshot.Snapshot, error) {
	if at == snapshot.Latest() {
		return l.Update(ctx)
	}
	if known := l.Known(); known != nil && at == snapshot.Version(known.Version()) {
		return known, nil
	}
	return snapshot.Load(ctx, l.Env(), l.Bucket(), at)
}

// CompactSpec says which commits come into one file.
type CompactSpec struct {
	From, To *int64 // nil: from behind the newest checkpoint, to the newest version
	DryRun   bool
}

// Compact writes a log compaction file. Without versions it takes the commits
// behind the newest checkpoint; fewer than two of them are not worth a file,
// which is no error: nothing is written then.
func Compact(ctx context.Context, l *txn.Log, spec CompactSpec) (*snapshot.LogCompaction, error) {
	from, to, err := snapshot.Uncovered(ctx, l.Bucket())
	if err != nil {
		return nil, err
	}
	asked := spec.From != nil || spec.To != nil
	if spec.From != nil {
		from = *spec.From
	}
	if spec.To != nil {
		if *spec.To > to {
			return nil, &snapshot.VersionError{Table: l.Bucket().URL(), Wanted: snapshot.Version(*spec.To).String(), Earliest: 0, Latest: to,
				Class: "DELTA_VERSION_NOT_FOUND", Why: "there is no such version"}
		}
		to = *spec.To
	}
	if from >= to && !asked {
		return &snapshot.LogCompaction{From: from, To: to, Commits: int(max(to-from+1, 0))}, nil
	}
	out, err := l.CompactLog(ctx, from, to, spec.DryRun)
	if errors.Is(err, storage.ErrExist) {
		return &snapshot.LogCompaction{From: from, To: to, Existed: true}, nil
	}
	return out, err
}
