package txn

import (
	"context"
	"time"

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

// cleaning is the table whose log was cleaned up, and the time before which.
type cleaning struct {
	table  string
	cutoff time.Time
}

// cleanBehind cleans up after a checkpoint was written, as the reference does. The
// time before which versions go moves once a day, so that a process who has cleaned
// up does not list the log again until then.
func (l *Log) cleanBehind(s *snapshot.Snapshot) {
	this := cleaning{s.Metadata().ID, s.CleanCutoff(snapshot.CleanOptions{})}
	l.lane.mu.Lock()
	last := l.lane.cleaned
	l.lane.mu.Unlock()
	if this == last {
		return
	}
	r, err := l.CleanLog(l.background, s, snapshot.CleanOptions{})
	if err != nil {
		l.env.Log.Warn("the log was not cleaned up", "version", s.Version(), "error", err)
		return
	}
	l.lane.mu.Lock()
	l.lane.cleaned = this
	l.lane.mu.Unlock()
	if r.Deleted > 0 {
		l.env.Log.Debug("log cleaned up", "before", r.Checkpoint, "files", r.Deleted)
	}
}
