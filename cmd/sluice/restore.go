package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) restore() *cobra.Command {
	var (
		v      atFlags
		o      sluice.RestoreOptions
		w      writing
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "restore TABLE --version N | --at TIMESTAMP",
		Short: "Make a table again what it was at an older version",
		Long: `Commits a version that has the files, the schema and the properties of an older one. The versions between stay readable; what other
writers commit meanwhile is taken back too. Files that VACUUM deleted cannot come back: then nothing is committed, unless --ignore-missing is given.`,
		Example: `  sluice restore people --version 12 --dry-run
  sluice restore people --at 2026-01-31T12:00:00Z`,
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := v.resolve(cmd)
			if err != nil {
				return err
			}
			if len(at) == 0 {
				return usagef("restore needs --version N or --at TIMESTAMP")
			}
			o.UserMetadata, o.BeforePublish = w.userMetadata, w.beforePublish()
			t, err := a.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			if dryRun {
				p, err := t.PlanRestore(cmd.Context(), at[0], o)
				if err != nil {
					return err
				}
				return a.restorePlan(*p)
			}
			res, err := t.Restore(cmd.Context(), at[0], o)
			if err != nil {
				return err
			}
			p := res.Plan
			return a.committed("RESTORE", res.Commit, []number{
				{key: "restoredVersion", value: p.To},
				{key: "filesRestored", value: int64(p.FilesRestored), text: "file", verb: "brought back", always: true},
				{key: "bytesRestored", value: p.BytesRestored},
				{key: "filesRemoved", value: int64(p.FilesRemoved), text: "file", verb: "taken away", always: true},
				{key: "bytesRemoved", value: p.BytesRemoved},
				{key: "filesAfter", value: int64(p.FilesAfter), text: "file", verb: "now", always: true},
				{key: "bytesAfter", value: p.BytesAfter},
			})
		},
	}
	a.writingFlags(cmd, &w)
	v.add(cmd)
	cmd.Flags().Lookup("version").Usage = "the `VERSION` to restore"
	cmd.Flags().Lookup("at").Usage = "restore the newest version that is not younger than this `TIMESTAMP`"
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would change, and change nothing")
	cmd.Flags().BoolVar(&o.IgnoreMissing, "ignore-missing", false, "restore although data files are gone")
	cmd.Flags().BoolVar(&o.AllowDowngrade, "allow-downgrade", false, "give the table its old protocol too")
	return cmd
}

func (a *app) restorePlan(p sluice.RestorePlan) error {
	if a.json {
		return a.object(map[string]any{"operation": "RESTORE", "dryRun": true, "version": p.From, "restoredVersion": p.To, "timestamp": stamp(p.Time),
			"filesRestored": p.FilesRestored, "bytesRestored": p.BytesRestored, "filesRemoved": p.FilesRemoved, "bytesRemoved": p.BytesRemoved,
			"filesAfter": p.FilesAfter, "bytesAfter": p.BytesAfter, "changes": append([]string{}, p.Changes...)})
	}
	a.printf("RESTORE from version %d to version %d (%s) would", p.From, p.To, stamp(p.Time))
	line := func(format string, args ...any) { a.printf("  "+format, args...) }
	line("bring back %s, %s", plural(int64(p.FilesRestored), "file"), bytesText(p.BytesRestored))
	line("take away  %s, %s", plural(int64(p.FilesRemoved), "file"), bytesText(p.BytesRemoved))
	if len(p.Changes) > 0 {
		line("change     %s", strings.Join(p.Changes, ", "))
	}
	line("%s", fmt.Sprintf("leave      %s, %s; nothing was changed yet", plural(int64(p.FilesAfter), "file"), bytesText(p.BytesAfter)))
	return nil
}
