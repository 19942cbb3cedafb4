package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) optimize() *cobra.Command {
	var (
		w           writing
		o           sluice.OptimizeOptions
		target, min string
		commit      string
		dry         bool
	)
	cmd := &cobra.Command{
		Use:   "optimize TABLE [--where CONDITION] [--zorder a,b] [--dry-run]",
		Short: "Write small files again as few large ones, sorted on request",
		Long: `optimize packs small files, and files with many deleted rows, into few large ones; no row changes. ` +
			`With --zorder, and on a clustered table, rows are sorted so that statistics keep more files from being read.

It never makes another writer fail: what others delete meanwhile is deleted in the new files. Large jobs are committed in parts, and a run that is stopped leaves the parts that are done; the next run does the rest. See docs/guide/optimize.md.`,
		Example: "  sluice optimize events --where \"day >= '2026-01-01'\" --dry-run\n  sluice optimize events --zorder user_id,time --target-size 256MB",
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			o.UserMetadata, o.BeforePublish = w.userMetadata, w.beforePublish()
			for _, f := range []struct {
				name, text string
				to         *int64
			}{{"target-size", target, &o.TargetSize}, {"min-size", min, &o.MinSize}, {"commit-size", commit, &o.CommitBytes}} {
				if f.text == "" {
					continue
				}
				if *f.to, err = parseBytes(f.text); err != nil {
					return usagef("--%s: %w", f.name, err)
				}
			}
			return a.tidy(cmd.Context(), args[0], "OPTIMIZE", dry,
				func(ctx context.Context, t *sluice.Table) (*sluice.OptimizePlan, error) {
					return t.PlanOptimize(ctx, o)
				},
				func(ctx context.Context, t *sluice.Table) (*sluice.OptimizeResult, error) { return t.Optimize(ctx, o) })
		},
	}
	a.tidyFlags(cmd, &w, &dry)
	f := cmd.Flags()
	f.StringVar(&o.Where, "where", "", "the `CONDITION`, over partition columns, that selects what is tidied (default: all)")
	f.StringVar(&target, "target-size", "", "the `SIZE` of the files that come out (default: delta.targetFileSize of the table, else 1GB)")
	f.StringVar(&min, "min-size", "", "the `SIZE` from which a file is left alone (default: three quarters of the target)")
	f.StringVar(&commit, "commit-size", "", "the `SIZE` of what one commit writes again at most (default: 64GB)")
	f.Float64Var(&o.DeletedRatio, "deleted-ratio", 0, "the share of deleted rows above which a file is written again whatever its size (default 0.05, for files that others join)")
	f.StringSliceVar(&o.ZOrderBy, "zorder", nil, "sort along a Z-order curve over these `COLUMNS`")
	f.BoolVar(&o.Full, "full", false, "cluster files again that were clustered before")
	return cmd
}

func (a *app) reorg() *cobra.Command {
	var (
		w           writing
		o           sluice.PurgeOptions
		target      string
		dry, purges bool
	)
	cmd := &cobra.Command{
		Use:   "reorg TABLE --purge [--where CONDITION] [--dry-run]",
		Short: "Write files with deleted rows or dropped columns again without them",
		Long: `reorg --purge writes the files again that hold deleted rows or dropped columns, whatever their size. ` +
			`The old files are gone for good when vacuum has removed them.`,
		Example: "  sluice reorg events --purge --dry-run",
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if !purges {
				return usagef("want --purge: nothing else is reorganised yet")
			}
			if target != "" {
				if o.TargetSize, err = parseBytes(target); err != nil {
					return usagef("--target-size: %w", err)
				}
			}
			o.UserMetadata, o.BeforePublish = w.userMetadata, w.beforePublish()
			return a.tidy(cmd.Context(), args[0], "REORG", dry,
				func(ctx context.Context, t *sluice.Table) (*sluice.OptimizePlan, error) { return t.PlanPurge(ctx, o) },
				func(ctx context.Context, t *sluice.Table) (*sluice.OptimizeResult, error) { return t.Purge(ctx, o) })
		},
	}
	a.tidyFlags(cmd, &w, &dry)
	f := cmd.Flags()
	f.BoolVar(&purges, "purge", false, "drop deleted rows and dropped columns from the files")
	f.StringVar(&o.Where, "where", "", "the `CONDITION`, over partition columns, that selects what is tidied (default: all)")
	f.StringVar(&target, "target-size", "", "the `SIZE` of the files that come out (default: delta.targetFileSize of the table, else 1GB)")
	return cmd
}

func (a *app) tidyFlags(cmd *cobra.Command, w *writing, dry *bool) {
	a.writingFlags(cmd, w)
	cmd.Flags().BoolVar(dry, "dry-run", false, "print the plan and change nothing")
}

// tidy plans, or plans and does.
func (a *app) tidy(ctx context.Context, url, what string, dry bool, plan func(context.Context, *sluice.Table) (*sluice.OptimizePlan, error),
	run func(context.Context, *sluice.Table) (*sluice.OptimizeResult, error)) error {
	opts, err := a.tableOptions(ctx, url)
	if err != nil {
		return err
	}
	listener, clear := a.watch()
	t, err := sluice.Open(ctx, url, append(opts, sluice.WithListener(listener))...)
	if err != nil {
		return err
	}
	defer t.Close()
	if dry {
		p, err := plan(ctx, t)
		if err != nil {
			return err
		}
		if a.json {
			return a.object(planned(what, p))
		}
		return p.Print(a.out)
	}
	res, err := run(ctx, t)
	clear()
	if err != nil {
		if res != nil && len(res.Commits) > 0 {
			a.writes = false // the error says what was committed
			if !a.json {
				err = errors.Join(err, a.tidied(what, res))
			}
		}
		return err
	}
	return a.tidied(what, res)
}

func (a *app) tidied(what string, r *sluice.OptimizeResult) error {
	last := r.Last()
	if err := a.committed(what, last, []number{
		{key: "filesRemoved", value: r.Removed.Files, text: "file", verb: "replaced", always: true},
		{key: "filesAdded", value: r.Added.Files, text: "file", verb: "written", always: true},
		{key: "bytesRemoved", value: r.Removed.Bytes}, {key: "bytesAdded", value: r.Added.Bytes},
		{key: "deletionVectorsRemoved", value: r.DeletionVectors, text: "deletion vector", verb: "applied"},
		{key: "commits", value: int64(len(r.Commits))},
		{key: "filesConsidered", value: r.Plan.Before().Files}, {key: "minFileSize", value: r.Added.Min}, {key: "maxFileSize", value: r.Added.Max},
	}); err != nil || a.json || len(r.Commits) == 0 {
		return err
	}
	a.printf("  before: %s, %s in %s; the largest %s", plural(r.Plan.Before().Files, "file"), bytesText(r.Removed.Bytes), plural(r.Removed.Files, "replaced file"), bytesText(r.Removed.Max))
	a.printf("  after:  %s, %s in %s; the largest %s", plural(r.Plan.Before().Files-r.Removed.Files+r.Added.Files, "file"), bytesText(r.Added.Bytes), plural(r.Added.Files, "new file"), bytesText(r.Added.Max))
	if c := r.Plan.Clustering(); c != nil {
		a.printf("  clustered by %s: found %s in %s and %s in none; %d of them became %s", strings.Join(c.Columns, ", "), plural(c.InCubes.Files, "file"),
			plural(c.Cubes, "cube"), plural(c.Other.Files, "file"), c.Taken.Files, plural(c.NewCubes, "cube"))
	}
	for _, x := range r.Plan.Pruning() {
		a.printf("  a look-up by %s reads about %.1f files; before, %.1f", x.Column, x.After, x.Before)
	}
	return nil
}

func planned(what string, p *sluice.OptimizePlan) map[string]any {
	count := func(t sluice.FileTotals) map[string]int64 {
		return map[string]int64{"files": t.Files, "bytes": t.Bytes}
	}
	bins, pruning := []map[string]any{}, []map[string]any{}
	for _, b := range p.Bins() {
		bin := map[string]any{"partition": b.Partition, "bytes": b.Bytes, "files": b.Files}
		if b.SortedBy != nil {
			bin["sortedBy"] = b.SortedBy
		}
		if b.Cube != "" {
			bin["cube"] = b.Cube
		}
		bins = append(bins, bin)
	}
	for _, x := range p.Pruning() {
		pruning = append(pruning, map[string]any{"column": x.Column, "filesBefore": x.Before, "filesAfter": x.After})
	}
	out := map[string]any{"operation": what, "dryRun": true, "version": p.Version(), "commits": p.Commits(), "rewritten": count(p.Rewritten()),
		"before": count(p.Before()), "after": count(p.After()), "bins": bins, "pruning": pruning}
	if c := p.Clustering(); c != nil {
		out["clustering"] = map[string]any{"columns": c.Columns, "inCubes": count(c.InCubes), "other": count(c.Other), "cubes": c.Cubes, "taken": count(c.Taken), "newCubes": c.NewCubes}
	}
	return out
}
