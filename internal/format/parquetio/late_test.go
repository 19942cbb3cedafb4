package parquetio

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// TestChoose picks rows of columns of any shape, where requests are cheap and
// where they are not, and compares with what was written.
func TestChoose(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := types.NewStruct(types.Field{Name: "row", Type: types.Long}, field("c", genType(2).Draw(rt, "type")), field("d", genType(0).Draw(rt, "plain")), field("gone", types.String))
		n := rapid.IntRange(1, 200).Draw(rt, "rows")
		cols := make([]arrow.Array, 4)
		for c := range cols {
			vals := make([]any, n)
			for i := range vals {
				switch c {
				case 0:
					vals[i] = int64(i)
				case 3:
				default:
					vals[i] = sampleValue(s.Fields[c].Type, rapid.IntRange(0, 40).Draw(rt, "seed"), true)
				}
			}
			a, err := columns.FromValues(s.Fields[c].Type, vals...)
			if err != nil {
				rt.Fatal(err)
			}
			cols[c] = a
		}
		want := canonical(s, cols)
		data := writeFile(t, types.NewStruct(s.Fields[:3]...), WriterOptions{PageRows: rapid.IntRange(1, 40).Draw(rt, "page"), RowGroupRows: rapid.IntRange(5, 200).Draw(rt, "group"),
			NoPageIndex: rapid.Bool().Draw(rt, "noIndex")}, cols[:3])

		picked := map[int64]bool{}
		var some []string
		for at := rapid.IntRange(0, 60).Draw(rt, "first"); at < n; at += rapid.IntRange(1, 50).Draw(rt, "gap") {
			for end := min(n, at+rapid.IntRange(1, 60).Draw(rt, "run")); at < end; at++ {
				picked[int64(at)], some = true, append(some, want[at])
			}
		}
		f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{Name: "t", Cheap: rapid.Bool().Draw(rt, "cheap"), Tail: 16})
		if err != nil {
			rt.Fatal(err)
		}
		q := Query{Schema: s, Batch: rapid.IntRange(1, 90).Draw(rt, "batch"), Window: int64(rapid.IntRange(0, 200).Draw(rt, "window")),
			First: rapid.SampledFrom([][]int{nil, {0}, {0, 1}, {0, 2, 3}, {0, 1, 2, 3}}).Draw(rt, "firstColumns")}
		q.Choose = func(got []arrow.Array, first int64, rows int) (sel []int32, all bool, err error) {
			for _, o := range q.First {
				if columns.AppendCanonicalRow(nil, got[o:o+1], types.NewStruct(s.Fields[o]), 0); got[o].Len() != rows {
					rt.Fatalf("column %d has %d rows of %d", o, got[o].Len(), rows)
				}
			}
			for i := range rows {
				if picked[first+int64(i)] {
					sel = append(sel, int32(i))
				}
			}
			return sel, len(sel) == rows, nil
		}
		if rapid.Bool().Draw(rt, "project") {
			q.Columns = rapid.SampledFrom([][]int{{}, {0}, {1}, {2, 3}, {0, 2}}).Draw(rt, "columns")
		}
		var got []string
		found := 0
		for b, err := range f.Read(t.Context(), q) {
			if err != nil {
				rt.Fatal(err)
			}
			if b.Rows == 0 || b.Picked != nil && len(b.Picked) != b.Rows {
				rt.Fatalf("%d rows, %d positions", b.Rows, len(b.Picked))
			}
			if q.Columns != nil {
				for o, c := range b.Columns {
					if (c != nil) != slices.Contains(q.Columns, o) {
						rt.Fatalf("column %d is not what was asked for", o)
					}
				}
				at := make([]int32, b.Rows)
				for i := range at {
					at[i] = int32(i)
					if b.Picked != nil {
						at[i] = b.Picked[i]
					}
					at[i] += int32(b.First)
				}
				sameRows(rt, project(s, b.Columns, q.Columns), project(s, columns.TakeColumns(cols, at), q.Columns))
				found += b.Rows
				continue
			}
			if p := b.Columns[0]; columns.Value(p, 0) != b.First && (b.Picked == nil || columns.Value(p, 0) != b.First+int64(b.Picked[0])) {
				rt.Fatal("wrong position")
			}
			got = append(got, canonical(s, b.Columns)...)
		}
		if q.Columns == nil {
			sameRows(rt, got, some)
		} else if found != len(some) {
			rt.Fatalf("%d rows, want %d", found, len(some))
		}
	})
}

// project is the text of some columns of each row.
func project(s *types.Struct, cols []arrow.Array, ordinals []int) []string {
	if len(ordinals) == 0 {
		return nil
	}
	part := &types.Struct{}
	var some []arrow.Array
	for _, o := range ordinals {
		part.Fields, some = append(part.Fields, s.Fields[o]), append(some, cols[o])
	}
	return canonical(part, some)
}

// TestLimit: the first rows of what may match, and no page behind them.
func TestLimit(t *testing.T) {
	s := types.NewStruct(types.Field{Name: "row", Type: types.Long})
	vals := make([]any, 1000)
	for i := range vals {
		vals[i] = int64(i)
	}
	a, err := columns.FromValues(types.Long, vals...)
	if err != nil {
		t.Fatal(err)
	}
	want := canonical(s, []arrow.Array{a})
	data := writeFile(t, s, WriterOptions{PageRows: 50, RowGroupRows: 300}, []arrow.Array{a})
	for _, limit := range []int64{1, 49, 50, 299, 300, 301, 999, 1000, 2000} {
		got, _ := readRows(t, data, Query{Schema: s, Limit: limit})
		sameRows(t, got, want[:min(limit, 1000)])
	}
	got, _ := readRows(t, data, Query{Schema: s, Limit: 5, Rows: []RowRange{{10, 12}, {310, 400}}})
	sameRows(t, got, slices.Concat(want[10:12], want[310:313]))
}

// TestChooseFails: the error of Choose ends the reading.
func TestChooseFails(t *testing.T) {
	s := types.NewStruct(types.Field{Name: "row", Type: types.Long})
	a, _ := columns.FromValues(types.Long, int64(1), int64(2))
	data := writeFile(t, s, WriterOptions{}, []arrow.Array{a})
	f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("no")
	for _, err := range f.Read(t.Context(), Query{Schema: s, Choose: func([]arrow.Array, int64, int) ([]int32, bool, error) { return nil, false, failed }}) {
		if !errors.Is(err, failed) {
			t.Errorf("%v", err)
		}
	}
}
