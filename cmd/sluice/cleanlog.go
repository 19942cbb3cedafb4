package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) cleanLog() *cobra.Command {
	var (
		o      sluice.CleanLogOptions
		retain time.Duration
	)
	cmd := &cobra.Command{
		Use:   "clean-log TABLE [--dry-run]",
		Short: "Remove what the log has of versions older than its retention",
		Long: `clean-log removes commits, checkpoints, checksums and compactions of versions older than delta.logRetentionDuration (30 days by default), before a checkpoint that keeps every younger version readable, and sidecars that no checkpoint names any more. Times are rounded to midnight (UTC), as the protocol asks.

Commits do this by themselves whenever they have written a checkpoint. Data files are the business of vacuum.`,
		Example: "  sluice clean-log events --dry-run",
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("retain") {
				if retain < 0 {
					return usagef("--retain %s: want 0 or more", retain)
				}
				o.Retain = &retain
			}
			t, err := a.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			r, err := t.CleanLog(cmd.Context(), o)
			if err != nil {
				return err
			}
			if a.json {
				return a.object(map[string]any{"checkpoint": r.Checkpoint, "cutoff": stamp(r.Cutoff), "files": list(r.Files), "bytes": r.Bytes, "deleted": r.Deleted, "dryRun": r.DryRun, "why": r.Why})
			}
			switch {
			case r.Why != "":
				a.prose("nothing is removed: %s", r.Why)
			case r.DryRun:
				for _, f := range r.Files {
					a.printf("%s", f)
				}
				a.printf("dry run: %s of %s before version %d would be removed", plural(int64(len(r.Files)), "file"), bytesText(r.Bytes), r.Checkpoint)
			default:
				a.printf("%s of %s before version %d removed", plural(int64(r.Deleted), "file"), bytesText(r.Bytes), r.Checkpoint)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.DurationVar(&retain, "retain", 0, "keep versions of this time, for example 240h (default: the table's delta.logRetentionDuration)")
	f.BoolVar(&o.DryRun, "dry-run", false, "print the files that would be removed, and remove none")
	f.BoolVar(&o.Force, "force", false, "clean although the table's delta.enableExpiredLogCleanup is false")
	return cmd
}
