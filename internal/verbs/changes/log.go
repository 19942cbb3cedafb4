package changes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// commit is what planning knows of one version: everything but its files.
type commit struct {
	version  int64
	time     time.Time        // of the commit file, made strictly increasing
	metadata *action.Metadata // nil when the commit has none
	protocol *action.Protocol // nil when the commit has none
	millis   *int64           // the time in the commit
	idle     bool             // a MERGE that says it changed no row
	data     []byte           // of the commit file; nil when there are too many to keep
}

// keptBytes is how much of the log a plan holds, so that short ranges are read once.
const keptBytes = 32 << 20

// unsettled is how far back file times are looked at to make them increase
// (delta-spark, DeltaHistoryManager).
const unsettled = 100

// readCommits reads the versions of a span, several at once.
func readCommits(ctx context.Context, e *env.Env, latest *snapshot.Snapshot, r span) ([]commit, error) {
	out, err := listCommits(ctx, latest, r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, kept atomic.Int64
	var group sync.WaitGroup
	for range min(max(e.Workers, 1), len(out)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(out)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				data, err := out[i].fetch(ctx, latest.Bucket())
				if err == nil {
					err = out[i].scan(latest.Bucket(), data)
				}
				if err != nil {
					cancel(err)
					return
				}
				if kept.Add(int64(len(data))) <= keptBytes {
					out[i].data = data
				}
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return out, nil
}

// listCommits finds the commit files of a span and their times.
func listCommits(ctx context.Context, latest *snapshot.Snapshot, r span) ([]commit, error) {
	found := map[int64]storage.Object{}
	first := max(r.start-unsettled, 0)
	for f, err := range deltalog.List(ctx, latest.Bucket(), first) {
		if err != nil {
			return nil, err
		}
		if f.Version > r.end && f.Kind == deltalog.Commit {
			break
		}
		if f.Kind == deltalog.Commit {
			found[f.Version] = f.Object
		}
	}
	out := make([]commit, 0, r.end-r.start+1)
	var clock deltalog.Clock
	for v := first; v <= r.end; v++ {
		obj, ok := found[v]
		switch {
		case !ok && v < r.start:
			clock = deltalog.Clock{}
			continue
		case !ok:
			return nil, gone(ctx, latest, v)
		}
		if t := clock.Next(obj.ModTime); v >= r.start {
			out = append(out, commit{version: v, time: t})
		}
	}
	return out, nil
}

// gone says why the commit of a version is not in the log.
func gone(ctx context.Context, latest *snapshot.Snapshot, version int64) error {
	earliest := int64(-1) // the first commit behind the one that is missing
	for f, err := range deltalog.List(ctx, latest.Bucket(), 0) {
		switch {
		case err != nil:
			return err
		case f.Kind != deltalog.Commit:
		case f.Version < version:
			return &snapshot.CorruptError{Table: latest.Bucket().URL(), Version: version, Class: "DELTA_VERSIONS_NOT_CONTIGUOUS",
				Cause: fmt.Errorf("the commit of version %d is not there, and its changes are in no other file", version)}
		case earliest < 0:
			earliest = f.Version
		}
	}
	return &snapshot.VersionError{Table: latest.Bucket().URL(), Wanted: fmt.Sprintf("the commit of version %d", version), Earliest: earliest, Latest: latest.Version(),
		Class: "DELTA_VERSION_NOT_FOUND", Why: fmt.Sprintf("it was cleaned up with its changes; ask for changes from version %d on", earliest)}
}

func (c *commit) fetch(ctx context.Context, b *storage.Bucket) ([]byte, error) {
	if c.data != nil {
		return c.data, nil
	}
	data, _, err := deltalog.ReadCommit(ctx, b, c.version)
	if errors.Is(err, storage.ErrNotExist) {
		return nil, &snapshot.VersionError{Table: b.URL(), Wanted: fmt.Sprintf("the commit of version %d", c.version), Earliest: c.version + 1, Latest: c.version,
			Class: "DELTA_VERSION_NOT_FOUND", Why: "it was cleaned up while its changes were read"}
	}
	return data, err
}

// scan reads what planning needs; the files are looked at when their rows are read.
func (c *commit) scan(b *storage.Bucket, data []byte) error {
	err := action.Scan(data, deltalog.CommitPath(c.version), &action.Handler{
		Metadata: func(m *action.Metadata) error { c.metadata = m; return nil },
		Protocol: func(p *action.Protocol) error { c.protocol = p; return nil },
		CommitInfo: func(ci *action.CommitInfo) error {
			c.millis, c.idle = ci.InCommitTimestamp, changedNothing(ci)
			return nil
		},
	})
	return corrupt(b, c.version, err)
}

// changedNothing recognises a MERGE that rewrote files without changing a row:
// its metrics say so (delta-spark's CDCReader, shouldSkipFileActionsInCommit).
func changedNothing(ci *action.CommitInfo) bool {
	if ci.Operation != "MERGE" {
		return false
	}
	for _, name := range []string{"numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted"} {
		if ci.OperationMetrics[name] != "0" {
			return false
		}
	}
	return true
}

// stamp is the time of a version's commit, given the metadata at that version
// (PROTOCOL.md, In-Commit Timestamps).
func (c *commit) stamp(md *action.Metadata) time.Time {
	if c.millis == nil || !feature.InCommitTimestamps(md) {
		return c.time
	}
	return time.UnixMilli(*c.millis).UTC()
}

func corrupt(b *storage.Bucket, version int64, err error) error {
	var s *action.SyntaxError
	if !errors.As(err, &s) {
		return err
	}
	return &snapshot.CorruptError{Table: b.URL(), File: deltalog.CommitPath(version), Version: version, Line: s.Line, Class: "DELTA_STATE_RECOVER_ERROR", Cause: err}
}
