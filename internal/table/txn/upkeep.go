package txn

import (
	"context"
	"fmt"

	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// maintain waits until no other handle of this process is busy with the shortcuts
// of the table's log: two at once would do the same work.
func (l *Log) maintain(ctx context.Context, what string) (done func(), err error) {
	select {
	case l.lane.upkeep <- struct{}{}:
		return func() { <-l.lane.upkeep }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s of %s: %w", what, l.bucket.URL(), context.Cause(ctx))
	}
}

// Checkpointed is a checkpoint and the plan that it was written by.
type Checkpointed struct {
	*snapshot.CheckpointPlan
	*checkpoint.Written
}

// Checkpoint writes a checkpoint of a version.
func (l *Log) Checkpoint(ctx context.Context, s *snapshot.Snapshot, o snapshot.CheckpointOptions) (*Checkpointed, error) {
	done, err := l.maintain(ctx, "checkpoint")
	if err != nil {
		return nil, err
	}
	defer done()
	if s, err = s.Whole(ctx); err != nil {
		return nil, err
	}
	p, err := s.PlanCheckpoint(o)
	if err != nil {
		return nil, err
	}
	w, err := p.Write(ctx)
	if err != nil {
		return nil, err
	}
	return &Checkpointed{p, w}, nil
}

// CompactLog writes a log compaction file.
func (l *Log) CompactLog(ctx context.Context, from, to int64, dry bool) (*snapshot.LogCompaction, error) {
	done, err := l.maintain(ctx, "log compaction")
	if err != nil {
		return nil, err
	}
	defer done()
	return snapshot.CompactLog(ctx, l.bucket, from, to, dry)
}
