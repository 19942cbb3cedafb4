package sluice

import (
	"context"

	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/checkpoint"
)

// CheckpointKind is a shape of checkpoints: CheckpointByPolicy leaves it to the
// table's delta.checkpointPolicy.
type CheckpointKind = snapshot.CheckpointKind

// The kinds of checkpoints. Multi-part ones are classic ones with Parts above 1.
const (
	CheckpointByPolicy  = snapshot.ByPolicy
	CheckpointClassic   = snapshot.Classic
	CheckpointMultiPart = snapshot.MultiPart
	CheckpointV2        = snapshot.V2
)

// CheckpointOptions say which checkpoint is wanted. The zero value is one of the
// newest version, as the table's properties ask for it.
type CheckpointOptions struct {
	At   At             // the zero value is the newest version
	Kind CheckpointKind // V2 needs the table feature v2Checkpoint
	// Parts above 1 write a classic checkpoint in so many files, which tables with
	// the feature v2Checkpoint forbid.
	Parts int
	// Parquet makes the top level of a V2 checkpoint a Parquet file; JSON otherwise.
	Parquet bool
	// Rewrite writes all sidecars of a V2 checkpoint anew. Otherwise those of the
	// checkpoint before in which nothing has changed are used again.
	Rewrite bool
	// SidecarFiles is how many files a new sidecar holds at most; 0 is 50,000.
	SidecarFiles int
	DryRun       bool // only plan
}

// CheckpointResult is a checkpoint: what it holds, and what was written.
type CheckpointResult struct {
	Version                  int64
	Kind                     CheckpointKind
	Files                    int // live files of the table
	Tombstones               int // removed files that are kept until they expire
	Sidecars, SidecarsReused int // of a V2 checkpoint: new ones, and those of an earlier checkpoint
	FilesInReused            int // live and removed files in the latter
	Written                  []string
	Bytes                    int64 // written
	DryRun                   bool
}

// Checkpoint writes a checkpoint: the state of the table at one version, so that
// readers need not read the commits before it. It hinders nobody. Commits write
// checkpoints by themselves, see WithoutCheckpoints.
func (t *Table) Checkpoint(ctx context.Context, o CheckpointOptions) (*CheckpointResult, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	r, err := checkpoint.Run(ctx, t.log, checkpoint.Spec{At: o.At.at, DryRun: o.DryRun,
		Options: snapshot.CheckpointOptions{Kind: o.Kind, Parts: o.Parts, ParquetTop: o.Parquet, NoReuse: o.Rewrite, Sidecar: o.SidecarFiles}})
	if err != nil {
		return nil, t.fail("checkpoint", err)
	}
	p := r.Plan
	return &CheckpointResult{Version: p.Version, Kind: p.Kind, Files: p.Adds, Tombstones: p.Tombstones, Sidecars: p.New, SidecarsReused: p.Kept,
		FilesInReused: p.KeptFiles, Written: r.Files, Bytes: r.Bytes, DryRun: !r.Written}, nil
}

// CompactLogOptions say which commits come into one file. The zero value is all
// behind the newest checkpoint.
type CompactLogOptions struct {
	From, To *int64 // versions, both included
	DryRun   bool   // only read and count
}

// CompactLogResult is a log compaction.
type CompactLogResult struct {
	From, To int64
	Commits  int
	Actions  int    // in the commits
	Kept     int    // in the file
	File     string // its key; empty when there is nothing to compact
	Bytes    int64
	Existed  bool // the file was there already, and stays
	Written  bool
}

// CompactLog writes a log compaction file: what some commits say together, which
// readers may read in their place (PROTOCOL.md, Log Compaction Files). The commits
// stay. Fewer than two commits are left alone.
func (t *Table) CompactLog(ctx context.Context, o CompactLogOptions) (*CompactLogResult, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	r, err := checkpoint.Compact(ctx, t.log, checkpoint.CompactSpec{From: o.From, To: o.To, DryRun: o.DryRun})
	if err != nil {
		return nil, t.fail("compact log", err)
	}
	return &CompactLogResult{From: r.From, To: r.To, Commits: r.Commits, Actions: r.Before, Kept: r.Actions, File: r.File, Bytes: r.Bytes,
		Existed: r.Existed, Written: r.Written}, nil
}

// WithLogCompaction writes a log compaction file behind every n-th commit, over
// the n commits up to it; below 2 none is written, as without this option.
func WithLogCompaction(n int) Option { return func(c *config) { c.policy.CompactEvery = int64(n) } }
