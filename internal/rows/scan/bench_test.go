package scan_test

import (
	"fmt"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/scan"
)

// BenchmarkSmallFiles scans many files of a few rows from a local disk.
func BenchmarkSmallFiles(b *testing.B) {
	tb := newTable(b)
	var adds []*action.Add
	for i := range 200 {
		adds = append(adds, tb.add(b, fmt.Sprint(i), fmt.Sprint(i), 10))
	}
	b.ReportAllocs()
	for b.Loop() {
		rows := 0
		for batch, err := range scan.Files(b.Context(), env.New(), tb.src, adds, scan.Options{}) {
			if err != nil {
				b.Fatal(err)
			}
			rows += batch.Rows
		}
		if rows != 2000 {
			b.Fatal(rows)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/200, "us/file")
}
