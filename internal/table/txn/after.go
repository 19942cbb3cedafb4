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
	a.actions = actions
	if info := actions[0].(*action.CommitInfo); info.InCommitTimestamp != nil {
		a.result.Timestamp = time.UnixMilli(*info.InCommitTimestamp)
	}
	a.t.debug("committed", "version", version, "operation", eff.Operation.Name, "attempts", a.result.Attempts, "winners", len(a.result.Winners))
	obj := storage.Object{Key: deltalog.CommitPath(version), Size: int64(len(data)), ModTime: now}
	var next *snapshot.Snapshot
	var err error
	if a.base == nil {
		next, err = snapshot.First(l.env, l.bucket, data, obj)
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
	l.lane.remember(recent{table: next.Metadata().ID, version: version, actions: actions, data: data, obj: obj})
	if fn := l.env.Listener.Committed; fn != nil {
		fn(observe.Committed{Table: l.bucket.URL(), TxnID: a.t.id, Version: version, Operation: eff.Operation.Name, Attempts: a.result.Attempts})
	}
	l.follow(next, a.t.id, eff.Operation.Name)
	return a.result, nil
}

// following is the work that goes on behind commits: checksums and checkpoints
// of the newest version, one at a time. A version that is overtaken while the
// work is busy is passed over: both are only shortcuts for readers.
type following struct {
	running    bool
	checksum   *snapshot.Snapshot
	txnID      string
	checkpoint *snapshot.Snapshot
	compact    *snapshot.Snapshot
	hooks      *snapshot.Snapshot
	operation  string // that made the version of hooks
}

// follow asks for the version's checksum and, when one is due, a checkpoint.
func (l *Log) follow(s *snapshot.Snapshot, txnID, operation string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if !l.policy.NoChecksum {
		l.behind.checksum, l.behind.txnID = s, txnID
	}
	if !l.policy.NoCheckpoint && s.CheckpointDue() {
		l.behind.checkpoint = s
	}
	if every := l.policy.CompactEvery; every > 1 && (s.Version()+1)%every == 0 {
		l.behind.compact = s
	}
	if len(l.policy.Hooks) > 0 {
		l.behind.hooks, l.behind.operation = s, operation
	}
	if !l.behind.running && l.behind.some() {
		l.behind.running = true
		l.after.Go(l.work)
	}
}

// some reports whether there is anything to do.
func (f *following) some() bool {
	return f.checksum != nil || f.checkpoint != nil || f.compact != nil || f.hooks != nil
}

// work does what is asked for until there is nothing more.
func (l *Log) work() {
	for {
		l.mu.Lock()
		todo := l.behind
		l.behind = following{running: todo.some()}
		l.mu.Unlock()
		if s := todo.checksum; s != nil {
			if err := s.WriteChecksum(l.background, todo.txnID); err != nil {
				l.env.Log.Debug("version checksum not written", "version", s.Version(), "error", err)
			}
		}
		if s := todo.checkpoint; s != nil {
			if _, err := l.Checkpoint(l.background, s, snapshot.CheckpointOptions{}); err != nil {
				l.env.Log.Warn("checkpoint not written", "version", s.Version(), "error", err)
			} else {
				l.env.Log.Debug("checkpoint written", "version", s.Version())
				l.cleanBehind(s)
			}
		}
		if s := todo.compact; s != nil {
			if _, err := l.CompactLog(l.background, s.Version()+1-l.policy.CompactEvery, s.Version(), false); err != nil {
				l.env.Log.Warn("log compaction not written", "version", s.Version(), "error", err)
			}
		}
		if s := todo.hooks; s != nil {
			for _, hook := range l.policy.Hooks {
				if err := hook(l.background, l, s, todo.operation); err != nil {
					l.env.Log.Warn("what the table's properties ask for behind a commit failed; the commit stands", "version", s.Version(), "error", err)
				}
			}
		}
		if !todo.some() {
			return
		}
	}
}
