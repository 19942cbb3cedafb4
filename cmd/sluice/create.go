package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

func (a *app) create() *cobra.Command {
	var (
		schema, comment, name string
		parts                 []string
		cluster               []string
		properties            []string
		ifNotExists           bool
	)
	cmd := &cobra.Command{
		PreRun: func(*cobra.Command, []string) { a.writes = true },
		Use:    "create TABLE --schema DDL",
		Short:  "Create a table",
		Long: `Create a Delta table. The schema is a list of columns as in CREATE TABLE.

New tables have deletion vectors, so MERGE, UPDATE and DELETE mark rows instead of rewriting
files; --property delta.enableDeletionVectors=false makes one for readers that lack them.`,
		Example: `  sluice create people --schema 'user_id STRING NOT NULL, name STRING, city STRING, country STRING' --partition-by country,city
  sluice create t --schema 'n INT COMMENT "a number"' --if-not-exists`,
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			st, err := types.ParseDDL(schema)
			if err != nil {
				return usagef("--schema: %w", err)
			}
			props, err := pairs("--property", properties)
			if err != nil {
				return err
			}
			opts, err := a.tableOptions(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			o := sluice.CreateOptions{PartitionBy: parts, ClusterBy: cluster, Properties: props, Comment: comment, Name: name}
			created := true
			var t *sluice.Table
			if ifNotExists {
				t, created, err = sluice.CreateIfNotExists(cmd.Context(), args[0], st, o, opts...)
			} else {
				t, err = sluice.Create(cmd.Context(), args[0], st, o, opts...)
			}
			if err != nil {
				return err
			}
			defer t.Close()
			s := t.Log().Snapshot()
			if a.json {
				return a.object(map[string]any{"operation": "CREATE TABLE", "created": created, "version": s.Version(), "location": t.URL()})
			}
			if !created {
				a.printf("%s is a Delta table already, at version %d", t.URL(), s.Version())
				return nil
			}
			a.printf("created %s: version %d, %s%s", t.URL(), s.Version(), plural(int64(len(s.Schema().Fields)), "column"),
				prefixed(", partitioned by ", strings.Join(s.PartitionColumns(), ", ")))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&schema, "schema", "", "columns, for example 'id BIGINT NOT NULL, name STRING'")
	f.StringSliceVar(&parts, "partition-by", nil, "partition columns, separated by commas")
	f.StringSliceVar(&cluster, "cluster-by", nil, "clustering columns, separated by commas; a.b for a field of a struct")
	f.StringArrayVar(&properties, "property", nil, "a table property, `k=v`; may be repeated")
	f.BoolVar(&ifNotExists, "if-not-exists", false, "accept a table that is there already")
	f.StringVar(&comment, "comment", "", "a description of the table")
	f.StringVar(&name, "name", "", "a name for the table")
	_ = cmd.MarkFlagRequired("schema")
	return cmd
}

// pairs reads k=v flags.
func pairs(flag string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range list {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" {
			return nil, usagef("%s: want name=value; one has no =", flag) // it may be a secret, so it is not repeated
		}
		out[k] = v
	}
	return out, nil
}
