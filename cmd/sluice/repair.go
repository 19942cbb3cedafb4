package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice"
)

// repair prints what is gone and what becomes of it, and then does it.
func (a *app) repair(ctx context.Context, table string, o sluice.RepairOptions) error {
	t, err := a.open(ctx, table)
	if err != nil {
		return err
	}
	defer t.Close()
	plan := o
	plan.DryRun = true
	r, err := t.Repair(ctx, plan)
	if err != nil {
		return err
	}
	for _, m := range r.Missing {
		if a.json {
			if err := a.object(m); err != nil {
				return err
			}
			continue
		}
		a.missing(m)
	}
	if !a.json && r.Unknown > 0 {
		a.prose("%s outside of the table's folder not looked for: --allow-outside allows it", plural(r.Unknown, "file"))
	}
	if !o.DryRun && len(r.Missing) > 0 {
		if err := a.out.Flush(); err != nil {
			return err
		}
		done, err := t.Repair(ctx, o)
		var vector *sluice.MissingVectorError
		if errors.As(err, &vector) {
			a.writes = false // the error says so itself
		}
		if err != nil {
			return err
		}
		r = done
	}
	if a.json {
		return a.object(map[string]any{"operation": "FSCK", "dryRun": o.DryRun, "version": r.Commit.Version, "committed": r.Commit.Committed,
			"filesScanned": r.Scanned, "filesMissing": len(r.Missing), "filesRemoved": r.Removed, "filesUnknown": r.Unknown, "winners": winners(r.Commit.Winners)})
	}
	switch {
	case len(r.Missing) == 0:
		a.printf("FSCK: all of %s there, the table stays at version %d", plural(r.Scanned, "file"), r.Version)
	case o.DryRun:
		a.printf("FSCK of version %d, dry run: something of %s is gone", r.Version, plural(int64(len(r.Missing)), "file"))
	case !r.Commit.Committed:
		a.printf("FSCK: nothing to change, the table stays at version %d", r.Commit.Version)
	default:
		a.printf("FSCK: version %d: %s taken out of the table", r.Commit.Version, plural(r.Removed, "file"))
	}
	return nil
}

func (a *app) missing(m sluice.MissingFile) {
	rows := ""
	if m.Rows != nil {
		rows = ", " + plural(*m.Rows, "row")
	}
	a.printf("%s  (%s%s)", m.Path, bytesText(m.Size), rows)
	switch {
	case m.DataMissing:
		a.printf("%s", wrapped("the file is gone, and its rows with it: it is taken out of the table", "  ", "    "))
	case m.Remove:
		a.printf("%s", wrapped(fmt.Sprintf("its deletion vector %s is gone: it is taken out of the table, with all of its rows", m.Vector), "  ", "    "))
	default:
		a.printf("%s", wrapped(fmt.Sprintf("its deletion vector %s is gone: nobody can tell which rows were deleted; bring it back, or give all rows up (--remove-unmarked)", m.Vector), "  ", "    "))
	}
}
