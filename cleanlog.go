package sluice

import (
	"context"
	"time"

	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// CleanLogOptions say what CleanLog may remove.
type CleanLogOptions struct {
	// Force cleans although the table's delta.enableExpiredLogCleanup is false.
	Force bool
	// Retain replaces the table's delta.logRetentionDuration.
	Retain *time.Duration
	// DryRun finds the files, and removes none.
	DryRun bool
}

// CleanLogResult is what CleanLog found and did.
type CleanLogResult = snapshot.CleanResult

// CleanLog removes what the log has of versions older than its retention (30 days
// by default): commits, checkpoints and what repeats them, before a checkpoint that
// keeps every younger version readable. Commits do it by themselves whenever they
// have written a checkpoint.
func (t *Table) CleanLog(ctx context.Context, o CleanLogOptions) (*CleanLogResult, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	s, err := t.log.Update(ctx)
	if err != nil {
		return nil, t.fail("cleaning the log of", err)
	}
	r, err := t.log.CleanLog(ctx, s, snapshot.CleanOptions{Force: o.Force, Retention: o.Retain, DryRun: o.DryRun})
	if err != nil {
		return r, t.fail("cleaning the log of", err)
	}
	return r, nil
}
