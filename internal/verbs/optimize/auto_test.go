package optimize_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/internal/verbs/restore"
)

func always(a optimize.Auto) txn.Policy { return txn.Policy{After: []txn.After{a.Follow}} }

func repeat(n int, row string) (out [][]string) {
	for range n {
		out = append(out, []string{row})
	}
	return out
}

func TestAutoByProperty(t *testing.T) {
	for wish, files := range map[string]int{"autoOptimize.autoCompact=true": 2, "autoOptimize.autoCompact=auto": 2, "autoOptimize=true": 2, "autoOptimize.autoCompact=false": 51} {
		name, value, _ := strings.Cut(wish, "=")
		k := tablekit.New(t, tablekit.Spec{DDL: "k INT, v STRING", PartitionBy: []string{"v"}, Properties: map[string]string{"delta." + name: value},
			Policy: always(optimize.Auto{}), Files: append([][]string{{`{"k":0,"v":"other"}`}}, repeat(50, `{"k":1,"v":"x"}`)...)})
		s := now(t, k)
		if s.NumFiles() != files {
			t.Errorf("%s: %d files", wish, s.NumFiles())
		}
		if files == 2 && string(s.CommitInfo().OperationParameters["auto"]) != "true" {
			t.Errorf("%v", s.CommitInfo().OperationParameters)
		}
	}
}

// TestAutoBehindVerbs: whatever writes rows is followed, and what copies versions is not.
func TestAutoBehindVerbs(t *testing.T) {
	on := true
	behind := txn.Options{After: []txn.After{optimize.Auto{Enabled: &on, MinFiles: 4}.Follow}}
	o := merge.Options{Commit: behind}
	for name, c := range map[string]struct {
		run   func(t *testing.T, k *tablekit.Kit) error
		files int
	}{
		"append": {func(t *testing.T, k *tablekit.Kit) error {
			src, err := tablekit.Source(k.Schema, `{"k":100,"v":"x"}`)
			if err == nil {
				_, err = insert.Run(t.Context(), k.Log, src, insert.Options{Options: o})
			}
			return err
		}, 1},
		"update": {func(t *testing.T, k *tablekit.Kit) error {
			_, err := dml.Update(t.Context(), k.Log, []merge.Assignment{{Column: []string{"v"}, Value: parse(t, "'u'")}}, parse(t, "k = 4"), o)
			return err
		}, 1},
		"delete": {func(t *testing.T, k *tablekit.Kit) error {
			_, err := dml.Delete(t.Context(), k.Log, parse(t, "k = 4"), o)
			return err
		}, 1},
		"merge": {func(t *testing.T, k *tablekit.Kit) error {
			src, err := tablekit.Table(k.Schema, `{"k":1,"v":"new"}`, `{"k":100,"v":"x"}`)
			if err == nil {
				_, err = merge.Run(t.Context(), k.Log, merge.Spec{TargetAlias: "t", SourceAlias: "s", On: parse(t, "t.k = s.k"),
					Clauses: []merge.Clause{{Kind: merge.Matched, Action: merge.Delete}}}, src, o)
			}
			return err
		}, 1},
		"restore": {func(t *testing.T, k *tablekit.Kit) error {
			_, err := restore.Run(t.Context(), k.Log, restore.Spec{To: snapshot.Version(6)}, behind)
			return err
		}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			k := kit(t, 8, tablekit.WithoutVectors())
			if err := c.run(t, k); err != nil {
				t.Fatal(err)
			}
			if n := now(t, k).NumFiles(); n != c.files {
				t.Errorf("%d files", n)
			}
		})
	}
}

// TestAutoOnlyWhereFull: deletion vectors add no file, and what a partition lacks in
// small files another does not make up for.
func TestAutoOnlyWhereFull(t *testing.T) {
	on := true
	o := merge.Options{Commit: txn.Options{After: []txn.After{optimize.Auto{Enabled: &on, MinFiles: 4}.Follow}}}
	k := kit(t, 8, nil)
	if _, err := dml.Delete(t.Context(), k.Log, parse(t, "k = 4"), o); err != nil {
		t.Fatal(err)
	}
	if n := now(t, k).NumFiles(); n != 8 {
		t.Errorf("%d files", n)
	}
	k = kit(t, 2, nil, "v") // two files in each of two partitions
	src, err := tablekit.Source(k.Schema, `{"k":100,"v":"v1"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := insert.Run(t.Context(), k.Log, src, insert.Options{Options: o}); err != nil {
		t.Fatal(err)
	}
	if n := now(t, k).NumFiles(); n != 5 {
		t.Errorf("%d files", n)
	}
}

// TestAutoFails: the statement stands, and its error is only logged.
func TestAutoFails(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, v STRING", Files: some(6)})
	on := true
	auto := optimize.Auto{Enabled: &on, MinFiles: 4}
	broken := func(ctx context.Context, l *txn.Log, c txn.Committed) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		auto.Follow(ctx, l, c)
	}
	src, err := tablekit.Source(k.Schema, `{"k":100,"v":"x"}`)
	if err != nil {
		t.Fatal(err)
	}
	res, err := insert.Run(t.Context(), k.Log, src, insert.Options{Options: merge.Options{Commit: txn.Options{After: []txn.After{broken}}}})
	if err != nil || !res.Commit.Committed {
		t.Fatal(err)
	}
	if s := now(t, k); s.NumFiles() != 7 || s.Version() != res.Commit.Version {
		t.Errorf("%d files at version %d", s.NumFiles(), s.Version())
	}
	clean(t, k)
}

// TestAutoLeavesReserved: partitions that another statement is compacting are not
// waited for.
func TestAutoLeavesReserved(t *testing.T) {
	k := kit(t, 8, nil)
	_, release := inflight.Reserve(k.Bucket.URL(), []string{""})
	on := true
	auto := optimize.Auto{Enabled: &on, MinFiles: 4}
	add := func() {
		src, err := tablekit.Source(k.Schema, `{"k":100,"v":"x"}`)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := insert.Run(t.Context(), k.Log, src, insert.Options{Options: merge.Options{Commit: txn.Options{After: []txn.After{auto.Follow}}}}); err != nil {
			t.Fatal(err)
		}
	}
	add()
	if n := now(t, k).NumFiles(); n != 9 {
		t.Errorf("%d files while another compacts", n)
	}
	release()
	add()
	if n := now(t, k).NumFiles(); n != 1 {
		t.Errorf("%d files", n)
	}
}

// TestAutoClusters: on a clustered table the small files become a cube, and cubes
// that are large enough stay.
func TestAutoClusters(t *testing.T) {
	on := true
	k := plane(t, nil, points(6, 5, 60))
	clusterBy(t, k, "x", "y")
	auto := optimize.Auto{Enabled: &on, MinFiles: 4}
	before := k.Rows(t)
	src, err := tablekit.Source(k.Schema, before[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := insert.Run(t.Context(), k.Log, src, insert.Options{Options: merge.Options{Commit: txn.Options{After: []txn.After{auto.Follow}}}}); err != nil {
		t.Fatal(err)
	}
	s := now(t, k)
	by, cubes := cubesOf(s)
	if cubes != 1 || slices.ContainsFunc(by, func(b string) bool { return b != `liquid["x","y"]` }) || string(s.CommitInfo().OperationParameters["auto"]) != "true" {
		t.Errorf("%v in %d cubes, %v", by, cubes, s.CommitInfo().OperationParameters)
	}
	if got := k.Rows(t); len(got) != len(before)+1 {
		t.Errorf("%d rows, before %d and one", len(got), len(before))
	}
}
