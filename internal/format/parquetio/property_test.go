package parquetio

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func genType(depth int) *rapid.Generator[types.Type] {
	return rapid.Custom(func(t *rapid.T) types.Type {
		shape := 0
		if depth > 0 {
			shape = rapid.IntRange(0, 5).Draw(t, "shape")
		}
		switch shape {
		case 3:
			return &types.Array{Element: genType(depth-1).Draw(t, "element"), ContainsNull: rapid.Bool().Draw(t, "null")}
		case 4:
			return &types.Map{Key: types.String, Value: genType(depth-1).Draw(t, "value"), ValueContainsNull: rapid.Bool().Draw(t, "null")}
		case 5:
			s := &types.Struct{}
			for _, name := range []string{"a", "b"}[:rapid.IntRange(1, 2).Draw(t, "fields")] {
				s.Fields = append(s.Fields, types.Field{Name: name, Type: genType(depth-1).Draw(t, name), Nullable: rapid.Bool().Draw(t, "null")})
			}
			return s
		}
		return everyType().Fields[rapid.IntRange(0, 14).Draw(t, "leaf")].Type
	})
}

// TestAnyShape writes columns of any shape and reads them back, whole and in
// pieces, with our reader and with arrow-go's.
func TestAnyShape(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		typ := genType(3).Draw(rt, "type")
		null := rapid.Bool().Draw(rt, "null")
		s := types.NewStruct(types.Field{Name: "c", Type: typ, Nullable: null}, types.Field{Name: "row", Type: types.Long})
		n := rapid.IntRange(1, 120).Draw(rt, "rows")
		vals, rows := make([]any, n), make([]any, n)
		for i := range vals {
			vals[i], rows[i] = sampleValue(typ, rapid.IntRange(0, 40).Draw(rt, "seed"), null), int64(i)
		}
		a, err := columns.FromValues(typ, vals...)
		if err != nil {
			rt.Fatal(err)
		}
		b, err := columns.FromValues(types.Long, rows...)
		if err != nil {
			rt.Fatal(err)
		}
		cols := []arrow.Array{a, b}
		want := canonical(s, cols)
		data := writeFile(t, s, WriterOptions{PageRows: rapid.IntRange(1, 40).Draw(rt, "page"), RowGroupRows: rapid.IntRange(5, 200).Draw(rt, "group")}, cols)
		got, _ := readRows(t, data, Query{Schema: s, Batch: rapid.IntRange(1, 50).Draw(rt, "batch"), Window: int64(rapid.IntRange(0, 200).Draw(rt, "window"))})
		sameRows(rt, got, want)

		var part []RowRange
		var some []string
		for at := 0; at < n; at += rapid.IntRange(1, 30).Draw(rt, "gap") {
			end := min(n, at+rapid.IntRange(1, 9).Draw(rt, "run"))
			part, some = append(part, RowRange{int64(at), int64(end)}), append(some, want[at:end]...)
			at = end
		}
		got, _ = readRows(t, data, Query{Schema: s, Rows: part})
		sameRows(rt, got, some)

		tab := readByArrow(t, data)
		var theirs []arrow.Array
		for c := range cols {
			x, err := array.Concatenate(tab.Column(c).Data().Chunks(), memory.DefaultAllocator)
			if err != nil {
				rt.Fatal(err)
			}
			theirs = append(theirs, x)
		}
		sameRows(rt, canonical(s, theirs), want)
	})
}
