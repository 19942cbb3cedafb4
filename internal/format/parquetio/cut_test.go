package parquetio

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// TestCut: the parts of a file follow each other and hold every row once.
func TestCut(t *testing.T) {
	s := types.NewStruct(field("row", types.Long), field("s", types.String))
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 400).Draw(rt, "rows")
		rows, texts := make([]any, n), make([]any, n)
		for i := range n {
			rows[i], texts[i] = int64(i), string(bytes.Repeat([]byte{byte('a' + i%26)}, i%50))
		}
		a, _ := columns.FromValues(types.Long, rows...)
		b, _ := columns.FromValues(types.String, texts...)
		cols := []arrow.Array{a, b}
		index := rapid.Bool().Draw(rt, "index")
		data := writeFile(t, s, WriterOptions{PageRows: rapid.IntRange(1, 40).Draw(rt, "page"), RowGroupRows: rapid.IntRange(5, 500).Draw(rt, "group"), NoPageIndex: !index}, cols)
		f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{Name: "t"})
		if err != nil {
			rt.Fatal(err)
		}
		parts := f.Cut(rapid.Int64Range(1, 20_000).Draw(rt, "bytes"))
		if !index && len(parts) > f.RowGroups() {
			rt.Fatalf("%d parts of %d row groups without an index", len(parts), f.RowGroups())
		}
		at := int64(0)
		var got []string
		for _, p := range parts {
			if p.Start != at || p.End <= p.Start {
				rt.Fatalf("part %v behind row %d", p, at)
			}
			at = p.End
			some, _ := readRows(t, data, Query{Schema: s, Rows: []RowRange{p}})
			got = append(got, some...)
		}
		sameRows(rt, got, canonical(s, cols))
	})
}
