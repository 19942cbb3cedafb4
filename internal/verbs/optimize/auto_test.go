package optimize_test

import (
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
)

func TestAfter(t *testing.T) {
	for wish, files := range map[string]int{"true": 2, "false": 51} {
		k := tablekit.New(t, tablekit.Spec{DDL: "k INT, v STRING", PartitionBy: []string{"v"}, Properties: map[string]string{"delta.autoOptimize.autoCompact": wish},
			Files: append([][]string{{`{"k":0,"v":"other"}`}}, repeat(49, `{"k":1,"v":"x"}`)...)})
		src, err := tablekit.Source(k.Schema, `{"k":2,"v":"x"}`)
		if err != nil {
			t.Fatal(err)
		}
		var rows source.Source = src
		res, err := insert.Run(t.Context(), k.Log, rows, insert.Options{})
		if err != nil {
			t.Fatal(err)
		}
		optimize.After(t.Context(), k.Log, res.Commit)
		s := now(t, k)
		if s.NumFiles() != files {
			t.Errorf("%s: %d files", wish, s.NumFiles())
		}
		if wish == "true" && string(s.CommitInfo().OperationParameters["auto"]) != "true" {
			t.Errorf("%v", s.CommitInfo().OperationParameters)
		}
	}
}

func repeat(n int, row string) (out [][]string) {
	for range n {
		out = append(out, []string{row})
	}
	return out
}
