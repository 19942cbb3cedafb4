package optimize_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/types"
)

// TestSchemaChangesWin: who changes columns meanwhile finds every row in the files
// that come out, under the names and types that hold then.
func TestSchemaChangesWin(t *testing.T) {
	for name, change := range map[string]alter.Change{
		"add":     alter.AddColumns{Columns: []alter.NewColumn{{Field: types.Field{Name: "more", Type: types.Long, Nullable: true}}}},
		"drop":    alter.DropColumns{Columns: [][]string{{"name"}}},
		"rename":  alter.RenameColumn{Column: []string{"x"}, To: "y2"},
		"widen":   alter.ChangeColumn{Column: []string{"x"}, Type: types.Long},
		"cluster": alter.ClusterBy{Columns: [][]string{{"y"}}},
	} {
		for how, spec := range map[string]optimize.Spec{"packed": {}, "sorted": {ZOrderBy: []string{"x"}}, "purged": {Purge: true}} {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				properties := map[string]string{"delta.columnMapping.mode": "name", "delta.enableTypeWidening": "true", "delta.enableRowTracking": "true"}
				k, twin := plane(t, properties, points(3, 5, 30)), plane(t, properties, points(3, 5, 30))
				for _, x := range []*tablekit.Kit{k, twin} {
					if _, err := dml.Delete(t.Context(), x.Log, parse(t, "x % 5 = 2"), merge.Options{}); err != nil {
						t.Fatal(err)
					}
				}
				res, err := optimize.Run(t.Context(), k.Log, spec, rival(func() error {
					_, err := alter.Run(t.Context(), k.Log, change, alter.Options{})
					return err
				}))
				refused := how == "sorted" && (name == "cluster" || name == "rename") // what it sorts by is gone, or chosen
				if (err != nil) != refused {
					t.Fatalf("%d commits, %v", len(res.Commits), err)
				}
				if _, err := alter.Run(t.Context(), twin.Log, change, alter.Options{}); err != nil {
					t.Fatal(err)
				}
				if got, want := k.Rows(t), twin.Rows(t); !slices.Equal(got, want) {
					t.Errorf("%d rows, %d expected; first %v, %v", len(got), len(want), got[:1], want[:1])
				}
				if s := now(t, k); !refused && (s.NumFiles() != 1 || s.NumDeletionVectors() != 0) {
					t.Errorf("%d files, %d deletion vectors", s.NumFiles(), s.NumDeletionVectors())
				}
				clean(t, k)
			})
		}
	}
}

// TestPurgeKeepsCubes: files of a clustered table that are rid of deleted rows stay
// what they were, each with those of its cube.
func TestPurgeKeepsCubes(t *testing.T) {
	k := plane(t, nil, points(4, 6, 50))
	clusterBy(t, k, "x", "y")
	run(t, k, optimize.Spec{TargetSize: 2500}, optimize.Options{})
	for i := range 3 {
		if err := k.Append(t.Context(), fmt.Sprintf(`{"x":%d,"y":2}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := cubesOf(now(t, k))
	if _, err := dml.Delete(t.Context(), k.Log, parse(t, "y % 10 = 2 AND x > 0"), merge.Options{}); err != nil {
		t.Fatal(err)
	}
	ids, want := cubeIDs(now(t, k)), k.Rows(t)
	if len(ids) < 2 || len(before) < 4 {
		t.Fatalf("%v, %v", ids, before)
	}
	run(t, k, optimize.Spec{Purge: true, TargetSize: 2500}, optimize.Options{})
	s := now(t, k)
	if got := cubeIDs(s); !slices.Equal(got, ids) || s.NumDeletionVectors() != 0 {
		t.Errorf("cubes %v were %v, %d deletion vectors", got, ids, s.NumDeletionVectors())
	}
	for _, a := range adds(s) {
		if (a.Tags["ZCUBE_ID"] != "") != (a.ClusteringProvider != nil) {
			t.Errorf("%+v", a)
		}
	}
	if got := k.Rows(t); !slices.Equal(got, want) {
		t.Errorf("%d rows, %d before", len(got), len(want))
	}
	clean(t, k)
}

// cubeIDs lists the cubes of a version; "" stands for files of none.
func cubeIDs(s *snapshot.Snapshot) (out []string) {
	for _, a := range adds(s) {
		out = append(out, a.Tags["ZCUBE_ID"])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestForeignTags: what other writers note at a file goes into its tombstone, and
// not to the file that takes its place, which is another.
func TestForeignTags(t *testing.T) {
	k := kit(t, 3, nil)
	s := now(t, k)
	var acts []action.Action
	for _, a := range adds(s) {
		b := *a
		b.Tags, b.DataChange = map[string]string{"INSERTION_TIME": "1", "theirs": "x"}, false
		acts = append(acts, &b)
	}
	if err := tablekit.Publish(t.Context(), k.Bucket, s.Version()+1, "TAGS", acts...); err != nil {
		t.Fatal(err)
	}
	run(t, k, optimize.Spec{}, optimize.Options{})
	for _, a := range commit(t, k, now(t, k).Version()) {
		switch x := a.(type) {
		case *action.Add:
			if len(x.Tags) != 0 {
				t.Errorf("%v", x.Tags)
			}
		case *action.Remove:
			if x.Tags["theirs"] != "x" {
				t.Errorf("%v", x.Tags)
			}
		}
	}
}

// TestRandomPrefixes: deletion vectors that a repair writes lie where the table
// wants its files.
func TestRandomPrefixes(t *testing.T) {
	k := kit(t, 4, map[string]string{"delta.randomizeFilePrefixes": "true", "delta.randomPrefixLength": "4"})
	run(t, k, optimize.Spec{}, rival(func() error {
		_, err := dml.Delete(t.Context(), k.Log, parse(t, "k = 4"), merge.Options{})
		return err
	}))
	s := now(t, k)
	for _, a := range adds(s) {
		if d := a.DeletionVector; d == nil || len(d.PathOrInlineDv) != 24 || a.Path[4] != '/' {
			t.Errorf("%+v at %s", d, a.Path)
		}
	}
	if s.NumFiles() != 1 || len(k.Rows(t)) != 11 {
		t.Errorf("%d files, %d rows", s.NumFiles(), len(k.Rows(t)))
	}
	clean(t, k)
}
