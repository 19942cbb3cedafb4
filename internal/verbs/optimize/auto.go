package optimize

import (
	"context"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// What the reference compacts behind a commit: partitions that the commit has
// written to and that have many small files.
const (
	autoTarget     = 128 << 20
	autoFiles      = 50
	autoPartitions = 128
)

// After compacts what a commit has left in small files, when the table asks for it
// (delta.autoOptimize.autoCompact). The commit stands whatever comes of it: an
// error is logged, and the next commit tries again.
func After(ctx context.Context, l *txn.Log, c txn.Result) {
	if !c.Committed || c.Snapshot == nil || !automatic(c.Snapshot) {
		return
	}
	if err := compact(ctx, l, c); err != nil {
		l.Env().Log.Warn("auto-compaction failed; the commit before it stands", "version", c.Version, "error", err)
	}
}

// automatic reads the table's wish.
func automatic(s *snapshot.Snapshot) bool {
	conf := s.Metadata().Configuration
	wish, ok := conf["delta.autoOptimize.autoCompact"]
	if !ok {
		wish = conf["delta.autoOptimize"]
	}
	return strings.EqualFold(wish, "true") || strings.EqualFold(wish, "auto")
}

func compact(ctx context.Context, l *txn.Log, c txn.Result) error {
	data, _, err := deltalog.ReadCommit(ctx, l.Bucket(), c.Version)
	if err != nil {
		return err
	}
	acts, err := action.ParseCommit(data, deltalog.CommitPath(c.Version))
	if err != nil {
		return err
	}
	touched := map[string]bool{}
	for _, a := range acts {
		if add, ok := a.(*action.Add); ok && len(touched) < autoPartitions {
			touched[key(add.PartitionValues)] = true
		}
	}
	if len(touched) == 0 {
		return nil
	}
	_, err = Run(ctx, l, Spec{Auto: true, TargetSize: autoTarget, MinSize: autoTarget / 2, MinFiles: autoFiles,
		Partitions: func(v action.PartitionValues) bool { return touched[key(v)] }}, Options{})
	return err
}

// key tells partitions apart; an empty text is NULL.
func key(v action.PartitionValues) string {
	var parts []string
	for name, value := range v {
		if value == nil || *value == "" {
			parts = append(parts, name+"\x00")
		} else {
			parts = append(parts, name+"\x01"+*value)
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, "\x02")
}
