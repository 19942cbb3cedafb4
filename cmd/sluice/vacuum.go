package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

func (a *app) vacuum() *cobra.Command {
	var (
		w                 writing
		o                 sluice.VacuumOptions
		retain            time.Duration
		full              bool
		inventory, format string
		explain           string
	)
	cmd := &cobra.Command{
		Use:   "vacuum TABLE [--dry-run] [--retain 168h] [--lite | --inventory FILE]",
		Short: "Delete the files that no retained version of a table needs",
		Long: `vacuum deletes the files below the table's folder that no version within the retention reads: those that were removed, and those that failed writes have left, longer ago than the retention (delta.deletedFileRetentionDuration, seven days by default). Older versions can then not be read any more.

It leaves alone what transactions of this process have under way, what registered shallow clones read, names that begin with _ or a dot, and everything outside of the table. Interrupted, it leaves a whole table; run it again for the rest. See docs/guide/vacuum.md.`,
		Example: "  sluice vacuum events --dry-run\n  sluice vacuum events --lite --json\n  sluice vacuum events --explain part-00000-1d2c.parquet",
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			switch {
			case o.Lite && full:
				return usagef("--lite and --full exclude each other")
			case (o.Lite || full) && inventory != "":
				return usagef("--inventory lists the files: it goes with neither --lite nor --full")
			case o.DeletesPerSecond < 0:
				return usagef("--rate %g: want 0 or more", o.DeletesPerSecond)
			}
			o.UserMetadata, o.BeforePublish = w.userMetadata, w.beforePublish()
			if cmd.Flags().Changed("retain") {
				o.Retain = &retain
			}
			if inventory != "" {
				if o.Inventory, err = a.inventory(cmd.Context(), inventory, format); err != nil {
					return err
				}
			}
			if explain != "" {
				return a.explainVacuum(cmd.Context(), args[0], explain, o)
			}
			listener, done := a.watch()
			opts, err := a.tableOptions(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			t, err := sluice.Open(cmd.Context(), args[0], append(opts, sluice.WithListener(listener))...)
			if err != nil {
				return err
			}
			defer t.Close()
			res, err := t.Vacuum(cmd.Context(), o)
			done()
			var stopped *sluice.VacuumStoppedError
			if errors.As(err, &stopped) {
				a.writes = false // the error says what was done
			}
			if err != nil {
				return err
			}
			return a.vacuumed(res)
		},
	}
	a.writingFlags(cmd, &w)
	f := cmd.Flags()
	f.DurationVar(&retain, "retain", 0, "keep what was removed or written within this time, for example 240h (default: the table's retention)")
	f.BoolVar(&o.DryRun, "dry-run", false, "print the files that would be deleted, and delete none")
	f.BoolVar(&o.Lite, "lite", false, "take the files from the log, without listing the table; finds none that no commit names")
	f.BoolVar(&full, "full", false, "list the table (the default)")
	f.StringVar(&inventory, "inventory", "", "take the files from this `FILE` or table instead of listing: rows of path, length, isDir, modificationTime")
	f.StringVar(&format, "inventory-format", "", "json, csv, parquet or delta (default: by the name of the file)")
	f.StringVar(&explain, "explain", "", "say why the file at `PATH` would be deleted or not, and delete none")
	f.BoolVar(&o.NoRetentionCheck, "no-retention-check", false, "allow a --retain below the table's retention, when nobody else uses the table")
	f.BoolVar(&o.NoLog, "no-log", false, "do not record VACUUM START and VACUUM END in the table's history")
	f.Float64Var(&o.DeletesPerSecond, "rate", 0, "delete at most so many files a second (default: no limit)")
	f.StringArrayVar(&o.ForgetClones, "forget-clone", nil, "the shallow clone at `URL` is gone: keep no files for it; may be repeated")
	choices(cmd, "inventory-format", sourceFormats)
	return cmd
}

// inventory opens a list of files.
func (a *app) inventory(ctx context.Context, file, format string) (sluice.Source, error) {
	s := sourceFlags{file: file, format: format, bad: "fail", header: true, delimiter: ","}
	if format == "csv" || format == "" && strings.HasSuffix(strings.ToLower(file), ".csv") { // where all is text otherwise
		s.schema = "path STRING, length BIGINT, isDir BOOLEAN, modificationTime BIGINT"
		if _, err := types.ParseDDL(s.schema); err != nil {
			return nil, err
		}
	}
	src, _, err := a.source(ctx, &s)
	return src, err
}

func (a *app) explainVacuum(ctx context.Context, table, path string, o sluice.VacuumOptions) error {
	t, err := a.open(ctx, table)
	if err != nil {
		return err
	}
	defer t.Close()
	v, err := t.ExplainVacuum(ctx, path, o)
	if err != nil {
		return err
	}
	if a.json {
		return a.object(v)
	}
	verdict := "stays"
	if v.Deletable {
		verdict = "would be deleted"
	}
	a.printf("%s", path)
	a.prose("%s (%s): %s", verdict, v.Reason, v.Text)
	return nil
}

func (a *app) vacuumed(r *sluice.VacuumResult) error {
	if a.json {
		if r.DryRun {
			for path, size := range r.Files() {
				if err := a.object(map[string]any{"path": path, "size": size}); err != nil {
					return err
				}
			}
		}
		out := map[string]any{"operation": "VACUUM", "mode": r.Mode, "dryRun": r.DryRun, "version": r.Version, "cutoff": stamp(r.Cutoff), "retentionMillis": r.Retention.Milliseconds(),
			"filesFound": r.Found, "bytesFound": r.Bytes, "filesDeleted": r.Deleted, "bytesDeleted": r.Freed, "leftovers": r.Leftovers, "directories": r.Directories,
			"directoriesRemoved": r.Removed, "filesListed": r.Listed, "filesNeeded": r.Needed, "filesRecent": r.Recent, "filesUnderWay": r.UnderWay, "filesCloned": r.Cloned,
			"outside": r.Outside, "notes": list(r.Notes)}
		if r.Start >= 0 {
			out["startVersion"], out["endVersion"] = r.Start, r.End
		}
		if r.FirstRead >= 0 {
			out["firstVersionRead"], out["lastVersionRead"] = r.FirstRead, r.LastRead
		}
		if a.stats {
			out["stats"] = a.measured(sluice.Commit{})
		}
		return a.object(out)
	}
	if r.DryRun {
		for path, size := range r.Files() {
			a.printf("%s  (%s)", path, bytesText(size))
		}
		a.printf("VACUUM %s of version %d, dry run: %s of %s would be deleted%s", r.Mode, r.Version, plural(r.Found, "file"), bytesText(r.Bytes), extras(r))
	} else {
		a.printf("VACUUM %s of version %d: %s of %s deleted%s", r.Mode, r.Version, plural(r.Deleted, "file"), bytesText(r.Freed), extras(r))
	}
	a.printf("%s", wrapped(fmt.Sprintf("%s looked at in %s: %s needed, %s written after %s", plural(r.Listed, "file"), directories(r.Directories), thousands(r.Needed), thousands(r.Recent), stamp(r.Cutoff)), "  ", "    "))
	for _, n := range []struct {
		n    int64
		what string
	}{{r.UnderWay, "of transactions of this process that are under way"}, {r.Cloned, "that only shallow clones read"}, {r.Outside, "outside of the table or hidden, passed over"}} {
		if n.n > 0 {
			a.printf("%s", wrapped(fmt.Sprintf("%s %s", plural(n.n, "file"), n.what), "  ", "    "))
		}
	}
	for _, n := range r.Notes {
		a.printf("%s", wrapped(n, "  ", "    "))
	}
	if a.stats {
		m := a.measured(sluice.Commit{})
		a.printf("  %s elapsed, %s CPU, %s peak memory; %d store requests", time.Duration(m["elapsedMs"].(float64)*1e6).Round(100*time.Microsecond),
			time.Duration(m["cpuMs"].(float64)*1e6).Round(100*time.Microsecond), bytesText(m["peakMemoryBytes"].(int64)), m["storeRequests"])
	}
	return nil
}

// extras are what goes besides files.
func extras(r *sluice.VacuumResult) string {
	text := ""
	if r.Leftovers > 0 {
		text += fmt.Sprintf(", %s of unfinished writes", plural(r.Leftovers, "leftover"))
	}
	if r.Removed > 0 {
		text += ", " + directories(r.Removed)
	}
	return text
}

func directories(n int64) string {
	if n == 1 {
		return "1 folder"
	}
	return thousands(n) + " folders"
}
