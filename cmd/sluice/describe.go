package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/types"
)

func (a *app) schema() *cobra.Command {
	var v atFlags
	cmd := &cobra.Command{
		Use:   "schema TABLE",
		Short: "Print the columns of a table",
		Args:  exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := v.resolve(cmd)
			if err != nil {
				return err
			}
			t, err := a.openUnread(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			s, err := t.Head(cmd.Context(), at...)
			if err != nil {
				return err
			}
			if a.json {
				return a.object(map[string]any{"version": s.Version(), "schema": json.RawMessage(types.JSON(s.Schema())), "partitionColumns": list(s.PartitionColumns())})
			}
			part := map[string]bool{}
			for _, p := range s.PartitionColumns() {
				part[p] = true
			}
			var rows [][]string
			for _, f := range s.Schema().Fields {
				row := []string{f.Name, f.Type.String(), "", "", ""}
				if !f.Nullable {
					row[2] = "not null"
				}
				if part[f.Name] {
					row[3] = "partition"
				}
				row[4], _ = f.Metadata.Text("comment")
				rows = append(rows, row)
			}
			header, rows := withoutEmpty([]string{"column", "type", "nulls", "role", "comment"}, rows)
			a.table(header, rows)
			return nil
		},
	}
	v.add(cmd)
	return cmd
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (a *app) snapshot() *cobra.Command {
	var v atFlags
	cmd := &cobra.Command{
		Use:   "snapshot TABLE",
		Short: "Print the state of a table at one version",
		Long:  "Print the state that the log gives at one version: protocol, metadata, counts, application transactions and, when there are few, files.",
		Args:  exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, s, err := a.snapshotOf(cmd, args[0], &v)
			if err != nil {
				return err
			}
			defer t.Close()
			st, err := s.State()
			if err != nil {
				return err
			}
			if a.json {
				return a.object(st)
			}
			enc := json.NewEncoder(a.out)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(st)
		},
	}
	v.add(cmd)
	return cmd
}

func (a *app) files() *cobra.Command {
	var (
		v       atFlags
		where   string
		onCount bool
	)
	cmd := &cobra.Command{
		Use:   "files TABLE",
		Short: "List the data files that a scan keeps, and what dropped the others",
		Args:  exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, s, err := a.snapshotOf(cmd, args[0], &v)
			if err != nil {
				return err
			}
			defer t.Close()
			var rows [][]string
			kept, total, size := 0, 0, int64(0)
			for f, err := range s.Scan(sluice.ScanOptions{Where: where}).Files() {
				if err != nil {
					return err
				}
				total++
				if f.Kept {
					kept++
					size += f.Add.Size
				}
				if onCount {
					continue
				}
				if a.json {
					if err := a.object(fileObject(f)); err != nil {
						return err
					}
					continue
				}
				verdict := "kept"
				if !f.Kept {
					verdict = "dropped by " + f.DroppedBy + ": " + f.Reason
				}
				if len(rows) == tableRows {
					a.table(fileHeader, rows, 1, 2)
					rows = nil
				}
				rows = append(rows, []string{visible(inspect.PlainPath(f.Add.Path)), fmt.Sprint(f.Add.Size), inspect.Rows(f.Add), visible(verdict)})
			}
			switch {
			case onCount && a.json:
				return a.object(map[string]any{"version": s.Version(), "kept": kept, "total": total, "bytes": size})
			case onCount:
				a.printf("%d of %d files kept, %s", kept, total, bytesText(size))
			case !a.json:
				a.table(fileHeader, rows, 1, 2)
				a.remark("%d of %d files kept, %s", kept, total, bytesText(size))
			}
			return nil
		},
	}
	v.add(cmd)
	cmd.Flags().StringVar(&where, "where", "", "the `CONDITION` of the scan")
	cmd.Flags().BoolVar(&onCount, "count", false, "print only how many")
	return cmd
}

var fileHeader = []string{"file", "bytes", "rows", "verdict"}

func fileObject(f sluice.PlannedFile) map[string]any {
	out := map[string]any{"path": inspect.PlainPath(f.Add.Path), "size": f.Add.Size, "partitionValues": f.Add.PartitionValues, "kept": f.Kept}
	if !f.Kept {
		out["droppedBy"], out["reason"] = f.DroppedBy, f.Reason
	}
	if f.Add.Stats != "" && json.Valid([]byte(f.Add.Stats)) {
		out["stats"] = json.RawMessage(f.Add.Stats)
	}
	if d := f.Add.DeletionVector; d != nil {
		out["deletionVector"] = map[string]any{"id": d.ID(), "cardinality": d.Cardinality}
	}
	return out
}

func (a *app) log() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log TABLE [VERSION]",
		Short: "Print the actions of a commit, or what each commit did",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usagef("log takes TABLE and at most one VERSION")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			versions := []int64{}
			if len(args) == 2 {
				n, err := strconv.ParseInt(args[1], 10, 64)
				if err != nil || n < 0 {
					return usagef("%q is no version: want a number from 0 on", args[1])
				}
				versions = append(versions, n)
			}
			t, err := a.openUnread(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			if len(args) == 1 {
				list, err := t.History(cmd.Context(), sluice.HistoryOptions{})
				if err != nil {
					return err
				}
				for i := len(list) - 1; i >= 0; i-- {
					versions = append(versions, list[i].Version)
				}
			}
			for _, n := range versions {
				acts, err := t.Actions(cmd.Context(), n)
				if errors.Is(err, sluice.ErrCorrupt) && len(args) == 1 && !a.json {
					a.printf("version %d  (cannot be read: %s)", n, unreadable(err))
					continue
				}
				if err != nil {
					return err
				}
				if err := a.printCommit(n, acts, len(args) == 2); err != nil {
					return err
				}
			}
			return nil
		},
	}
	return cmd
}

func (a *app) printCommit(version int64, acts []action.Action, whole bool) error {
	if a.json {
		for _, act := range acts {
			line, err := action.Append(nil, act)
			if err != nil {
				return err
			}
			a.printf("%s", line)
		}
		return nil
	}
	a.printf("%s", inspect.CommitText(version, acts, whole))
	return nil
}
