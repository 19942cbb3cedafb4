package read

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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
	Err       error              // why the commit cannot be read; Info is then empty
}

const (
	// lookBack is how many commits before the oldest that is shown still count
	// for its time: a listing gives them with the same request.
	lookBack = 256
	// readers is how many commits are read at once.
	readers = 8
)

// History reads the commits that the log still has, newest first, at most
// limit of them (negative: all). A commit that cannot be read is in the list
// with its error. A time is the one that the commit carries, if all newer
// commits carry theirs too: otherwise in-commit timestamps have been switched
// off since, and the times of the files, made increasing, are what readers go by
// (PROTOCOL.md, In-Commit Timestamps).
func History(ctx context.Context, b *storage.Bucket, limit int) ([]Commit, error) {
	out, err := newest(ctx, b, limit)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", b.URL(), err)
	}
	if err := describe(ctx, b, out); err != nil {
		return nil, fmt.Errorf("history of %s: %w", b.URL(), err)
	}
	for i := range out {
		if out[i].Err != nil {
			continue
		}
		ts := out[i].Info.InCommitTimestamp
		if ts == nil {
			break
		}
		out[i].Timestamp = time.UnixMilli(*ts).UTC()
	}
	return out, nil
}

// newest lists the newest commits. With a limit, the listing starts at the
// checkpoint that the hint names, so that a long log costs no more than a short one.
func newest(ctx context.Context, b *storage.Bucket, limit int) ([]Commit, error) {
	from := int64(0)
	if limit >= 0 {
		hint, err := deltalog.ReadLastCheckpoint(ctx, b)
		var unusable *deltalog.HintError
		switch {
		case err == nil:
			from = max(0, hint.Version-int64(limit)-lookBack)
		case !errors.Is(err, storage.ErrNotExist) && !errors.As(err, &unusable):
			return nil, err
		}
	}
	out, err := commits(ctx, b, from)
	if err == nil && from > 0 && len(out) < limit { // the hint was wrong
		out, err = commits(ctx, b, 0)
	}
	slices.Reverse(out)
	if limit >= 0 && len(out) > limit {
		out = out[:limit]
	}
	return out, err
}

func commits(ctx context.Context, b *storage.Bucket, from int64) ([]Commit, error) {
	var out []Commit
	var clock deltalog.Clock
	for f, err := range deltalog.List(ctx, b, from) {
		if err != nil {
			return nil, err
		}
		if f.Kind == deltalog.Commit {
			out = append(out, Commit{Version: f.Version, Timestamp: clock.Next(f.Object.ModTime), Size: f.Object.Size})
		}
	}
	return out, nil
}

// describe reads the commits, several at a time. Only a store that answers
// for none of them is an error.
func describe(ctx context.Context, b *storage.Bucket, list []Commit) error {
	next := make(chan *Commit)
	var group sync.WaitGroup
	for range min(readers, len(list)) {
		group.Go(func() {
			for c := range next {
				c.Info, c.Err = commitInfo(ctx, b, c.Version)
			}
		})
	}
	for i := range list {
		next <- &list[i]
	}
	close(next)
	group.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	var store *storage.Error
	answered := slices.ContainsFunc(list, func(c Commit) bool { return c.Err == nil || !errors.As(c.Err, &store) })
	if len(list) > 0 && !answered {
		return list[0].Err
	}
	return nil
}

// commitInfo reads the provenance of a commit; it is empty when there is none.
func commitInfo(ctx context.Context, b *storage.Bucket, version int64) (*action.CommitInfo, error) {
	info := &action.CommitInfo{}
	if err := ctx.Err(); err != nil {
		return info, err
	}
	data, _, err := deltalog.ReadCommit(ctx, b, version)
	if err != nil {
		return info, err
	}
	h := action.Handler{CommitInfo: func(ci *action.CommitInfo) error { info = ci; return nil }}
	err = action.Scan(data, deltalog.CommitPath(version), &h)
	if err == nil && len(data) == 0 {
		err = errors.New("the file is empty")
	}
	if err != nil {
		return &action.CommitInfo{}, &snapshot.CorruptError{Table: b.URL(), File: deltalog.CommitPath(version), Version: version, Class: "DELTA_STATE_RECOVER_ERROR", Cause: err}
	}
	return info, nil
}
