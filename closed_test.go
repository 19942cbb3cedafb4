package sluice_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// TestClosed: whatever is asked of a table that was closed is ErrClosed.
func TestClosed(t *testing.T) {
	ctx := t.Context()
	schema, err := types.ParseDDL("k INT, v STRING")
	if err != nil {
		t.Fatal(err)
	}
	table, err := sluice.Create(ctx, t.TempDir(), schema, sluice.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		K int32  `delta:"k"`
		V string `delta:"v"`
	}
	src, err := sluice.FromStructs([]row{{1, "a"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Append(ctx, src, sluice.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := table.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	if err := table.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	for name, call := range map[string]func() error{
		"Actions": func() error { _, err := table.Actions(ctx, 0); return err },
		"Alter": func() error {
			_, err := table.Alter(ctx, sluice.AlterOptions{}, sluice.AddColumn("n", types.Integer, ""))
			return err
		},
		"Append":               func() error { _, err := table.Append(ctx, src, sluice.AppendOptions{}); return err },
		"AppendRows":           func() error { _, err := table.AppendRows(ctx, []row{{2, "b"}}, sluice.AppendOptions{}); return err },
		"Begin":                func() error { _, err := table.Begin(ctx); return err },
		"Changes":              func() error { _, err := table.Changes(sluice.ChangeOptions{}).Schema(ctx); return err },
		"Changes.Batches":      func() error { return last(table.Changes(sluice.ChangeOptions{}).Batches(ctx)) },
		"Check":                func() error { return last(table.Check(sluice.CheckOptions{}).Findings(ctx)) },
		"Checkpoint":           func() error { _, err := table.Checkpoint(ctx, sluice.CheckpointOptions{}); return err },
		"CleanLog":             func() error { _, err := table.CleanLog(ctx, sluice.CleanLogOptions{}); return err },
		"Clone":                func() error { _, _, err := s.Clone(ctx, t.TempDir(), sluice.CloneOptions{}); return err },
		"CompactLog":           func() error { _, err := table.CompactLog(ctx, sluice.CompactLogOptions{}); return err },
		"Delete":               func() error { _, err := table.Delete(ctx, sluice.DeleteOptions{}); return err },
		"Explain":              func() error { _, err := table.Explain(ctx, "DELETE FROM t WHERE k = 1"); return err },
		"ExplainVacuum":        func() error { _, err := table.ExplainVacuum(ctx, "a", sluice.VacuumOptions{}); return err },
		"ExplainVersions":      func() error { _, err := table.ExplainVersions(ctx, 1, 2); return err },
		"GenerateManifest":     func() error { _, err := s.GenerateManifest(ctx); return err },
		"Head":                 func() error { _, err := table.Head(ctx); return err },
		"History":              func() error { _, err := table.History(ctx, sluice.HistoryOptions{}); return err },
		"Life":                 func() error { _, err := table.Life(ctx, "a"); return err },
		"Log.StartTransaction": func() error { _, err := table.Log().StartTransaction(ctx); return err },
		"Log.Update":           func() error { _, err := table.Log().Update(ctx); return err },
		"Merge":                func() error { _, err := table.Merge(src, "t.k = s.k").WhenMatched().Delete().Exec(ctx); return err },
		"Merge.Explain":        func() error { _, err := table.Merge(src, "t.k = s.k").WhenMatched().Delete().Explain(ctx); return err },
		"Optimize":             func() error { _, err := table.Optimize(ctx, sluice.OptimizeOptions{}); return err },
		"Overwrite":            func() error { _, err := table.Overwrite(ctx, src, sluice.OverwriteOptions{}); return err },
		"PlanOptimize":         func() error { _, err := table.PlanOptimize(ctx, sluice.OptimizeOptions{}); return err },
		"PlanPurge":            func() error { _, err := table.PlanPurge(ctx, sluice.PurgeOptions{}); return err },
		"PlanRestore":          func() error { _, err := table.PlanRestore(ctx, sluice.Version(0), sluice.RestoreOptions{}); return err },
		"Purge":                func() error { _, err := table.Purge(ctx, sluice.PurgeOptions{}); return err },
		"Repair":               func() error { _, err := table.Repair(ctx, sluice.RepairOptions{}); return err },
		"Restore":              func() error { _, err := table.Restore(ctx, sluice.Version(0), sluice.RestoreOptions{}); return err },
		"Scan":                 func() error { return last(s.Scan(sluice.ScanOptions{}).Batches(ctx)) },
		"Snapshot":             func() error { _, err := table.Snapshot(ctx); return err },
		"Snapshot, old":        func() error { _, err := table.Snapshot(ctx, sluice.Time(time.Now())); return err },
		"Transact":             func() error { return table.Transact(ctx, func(context.Context, *sluice.Txn) error { return nil }) },
		"Update": func() error {
			_, err := table.Update(ctx, map[string]string{"v": "'x'"}, sluice.UpdateOptions{})
			return err
		},
		"Vacuum": func() error { _, err := table.Vacuum(ctx, sluice.VacuumOptions{}); return err },
	} {
		if err := call(); !errors.Is(err, sluice.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// last is the error that ends a sequence.
func last[T any](seq func(func(T, error) bool)) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}
