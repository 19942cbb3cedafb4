package txn

import (
	"context"

	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// CleanLog removes what the log has of versions older than its retention.
func (l *Log) CleanLog(ctx context.Context, s *snapshot.Snapshot, o snapshot.CleanOptions) (*snapshot.CleanResult, error) {
	done, err := l.maintain(ctx, "log cleanup")
	if err != nil {
		return nil, err
	}
	defer done()
	return snapshot.CleanLog(ctx, s, o)
}

// cleanBehind cleans up after a checkpoint was written, as the reference does.
func (l *Log) cleanBehind(s *snapshot.Snapshot) {
	r, err := l.CleanLog(l.background, s, snapshot.CleanOptions{})
	switch {
	case err != nil:
		l.env.Log.Warn("the log was not cleaned up", "version", s.Version(), "error", err)
	case r.Deleted > 0:
		l.env.Log.Debug("log cleaned up", "before", r.Checkpoint, "files", r.Deleted)
	}
}
