package restore

import (
	"context"
	"fmt"

	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/read"
)

// Files of versions beyond the retention may be deleted by VACUUM at any time, so
// they must not come back while one runs. VACUUM says so in the log: sluice's looks
// at the newest version once more after VACUUM START, and spares what came back
// before it. A restore therefore is either before that commit, and safe, or sees it
// and refuses.

// unswept refuses while a VACUUM is under way that may delete files of the plan.
func (p *Plan) unswept(ctx context.Context, now *snapshot.Snapshot, spec Spec) error {
	if spec.IgnoreMissing || len(read.Unguarded(now, p.Restored)) == 0 {
		return nil
	}
	at, running, err := read.Sweeping(ctx, now, false)
	if err != nil || !running {
		return err
	}
	return p.swept(now, at)
}

// overtaken refuses behind a winner that begins to delete.
func (p *Plan) overtaken(at *snapshot.Snapshot, spec Spec) error {
	if spec.IgnoreMissing || !read.Sweeps(at, at.CommitInfo()) || len(read.Unguarded(at, p.Restored)) == 0 {
		return nil
	}
	return p.swept(at, at.Version())
}

func (p *Plan) swept(now *snapshot.Snapshot, at int64) error {
	return refuse("SLUICE_RESTORE_DURING_VACUUM", "version %d of %s has files that are older than the retention, and a VACUUM that began at version %d may be deleting them: nothing was restored; "+
		"wait for its VACUUM END, or, if it has died, restore with missing files ignored", p.To, now.Bucket().URL(), at)
}

// landed looks for the files again, after the commit: engines that do not look at
// the log before they delete may have taken some away.
func (p *Plan) landed(ctx context.Context, now, then *snapshot.Snapshot, c txn.Result, spec Spec) error {
	if !c.Committed || spec.IgnoreMissing {
		return nil
	}
	missing, err := read.Absent(ctx, then, read.Unguarded(now, p.Restored))
	if err != nil {
		return fmt.Errorf("version %d was committed and restores version %d; whether its files are all there could not be seen: %w", c.Version, p.To, err)
	}
	if len(missing) == 0 {
		return nil
	}
	return refuse("DELTA_RESTORE_MISSING_FILES", "version %d was committed and restores version %d, but %d of its files were deleted at the same time, by a VACUUM of another engine (%s ...): "+
		"restore version %d to be where you were, or repair the table (fsck --repair)", c.Version, p.To, len(missing), missing[0], p.From)
}
