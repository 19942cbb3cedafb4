package manifest_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/manifest"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// lists reads the manifests of a table, by key.
func lists(t *testing.T, k *tablekit.Kit) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, key := range k.DataFiles(t) {
		if !strings.HasPrefix(key, manifest.Dir) {
			continue
		}
		data, _, err := k.Bucket.Get(context.Background(), key)
		if err != nil {
			t.Fatal(err)
		}
		out[key] = strings.Fields(string(data))
	}
	return out
}

func remove(t *testing.T, k *tablekit.Kit, where string) {
	t.Helper()
	e, err := expr.Parse(where)
	if err == nil {
		_, err = dml.Delete(t.Context(), k.Log, e, merge.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestGenerate(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Properties: tablekit.WithoutVectors(),
		Files: [][]string{{`{"k":1,"p":"a"}`, `{"k":2,"p":null}`}, {`{"k":3,"p":"a"}`}}})
	for _, c := range []struct {
		where string
		want  map[string]int // files of each manifest
	}{
		{"false", map[string]int{"p=a": 2, "p=__HIVE_DEFAULT_PARTITION__": 1}},
		{"k = 1", map[string]int{"p=a": 1, "p=__HIVE_DEFAULT_PARTITION__": 1}},
		{"p IS NULL", map[string]int{"p=a": 1}},
	} {
		remove(t, k, c.where)
		s, err := k.Snapshot(t.Context(), snapshot.Latest())
		if err == nil {
			_, err = manifest.Generate(t.Context(), s)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := lists(t, k)
		if len(got) != len(c.want) {
			t.Errorf("WHERE %s: %v", c.where, got)
		}
		for part, n := range c.want {
			files := got[manifest.Dir+"/"+part+"/manifest"]
			if len(files) != n || !slices.IsSorted(files) && n < 2 || !strings.HasPrefix(files[0], k.Bucket.URL()+"/p=") {
				t.Errorf("WHERE %s: %s lists %v", c.where, part, files)
			}
		}
	}
}

func TestFollow(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: map[string]string{"delta.enableDeletionVectors": "false", manifest.Property: "true"},
		Policy: txn.Policy{Hooks: []txn.Hook{manifest.Follow}}, Files: [][]string{{`{"k":1}`}, {`{"k":2}`}}})
	k.Log.Close(t.Context())
	if got := lists(t, k); len(got[manifest.Dir+"/manifest"]) != 2 {
		t.Errorf("%v", got)
	}
}

func TestRefusals(t *testing.T) {
	for want, properties := range map[string]map[string]string{
		"DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS":          nil,
		"DELTA_UNSUPPORTED_MANIFEST_GENERATION_WITH_COLUMN_MAPPING": {"delta.columnMapping.mode": "name", "delta.enableDeletionVectors": "false"},
	} {
		k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: properties, Files: [][]string{{`{"k":1}`, `{"k":2}`}}})
		remove(t, k, "k = 1")
		s, err := k.Snapshot(t.Context(), snapshot.Latest())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.Generate(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
