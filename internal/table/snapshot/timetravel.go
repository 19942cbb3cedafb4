package snapshot

import (
	"context"
	"errors"
	"sort"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
)

// VersionAt is the newest version committed at or before a time. The error is a
// *VersionError when the time is before the oldest commit or after the newest.
func VersionAt(ctx context.Context, e *env.Env, b *storage.Bucket, t time.Time) (int64, error) {
	at := Time(t)
	dir, err := findLog(ctx, b, at)
	if err != nil {
		return 0, err
	}
	v, _, err := dir.search(ctx, e, b, at)
	return v, err
}

// search is versionAt in a log that may be cleaned up meanwhile: a commit that was
// listed and is gone says that the log begins later now, and it is listed again.
func (d *logDirectory) search(ctx context.Context, e *env.Env, b *storage.Bucket, at At) (int64, *logDirectory, error) {
	for {
		v, err := d.versionAt(ctx, e, b, at)
		if !errors.Is(err, storage.ErrNotExist) || ctx.Err() != nil {
			return v, d, err
		}
		before := d.earliest()
		again, failed := listLog(ctx, b, 0)
		if failed != nil {
			return 0, d, failed
		}
		if d = again; d.earliest() <= before {
			return 0, d, err
		}
	}
}

// versionAt finds the newest version committed at or before a time. Commits
// that carry their own time count by that, the others by the times of their
// files, made strictly increasing (PROTOCOL.md, In-Commit Timestamps).
func (d *logDirectory) versionAt(ctx context.Context, e *env.Env, b *storage.Bucket, at At) (int64, error) {
	latest, first := d.latest(), d.earliest()
	if first < 0 {
		return latest, nil // loading says what is missing
	}
	start := latest // of the unbroken run of commits at the end
	for start > first {
		if _, ok := d.commits[start-1]; !ok {
			break
		}
		start--
	}
	newest, err := load(ctx, e, b, d, latest, headOnly)
	if err != nil {
		return 0, err
	}
	t := at.time.UTC().Truncate(time.Millisecond)
	from := latest + 1 // versions from here on carry their time
	if feature.InCommitTimestamps(newest.metadata) {
		from = start
		if v, millis, ok := feature.InCommitTimestampStart(newest.metadata); ok && v > start {
			from = v
			if t.Before(time.UnixMilli(millis)) {
				latest, from = v-1, latest+1
			}
		} else if ok && v == start {
			from = v
		}
	}
	if from <= latest {
		return d.byCommitTime(ctx, b, at, from, latest, t)
	}
	times := make([]time.Time, 0, latest-start+1)
	var clock deltalog.Clock
	for v := start; v <= latest; v++ {
		times = append(times, clock.Next(d.commits[v].ModTime))
	}
	i := sort.Search(len(times), func(i int) bool { return times[i].After(t) }) - 1
	if i < 0 {
		return 0, d.early(b, at)
	}
	if i == len(times)-1 && t.After(times[i]) && latest == d.latest() {
		return 0, d.late(b, at, times[i])
	}
	return start + int64(i), nil
}

// byCommitTime searches the commits from..to by the times that they carry.
func (d *logDirectory) byCommitTime(ctx context.Context, b *storage.Bucket, at At, from, to int64, t time.Time) (int64, error) {
	commitTime := func(v int64) (time.Time, error) {
		info, err := readCommitInfo(ctx, b, v, d.commits[v])
		if err != nil {
			return time.Time{}, err
		}
		if info == nil || info.InCommitTimestamp == nil {
			return d.commits[v].ModTime, nil
		}
		return time.UnixMilli(*info.InCommitTimestamp), nil
	}
	last, err := commitTime(to)
	if err != nil {
		return 0, err
	}
	if t.After(last) {
		return 0, d.late(b, at, last)
	}
	n := sort.Search(int(to-from+1), func(i int) bool {
		if err != nil {
			return true
		}
		var c time.Time
		c, err = commitTime(from + int64(i))
		return c.After(t)
	})
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, d.early(b, at)
	}
	return from + int64(n) - 1, nil
}

func (d *logDirectory) early(b *storage.Bucket, at At) error {
	return d.notFound(b, at, "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION", "the time is before the oldest commit that is left")
}

func (d *logDirectory) late(b *storage.Bucket, at At, last time.Time) error {
	return d.notFound(b, at, "DELTA_TIMESTAMP_GREATER_THAN_COMMIT",
		"the time is after the newest commit, of "+last.UTC().Format(time.RFC3339Nano)+"; leave the time out to read the newest version")
}
