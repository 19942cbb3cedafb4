package scan_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/types"
)

// filterSchema is the table; p is its partition column. A file may have a, n and
// f in a narrower type, or lack g.
var filterSchema = types.NewStruct(field("p", types.Integer), field("a", types.Long), field("f", types.Double), field("n", types.Decimal{Precision: 12, Scale: 2}),
	field("s", types.String), field("d", types.Date), field("b", types.Boolean), field("g", types.String),
	field("st", types.NewStruct(field("x", types.Long), field("y", types.String))), field("li", &types.Array{Element: types.Integer, ContainsNull: true}),
	types.Field{Name: "row", Type: types.Long})

// filterAtoms are conditions that meet NULL, NaN, negative zero, edges of types
// and rows for which they would fail.
var filterAtoms = []string{"a = 3", "a <> 3", "a < 0", "a >= 2", "a BETWEEN 1 AND 4", "a IN (1, 5, NULL)", "a IS NULL", "a <=> NULL", "a % 2 = 0",
	"f = 0.0D", "f > 1.0D", "f >= double('NaN')", "f < 0.0D", "isnan(f)", "f <> f", "n = 1.50", "n < 0", "n BETWEEN -2.25 AND 3", "n >= 100", "n IS NOT NULL",
	"s = 'AIR'", "s < 'B'", "s > 'A'", "s IN ('', 'AIR')", "s LIKE 'A%'", "length(s) > 3", "upper(s) = 'AIR'", "d >= DATE'2020-01-03'", "d = DATE'2020-01-02'", "b", "NOT b", "b IS NULL",
	"g IS NULL", "g = 'x'", "coalesce(g, 'x') = 'x'", "st.x = 2", "st.y = 'AIR'", "st IS NULL", "size(li) > 1", "li[0] = 1", "p = 1", "p IS NULL", "p > 1", "p = a", "p + 1 = a OR s = 'B'",
	"a = 3 AND 10 / a > 1", "a <> 0 AND 10 / a > 3", "a IS NOT NULL AND a <> 0 AND 100 % a = 1", "row < 20", "row >= 30 AND row < 33", "row = 77", "true", "false", "NULL"}

func drawFilterValue(t *rapid.T, f types.Field) any {
	if f.Nullable && rapid.IntRange(0, 6).Draw(t, "null") == 0 {
		return nil
	}
	switch x := f.Type.(type) {
	case types.Decimal:
		return expr.Decimal{Unscaled: big.NewInt(rapid.SampledFrom([]int64{0, 150, -1, -225, -226, 300, 301, 10000, 9999999}).Draw(t, "n")), Scale: x.Scale}
	case *types.Struct:
		return []any{drawFilterValue(t, x.Fields[0]), drawFilterValue(t, x.Fields[1])}
	case *types.Array:
		out := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			out = append(out, int64(rapid.IntRange(0, 2).Draw(t, "element")))
		}
		return out
	}
	switch f.Type.Kind() {
	case types.KindDouble, types.KindFloat:
		return rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, -1, 1.5, math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(t, "f")
	case types.KindString:
		return rapid.SampledFrom([]string{"", "AIR", "REG AIR", "A", "B", "é", "x"}).Draw(t, "s")
	case types.KindBoolean:
		return rapid.Bool().Draw(t, "b")
	case types.KindDate:
		return int64(18262 + rapid.IntRange(-1, 4).Draw(t, "d"))
	}
	return int64(rapid.IntRange(-2, 6).Draw(t, "i"))
}

// filterFile writes a file of n rows, in an order and in types of its own, and
// returns it with the columns that the table should see.
func filterFile(t *rapid.T, b *storage.Bucket, key string, n int) (*action.Add, []arrow.Array) {
	cols := make([]arrow.Array, len(filterSchema.Fields))
	own := &types.Struct{}
	var written []arrow.Array
	sorted := rapid.Bool().Draw(t, "sorted") // then pages and row groups can be skipped
	part := drawFilterValue(t, filterSchema.Fields[0])
	for i, f := range filterSchema.Fields {
		vals := make([]any, n)
		for r := range vals {
			switch {
			case f.Name == "p":
				vals[r] = part
			case f.Name == "row":
				vals[r] = int64(r)
			case f.Name == "a" && sorted:
				vals[r] = int64(r / 9)
			default:
				vals[r] = drawFilterValue(t, f)
			}
		}
		narrow := f
		if rapid.Bool().Draw(t, "narrow") {
			switch f.Name {
			case "a":
				narrow.Type = types.Integer
			case "f":
				narrow.Type = types.Float
			case "n":
				narrow.Type = types.Decimal{Precision: 9, Scale: 2}
			case "g":
				narrow.Type, vals = nil, make([]any, n)
			}
		}
		var err error
		if cols[i], err = columns.FromValues(f.Type, vals...); err != nil {
			t.Fatal(err)
		}
		if narrow.Type == nil || f.Name == "p" {
			continue
		}
		a, err := columns.FromValues(narrow.Type, vals...)
		if err != nil {
			t.Fatal(err)
		}
		own.Fields, written = append([]types.Field{narrow}, own.Fields...), append([]arrow.Array{a}, written...)
	}
	var buf bytes.Buffer
	w, err := parquetio.NewFileWriter(&buf, own, parquetio.WriterOptions{PageRows: rapid.IntRange(1, 40).Draw(t, "page"), RowGroupRows: rapid.IntRange(10, 120).Draw(t, "group"), NoPageIndex: rapid.Bool().Draw(t, "noIndex")})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteColumns(written, n); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(context.Background(), key, buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	add := &action.Add{Path: key, Size: int64(buf.Len()), PartitionValues: action.PartitionValues{"p": nil}}
	if part != nil {
		add.PartitionValues["p"] = text(fmt.Sprint(part))
	}
	return add, cols
}

// TestFilterAgainstBruteForce draws tables and conditions and compares what a scan
// finds with what evaluating the condition on every live row finds.
func TestFilterAgainstBruteForce(t *testing.T) {
	cols, err := feature.Mapping(&action.Metadata{PartitionColumns: []string{"p"}}, filterSchema)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var driver storage.Driver = memory.New()
		if rapid.Bool().Draw(rt, "remote") {
			driver = remote{driver}
		}
		b := storage.NewBucket(driver)
		src := scan.Source{Bucket: b, Columns: cols}

		where := rapid.SampledFrom(filterAtoms).Draw(rt, "where")
		for range rapid.IntRange(0, 3).Draw(rt, "more") {
			where = fmt.Sprintf("(%s) %s (%s)", where, rapid.SampledFrom([]string{"AND", "OR", "AND NOT"}).Draw(rt, "op"), rapid.SampledFrom(filterAtoms).Draw(rt, "and"))
		}
		parsed, err := expr.Parse(where)
		if err != nil {
			rt.Fatal(where, err)
		}
		bound, err := expr.Bind(parsed, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: filterSchema}}})
		if err != nil {
			rt.Fatal(where, err)
		}
		bound = expr.Fold(bound, eval.Literal)

		var adds []*action.Add
		var want []string
		fails := false
		o := scan.Options{Filter: bound, Positions: rapid.Bool().Draw(rt, "positions"), Batch: rapid.SampledFrom([]int{0, 1, 7, 64}).Draw(rt, "batch")}
		if rapid.Bool().Draw(rt, "project") {
			o.Columns = rapid.SampledFrom([][]int{{}, {10}, {0, 10}, {8, 9}, {3, 4, 10}, {1}}).Draw(rt, "columns")
		}
		for k := range rapid.IntRange(1, 2).Draw(rt, "files") {
			n := rapid.IntRange(1, 150).Draw(rt, "rows")
			add, all := filterFile(rt, b, fmt.Sprintf("f%d.parquet", k), n)
			dead := roaring64.New()
			if rapid.Bool().Draw(rt, "vector") {
				for range rapid.IntRange(1, 20).Draw(rt, "deleted") {
					dead.Add(uint64(rapid.IntRange(0, n-1).Draw(rt, "dead")))
				}
				ds, err := dv.Store(rt.Context(), b, []*roaring64.Bitmap{dead}, uuid.NewString)
				if err != nil {
					rt.Fatal(err)
				}
				add.DeletionVector = ds[0]
			}
			var live []int32
			for i := range n {
				if !dead.Contains(uint64(i)) {
					live = append(live, int32(i))
				}
			}
			rows := columns.TakeColumns(all, live)
			sel, err := eval.Filter(bound, eval.Input{Columns: rows, Rows: len(live)})
			fails = fails || err != nil
			for _, at := range sel {
				want = append(want, filterRow(rows, o.Columns, int(at)))
			}
			adds = append(adds, add)
		}
		e := env.New()
		e.Workers, e.Memory = rapid.IntRange(1, 3).Draw(rt, "workers"), rapid.SampledFrom([]int64{0, 1, 1 << 20}).Draw(rt, "memory")
		batches := scan.Files(rt.Context(), e, src, adds, o)
		if rapid.Bool().Draw(rt, "stream") {
			batches = scan.Stream(rt.Context(), e, src, shares(adds), o)
		}
		var got []string
		for b, err := range batches {
			if err != nil {
				if !fails {
					rt.Fatalf("%s: %v", where, err)
				}
				return
			}
			if o.Positions && len(b.Positions) != b.Rows {
				rt.Fatal("positions")
			}
			for i := range b.Rows {
				got = append(got, filterRow(b.Columns, o.Columns, i))
				if row := b.Columns[10]; o.Positions && row != nil && columns.Value(row, i) != b.Positions[i] {
					rt.Fatalf("row %v claims position %d", columns.Value(row, i), b.Positions[i])
				}
			}
		}
		if fails {
			return // the scan need not meet the row for which it fails
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			rt.Fatalf("%s:\ngot  %d %v\nwant %d %v", where, len(got), got, len(want), want)
		}
	})
}

func shares(adds []*action.Add) iter.Seq[scan.Share] {
	return func(yield func(scan.Share) bool) {
		for _, a := range adds {
			if !yield(scan.Share{Add: a}) {
				return
			}
		}
	}
}

// filterRow is the text of a row; which columns are there must be what was asked for.
func filterRow(cols []arrow.Array, want []int, row int) string {
	out := []byte{}
	for i, f := range filterSchema.Fields {
		if want == nil || slices.Contains(want, i) {
			out = append(columns.AppendCanonicalValue(out, cols[i], f.Type, row), ' ')
		}
	}
	return string(out)
}
