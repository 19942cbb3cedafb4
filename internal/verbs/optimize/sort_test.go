package optimize_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
)

// points makes files of rows that lie anywhere in a plane.
func points(seed uint64, files, rows int) (out [][]string) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range files {
		var f []string
		for range rows {
			f = append(f, fmt.Sprintf(`{"x":%d,"y":%d,"name":"n%d"}`, r.IntN(100), r.IntN(100), r.IntN(1000)))
		}
		out = append(out, f)
	}
	return out
}

func plane(t *testing.T, properties map[string]string, files [][]string) *tablekit.Kit {
	return tablekit.New(t, tablekit.Spec{DDL: "x INT, y INT, name STRING, p STRING", Properties: properties, Files: files})
}

// kept counts the files that statistics leave for a condition.
func kept(t *testing.T, s *snapshot.Snapshot, where string) (n int) {
	t.Helper()
	bound, err := expr.Bind(parse(t, where), expr.Scope{Tables: []expr.Table{{Schema: s.Schema()}}})
	if err != nil {
		t.Fatal(err)
	}
	for range s.Files().Select(prune.New(bound, s.Schema(), s.PartitionColumns(), s.Columns().Physical)) {
		n++
	}
	return n
}

func adds(s *snapshot.Snapshot) (out []*action.Add) {
	for i := range s.Files().All() {
		out = append(out, s.Files().Add(i))
	}
	return out
}

// TestZOrderPrunes: rows stay, and look-ups by either column read fewer files.
func TestZOrderPrunes(t *testing.T) {
	for _, marks := range []string{"true", "false"} {
		k := plane(t, map[string]string{"delta.enableDeletionVectors": marks}, points(1, 16, 200))
		before, was := k.Rows(t), now(t, k)
		size := was.SizeInBytes() / 16
		res := run(t, k, optimize.Spec{ZOrderBy: []string{"x", "Y"}, TargetSize: size}, optimize.Options{})
		s := now(t, k)
		if !slices.Equal(before, k.Rows(t)) || res.Summary.Removed.Files != 16 {
			t.Fatalf("rows changed, or not all files were taken: %+v", res.Summary)
		}
		if n := s.NumFiles(); n < 8 || n > 24 {
			t.Fatalf("%d files, want about 16", n)
		}
		for _, where := range []string{"x = 17", "y = 80"} {
			if a, b := kept(t, was, where), kept(t, s, where); a != 16 || b > s.NumFiles()*6/10 {
				t.Errorf("%s reads %d of 16 files before, %d of %d after", where, a, b, s.NumFiles())
			}
		}
		for _, a := range adds(s) {
			if a.DataChange || a.ClusteringProvider != nil || len(a.Tags) > 0 {
				t.Errorf("add %+v", a)
			}
		}
		info := s.CommitInfo()
		if string(info.OperationParameters["zOrderBy"]) != `"[\"x\",\"Y\"]"` {
			t.Errorf("parameters %s", info.OperationParameters)
		}
		clean(t, k)
	}
}

func TestZOrderRefusals(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "a INT, o STRUCT<x: INT, l: ARRAY<INT>>, p STRING, z INT", PartitionBy: []string{"p"},
		Properties: map[string]string{"delta.dataSkippingStatsColumns": "a,o"}, Files: [][]string{{`{"a":1,"p":"x","z":3}`}, {`{"a":2,"p":"y","z":1}`}}})
	for by, class := range map[string]string{"p": "DELTA_ZORDERING_ON_PARTITION_COLUMN", "z": "DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS", "none": "DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST",
		"o.l": "DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS", "o.none": "DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST"} {
		_, err := optimize.Run(t.Context(), k.Log, optimize.Spec{ZOrderBy: []string{"a", by}}, optimize.Options{})
		var st *merge.StatementError
		if !errors.As(err, &st) || st.Class != class {
			t.Errorf("by %s: %v, want %s", by, err, class)
		}
	}
	_, err := optimize.Run(t.Context(), k.Log, optimize.Spec{Full: true}, optimize.Options{})
	if err == nil || !strings.Contains(err.Error(), "DELTA_OPTIMIZE_FULL_NOT_SUPPORTED") {
		t.Error(err)
	}
	if res := run(t, k, optimize.Spec{ZOrderBy: []string{"z", "o.x"}, WithoutStats: true}, optimize.Options{}); res.Summary.Added.Files != 2 {
		t.Errorf("%+v", res.Summary)
	}
}

func clusterBy(t *testing.T, k *tablekit.Kit, columns ...string) {
	t.Helper()
	var paths [][]string
	for _, c := range columns {
		paths = append(paths, []string{c})
	}
	if _, err := alter.Run(t.Context(), k.Log, alter.ClusterBy{Columns: paths}, alter.Options{}); err != nil {
		t.Fatal(err)
	}
}

// cubesOf lists the columns of each file's cube, and counts cubes.
func cubesOf(s *snapshot.Snapshot) (by []string, cubes int) {
	seen := map[string]bool{}
	for _, a := range adds(s) {
		provider := ""
		if a.ClusteringProvider != nil {
			provider = *a.ClusteringProvider
		}
		by = append(by, provider+a.Tags["ZCUBE_ZORDER_BY"])
		if id := a.Tags["ZCUBE_ID"]; id != "" {
			seen[id] = true
		}
	}
	slices.Sort(by)
	return by, len(seen)
}

// TestClusteredTable goes through the life of a clustered table.
func TestClusteredTable(t *testing.T) {
	k := plane(t, nil, points(2, 4, 50))
	clusterBy(t, k, "x", "y")
	step := func(what string, spec optimize.Spec, removed int64, cubes int, by ...string) optimize.Result {
		t.Helper()
		before := k.Rows(t)
		res := run(t, k, spec, optimize.Options{})
		s := now(t, k)
		got, n := cubesOf(s)
		if !slices.Equal(before, k.Rows(t)) || res.Summary.Removed.Files != removed || n != cubes || !slices.Equal(got, by) {
			t.Fatalf("%s: %+v; %d cubes, files %v", what, res.Summary, n, got)
		}
		clean(t, k)
		return res
	}
	xy, name := `liquid["x","y"]`, `liquid["name"]`
	res := step("everything is new", optimize.Spec{}, 4, 1, xy)
	if c := *res.Plan.Cubes; c.Other.Files != 4 || c.InCubes.Files != 0 || c.Merged.Files != 4 || c.Written != 1 {
		t.Errorf("%+v", c)
	}
	p := now(t, k).CommitInfo().OperationParameters
	if string(p["clusterBy"]) != `"[\"x\",\"y\"]"` || string(p["zOrderBy"]) != `"[]"` || string(p["isFull"]) != "false" {
		t.Errorf("parameters %s", p)
	}
	step("one cube has nothing to join", optimize.Spec{}, 0, 1, xy)
	step("nor with FULL", optimize.Spec{Full: true}, 0, 1, xy)
	if err := k.Append(t.Context(), points(3, 1, 20)[0]...); err != nil {
		t.Fatal(err)
	}
	step("a large cube is left alone", optimize.Spec{LeastCube: 1}, 1, 2, xy, xy)
	res = step("small cubes become one", optimize.Spec{}, 2, 1, xy)
	if c := *res.Plan.Cubes; c.InCubes.Files != 2 || c.Found != 2 || c.Other.Files != 0 {
		t.Errorf("%+v", c)
	}
	clusterBy(t, k, "name")
	step("other columns are left to FULL", optimize.Spec{}, 0, 1, xy)
	if err := k.Append(t.Context(), points(4, 1, 20)[0]...); err != nil {
		t.Fatal(err)
	}
	step("what is new goes by the new columns", optimize.Spec{}, 1, 2, name, xy)
	step("FULL takes all", optimize.Spec{Full: true}, 2, 1, name)
	for _, spec := range []optimize.Spec{{ZOrderBy: []string{"x"}}, {Where: parse(t, "x = 1")}} {
		if _, err := optimize.Run(t.Context(), k.Log, spec, optimize.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_CLUSTERING_WITH_") {
			t.Error(err)
		}
	}
	clusterBy(t, k)
	if _, err := optimize.Run(t.Context(), k.Log, optimize.Spec{Full: true}, optimize.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_OPTIMIZE_FULL_NOT_SUPPORTED") {
		t.Error(err)
	}
}

// TestCubesAreBounded: a cube ends where it would become too large.
func TestCubesAreBounded(t *testing.T) {
	k := plane(t, nil, points(5, 6, 50))
	clusterBy(t, k, "x")
	size := now(t, k).SizeInBytes() / 6
	res := run(t, k, optimize.Spec{LeastCube: 1, LargestCube: 3 * size}, optimize.Options{})
	if _, n := cubesOf(now(t, k)); n < 2 || n > 3 || res.Plan.Cubes.Written != int64(n) {
		t.Errorf("%d cubes: %+v", n, res.Plan.Cubes)
	}
}

// TestSortedAgainstDeletes: what a winner deletes meanwhile is deleted in the
// sorted files, whether rows can be marked or not.
func TestSortedAgainstDeletes(t *testing.T) {
	for _, marks := range []string{"true", "false"} {
		for _, clustered := range []bool{false, true} {
			t.Run(fmt.Sprint(marks, clustered), func(t *testing.T) {
				k := plane(t, map[string]string{"delta.enableDeletionVectors": marks, "delta.enableRowTracking": "true"}, points(6, 5, 60))
				spec := optimize.Spec{ZOrderBy: []string{"x", "y"}}
				if clustered {
					clusterBy(t, k, "x", "y")
					spec = optimize.Spec{}
				}
				want := identified(t, k)
				where := parse(t, "x % 7 = 3 AND y < 50")
				run(t, k, spec, rival(func() error {
					_, err := dml.Delete(t.Context(), k.Log, where, merge.Options{})
					return err
				}))
				got := identified(t, k)
				for id, row := range got {
					if want[id] != row {
						t.Fatalf("row %d was %s, is %s", id, want[id], row)
					}
				}
				deleted := 0
				for _, row := range want {
					var x, y int
					if _, err := fmt.Sscanf(row, `{"x":%d,"y":%d`, &x, &y); err != nil {
						t.Fatal(err)
					}
					if x%7 == 3 && y < 50 {
						deleted++
					}
				}
				if len(got) != len(want)-deleted || deleted == 0 {
					t.Fatalf("%d rows of %d, %d were deleted", len(got), len(want), deleted)
				}
				clean(t, k)
			})
		}
	}
}

// identified maps the row ids of a table to rows.
func identified(t *testing.T, k *tablekit.Kit) map[int64]string {
	t.Helper()
	s := now(t, k)
	src := scan.SourceOf(s)
	src.Columns = src.Columns.WithRowColumns(s.Metadata())
	out := map[int64]string{}
	for _, a := range adds(s) {
		for b, err := range scan.File(t.Context(), s.Env(), src, a, scan.Options{Positions: true}) {
			if err != nil {
				t.Fatal(err)
			}
			ids := scan.RowIDs(b, b.Columns[4])
			for r := range b.Rows {
				out[columns.Value(ids, r).(int64)] = string(columns.AppendCanonicalRow(nil, b.Columns[:4], s.Schema(), r))
			}
		}
	}
	return out
}
