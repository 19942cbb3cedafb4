package read

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// Commit is one version as history tells it.
type Commit struct {
	Version   int64
	Timestamp time.Time
	Info      *action.CommitInfo // empty when the commit has none
	Size      int64              // of the commit file
}

// History reads the commits that the log still has, newest first, at most
// limit of them (negative: all). Timestamps are in-commit timestamps where
// there are any, else file times made monotonic.
func History(ctx context.Context, b *storage.Bucket, limit int) ([]Commit, error) {
	var files []deltalog.File
	for f, err := range deltalog.List(ctx, b, 0) {
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", b.URL(), err)
		}
		if f.Kind == deltalog.Commit {
			files = append(files, f)
		}
	}
	out := make([]Commit, 0, len(files))
	var clock deltalog.Clock
	for _, f := range files {
		out = append(out, Commit{Version: f.Version, Timestamp: clock.Next(f.Object.ModTime), Size: f.Object.Size})
	}
	slices.Reverse(out)
	if limit >= 0 && len(out) > limit {
		out = out[:limit]
	}
	for i := range out {
		data, _, err := deltalog.ReadCommit(ctx, b, out[i].Version)
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", b.URL(), err)
		}
		out[i].Info = &action.CommitInfo{}
		h := action.Handler{CommitInfo: func(ci *action.CommitInfo) error { out[i].Info = ci; return nil }}
		if err := action.Scan(data, deltalog.CommitPath(out[i].Version), &h); err != nil {
			return nil, &snapshot.CorruptError{Table: b.URL(), File: deltalog.CommitPath(out[i].Version), Version: out[i].Version, Class: "DELTA_STATE_RECOVER_ERROR", Cause: err}
		}
		if ts := out[i].Info.InCommitTimestamp; ts != nil {
			out[i].Timestamp = time.UnixMilli(*ts)
		}
	}
	return out, nil
}
