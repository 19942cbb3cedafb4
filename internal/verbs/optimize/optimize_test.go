package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
)

func parse(t testing.TB, sql string) expr.Expr {
	t.Helper()
	e, err := expr.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// some makes n files of three rows each.
func some(n int) (files [][]string) {
	for f := range n {
		var rows []string
		for i := range 3 {
			k := f*3 + i
			rows = append(rows, fmt.Sprintf(`{"k":%d,"v":"v%d"}`, k, k%2))
		}
		files = append(files, rows)
	}
	return files
}

func kit(t *testing.T, files int, properties map[string]string, parts ...string) *tablekit.Kit {
	return tablekit.New(t, tablekit.Spec{DDL: "k INT, v STRING", PartitionBy: parts, Properties: properties, Files: some(files)})
}

func run(t *testing.T, k *tablekit.Kit, spec optimize.Spec, o optimize.Options) optimize.Result {
	t.Helper()
	res, err := optimize.Run(t.Context(), k.Log, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func now(t *testing.T, k *tablekit.Kit) *snapshot.Snapshot {
	t.Helper()
	s, err := k.Log.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// clean fails when the store holds data files that no version needs.
func clean(t *testing.T, k *tablekit.Kit) {
	t.Helper()
	needed := map[string]bool{}
	for v := range now(t, k).Version() + 1 {
		s, err := k.Snapshot(t.Context(), snapshot.Version(v))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range tablekit.Referenced(s) {
			needed[f] = true
		}
	}
	for _, f := range k.DataFiles(t) {
		if !needed[f] {
			t.Errorf("%s is left over", f)
		}
	}
}

func TestPacks(t *testing.T) {
	k := kit(t, 4, nil)
	before := k.Rows(t)
	res := run(t, k, optimize.Spec{}, optimize.Options{})
	s := now(t, k)
	if got := k.Rows(t); !slices.Equal(got, before) {
		t.Errorf("rows: %v, before %v", got, before)
	}
	if s.NumFiles() != 1 || res.Summary.Removed.Files != 4 || res.Summary.Added.Files != 1 || res.Plan.After.Files != 1 {
		t.Errorf("%d files, %+v", s.NumFiles(), res.Summary)
	}
	info := s.CommitInfo()
	if info.Operation != "OPTIMIZE" || *info.IsolationLevel != "SnapshotIsolation" || *info.IsBlindAppend || info.OperationMetrics["numRemovedFiles"] != "4" ||
		info.OperationMetrics["p50FileSize"] == "" || string(info.OperationParameters["auto"]) != "false" || string(info.OperationParameters["predicate"]) != `"[]"` {
		t.Errorf("%+v", info)
	}
	again := run(t, k, optimize.Spec{}, optimize.Options{})
	if len(again.Commits) != 0 || now(t, k).Version() != s.Version() {
		t.Errorf("a second run committed: %+v", again.Commits)
	}
	acts := commit(t, k, s.Version())
	for _, a := range acts {
		switch x := a.(type) {
		case *action.Add:
			if x.DataChange || !strings.Contains(x.Stats, `"numRecords":12,"minValues":{"k":0,"v":"v0"},"maxValues":{"k":11,"v":"v1"}`) {
				t.Errorf("%+v", x)
			}
		case *action.Remove:
			if x.DataChange {
				t.Errorf("%+v", x)
			}
		}
	}
	clean(t, k)
}

func commit(t *testing.T, k *tablekit.Kit, version int64) []action.Action {
	t.Helper()
	data, _, err := k.Bucket.Get(t.Context(), fmt.Sprintf("_delta_log/%020d.json", version))
	if err != nil {
		t.Fatal(err)
	}
	acts, err := action.ParseCommit(data, "")
	if err != nil {
		t.Fatal(err)
	}
	return acts
}

func TestPartitionsAndCondition(t *testing.T) {
	k := kit(t, 4, nil, "v")
	before := k.Rows(t)
	res := run(t, k, optimize.Spec{Where: parse(t, "v = 'v1'")}, optimize.Options{})
	if s := now(t, k); s.NumFiles() != 5 || res.Plan.Partitions() != 1 || res.Plan.Before.Files != 4 {
		t.Errorf("%d files, plan %+v", s.NumFiles(), res.Plan)
	}
	if p := string(now(t, k).CommitInfo().OperationParameters["predicate"]); !strings.Contains(p, "v1") {
		t.Error(p)
	}
	run(t, k, optimize.Spec{}, optimize.Options{})
	if s := now(t, k); s.NumFiles() != 2 {
		t.Errorf("%d files", s.NumFiles())
	}
	if got := k.Rows(t); !slices.Equal(got, before) {
		t.Errorf("rows: %v, before %v", got, before)
	}
	_, err := optimize.Run(t.Context(), k.Log, optimize.Spec{Where: parse(t, "k = 1")}, optimize.Options{})
	var s *merge.StatementError
	if !errors.As(err, &s) || s.Class != "DELTA_NON_PARTITION_COLUMN_REFERENCE" {
		t.Error(err)
	}
}

func TestSizes(t *testing.T) {
	k := kit(t, 6, nil)
	files := now(t, k).Files()
	var size int64
	for i := range files.All() {
		size = max(size, files.Size(i))
	}
	p, err := optimize.NewPlan(optimize.Spec{TargetSize: 3 * size}, now(t, k), expr.Options{}, nil)
	if err != nil || len(p.Bins) != 2 || len(p.Bins[0].Files) != 3 {
		t.Fatalf("%+v %v", p, err)
	}
	if p, err = optimize.NewPlan(optimize.Spec{TargetSize: size}, now(t, k), expr.Options{}, nil); err != nil || len(p.Bins) != 0 {
		t.Errorf("good files are written again: %+v %v", p, err)
	}
	res := run(t, k, optimize.Spec{TargetSize: 3 * size, CommitBytes: 1}, optimize.Options{})
	if len(res.Commits) != 2 || now(t, k).NumFiles() != 2 {
		t.Errorf("%d commits, %d files", len(res.Commits), now(t, k).NumFiles())
	}
	clean(t, k)
}

func TestDeletedRows(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, v STRING", Files: [][]string{{`{"k":1}`, `{"k":2}`, `{"k":3}`}}})
	if _, err := dml.Delete(t.Context(), k.Log, parse(t, "k = 2"), merge.Options{}); err != nil {
		t.Fatal(err)
	}
	if now(t, k).NumDeletionVectors() != 1 {
		t.Fatal("no deletion vector")
	}
	if p, err := optimize.NewPlan(optimize.Spec{DeletedRatio: 0.5}, now(t, k), expr.Options{}, nil); err != nil || len(p.Bins) != 0 {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := optimize.NewPlan(optimize.Spec{}, now(t, k), expr.Options{}, nil); err != nil || len(p.Bins) != 0 {
		t.Errorf("a file alone, which the reference leaves: %+v %v", p, err)
	}
	res := run(t, k, optimize.Spec{DeletedRatio: 0.05}, optimize.Options{})
	if s := now(t, k); s.NumDeletionVectors() != 0 || res.Summary.Deleted != 1 || res.Summary.Vectors != 1 || s.CommitInfo().OperationMetrics["numDeletionVectorsRemoved"] != "1" {
		t.Errorf("%+v", res.Summary)
	}
	if got := k.Rows(t); len(got) != 2 {
		t.Error(got)
	}
}

func TestPurge(t *testing.T) {
	k := kit(t, 3, map[string]string{"delta.columnMapping.mode": "name"})
	if _, err := alter.Run(t.Context(), k.Log, alter.DropColumns{Columns: [][]string{{"v"}}}, alter.Options{}); err != nil {
		t.Fatal(err)
	}
	before := k.Rows(t)
	if res := run(t, k, optimize.Spec{Purge: true}, optimize.Options{}); res.Summary.Removed.Files != 3 || res.Summary.Added.Files != 1 {
		t.Errorf("%+v", res.Summary)
	}
	info := now(t, k).CommitInfo()
	if info.Operation != "REORG" || string(info.OperationParameters["applyPurge"]) != "true" {
		t.Errorf("%+v", info)
	}
	if got := k.Rows(t); !slices.Equal(got, before) {
		t.Errorf("rows: %v, before %v", got, before)
	}
	if res := run(t, k, optimize.Spec{Purge: true}, optimize.Options{}); len(res.Commits) != 0 {
		t.Error("a second run committed")
	}
}

func TestRowIDs(t *testing.T) {
	k := kit(t, 3, map[string]string{"delta.enableRowTracking": "true"})
	if _, err := dml.Delete(t.Context(), k.Log, parse(t, "k = 4"), merge.Options{}); err != nil {
		t.Fatal(err)
	}
	before := rowIDs(t, k)
	run(t, k, optimize.Spec{}, optimize.Options{})
	if s := now(t, k); s.NumFiles() != 1 || s.CommitInfo().Tags["delta.rowTracking.preserved"] != "true" {
		t.Errorf("%d files, %v", s.NumFiles(), s.CommitInfo().Tags)
	}
	if got := rowIDs(t, k); !slices.Equal(got, before) {
		t.Errorf("row ids %v, before %v", got, before)
	}
}

// rowIDs lists the key, row id and row commit version of each row.
func rowIDs(t *testing.T, k *tablekit.Kit) (out []string) {
	t.Helper()
	s := now(t, k)
	src := scan.SourceOf(s)
	src.Columns = src.Columns.WithRowColumns(s.Metadata())
	for i := range s.Files().All() {
		for b, err := range scan.File(t.Context(), s.Env(), src, s.Files().Add(i), scan.Options{Positions: true}) {
			if err != nil {
				t.Fatal(err)
			}
			ids, versions := scan.RowIDs(b, b.Columns[2]), scan.RowVersions(b, b.Columns[3])
			for r := range b.Rows {
				out = append(out, fmt.Sprint(columns.Value(b.Columns[0], r), columns.Value(ids, r), columns.Value(versions, r)))
			}
		}
	}
	slices.Sort(out)
	return out
}

// rival runs once, after the files of the OPTIMIZE are written.
func rival(fn func() error) optimize.Options {
	return optimize.Options{Commit: txn.Options{BeforePublish: func(context.Context) error { return fn() }}}
}

func TestAgainstWinners(t *testing.T) {
	del := func(where string) func(*testing.T, *tablekit.Kit) error {
		return func(t *testing.T, k *tablekit.Kit) error {
			_, err := dml.Delete(t.Context(), k.Log, parse(t, where), merge.Options{})
			return err
		}
	}
	update := func(where string) func(*testing.T, *tablekit.Kit) error {
		return func(t *testing.T, k *tablekit.Kit) error {
			_, err := dml.Update(t.Context(), k.Log, []merge.Assignment{{Column: []string{"k"}, Value: parse(t, "k + 100")}}, parse(t, where), merge.Options{})
			return err
		}
	}
	change := func(c alter.Change) func(*testing.T, *tablekit.Kit) error {
		return func(t *testing.T, k *tablekit.Kit) error {
			_, err := alter.Run(t.Context(), k.Log, c, alter.Options{})
			return err
		}
	}
	for _, c := range []struct {
		name   string
		winner func(t *testing.T, k *tablekit.Kit) error
	}{
		{"append", func(t *testing.T, k *tablekit.Kit) error { return k.Append(t.Context(), `{"k":50,"v":"x"}`) }},
		{"delete of a row", del("k = 4")},
		{"delete of rows in all files", del("k % 3 = 1")},
		{"delete of a file", del("k < 3")},
		{"delete of all", del("true")},
		{"delete of all files but one", del("k >= 3")},
		{"update of a row", update("k = 4")},
		{"update of all", update("true")},
		{"optimize", func(t *testing.T, k *tablekit.Kit) error {
			_, err := optimize.Run(t.Context(), k.Log, optimize.Spec{}, optimize.Options{})
			return err
		}},
		{"optimize of some", func(t *testing.T, k *tablekit.Kit) error {
			_, err := optimize.Run(t.Context(), k.Log, optimize.Spec{TargetSize: 2000}, optimize.Options{})
			return err
		}},
		{"column added", change(alter.SetProperties{Properties: map[string]string{"delta.checkpointInterval": "7"}})},
		{"constraint added", change(alter.AddConstraint{Name: "c", Check: "k < 1000"})},
	} {
		for _, vectors := range []bool{true, false} {
			for _, dirty := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/vectors=%t/dirty=%t", c.name, vectors, dirty), func(t *testing.T) {
					t.Parallel()
					var properties map[string]string
					if !vectors {
						properties = tablekit.WithoutVectors()
					}
					k, twin := kit(t, 4, properties), kit(t, 4, properties)
					if dirty {
						for _, x := range []*tablekit.Kit{k, twin} {
							if err := del("k IN (0, 7)")(t, x); err != nil {
								t.Fatal(err)
							}
						}
					}
					res := run(t, k, optimize.Spec{}, rival(func() error { return c.winner(t, k) }))
					if err := c.winner(t, twin); err != nil {
						t.Fatal(err)
					}
					if got, want := k.Rows(t), twin.Rows(t); !slices.Equal(got, want) {
						t.Errorf("rows %v, want %v", got, want)
					}
					if len(res.Commits) == 0 && !strings.HasPrefix(c.name, "optimize") && !strings.Contains(c.name, "all") {
						t.Errorf("nothing was committed")
					}
					clean(t, k)
				})
			}
		}
	}
}

// TestLosers lets DML lose against an OPTIMIZE.
func TestLosers(t *testing.T) {
	for _, c := range []struct {
		name string
		stmt func(k *tablekit.Kit, o merge.Options) error
	}{
		{"delete", func(k *tablekit.Kit, o merge.Options) error {
			_, err := dml.Delete(t.Context(), k.Log, parse(t, "k % 4 = 1"), o)
			return err
		}},
		{"update", func(k *tablekit.Kit, o merge.Options) error {
			_, err := dml.Update(t.Context(), k.Log, []merge.Assignment{{Column: []string{"v"}, Value: parse(t, "concat(v, k)")}}, parse(t, "k > 4"), o)
			return err
		}},
	} {
		for _, vectors := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/vectors=%t", c.name, vectors), func(t *testing.T) {
				var properties map[string]string
				if !vectors {
					properties = tablekit.WithoutVectors()
				}
				k, twin := kit(t, 4, properties), kit(t, 4, properties)
				err := c.stmt(k, merge.Options{Commit: txn.Options{BeforePublish: func(ctx context.Context) error {
					_, err := optimize.Run(ctx, k.Log, optimize.Spec{}, optimize.Options{})
					return err
				}}})
				if err != nil {
					t.Fatal(err)
				}
				if err := c.stmt(twin, merge.Options{}); err != nil {
					t.Fatal(err)
				}
				if got, want := k.Rows(t), twin.Rows(t); !slices.Equal(got, want) {
					t.Errorf("rows %v, want %v", got, want)
				}
				clean(t, k)
			})
		}
	}
}

// TestCopied packs files that are large enough for their pages to be copied.
func TestCopied(t *testing.T) {
	big := func() *tablekit.Kit {
		var files [][]string
		for f := range 3 {
			var rows []string
			for i := range 9000 {
				k := f*9000 + i
				rows = append(rows, fmt.Sprintf(`{"k":%d,"v":"v%d","p":%d}`, k, k%(40+f), f/2))
			}
			files = append(files, rows)
		}
		return tablekit.New(t, tablekit.Spec{DDL: "k INT, v STRING, p INT", Files: append(files, files[0])})
	}
	k, twin := big(), big()
	del := func(k *tablekit.Kit) error {
		_, err := dml.Delete(t.Context(), k.Log, parse(t, "k % 1000 = 5"), merge.Options{})
		return err
	}
	res := run(t, k, optimize.Spec{}, rival(func() error { return del(k) }))
	if err := del(twin); err != nil {
		t.Fatal(err)
	}
	if got, want := k.Rows(t), twin.Rows(t); !slices.Equal(got, want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	if w := res.Winners; len(w) != 1 || w[0].Repaired.Rows != 36 || w[0].Repaired.Computed != 0 {
		t.Errorf("%+v", w)
	}
	for _, a := range commit(t, k, now(t, k).Version()) {
		if x, ok := a.(*action.Add); ok && !strings.HasPrefix(x.Stats, `{"numRecords":36000,"minValues":{"k":0,"v":"v0","p":0},"maxValues":{"k":26999,"v":"v9","p":1},"nullCount":{"k":0,"v":0,"p":0},"tightBounds":false`) {
			t.Error(x.Stats)
		}
	}
	clean(t, k)
}
