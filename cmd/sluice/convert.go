package main

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

func (a *app) convert() *cobra.Command {
	var (
		w          writing
		o          sluice.ConvertOptions
		parts      string
		properties []string
		dry        bool
	)
	cmd := &cobra.Command{
		PreRun: func(*cobra.Command, []string) { a.writes = true },
		Use:    "convert FOLDER [--partition-by 'p INT, q DATE' | --infer-partitions]",
		Short:  "Make a Delta table of a folder of Parquet files",
		Long: `Writes a log beside the files and leaves them as they are. Schema and statistics come from their footers, which are read several at a time; ` +
			`a column that a file lacks is NULL there. Files whose names begin with a dot or an underscore stay out of the table. Nobody may write to the folder meanwhile.`,
		Example: "  sluice convert lake/events --partition-by 'day DATE' --dry-run",
		Args:    exactArgs("FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			var err error
			if parts != "" {
				if o.PartitionBy, err = types.ParseDDL(parts); err != nil {
					return usagef("--partition-by: %w", err)
				}
			}
			if parts != "" && o.InferPartitions {
				return usagef("--partition-by and --infer-partitions exclude each other")
			}
			if o.Properties, err = pairs("--property", properties); err != nil {
				return err
			}
			o.UserMetadata, o.BeforePublish = w.userMetadata, w.beforePublish()
			listener, clear := a.watch()
			opts, err := a.tableOptions(ctx, args[0])
			if err != nil {
				return err
			}
			opts = append(opts, sluice.WithListener(listener))
			if dry {
				p, err := sluice.PlanConvert(ctx, args[0], o, opts...)
				clear()
				if err != nil {
					return err
				}
				return a.convertPlan(args[0], p)
			}
			t, res, err := sluice.Convert(ctx, args[0], o, opts...)
			clear()
			if err != nil {
				return err
			}
			defer t.Close()
			if !res.Converted {
				if a.json {
					return a.object(map[string]any{"operation": "CONVERT", "converted": false, "version": res.Commit.Version})
				}
				a.printf("%s is a Delta table already, at version %d", args[0], res.Commit.Version)
				return nil
			}
			return a.committed("CONVERT", res.Commit, []number{
				{key: "files", value: res.Plan.Files, text: "file", always: true},
				{key: "bytes", value: res.Plan.Bytes},
				{key: "rows", value: res.Plan.Rows, text: "row", always: true},
			})
		},
	}
	a.writingFlags(cmd, &w)
	f := cmd.Flags()
	f.StringVar(&parts, "partition-by", "", "partition `COLUMNS` with their types, in the order of the folders")
	f.BoolVar(&o.InferPartitions, "infer-partitions", false, "take partition columns and their types from the folders")
	f.BoolVar(&o.NoStatistics, "no-statistics", false, "leave the statistics of columns out")
	f.StringArrayVar(&properties, "property", nil, "a table property, `k=v`; may be repeated")
	f.BoolVar(&dry, "dry-run", false, "print the plan and change nothing")
	return cmd
}

func (a *app) convertPlan(folder string, p *sluice.ConvertPlan) error {
	if a.json {
		if p == nil {
			return a.object(map[string]any{"operation": "CONVERT", "dryRun": true, "isTable": true})
		}
		return a.object(map[string]any{"operation": "CONVERT", "dryRun": true, "isTable": false, "files": p.Files, "bytes": p.Bytes, "rows": p.Rows,
			"schema": json.RawMessage(types.JSON(p.Schema)), "partitionColumns": p.PartitionBy, "passedOver": append([]string{}, p.Passed...)})
	}
	if p == nil {
		a.printf("%s is a Delta table already", folder)
		return nil
	}
	a.printf("CONVERT of %s would make a table of %s, %s, %s", folder, plural(p.Files, "file"), bytesText(p.Bytes), plural(p.Rows, "row"))
	for _, f := range p.Schema.Fields {
		a.printf("  %s %s", types.QuoteIdentifier(f.Name), f.Type)
	}
	if len(p.PartitionBy) > 0 {
		a.printf("  partitioned by %s", strings.Join(p.PartitionBy, ", "))
	}
	for _, name := range p.Passed {
		a.printf("  passes over %s", name)
	}
	return nil
}
