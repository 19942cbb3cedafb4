package txn

import (
	"context"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// finish installs the published version and starts what follows a commit.
// Nothing here can undo the commit: a failure is logged, and the next reader
// does without the file.
func (a *attempt) finish(ctx context.Context, eff Effects, actions []action.Action, data []byte) (Result, error) {
	l := a.t.log
	version := a.version() + 1
	now := l.env.Now()
	a.result.Version, a.result.Committed, a.result.Timestamp = version, true, now
	if info := actions[0].(*action.CommitInfo); info.InCommitTimestamp != nil {
		a.result.Timestamp = time.UnixMilli(*info.InCommitTimestamp)
	}
	a.t.debug("committed", "version", version, "operation", eff.Operation.Name, "attempts", a.result.Attempts, "winners", len(a.result.Winners))
	obj := storage.Object{Key: deltalog.CommitPath(version), Size: int64(len(data)), ModTime: now}
	var next *snapshot.Snapshot
	var err error
	if a.base == nil {
		next, err = snapshot.Load(context.WithoutCancel(ctx), l.env, l.bucket, snapshot.Version(version))
	} else {
		next, err = a.base.Apply(version, actions, data, obj)
	}
	if err != nil {
		// The version is published; only this handle's view of it failed.
		l.env.Log.Warn("committed, but the new version could not be opened", "version", version, "error", err)
		return a.result, nil
	}
	a.result.Snapshot = next
	l.advance(next)
	if fn := l.env.Listener.Committed; fn != nil {
		fn(observe.Committed{Table: l.bucket.URL(), TxnID: a.t.id, Version: version, Operation: eff.Operation.Name, Attempts: a.result.Attempts})
	}
	l.follow(ctx, next, a.t.id)
	return a.result, nil
}

// follow writes the checksum and, when one is due, a checkpoint in the background.
func (l *Log) follow(ctx context.Context, s *snapshot.Snapshot, txnID string) {
	if !l.policy.NoChecksum {
		if err := s.WriteChecksum(context.WithoutCancel(ctx), txnID); err != nil {
			l.env.Log.Warn("version checksum not written", "version", s.Version(), "error", err)
		}
	}
	if l.policy.NoCheckpoint || !s.CheckpointDue() {
		return
	}
	l.mu.Lock()
	if l.writing || l.closed {
		l.mu.Unlock()
		return
	}
	l.writing = true
	l.after.Add(1)
	l.mu.Unlock()
	go func() {
		defer l.after.Done()
		err := snapshot.WriteCheckpoint(l.background, s)
		if err != nil {
			l.env.Log.Warn("checkpoint not written", "version", s.Version(), "error", err)
		} else {
			l.env.Log.Debug("checkpoint written", "version", s.Version())
		}
		l.mu.Lock()
		l.writing = false
		l.mu.Unlock()
	}()
}
