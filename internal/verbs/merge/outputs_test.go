package merge_test

import (
	"fmt"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// TestOptimizedWrites: however many workers there are, a partition gets one file.
func TestOptimizedWrites(t *testing.T) {
	on, off := true, false
	for _, c := range []struct {
		property string
		wish     *bool
		one      bool // file for each partition
	}{{"true", nil, true}, {"false", &on, true}, {"true", &off, false}} {
		t.Run(fmt.Sprint(c.property, c.one), func(t *testing.T) {
			e := env.New()
			e.Workers = 4
			properties := tablekit.WithoutVectors()
			properties["delta.autoOptimize.optimizeWrite"] = c.property
			var files [][]string
			for f := range 24 {
				files = append(files, []string{fmt.Sprintf(`{"k":%d,"p":"a"}`, f), fmt.Sprintf(`{"k":%d,"p":"b"}`, f+100)})
			}
			k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Env: e, Properties: properties, Files: files})
			src, err := tablekit.Table(k.Schema, `{"k":1000,"p":"a"}`, `{"k":5,"p":"b"}`)
			if err != nil {
				t.Fatal(err)
			}
			statements := map[string]func() (merge.Result, error){
				"UPDATE": func() (merge.Result, error) {
					one, err := expr.Parse("k + 1")
					if err != nil {
						return merge.Result{}, err
					}
					return dml.Update(t.Context(), k.Log, []merge.Assignment{{Column: []string{"k"}, Value: one}}, nil, merge.Options{OptimizeWrite: c.wish})
				},
				"MERGE": func() (merge.Result, error) {
					m, err := parse.MergeStatement("MERGE INTO t USING s ON t.k = s.k WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE THEN UPDATE SET k = t.k * 2")
					if err != nil {
						return merge.Result{}, err
					}
					return merge.Run(t.Context(), k.Log, m.Spec, src, merge.Options{OptimizeWrite: c.wish})
				},
			}
			for _, name := range []string{"UPDATE", "MERGE"} {
				res, err := statements[name]()
				if err != nil {
					t.Fatal(err)
				}
				if n := res.Metrics.FilesAdded; n < 2 || c.one && n > 2 || n > 8 {
					t.Errorf("%s wrote %d files for 2 partitions", name, n)
				}
			}
		})
	}
}
