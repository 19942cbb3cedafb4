package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) update() *cobra.Command {
	var (
		w          changing
		set, where string
	)
	cmd := &cobra.Command{
		Use:     "update TABLE --set 'a = expr, ...' [--where CONDITION]",
		Short:   "Set columns in the rows that a condition selects",
		Example: `  sluice update people --set "city = 'London'" --where "city = 'Londn'"`,
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			co, err := w.options()
			if err != nil {
				return err
			}
			list, err := sluice.ParseAssignments(set)
			if err != nil {
				return fmt.Errorf("--set: %w", err)
			}
			t, err := a.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			res, err := t.UpdateSet(cmd.Context(), list, sluice.UpdateOptions{Where: where, CommitOptions: co})
			if err != nil {
				return err
			}
			return a.changed("UPDATE", "rowsUpdated", "updated", res)
		},
	}
	a.changingFlags(cmd, &w)
	cmd.Flags().StringVar(&set, "set", "", "`ASSIGNMENTS`, for example 'a = a + 1, b = NULL'")
	cmd.Flags().StringVar(&where, "where", "", "the `CONDITION` that selects rows (default: all)")
	_ = cmd.MarkFlagRequired("set")
	return cmd
}

func (a *app) delete() *cobra.Command {
	var (
		w     changing
		where string
	)
	cmd := &cobra.Command{
		Use:     "delete TABLE [--where CONDITION]",
		Short:   "Delete the rows that a condition selects",
		Example: `  sluice delete people --where "country = 'UK' AND name IS NULL"`,
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			co, err := w.options()
			if err != nil {
				return err
			}
			t, err := a.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			res, err := t.Delete(cmd.Context(), sluice.DeleteOptions{Where: where, CommitOptions: co})
			if err != nil {
				return err
			}
			return a.changed("DELETE", "rowsDeleted", "deleted", res)
		},
	}
	a.changingFlags(cmd, &w)
	cmd.Flags().StringVar(&where, "where", "", "the `CONDITION` that selects rows (default: all)")
	return cmd
}

func (a *app) changed(what, key, verb string, res *sluice.ChangeResult) error {
	return a.committed(what, res.Commit, []number{
		{key: key, value: res.Rows, text: "row", verb: verb, always: true},
		{key: "rowsCopied", value: res.Copied, text: "row", verb: "copied"},
		{key: "filesAdded", value: res.FilesAdded},
		{key: "filesRemoved", value: res.FilesRemoved},
		{key: "deletionVectors", value: res.DeletionVectors},
	})
}
