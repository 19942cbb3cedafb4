package snapshot

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

// logDirectory is what a listing of the log shows, from some version on.
type logDirectory struct {
	from        int64
	commits     map[int64]storage.Object
	checkpoints map[int64][]checkpointFiles
	incomplete  map[int64]bool // versions with some, not all, parts of a checkpoint
	checksums   map[int64]bool // versions with a version checksum that may be read
	compacted   []piece        // log compaction files
}

// maxChecksum is the size up to which version checksums are read: they may list
// all files of a small table.
const maxChecksum = 32 << 20

// checkpointFiles are the top-level files of one complete checkpoint.
type checkpointFiles struct {
	version int64
	rank    int // V2 before multi-part before a single file
	parts   []storage.Object
}

// listLog lists the log from a version on. A log that is not there is empty.
func listLog(ctx context.Context, b *storage.Bucket, from int64) (*logDirectory, error) {
	d := &logDirectory{from: from, commits: map[int64]storage.Object{}, checkpoints: map[int64][]checkpointFiles{}, incomplete: map[int64]bool{}, checksums: map[int64]bool{}}
	type set struct {
		version int64
		parts   int
	}
	parts := map[set]map[int]storage.Object{}
	for f, err := range deltalog.List(ctx, b, from) {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		if f.Kind != deltalog.Commit && f.Object.Size == 0 {
			continue // a checkpoint that was never written
		}
		one := []storage.Object{f.Object}
		switch f.Kind {
		case deltalog.Commit:
			d.commits[f.Version] = f.Object
		case deltalog.Compacted:
			d.compacted = append(d.compacted, piece{from: f.Start, to: f.Version, object: f.Object, compacted: true})
		case deltalog.Checksum:
			d.checksums[f.Version] = f.Object.Size <= maxChecksum
		case deltalog.Checkpoint:
			d.add(checkpointFiles{version: f.Version, rank: 2, parts: one})
		case deltalog.CheckpointV2:
			d.add(checkpointFiles{version: f.Version, rank: 0, parts: one})
		case deltalog.CheckpointPart:
			k := set{f.Version, f.Parts}
			if parts[k] == nil {
				parts[k] = map[int]storage.Object{}
			}
			parts[k][f.Part] = f.Object
		}
	}
	for k, found := range parts {
		if len(found) < k.parts {
			d.incomplete[k.version] = true
			continue
		}
		c := checkpointFiles{version: k.version, rank: 1}
		for i := 1; i <= k.parts; i++ {
			c.parts = append(c.parts, found[i])
		}
		d.add(c)
	}
	return d, d.fill(ctx, b)
}

// mostFilled bounds how many commits are looked for by name.
const mostFilled = 64

// fill looks by name for commits that the listing lacks although it has later ones.
// A folder is not listed in one moment: what is created meanwhile may be missed
// while what is created after it is seen.
func (d *logDirectory) fill(ctx context.Context, b *storage.Bucket) error {
	oldest := d.from
	for v := range d.checkpoints {
		oldest = max(oldest, v+1)
	}
	for v, looked := d.latest(), 0; v >= oldest && looked < mostFilled; v-- {
		if _, ok := d.commits[v]; ok {
			continue
		}
		looked++
		obj, err := b.Stat(ctx, deltalog.CommitPath(v))
		switch {
		case err == nil:
			d.commits[v] = obj
		case !errors.Is(err, storage.ErrNotExist):
			return err
		}
	}
	return nil
}

func (d *logDirectory) add(c checkpointFiles) {
	d.checkpoints[c.version] = append(d.checkpoints[c.version], c)
	slices.SortStableFunc(d.checkpoints[c.version], func(a, b checkpointFiles) int { return a.rank - b.rank })
}

func (d *logDirectory) empty() bool { return len(d.commits) == 0 && len(d.checkpoints) == 0 }

// latest is the newest version that the listing shows, -1 for none.
func (d *logDirectory) latest() int64 {
	v := int64(-1)
	for k := range d.commits {
		v = max(v, k)
	}
	for k := range d.checkpoints {
		v = max(v, k)
	}
	return v
}

// checkpointsUpTo lists the complete checkpoints at or below a version, newest
// and best first.
func (d *logDirectory) checkpointsUpTo(version int64) []checkpointFiles {
	var out []checkpointFiles
	for _, v := range slices.Backward(slices.Sorted(maps.Keys(d.checkpoints))) {
		if v <= version {
			out = append(out, d.checkpoints[v]...)
		}
	}
	return out
}

// gap is the first version in from..to without a commit, -1 for none.
func (d *logDirectory) gap(from, to int64) int64 {
	for v := from; v <= to; v++ {
		if _, ok := d.commits[v]; !ok {
			return v
		}
	}
	return -1
}

// earliest is the oldest version that can be rebuilt, -1 for none.
func (d *logDirectory) earliest() int64 {
	e := int64(-1)
	if _, ok := d.commits[0]; ok {
		return 0
	}
	for v := range d.checkpoints {
		if e < 0 || v < e {
			e = v
		}
	}
	return e
}

// lastCheckpoint reads the hint, -1 when it is missing, damaged or forbidden: a
// listing decides.
func lastCheckpoint(ctx context.Context, b *storage.Bucket) (int64, error) {
	hint, err := deltalog.ReadLastCheckpoint(ctx, b)
	var unusable *deltalog.HintError
	switch {
	case err == nil:
		return hint.Version, nil
	case errors.Is(err, storage.ErrNotExist), errors.Is(err, storage.ErrPermission), errors.As(err, &unusable):
		return -1, nil
	}
	return -1, err
}
