package sluice

import (
	"context"

	"github.com/sluicelake/sluice/internal/verbs/repair"
)

// RepairOptions say what a repair may do. The zero value takes files out of the
// table whose data is gone, and refuses when a deletion vector is gone.
type RepairOptions struct {
	// DryRun finds what is gone, and changes nothing.
	DryRun bool
	// RemoveUnmarked takes files out of the table too whose deletion vector is gone.
	// Their rows are lost: nobody can tell any more which of them were deleted.
	RemoveUnmarked bool
	UserMetadata   string
	// BeforePublish is as in CommitOptions.
	BeforePublish func(ctx context.Context) error
}

// RepairResult is what a repair found and did.
type RepairResult struct {
	Table   string
	Version int64 // that was looked at
	Scanned int64 // live files
	Missing []MissingFile
	Removed int64 // files that are no part of the table any more
	Unknown int64 // files outside of the table's folder that may not be looked at
	Commit  Commit
}

// MissingFile is a live file whose data or deletion vector is gone, in the form of
// its JSON.
type MissingFile = repair.Missing

// MissingVectorError refuses a repair that would have to decide about deleted rows.
type MissingVectorError = repair.VectorError

// Repair looks for every file that the newest version names, and takes those out of
// the table that the store does not have any more, in one commit. The rows in them
// are lost already; what is left can be read again. Check finds all that may be wrong.
func (t *Table) Repair(ctx context.Context, o RepairOptions) (*RepairResult, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	r, err := repair.Run(ctx, t.log, repair.Spec{DryRun: o.DryRun, RemoveUnmarked: o.RemoveUnmarked}, repair.Options{UserMetadata: o.UserMetadata, BeforePublish: o.BeforePublish})
	var out *RepairResult
	if r != nil {
		out = &RepairResult{Table: r.Table, Version: r.Version, Scanned: r.Scanned, Missing: r.Missing, Removed: r.Removed, Unknown: r.Unknown,
			Commit: commitOf(r.Commit, r.Commit.Winners, false, 1)}
	}
	if err != nil {
		return out, t.fail("FSCK of", err)
	}
	return out, nil
}
