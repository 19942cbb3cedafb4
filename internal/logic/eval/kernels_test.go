package eval

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// drawComparable draws values of which many are equal or at an edge.
func drawComparable(t *rapid.T, typ types.Type) any {
	if rapid.IntRange(0, 5).Draw(t, "null") == 0 {
		return nil
	}
	switch typ.Kind() {
	case types.KindDecimal:
		return expr.Decimal{Unscaled: rapid.SampledFrom(edgeNumbers).Draw(t, "n").BigInt(), Scale: 2}
	case types.KindString:
		return rapid.SampledFrom([]string{"", "A", "B", "AIR", "AIR ", "AIX", "REG AIR", "\x00", "\xff", "é"}).Draw(t, "s")
	case types.KindBoolean:
		return rapid.Bool().Draw(t, "b")
	case types.KindLong:
		return rapid.SampledFrom([]int64{0, 1, -1, math.MinInt64, math.MaxInt64}).Draw(t, "i")
	}
	return rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(t, "f")
}

// TestKernelsAgreeWithComparer holds each operator on whole columns, on slices
// and with constants against the ordering of single values.
func TestKernelsAgreeWithComparer(t *testing.T) {
	kinds := []types.Type{types.Decimal{Precision: 38, Scale: 2}, types.String, types.Boolean, types.Long, types.Double}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(kinds).Draw(t, "type")
		n, skip := rapid.IntRange(1, 40).Draw(t, "n"), rapid.IntRange(0, 9).Draw(t, "skip")
		column := func(n int) arrow.Array {
			vals := make([]any, n+skip)
			for i := range vals {
				vals[i] = drawComparable(t, typ)
			}
			a, err := columns.FromValues(typ, vals...)
			if err != nil {
				t.Fatal(err)
			}
			return array.NewSlice(a, int64(skip), int64(skip+n))
		}
		a, b := vec{arr: column(n)}, vec{arr: column(n)}
		switch rapid.IntRange(0, 3).Draw(t, "konst") {
		case 1:
			a = vec{column(1), true}
		case 2:
			b = vec{column(1), true}
		case 3:
			a, b, n = vec{column(1), true}, vec{column(1), true}, 1
		}
		order := comparer(a.arr, b.arr)
		for op, want := range map[string]func(c int) bool{"=": func(c int) bool { return c == 0 }, "<>": func(c int) bool { return c != 0 }, "<": func(c int) bool { return c < 0 },
			"<=": func(c int) bool { return c <= 0 }, ">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 }} {
			bits := compareBits(op, a, b, n)
			for i := range n {
				if a.null(i) || b.null(i) {
					continue
				}
				if got := isSet(bits, i); got != want(order(a.at(i), b.at(i))) {
					t.Fatalf("row %d: %v %s %v is %v", i, columns.Value(a.arr, a.at(i)), op, columns.Value(b.arr, b.at(i)), got)
				}
			}
		}
	})
}

// edgeNumbers lie around the places where 64 and 128 bits end.
var edgeNumbers = []decimal128.Num{decimal128.FromI64(0), decimal128.FromI64(1), decimal128.FromI64(-1), decimal128.FromI64(math.MaxInt64), decimal128.FromI64(math.MinInt64),
	decimal128.New(0, math.MaxUint64), decimal128.New(1, 0), decimal128.New(-1, 0), decimal128.New(-2, math.MaxUint64), decimal128.New(1<<60, 7), decimal128.New(-1<<60, 7)}

// BenchmarkCompare is one million rows against a constant.
func BenchmarkCompare(b *testing.B) {
	const n = 1 << 20
	numbers, words := make([]decimal128.Num, n), make([]any, n)
	for i := range n {
		numbers[i], words[i] = decimal128.FromI64(int64(i*7919%5000)), []string{"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"}[i%7]
	}
	text, err := columns.FromValues(types.String, words...)
	if err != nil {
		b.Fatal(err)
	}
	decimals := makeFixed(&arrow.Decimal128Type{Precision: 15, Scale: 2}, numbers, nil)
	for name, c := range map[string][2]arrow.Array{"decimal": {decimals, array.NewSlice(decimals, 9, 10)}, "string": {text, array.NewSlice(text, 1, 2)}} {
		for _, op := range []string{"=", "<"} {
			b.Run(name+op, func(b *testing.B) {
				for b.Loop() {
					compareBits(op, vec{arr: c[0]}, vec{c[1], true}, n)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/n, "ns/row")
			})
		}
	}
}
