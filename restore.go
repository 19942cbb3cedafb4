package sluice

import (
	"context"
	"time"

	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/restore"
)

// RestoreOptions say how a table is restored.
type RestoreOptions struct {
	// IgnoreMissing restores although VACUUM has deleted data files of the version;
	// reading the rows of these fails afterwards.
	IgnoreMissing bool
	// AllowDowngrade gives the table the protocol that it had; otherwise features
	// that came since stay.
	AllowDowngrade bool
	UserMetadata   string
	// BeforePublish is as in CommitOptions.
	BeforePublish func(ctx context.Context) error
}

// RestorePlan is what leads from a version of a table back to an older one.
type RestorePlan struct {
	From, To      int64 // versions
	Time          time.Time
	FilesRestored int
	BytesRestored int64
	FilesRemoved  int
	BytesRemoved  int64
	FilesAfter    int
	BytesAfter    int64
	// Changes names what changes besides files: schema, properties, protocol, ...
	Changes []string
}

// RestoreResult is what a restore did.
type RestoreResult struct {
	Plan   RestorePlan
	Commit Commit
}

// Restore makes the table again what it was at an older version. It is a commit
// like any other: the versions between stay, and what other writers commit
// meanwhile is taken back too, as if the restore had come after them.
func (t *Table) Restore(ctx context.Context, to At, o RestoreOptions) (*RestoreResult, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	res, err := restore.Run(ctx, t.log, o.spec(to), txn.Options{BeforePublish: o.BeforePublish})
	if err != nil {
		return nil, t.fail("restore", err)
	}
	return &RestoreResult{Plan: restorePlanOf(res.Plan), Commit: commitOf(res.Commit, res.Winners, false, res.Runs)}, nil
}

// PlanRestore says what Restore would do now, and whether all files are there.
func (t *Table) PlanRestore(ctx context.Context, to At, o RestoreOptions) (*RestorePlan, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	p, err := restore.Preview(ctx, t.log, o.spec(to))
	if err != nil {
		return nil, t.fail("restore", err)
	}
	out := restorePlanOf(p)
	return &out, nil
}

func (o RestoreOptions) spec(to At) restore.Spec {
	return restore.Spec{To: to.at, IgnoreMissing: o.IgnoreMissing, Downgrade: o.AllowDowngrade, UserMetadata: o.UserMetadata}
}

func restorePlanOf(p *restore.Plan) RestorePlan {
	return RestorePlan{From: p.From, To: p.To, Time: p.Time, FilesRestored: len(p.Restored), BytesRestored: p.RestoredBytes(),
		FilesRemoved: len(p.Removed), BytesRemoved: p.RemovedBytes(), FilesAfter: p.Files, BytesAfter: p.Bytes, Changes: p.Changes}
}
