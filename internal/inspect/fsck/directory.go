package fsck

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// directory is the log as its listing shows it.
type directory struct {
	versions    []int64 // of commits and complete checkpoints, ascending
	commits     map[int64]storage.Object
	checkpoints map[int64][]checkpointFiles // complete ones
	checksums   map[int64]storage.Object
	compacted   []deltalog.File
}

// checkpointFiles are the top-level files of one checkpoint.
type checkpointFiles []storage.Object

// name is what a finding says of the checkpoint.
func (f checkpointFiles) name() string { return f[0].Key }

// listLog reads the names of the log.
func (c *Check) listLog() (*directory, error) {
	d := &directory{commits: map[int64]storage.Object{}, checkpoints: map[int64][]checkpointFiles{}, checksums: map[int64]storage.Object{}}
	type set struct {
		version int64
		parts   int
	}
	parts := map[set][]deltalog.File{}
	var sets []set
	seen := map[int64]bool{}
	for f, err := range deltalog.List(c.ctx, c.bucket, 0) {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch f.Kind {
		case deltalog.Commit:
			d.commits[f.Version] = f.Object
			c.sum.Commits++
			seen[f.Version] = true
		case deltalog.Checkpoint, deltalog.CheckpointV2:
			d.checkpoints[f.Version] = append(d.checkpoints[f.Version], checkpointFiles{f.Object})
			c.sum.Checkpoints++
			seen[f.Version] = true
		case deltalog.CheckpointPart:
			k := set{f.Version, f.Parts}
			if parts[k] == nil {
				sets = append(sets, k)
			}
			parts[k] = append(parts[k], f)
		case deltalog.Checksum:
			d.checksums[f.Version] = f.Object
		case deltalog.Compacted:
			d.compacted = append(d.compacted, f)
		}
	}
	for _, k := range sets {
		found := parts[k]
		if len(found) == k.parts {
			var files checkpointFiles
			for _, f := range found {
				files = append(files, f.Object)
			}
			d.checkpoints[k.version] = append(d.checkpoints[k.version], files)
			c.sum.Checkpoints++
			seen[k.version] = true
			continue
		}
		var missing []string
		for i := 1; i <= k.parts && len(missing) < 10; i++ {
			if !slices.ContainsFunc(found, func(f deltalog.File) bool { return f.Part == i }) {
				missing = append(missing, fmt.Sprint(i))
			}
		}
		c.report(CheckpointPartial, on(found[0].Object.Key, k.version), "%d of %d parts are there; missing: %s", len(found), k.parts, strings.Join(missing, ", "))
	}
	if len(seen) == 0 && len(parts) == 0 {
		return nil, &snapshot.NotTableError{Table: c.bucket.URL(), Why: "its _delta_log holds no commit and no checkpoint, or is not there"}
	}
	for v := range seen {
		d.versions = append(d.versions, v)
		c.sum.Version = max(c.sum.Version, v)
	}
	slices.Sort(d.versions)
	return d, nil
}

// gaps looks for commits that are missing between others, or before all of them.
// A log that begins behind version 0 with a checkpoint was cleaned up.
func (c *Check) gaps() error {
	d := c.dir
	newest := int64(-1) // checkpoint
	for v := range d.checkpoints {
		newest = max(newest, v)
	}
	last := int64(-1)
	for _, v := range d.versions {
		if first := last + 1; v > first && (first > 0 || !c.coveredStart(v)) {
			f := at(first)
			what := fmt.Sprintf("the commit of version %d is missing", first)
			if v-1 > first {
				what = fmt.Sprintf("the commits of versions %d to %d are missing", first, v-1)
			}
			if newest >= v-1 {
				f.Severity = Warning
				what += fmt.Sprintf("; the checkpoint of version %d makes newer versions readable", newest)
			}
			c.report(CommitMissing, f, "%s", what)
		}
		last = v
	}
	return nil
}

// coveredStart reports whether the log begins with version v because it was
// cleaned up: a checkpoint that the commits from v on lead to stands for what is gone.
func (c *Check) coveredStart(v int64) bool {
	for n := v; ; n++ {
		if _, ok := c.dir.checkpoints[n]; ok {
			return true
		}
		if _, ok := c.dir.commits[n]; !ok {
			return false
		}
	}
}

// hint looks at _last_checkpoint.
func (c *Check) hint() error {
	hint, err := deltalog.ReadLastCheckpoint(c.ctx, c.bucket)
	var unusable *deltalog.HintError
	switch {
	case errors.Is(err, storage.ErrNotExist):
		return nil
	case errors.As(err, &unusable):
		c.report(HintUnreadable, in(deltalog.LastCheckpointPath), "%s", unusable.Reason)
		return nil
	case err != nil:
		return err
	}
	newest := int64(-1)
	for v := range c.dir.checkpoints {
		newest = max(newest, v)
	}
	found := slices.ContainsFunc(c.dir.checkpoints[hint.Version], func(f checkpointFiles) bool { return hint.Parts == nil || *hint.Parts == len(f) })
	switch {
	case !found:
		c.report(HintStale, in(deltalog.LastCheckpointPath), "it names the checkpoint of version %d, which is not there or not complete", hint.Version)
	case newest > hint.Version:
		c.report(HintOld, in(deltalog.LastCheckpointPath), "it names the checkpoint of version %d, the newest is of version %d", hint.Version, newest)
	}
	return nil
}
