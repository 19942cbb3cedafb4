package main

import (
	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) append() *cobra.Command {
	var (
		s            sourceFlags
		w            changing
		overwrite    bool
		dynamic      bool
		replaceWhere string
		mergeSchema  bool
		newSchema    bool
		partitionBy  []string
		noDataChange bool
	)
	cmd := &cobra.Command{
		Use:   "append TABLE --source FILE",
		Short: "Add rows to a table, or overwrite it",
		Long: `Add the rows of a file to a table, by column name; columns that the file lacks
get their default or are NULL. Columns that the table lacks are an error, or with --merge-schema are added to it.

--overwrite replaces all rows, --replace-where only those that a condition selects (every new row
must satisfy it), --dynamic only the partitions that receive rows. With --overwrite-schema the file's columns
become those of the table, partitioned by --partition-by.`,
		Example: `  sluice append people --source more.json
  cat rows.jsonl | sluice append people --source - --source-format json
  sluice append sales --source january.csv --replace-where "month = '2026-01'"`,
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen := 0
			overwrite = overwrite || newSchema
			for _, on := range []bool{overwrite, dynamic, replaceWhere != ""} {
				if on {
					chosen++
				}
			}
			if chosen > 1 && !(overwrite && chosen == 2) {
				return usagef("--replace-where and --dynamic exclude each other")
			}
			if len(partitionBy) > 0 && !newSchema {
				return usagef("--partition-by goes with --overwrite-schema")
			}
			co, err := w.options()
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			open := a.openUnread // adding rows needs none of the table's files
			if chosen > 0 {
				open = a.open
			}
			t, err := open(ctx, args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			src, done, err := a.source(ctx, &s)
			if err != nil {
				return err
			}
			defer done()
			var res *sluice.WriteResult
			if chosen > 0 {
				res, err = t.Overwrite(ctx, src, sluice.OverwriteOptions{Where: replaceWhere, Dynamic: dynamic, MergeSchema: mergeSchema,
					OverwriteSchema: newSchema, PartitionBy: partitionBy, NoDataChange: noDataChange, CommitOptions: co})
			} else {
				res, err = t.Append(ctx, src, sluice.AppendOptions{MergeSchema: mergeSchema, NoDataChange: noDataChange, CommitOptions: co})
			}
			if err != nil {
				return err
			}
			return a.committed("WRITE", res.Commit, []number{
				{key: "rows", value: res.Rows, text: "row", verb: "written", always: true},
				{key: "filesAdded", value: res.FilesAdded, text: "file", verb: "added"},
				{key: "filesRemoved", value: res.FilesRemoved, text: "file", verb: "removed"},
				{key: "bytesAdded", value: res.BytesAdded},
			})
		},
	}
	s.add(cmd)
	a.changingFlags(cmd, &w)
	f := cmd.Flags()
	f.BoolVar(&overwrite, "overwrite", false, "replace all rows of the table")
	f.StringVar(&replaceWhere, "replace-where", "", "replace the rows that this `CONDITION` selects")
	f.BoolVar(&dynamic, "dynamic", false, "replace the partitions that receive rows")
	f.BoolVar(&newSchema, "overwrite-schema", false, "replace all rows, and make the file's columns those of the table")
	f.StringSliceVar(&partitionBy, "partition-by", nil, "new partition `COLUMNS`, with --overwrite-schema (default: as they are)")
	f.BoolVar(&noDataChange, "no-data-change", false, "say that the rows were in the table before, in other files")
	f.BoolVar(&mergeSchema, "merge-schema", false, "add columns to the table that only the source has")
	return cmd
}
