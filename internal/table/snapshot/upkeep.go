package snapshot

import (
	"context"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/table/feature"
)

// CheckpointDue reports whether this version is one that gets a checkpoint:
// every delta.checkpointInterval versions when the table sets it, otherwise as
// seldom as makes writing all files again worth its cost. It depends on the
// version alone, so of many writers just the one that committed it writes one.
func (s *Snapshot) CheckpointDue() bool {
	n, explicit := feature.CheckpointInterval(s.metadata)
	if !explicit {
		n = 100
		for _, step := range []int64{10, 20, 50} {
			if int64(s.NumFiles()) <= step*64 {
				n = step
				break
			}
		}
	}
	return s.version > 0 && s.version%n == 0
}

// LastCheckpoint is the newest version known to have a checkpoint, -1 for none.
func (s *Snapshot) LastCheckpoint() int64 { return s.lineage.checkpoint.Load() }

// WriteCheckpoint writes a checkpoint of the snapshot and then points
// _last_checkpoint to it. It does not hinder anybody: versions can be made and
// read meanwhile.
func WriteCheckpoint(ctx context.Context, s *Snapshot) error {
	if err := s.files.statisticsError(); err != nil {
		return fmt.Errorf("no checkpoint of %s at version %d is written, it would lose statistics for good: %w", s.bucket.URL(), s.version, err)
	}
	now := s.env.Now()
	state := &checkpoint.State{
		Version: s.version, Protocol: s.protocol, Metadata: s.metadata,
		NumAdds: s.NumFiles(), SizeInBytes: s.SizeInBytes(),
		StatsJSON: feature.CheckpointStatsJSON(s.metadata) || feature.CheckpointStatsStruct(s.metadata),
	}
	retain, expire := feature.TxnRetention(s.metadata)
	for _, t := range s.Txns() {
		if !expire || t.LastUpdated == nil || now.Sub(time.UnixMilli(*t.LastUpdated)) < retain {
			state.Txns = append(state.Txns, &t)
		}
	}
	for _, d := range s.Domains() {
		state.Domains = append(state.Domains, &d)
	}
	state.Adds = func(yield func(*action.File) bool) {
		var f action.File
		s.files.all(func(r ref) bool {
			s.files.file(s.files.chunks[r.chunk()], r.row(), &f, false)
			return yield(&f)
		})
	}
	// A tombstone whose time has run out protects nothing any more
	// (PROTOCOL.md, Add File and Remove File).
	oldest := now.Add(-feature.DeletedFileRetention(s.metadata)).UnixMilli()
	state.Removes = func(yield func(*action.File) bool) {
		var f action.File
		s.tombs.all(func(r ref) bool {
			c, k := s.tombs.chunks[r.chunk()], r.row()
			if c.modTime[k] <= oldest {
				return true
			}
			s.tombs.file(c, k, &f, true)
			return yield(&f)
		})
	}
	if err := checkpoint.Write(ctx, s.bucket, state); err != nil {
		return err
	}
	for {
		last := s.lineage.checkpoint.Load()
		if last >= s.version || s.lineage.checkpoint.CompareAndSwap(last, s.version) {
			return nil
		}
	}
}
