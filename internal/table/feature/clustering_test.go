package feature

import (
	"slices"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

func TestClustering(t *testing.T) {
	physical := func(name string) types.Metadata { return types.Metadata{}.With(KeyPhysicalName, name) }
	schema := types.NewStruct(
		types.Field{Name: "id", Type: types.Integer, Metadata: physical("col-1")},
		types.Field{Name: "s t", Type: types.NewStruct(types.Field{Name: "a.b", Type: types.Integer, Metadata: physical("col-3")}), Metadata: physical("col-2")})
	mapped, err := Mapping(&action.Metadata{Configuration: map[string]string{"delta.columnMapping.mode": "name"}}, schema)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Mapping(&action.Metadata{}, schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		configuration string
		columns       *Columns
		want          []string
	}{
		{`{"clusteringColumns":[["col-1"],["col-2","col-3"]],"domainName":"delta.clustering"}`, mapped, []string{"id", "s t.`a.b`"}},
		{`{"clusteringColumns":[["id"],["s t","a.b"]]}`, plain, []string{"id", "s t.`a.b`"}},
		{`{"clusteringColumns":[["gone","x"]]}`, mapped, []string{"gone.x"}},
		{`{"clusteringColumns":["col-2","col-1"]}`, mapped, []string{"s t", "id"}},
		{`{"clusteringColumns":[7]}`, plain, nil},
		{`{"clusteringColumns":[]}`, plain, nil},
		{"", plain, nil},
		{"no JSON", plain, nil},
	} {
		if got := Clustering(c.configuration, c.columns); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.configuration, got, c.want)
		}
	}
}
