package optimize

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// Auto says when a commit is followed by a compaction of the partitions that it has
// written to. The zero value is what the reference does for a table that asks for
// it (delta.autoOptimize.autoCompact).
type Auto struct {
	Enabled    *bool // nil: as the table says
	TargetSize int64 // of the files that are written; 0 is 128 MiB
	MinSize    int64 // from which a file is left alone; 0 is half of the target
	MinFiles   int   // small files that a partition must have; 0 is 50
	Partitions int   // that are compacted at once, at most; 0 is 128
}

// Sizes of the reference, and the size up to which the cubes of a clustered table
// are written again behind a commit: larger ones are left to an OPTIMIZE that
// somebody asks for, since a statement waits.
const (
	autoTarget     = 128 << 20
	autoFiles      = 50
	autoPartitions = 128
	autoCube       = 1 << 30
)

func (a Auto) spec() (Spec, int) {
	s := Spec{Auto: true, TargetSize: a.TargetSize, MinSize: a.MinSize, MinFiles: a.MinFiles, LeastCube: autoCube, LargestCube: autoCube}
	if s.TargetSize <= 0 {
		s.TargetSize = autoTarget
	}
	if s.MinSize <= 0 {
		s.MinSize = s.TargetSize / 2
	}
	if s.MinFiles <= 0 {
		s.MinFiles = autoFiles
	}
	most := a.Partitions
	if most <= 0 {
		most = autoPartitions
	}
	return s, most
}

// Follow is a txn.After that compacts what a commit has left in small files. The
// commit stands whatever comes of it: an error is logged, and the next commit tries
// again. Partitions that another statement of this process is compacting are left
// to it.
func (a Auto) Follow(ctx context.Context, l *txn.Log, c txn.Committed) {
	on := feature.AutoCompacts(c.Snapshot.Metadata())
	if a.Enabled != nil {
		on = *a.Enabled
	}
	if !on || copies[c.Operation] {
		return
	}
	touched := written(c.Actions)
	if len(touched) == 0 {
		return
	}
	spec, most := a.spec()
	s, err := c.Snapshot.Whole(ctx)
	if err != nil {
		l.Env().Log.Warn("auto-compaction could not read the files of the table; the commit before it stands", "version", c.Version, "error", err)
		return
	}
	todo := crowded(s, touched, spec, most)
	todo, release := inflight.Reserve(l.Bucket().URL(), todo)
	defer release()
	if len(todo) == 0 {
		return
	}
	spec.Partitions = func(v action.PartitionValues) bool { return slices.Contains(todo, key(v)) }
	if _, err := Run(ctx, l, spec, Options{}); err != nil {
		l.Env().Log.Warn("auto-compaction failed; the commit before it stands", "version", c.Version, "error", err)
	}
}

// copies are the operations whose files are those of other versions, tables or
// engines: nobody has written rows.
var copies = map[string]bool{"RESTORE": true, "CLONE": true, "CONVERT": true}

// written lists the partitions that a commit has added data files to. A file that
// was only given a deletion vector was there before.
func written(acts []action.Action) map[string]bool {
	removed := map[string]bool{}
	for _, a := range acts {
		if r, ok := a.(*action.Remove); ok {
			removed[r.Path] = true
		}
	}
	out := map[string]bool{}
	for _, a := range acts {
		if add, ok := a.(*action.Add); ok && add.DataChange && !removed[add.Path] {
			out[key(add.PartitionValues)] = true
		}
	}
	return out
}

// crowded lists those of the partitions that have enough small files, the fullest
// first.
func crowded(s *snapshot.Snapshot, touched map[string]bool, spec Spec, most int) []string {
	files := s.Files()
	counts, names := map[int]int{}, map[int]string{}
	for i := range files.All() {
		t := files.Tuple(i)
		name, ok := names[t]
		if !ok {
			if name = key(files.Bare(i).PartitionValues); !touched[name] {
				name = none
			}
			names[t] = name
		}
		if name != none && files.Size(i) < spec.MinSize {
			counts[t]++
		}
	}
	var full []int
	for t, n := range counts {
		if n >= spec.MinFiles {
			full = append(full, t)
		}
	}
	slices.SortFunc(full, func(a, b int) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(names[a], names[b]))
	})
	out := make([]string, min(len(full), most))
	for i := range out {
		out[i] = names[full[i]]
	}
	return out
}

// none is the key of no partition.
const none = "\x03"

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
