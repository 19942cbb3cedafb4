package snapshot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
)

// Load opens the table in a bucket at a version: one GET of _last_checkpoint,
// one LIST, and a GET for each file of the newest usable checkpoint and each
// commit behind it, all of them at once. The result is held against the version
// checksum, if the listing shows one, which is read beside them.
//
// Errors: ErrNotTable, ErrVersionNotFound, *CorruptError, *feature.Error for a
// table that needs a newer reader, or what the store says.
func Load(ctx context.Context, e *env.Env, b *storage.Bucket, at At) (*Snapshot, error) {
	return open(ctx, e, b, at, loadWhole(ctx, e, b))
}

// loadWhole makes a version with its files.
func loadWhole(ctx context.Context, e *env.Env, b *storage.Bucket) func(dir *logDirectory, want int64) (*Snapshot, error) {
	return func(dir *logDirectory, want int64) (*Snapshot, error) {
		sum := fetchChecksum(ctx, b, dir, want)
		s, err := load(ctx, e, b, dir, want, everything)
		data, found := <-sum
		if err == nil && found {
			s.compare(data)
		}
		return s, err
	}
}

// An extent is how much of the log is read.
type extent int

const (
	everything extent = iota
	headOnly          // no files
)

// open finds the wanted version and makes it with load, which is asked a second
// time with the whole log when what the hint points to cannot be used, and again
// whenever files were cleaned up since the log was listed.
func open(ctx context.Context, e *env.Env, b *storage.Bucket, at At, load func(dir *logDirectory, want int64) (*Snapshot, error)) (*Snapshot, error) {
	dir, err := findLog(ctx, b, at)
	if err != nil {
		return nil, err
	}
	want := dir.latest()
	switch at.kind {
	case atVersion:
		if at.version < 0 || at.version > want {
			return nil, dir.notFound(b, at, "DELTA_VERSION_NOT_FOUND", "there is no such version")
		}
		want = at.version
	case atTime:
		if want, dir, err = dir.search(ctx, e, b, at); err != nil {
			return nil, err
		}
	}
	s, err := load(dir, want)
	if err == nil || dir.from == 0 && !errors.Is(err, storage.ErrNotExist) || ctx.Err() != nil {
		return s, explain(dir, b, at, want, err)
	}
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) && !errors.Is(err, storage.ErrNotExist) {
		return nil, err
	}
	for {
		before := dir
		if dir, err = listLog(ctx, b, 0); err != nil {
			return nil, err
		}
		if at.kind == atLatest {
			want = dir.latest()
		}
		s, err = load(dir, want)
		if !errors.Is(err, storage.ErrNotExist) || ctx.Err() != nil || before.from == 0 && dir.earliest() <= before.earliest() {
			return s, explain(dir, b, at, want, err)
		}
		// Files were cleaned up under it once more: the log begins later now.
	}
}

// fetchChecksum reads the version checksum while the log is read. The channel is
// closed without one where the listing shows none, or it cannot be read.
func fetchChecksum(ctx context.Context, b *storage.Bucket, dir *logDirectory, version int64) <-chan []byte {
	got := make(chan []byte, 1)
	if !dir.checksums[version] {
		close(got)
		return got
	}
	go func() {
		defer close(got)
		if data, _, err := b.Get(ctx, deltalog.ChecksumPath(version)); err == nil {
			got <- data
		}
	}()
	return got
}

// compare holds the snapshot against its version checksum. A difference is
// reported, not fatal: the log decides what the table is.
func (s *Snapshot) compare(data []byte) {
	_, err := s.verify(data)
	if errors.Is(err, ErrChecksum) {
		s.env.Log.Warn("the version checksum disagrees with the log; the log is believed", "error", err)
	}
}

// findLog lists the log as far back as the wanted version may need.
func findLog(ctx context.Context, b *storage.Bucket, at At) (*logDirectory, error) {
	hint := int64(-1)
	if at.kind != atTime {
		var err error
		if hint, err = lastCheckpoint(ctx, b); err != nil {
			return nil, err
		}
	}
	from := max(hint, 0)
	if at.kind == atVersion && at.version < from {
		from = 0
	}
	dir, err := listLog(ctx, b, from)
	if err != nil {
		return nil, err
	}
	if from > 0 && len(dir.checkpoints) == 0 { // the hint lied
		if dir, err = listLog(ctx, b, 0); err != nil {
			return nil, err
		}
	}
	if !dir.empty() {
		return dir, nil
	}
	if len(dir.incomplete) > 0 {
		return nil, &CorruptError{Table: b.URL(), Version: dir.latest(), Class: "DELTA_STATE_RECOVER_ERROR",
			Cause: errors.New("there are only parts of a checkpoint and no commits")}
	}
	return nil, &NotTableError{Table: b.URL(), Why: "its _delta_log holds no commit and no checkpoint, or is not there"}
}

func (d *logDirectory) notFound(b *storage.Bucket, at At, class, why string) error {
	return &VersionError{Table: b.URL(), Wanted: at.String(), Earliest: d.earliest(), Latest: d.latest(), Class: class, Why: why}
}

// explain tells an old version whose commits were cleaned up from a damaged log.
func explain(d *logDirectory, b *storage.Bucket, at At, want int64, err error) error {
	var c *CorruptError
	if err == nil || at.kind == atLatest || !errors.As(err, &c) || c.File != "" || !errors.Is(c.Cause, errGap) {
		return err
	}
	if e := d.earliest(); e < 0 || want < e {
		return d.notFound(b, at, "DELTA_VERSION_NOT_FOUND", "the commits it was made of are gone from the log")
	}
	return err
}

var errGap = errors.New("commits are missing")

// load builds the version from the newest checkpoint that can be used.
func load(ctx context.Context, e *env.Env, b *storage.Bucket, dir *logDirectory, want int64, x extent) (*Snapshot, error) {
	var failed error
	for _, ck := range dir.checkpointsUpTo(want) {
		if dir.gap(ck.version+1, want) >= 0 {
			continue
		}
		s, err := loadFrom(ctx, e, b, dir, &ck, want, x)
		if err == nil || !isCheckpointError(err) || ctx.Err() != nil {
			return s, err
		}
		e.Log.Warn("checkpoint cannot be used, trying an older state", "table", b.URL(), "checkpoint", ck.version, "error", err)
		failed = err
	}
	gap := dir.gap(0, want)
	if gap < 0 {
		return loadFrom(ctx, e, b, dir, nil, want, x)
	}
	if failed != nil {
		return nil, &CorruptError{Table: b.URL(), Version: want, Class: "DELTA_STATE_RECOVER_ERROR", Cause: failed}
	}
	class := "DELTA_TRUNCATED_TRANSACTION_LOG"
	if base := dir.checkpointsUpTo(want); len(base) > 0 {
		gap = dir.gap(base[0].version+1, want)
	}
	if gap > 0 {
		class = "DELTA_VERSIONS_NOT_CONTIGUOUS"
	}
	return nil, &CorruptError{Table: b.URL(), Version: want, Class: class,
		Cause: fmt.Errorf("%w: version %d is wanted, but the commit of version %d is not there, and no complete checkpoint covers it", errGap, want, gap)}
}

// checkpointError is a checkpoint that cannot be read: an older one may serve.
type checkpointError struct{ err error }

func (e *checkpointError) Error() string { return e.err.Error() }
func (e *checkpointError) Unwrap() error { return e.err }

func isCheckpointError(err error) bool {
	var c *checkpointError
	return errors.As(err, &c)
}

// loadFrom reads a checkpoint (nil for none) and the commits behind it, or log
// compaction files in their place. A compaction that is damaged is no loss.
func loadFrom(ctx context.Context, e *env.Env, b *storage.Bucket, dir *logDirectory, ck *checkpointFiles, want int64, x extent) (*Snapshot, error) {
	s, err := loadPieces(ctx, e, b, dir, ck, want, x)
	if isCompactionError(err) && ctx.Err() == nil {
		e.Log.Warn("log compaction file cannot be used, reading the commits", "table", b.URL(), "error", err)
		dir.compacted = nil
		return loadPieces(ctx, e, b, dir, ck, want, x)
	}
	return s, err
}

func loadPieces(ctx context.Context, e *env.Env, b *storage.Bucket, dir *logDirectory, ck *checkpointFiles, want int64, x extent) (*Snapshot, error) {
	s := &Snapshot{env: e, bucket: b, lineage: newLineage(), version: want, probed: e.Now()}
	s.files = view{cols: s.lineage.files, state: 1}
	s.tombs = view{cols: s.lineage.tombs, state: 1}
	s.lineage.head = want
	first := int64(0)
	var info *action.CommitInfo
	r := newReader(ctx, e, b, x)
	defer r.stop()
	if ck != nil {
		first = ck.version + 1
		s.lineage.checkpoint.Store(ck.version)
		r.checkpoint(ck)
	}
	lastSeen := false // the wanted version's own commit is read
	for _, p := range dir.pieces(first, want) {
		if p.compacted {
			r.compaction(p)
			continue
		}
		lastSeen = p.to == want
		r.commit(p.to, p.object)
	}
	for batch, version := range r.batches() {
		if version == want && batch.info != nil {
			info = batch.info
		}
		if err := s.replay(batch); err != nil {
			return nil, err
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	if len(r.named) > 0 {
		s.lineage.sidecars.put(&sidecarSet{version: ck.version, made: ck.parts[0].ModTime, list: r.named})
	}
	if obj, ok := dir.commits[want]; ok {
		s.time = dir.commitTime(want)
		if !lastSeen && s.metadata != nil && feature.InCommitTimestamps(s.metadata) {
			// A checkpoint or compaction covers the version; its own commit has its time.
			var err error
			if info, err = readCommitInfo(ctx, b, want, obj); err != nil {
				return nil, err
			}
		}
	} else if ck != nil {
		s.time = ck.parts[0].ModTime.UTC()
	}
	s.info = info
	if err := s.finish(); err != nil {
		return nil, err
	}
	return s, nil
}

// commitTime is the time of a commit file, made strictly increasing over the
// commits that the listing shows (as the reference does).
func (d *logDirectory) commitTime(version int64) time.Time {
	start := version
	for {
		if _, ok := d.commits[start-1]; !ok {
			break
		}
		start--
	}
	var clock deltalog.Clock
	for v := start; v < version; v++ {
		clock.Next(d.commits[v].ModTime)
	}
	return clock.Next(d.commits[version].ModTime)
}
