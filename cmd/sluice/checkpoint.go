package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) checkpoint() *cobra.Command {
	var (
		at                            atFlags
		classic, v2, parquet, rewrite bool
		dryRun                        bool
		parts                         int
	)
	cmd := &cobra.Command{
		Use:   "checkpoint TABLE",
		Short: "Write a checkpoint, so that readers need not read the commits before it",
		Long: `Write a checkpoint of the newest version, or of another one. Its kind is that of the table's delta.checkpointPolicy: classic, or v2, where sidecars of the checkpoint before in which nothing has changed are used again.

A checkpoint changes nothing about the table and hinders nobody. Commits write one every delta.checkpointInterval versions by themselves.`,
		Example: "  sluice checkpoint people\n  sluice checkpoint people --v2 --dry-run\n  sluice checkpoint people --classic --parts 4 --version 120 --json",
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			where, err := at.resolve(cmd)
			switch {
			case err != nil:
				return err
			case classic && v2:
				return usagef("--classic and --v2 exclude each other")
			case cmd.Flags().Changed("parts") && parts < 1:
				return usagef("--parts %d: want 1 or more", parts)
			case parts > 1 && v2:
				return usagef("--parts belongs to classic checkpoints: V2 ones have sidecars")
			}
			o := sluice.CheckpointOptions{Parts: parts, Parquet: parquet, Rewrite: rewrite, DryRun: dryRun}
			switch {
			case classic:
				o.Kind = sluice.CheckpointClassic
			case v2:
				o.Kind = sluice.CheckpointV2
			}
			if len(where) > 0 {
				o.At = where[0]
			}
			open := a.open
			if len(where) > 0 {
				open = a.openUnread
			}
			t, err := open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			r, err := t.Checkpoint(cmd.Context(), o)
			if err != nil {
				return err
			}
			if a.json {
				return a.object(checkpointObject(r))
			}
			a.printCheckpoint(r)
			return nil
		},
	}
	at.add(cmd)
	cmd.Flags().BoolVar(&classic, "classic", false, "write a classic checkpoint, which every reader knows")
	cmd.Flags().BoolVar(&v2, "v2", false, "write a V2 checkpoint; the table must have the feature v2Checkpoint")
	cmd.Flags().IntVar(&parts, "parts", 0, "write a classic checkpoint in so many files")
	cmd.Flags().BoolVar(&parquet, "parquet", false, "make the top level of a V2 checkpoint a Parquet file, not JSON")
	cmd.Flags().BoolVar(&rewrite, "rewrite", false, "write all sidecars anew, also unchanged ones")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be written, and write nothing")
	return cmd
}

func checkpointObject(r *sluice.CheckpointResult) map[string]any {
	o := map[string]any{"version": r.Version, "kind": string(r.Kind), "files": r.Files, "tombstones": r.Tombstones, "written": list(r.Written), "bytes": r.Bytes,
		"dryRun": r.DryRun}
	if r.Kind == sluice.CheckpointV2 {
		o["sidecars"], o["sidecarsReused"], o["filesInReused"] = r.Sidecars, r.SidecarsReused, r.FilesInReused
	}
	return o
}

func (a *app) printCheckpoint(r *sluice.CheckpointResult) {
	verb := "Checkpoint"
	if r.DryRun {
		verb = "Would write a checkpoint"
	}
	a.prose("%s of version %d, %s: %s and %s.", verb, r.Version, r.Kind, plural(int64(r.Files), "live file"), plural(int64(r.Tombstones), "tombstone"))
	if r.Kind == sluice.CheckpointV2 {
		a.prose("%s new, %s used again (%s in them).", plural(int64(r.Sidecars), "sidecar"), plural(int64(r.SidecarsReused), "sidecar"), plural(int64(r.FilesInReused), "file"))
	}
	if !r.DryRun {
		a.prose("%s written: %s", plural(r.Bytes, "byte"), strings.Join(r.Written, "\n"))
	}
}

func (a *app) compactLog() *cobra.Command {
	var (
		from, to int64
		dryRun   bool
	)
	cmd := &cobra.Command{
		Use:   "compact-log TABLE",
		Short: "Put what many commits say together into one file for readers",
		Long: `Write a log compaction file: what the commits of some versions say together, which readers may read in their place. The commits stay, so history and time travel stay too.

Without --from and --to these are the versions behind the newest checkpoint. Fewer than two are left alone.`,
		Example: "  sluice compact-log people\n  sluice compact-log people --from 100 --to 199 --json",
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := sluice.CompactLogOptions{DryRun: dryRun}
			for _, f := range []struct {
				name string
				v    *int64
				to   **int64
			}{{"from", &from, &o.From}, {"to", &to, &o.To}} {
				if cmd.Flags().Changed(f.name) {
					if *f.v < 0 {
						return usagef("--%s %d: versions start at 0", f.name, *f.v)
					}
					*f.to = f.v
				}
			}
			if o.From != nil && o.To != nil && from >= to {
				return usagef("--from %d --to %d: want at least two versions", from, to)
			}
			t, err := a.openUnread(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			r, err := t.CompactLog(cmd.Context(), o)
			if err != nil {
				return err
			}
			if a.json {
				return a.object(map[string]any{"from": r.From, "to": r.To, "commits": r.Commits, "actions": r.Actions, "kept": r.Kept, "file": nullable(r.File),
					"bytes": r.Bytes, "existed": r.Existed, "written": r.Written})
			}
			switch {
			case r.File == "":
				a.prose("Nothing to compact: %s behind the newest checkpoint.", plural(int64(r.Commits), "commit"))
			case r.Existed:
				a.prose("Versions %d to %d are compacted already: %s", r.From, r.To, r.File)
			case !r.Written:
				a.prose("Would compact versions %d to %d: %d of %s stay, %s.", r.From, r.To, r.Kept, plural(int64(r.Actions), "action"), plural(r.Bytes, "byte"))
			default:
				a.prose("Compacted versions %d to %d: %d of %s stay, %s: %s", r.From, r.To, r.Kept, plural(int64(r.Actions), "action"), plural(r.Bytes, "byte"), r.File)
			}
			return nil
		},
	}
	cmd.Flags().Int64Var(&from, "from", 0, "the first version (default: the one behind the newest checkpoint)")
	cmd.Flags().Int64Var(&to, "to", 0, "the last version (default: the newest)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "read and count, and write nothing")
	return cmd
}
