package snapshot

import (
	"context"

	"github.com/sluicelake/sluice/internal/table/feature"
)

// CheckpointDue reports whether this version is one that gets a checkpoint:
// every delta.checkpointInterval versions when the table sets it, otherwise as
// seldom as makes writing all files again worth its cost; V2 checkpoints, which
// use unchanged sidecars again, cost what has changed. It depends on the
// version alone, so of many writers just the one that committed it writes one.
func (s *Snapshot) CheckpointDue() bool {
	n, explicit := feature.CheckpointInterval(s.metadata)
	if !explicit && !feature.CheckpointV2(s.protocol, s.metadata) {
		n = 100
		for _, step := range []int64{10, 20, 50} {
			if s.Counted() && int64(s.NumFiles()) <= step*64 {
				n = step
				break
			}
		}
	}
	return s.version > 0 && s.version%n == 0
}

// LastCheckpoint is the newest version known to have a checkpoint, -1 for none.
func (s *Snapshot) LastCheckpoint() int64 { return s.lineage.checkpoint.Load() }

// WriteCheckpoint writes the checkpoint that the table's properties ask for.
func WriteCheckpoint(ctx context.Context, s *Snapshot) error {
	s, err := s.Whole(ctx)
	if err != nil {
		return err
	}
	p, err := s.PlanCheckpoint(CheckpointOptions{})
	if err != nil {
		return err
	}
	_, err = p.Write(ctx)
	return err
}
