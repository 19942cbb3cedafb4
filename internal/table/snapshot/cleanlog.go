package snapshot

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
)

// CleanOptions say what CleanLog may remove.
type CleanOptions struct {
	// Force cleans although delta.enableExpiredLogCleanup is false.
	Force bool
	// Retention replaces the table's delta.logRetentionDuration.
	Retention *time.Duration
	// Exact takes the cutoff as it is; otherwise it is the midnight before.
	Exact  bool
	DryRun bool
}

// CleanResult is what CleanLog found and did.
type CleanResult struct {
	Cutoff time.Time
	// Checkpoint is the version from which on all can be read: everything in the log
	// before it is removed. It is -1 when nothing is.
	Checkpoint int64
	Files      []string // of the log, in the order in which they go
	Bytes      int64
	Deleted    int
	DryRun     bool
	Why        string // why nothing is removed, "" otherwise
}

// CleanLog removes what is in the log of versions older than the retention
// (PROTOCOL.md, Metadata Cleanup): commits, checkpoints, checksums and compactions
// before the newest checkpoint that still gives every version since the cutoff,
// which is a midnight; then sidecars that no checkpoint names any more. The oldest
// goes first, so that whatever is left after a failure is a log that begins later.
func CleanLog(ctx context.Context, s *Snapshot, o CleanOptions) (*CleanResult, error) {
	r := &CleanResult{Checkpoint: -1, DryRun: o.DryRun}
	if !o.Force && !feature.ExpiredLogCleanup(s.metadata) {
		r.Why = "delta.enableExpiredLogCleanup is false"
		return r, nil
	}
	r.Cutoff = s.CleanCutoff(o)
	c := &cleaner{ctx: ctx, s: s, res: r}
	var err error
	if c.dir, err = listLog(ctx, s.bucket, 0); err != nil {
		return nil, err
	}
	if err := c.choose(); err != nil || r.Checkpoint < 0 {
		return r, err
	}
	if err := c.collect(); err != nil {
		return nil, err
	}
	if err := c.sidecars(); err != nil {
		return nil, err
	}
	if len(r.Files) == 0 {
		r.Checkpoint, r.Why = -1, "there is nothing before the checkpoint that has to stay"
		return r, nil
	}
	if o.DryRun {
		return r, nil
	}
	return r, c.remove()
}

// CleanCutoff is the time before which CleanLog cleans up. Unless it is exact it
// moves once a day, and until then there is nothing more to find.
func (s *Snapshot) CleanCutoff(o CleanOptions) time.Time {
	keep := feature.LogRetention(s.metadata)
	if o.Retention != nil {
		keep = *o.Retention
	}
	cutoff := s.env.Now().Add(-keep).UTC()
	if o.Exact {
		return cutoff
	}
	return cutoff.Truncate(24 * time.Hour)
}

// cleaner is one CleanLog.
type cleaner struct {
	ctx context.Context
	s   *Snapshot
	dir *logDirectory
	res *CleanResult
}

// choose finds the checkpoint before which all goes.
func (c *cleaner) choose() error {
	newest, err := c.cutoffCommit()
	if err != nil {
		return err
	}
	if newest < 0 {
		c.res.Why = "no commit is older than " + c.res.Cutoff.Format(time.RFC3339)
		return nil
	}
	hint, err := lastCheckpoint(c.ctx, c.s.bucket)
	if err != nil {
		return err
	}
	if hint >= 0 {
		newest = min(newest, hint) // what the hint names has to stay
	}
	for _, ck := range c.dir.checkpointsUpTo(newest) {
		if ck.version == 0 || c.dir.gap(ck.version+1, c.s.version) >= 0 {
			continue
		}
		if !c.anythingBefore(ck.version) {
			break
		}
		if _, err := loadFrom(c.ctx, c.s.env, c.s.bucket, c.dir, &ck, ck.version, everything); err != nil {
			if c.ctx.Err() != nil || !isCheckpointError(err) {
				return err
			}
			continue // it cannot be read, so nothing may depend on it
		}
		allowed, err := c.unprotected(ck.version)
		if err != nil {
			return err
		}
		if !allowed {
			c.res.Why = fmt.Sprintf("checkpoints before version %d are protected (delta.requireCheckpointProtectionBeforeVersion): the log is cleaned when all before that version is older than the retention",
				feature.CheckpointProtection(c.s.metadata))
			return nil
		}
		c.res.Checkpoint = ck.version
		return nil
	}
	c.res.Why = fmt.Sprintf("no checkpoint that can be read lies at or before version %d with something before it", newest)
	return nil
}

// cutoffCommit is the newest commit at or before the cutoff, by the times of the
// files and, where commits carry their time, by that too; -1 for none.
func (c *cleaner) cutoffCommit() (int64, error) {
	var versions []int64
	for v := range c.dir.commits {
		versions = append(versions, v)
	}
	slices.Sort(versions)
	var clock deltalog.Clock
	byFile := int64(-1)
	for _, v := range versions {
		if clock.Next(c.dir.commits[v].ModTime).After(c.res.Cutoff) {
			break
		}
		byFile = v
	}
	if byFile < 0 || !feature.InCommitTimestamps(c.s.metadata) {
		return min(byFile, c.s.version), nil
	}
	byCommit, _, err := c.dir.search(c.ctx, c.s.env, c.s.bucket, Time(c.res.Cutoff))
	var at *VersionError
	if errors.As(err, &at) {
		if at.Class != "DELTA_TIMESTAMP_GREATER_THAN_COMMIT" {
			return -1, nil
		}
		byCommit, err = c.s.version, nil
	}
	return min(byFile, byCommit, c.s.version), err
}

func (c *cleaner) anythingBefore(version int64) bool {
	for v := range c.dir.commits {
		if v < version {
			return true
		}
	}
	for v := range c.dir.checkpoints {
		if v < version {
			return true
		}
	}
	return false
}

// unprotected reports whether all before a version may be removed (PROTOCOL.md,
// Checkpoint Protection): either that is everything that is protected, or this engine
// understands the protocol of every version that goes.
func (c *cleaner) unprotected(version int64) (bool, error) {
	before := feature.CheckpointProtection(c.s.metadata)
	if !feature.Supports(c.s.protocol, "checkpointProtection") || before <= version {
		return true, nil
	}
	understood := func(p *action.Protocol) bool {
		return feature.CheckRead(p) == nil && feature.CheckWrite(p, c.s.metadata) == nil
	}
	first := c.dir.earliest()
	if first < 0 {
		return false, nil
	}
	start, err := load(c.ctx, c.s.env, c.s.bucket, c.dir, first, headOnly)
	if err != nil {
		if c.ctx.Err() != nil {
			return false, err
		}
		return false, nil
	}
	if !understood(start.protocol) {
		return false, nil
	}
	all := true
	for v := range version + 1 {
		if _, ok := c.dir.commits[v]; !ok {
			continue
		}
		data, _, err := deltalog.ReadCommit(c.ctx, c.s.bucket, v)
		if err != nil {
			return false, err
		}
		err = action.Scan(data, deltalog.CommitPath(v), &action.Handler{Protocol: func(p *action.Protocol) error {
			all = all && understood(p)
			return nil
		}})
		if err != nil || !all {
			return false, nil
		}
	}
	return true, nil
}

// collect lists what goes: all before the checkpoint, compactions that begin at or
// before it, and staged commits that were published before it.
func (c *cleaner) collect() error {
	var files []deltalog.File
	for f, err := range deltalog.List(c.ctx, c.s.bucket, 0) {
		if err != nil {
			return err
		}
		if f.Version < c.res.Checkpoint || f.Kind == deltalog.Compacted && f.Start <= c.res.Checkpoint {
			files = append(files, f)
		}
	}
	slices.SortStableFunc(files, func(a, b deltalog.File) int { return int(max(min(a.Start-b.Start, 1), -1)) })
	for _, f := range files {
		c.take(f.Object)
	}
	for obj, err := range c.s.bucket.List(c.ctx, deltalog.Dir+"/_staged_commits/", "") {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		digits, _, _ := strings.Cut(path.Base(obj.Key), ".")
		v, err := strconv.ParseInt(digits, 10, 64)
		if err == nil && len(digits) == 20 && v < c.res.Checkpoint && obj.ModTime.Before(c.res.Cutoff) {
			c.take(obj)
		}
	}
	return nil
}

func (c *cleaner) take(obj storage.Object) {
	c.res.Files = append(c.res.Files, obj.Key)
	c.res.Bytes += obj.Size
}

// sidecars lists those that no checkpoint names that stays. Young ones stay too: they
// may belong to a checkpoint that is being written.
func (c *cleaner) sidecars() error {
	if !feature.Supports(c.s.protocol, "v2Checkpoint") {
		return nil
	}
	named := map[string]bool{}
	for v, list := range c.dir.checkpoints {
		if v < c.res.Checkpoint {
			continue
		}
		for _, ck := range list {
			for _, part := range ck.parts {
				err := checkpoint.Read(c.ctx, c.s.bucket, part, &action.Handler{Sidecar: func(s *action.Sidecar) error {
					key, err := checkpoint.SidecarKey(s)
					named[key] = true
					return err
				}})
				if err != nil {
					if c.ctx.Err() != nil {
						return err
					}
					c.s.env.Log.Warn("no sidecars are cleaned up: a checkpoint cannot be read that may name them", "checkpoint", part.Key, "error", err)
					return nil
				}
			}
		}
	}
	limit := c.s.env.Now().UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour)
	if c.res.Cutoff.Before(limit) {
		limit = c.res.Cutoff
	}
	for obj, err := range c.s.bucket.List(c.ctx, deltalog.SidecarPath(""), "") {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		if !named[obj.Key] && obj.ModTime.Before(limit) {
			c.take(obj)
		}
	}
	return nil
}

// remove deletes a few at a time, in order.
func (c *cleaner) remove() error {
	for some := range slices.Chunk(c.res.Files, 4*max(c.s.env.Workers, 1)) {
		errs := make([]error, len(some))
		var wg sync.WaitGroup
		for i, key := range some {
			wg.Go(func() { errs[i] = c.s.bucket.Delete(c.ctx, key) })
		}
		wg.Wait()
		for _, err := range errs {
			if err == nil {
				c.res.Deleted++
			}
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("cleaning the log of %s stopped: %d of %d files before version %d are removed, which no retained version needs; the next run removes the others: %w",
				c.s.bucket.URL(), c.res.Deleted, len(c.res.Files), c.res.Checkpoint, err)
		}
	}
	return nil
}
