package interop

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
)

// serving is deltalake in a process that answers requests as Spark's does.
func serving(t *testing.T) *spark {
	t.Helper()
	python := os.Getenv("SLUICE_PYTHON")
	if python == "" {
		t.Skip("SLUICE_PYTHON is not set: it names a Python with the package deltalake 1.6.6")
	}
	cmd := exec.Command(python, "testdata/peer.py", "serve")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	return &spark{in, bufio.NewReaderSize(out, 1<<20)}
}

// TestChain lets sluice, deltalake, sluice and Spark write one table in turns.
// After each turn all of them read the same. (deltalake writes no deletion
// vectors, no row ids and no mapped names: the table has none.) Without Spark the
// chain is two engines long.
func TestChain(t *testing.T) {
	rs := serving(t)
	var sp *spark
	if os.Getenv("SLUICE_SPARK_PYTHON") != "" {
		sp = startSpark(t)
	}
	for _, c := range []struct {
		name string
		spec tablekit.Spec
	}{
		{"plain", tablekit.Spec{}},
		{"partitioned", tablekit.Spec{PartitionBy: []string{"p"}}},
		{"checkpoints", tablekit.Spec{Properties: map[string]string{"delta.checkpointInterval": "2"}}},
		{"constraint", tablekit.Spec{Properties: map[string]string{"delta.constraints.small": "v < 100000"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.spec.DDL = "k BIGINT, p STRING, v INT, o STRUCT<a: INT, l: ARRAY<STRING>>"
			if c.spec.Properties == nil {
				c.spec.Properties = map[string]string{}
			}
			c.spec.Properties["delta.enableDeletionVectors"] = "false"
			c.spec.Files = [][]string{
				{`{"k":1,"p":"a","v":1,"o":{"a":1,"l":["x",null]}}`, `{"k":2,"p":"b c","v":2,"o":null}`, `{"k":3,"p":null,"v":3,"o":{"a":null,"l":[]}}`},
				{`{"k":4,"p":"ü/x=1%","v":4,"o":null}`, `{"k":5,"p":"a","v":5,"o":{"a":5,"l":null}}`},
			}
			k, dir := build(t, c.spec)
			check := func(who string) {
				t.Helper()
				ours := k.Rows(t)
				equalRows(t, who+", read by deltalake", ours, rs.rows(t, k.Schema, map[string]any{"rows": dir}))
				if sp != nil {
					equalRows(t, who+", read by Spark", ours, sp.rows(t, k.Schema, map[string]any{"rows": dir}))
				}
			}
			check("sluice made it")
			for round := range 2 {
				mergeInto(t, k.Log, k.Schema, upsert, `{"k":1,"p":"z","v":10,"o":{"a":9,"l":["n"]}}`, `{"k":2,"p":"b c","v":-1,"o":null}`, `{"k":6,"p":"a","v":60,"o":null}`)
				check("sluice merged")
				rs.rows(t, k.Schema, map[string]any{"table": dir, "update": map[string]string{"v": "v + 1"}, "where": "k > 3"})
				check("deltalake updated")
				rs.rows(t, k.Schema, map[string]any{"table": dir, "delete": "k = 4"})
				check("deltalake deleted")
				change(t, k.Log, "UPDATE target SET v = v * 2, o.a = 7 WHERE p = 'a'")
				check("sluice updated")
				if sp != nil {
					sp.sql(t, "MERGE INTO delta.`"+dir+"` t USING (SELECT 3L k, 'q' p, 33 v UNION ALL SELECT 77L, 'a', 7) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (k, p, v) VALUES (s.k, s.p, s.v)")
					check("Spark merged")
					sp.sql(t, "DELETE FROM delta.`"+dir+"` WHERE k = 77")
					check("Spark deleted")
				}
				change(t, k.Log, "DELETE FROM target WHERE k = 5")
				check("sluice deleted")
				if err := k.Append(t.Context(), fmt.Sprintf(`{"k":%d,"p":"x","v":1}`, 100+round)); err != nil {
					t.Fatal(err)
				}
				check("sluice appended")
			}
		})
	}
}
