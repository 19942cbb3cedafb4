package alter

import (
	"context"
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// removeVectors switches deletion vectors off, writes the files again that have
// one, and notes the files of vectors as removed: engines that do not know vectors
// would otherwise take these files for waste, and older versions need them.
func removeVectors(ctx context.Context, l *txn.Log, o Options) (bool, error) {
	s, err := l.Update(ctx)
	if err != nil {
		return false, err
	}
	made := false
	if feature.DeletionVectorsEnabled(s.Protocol(), s.Metadata()) {
		made = true
		if _, err := Run(ctx, l, UnsetProperties{Keys: []string{vectorsKey}, IfExists: true}, o); err != nil {
			return made, err
		}
	}
	if s, err = l.Update(ctx); err != nil {
		return made, err
	}
	if s.NumDeletionVectors() > 0 {
		made = true
		err := rewriteFiles(ctx, l, o, func(*snapshot.Snapshot) (rewriting, error) {
			return rewriting{pick: func(a *action.Add) (bool, error) { return a.DeletionVector != nil, nil }, operation: reorg(true, o)}, nil
		})
		if err != nil {
			return made, err
		}
	}
	return made, commitWork(ctx, l, func(s *snapshot.Snapshot) (txn.Work, error) {
		return &plain{acts: vectorTombstones(s), op: txn.Operation{Name: "Deletion Vector Tombstones", UserMetadata: o.UserMetadata}}, nil
	})
}

// vectorTombstones removes the files of vectors that the log still names. A file
// that is noted already is passed over.
func vectorTombstones(s *snapshot.Snapshot) []action.Action {
	keys, noted := map[string]bool{}, map[string]bool{}
	for r := range s.Tombstones() {
		noted[r.Path] = true
		if r.DeletionVector == nil {
			continue
		}
		if at, err := dv.Locate(r.DeletionVector, s.Bucket().URL()); err == nil && at.Key != "" {
			keys[at.Key] = true
		}
	}
	var out []action.Action
	now := s.Env().Now().UnixMilli()
	for key := range keys {
		if path := partition.EscapePath(key); !noted[path] {
			out = append(out, &action.Remove{Path: path, DeletionTimestamp: &now})
		}
	}
	slices.SortFunc(out, func(a, b action.Action) int {
		if a.(*action.Remove).Path < b.(*action.Remove).Path {
			return -1
		}
		return 1
	})
	return out
}

func usesVectors(a action.Action) bool {
	switch x := a.(type) {
	case *action.Add:
		return x.DeletionVector != nil
	case *action.Remove:
		return x.DeletionVector != nil
	case *action.Metadata:
		return isTrue(x, vectorsKey)
	}
	return false
}
