package curve

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

type failer interface {
	Fatalf(format string, args ...any)
}

func must(t failer, ok bool, format string, args ...any) {
	if !ok {
		t.Fatalf(format, args...)
	}
}

func same(t failer, want, got any) {
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func column(t failer, typ types.Type, vals ...any) arrow.Array {
	if d, ok := typ.(types.Decimal); ok {
		b := array.NewDecimal128Builder(memory.DefaultAllocator, &arrow.Decimal128Type{Precision: int32(d.Precision), Scale: int32(d.Scale)})
		for _, v := range vals {
			if v == nil {
				b.AppendNull()
			} else {
				b.Append(v.(decimal128.Num))
			}
		}
		return b.NewArray()
	}
	a, err := columns.FromValues(typ, vals...)
	must(t, err == nil, "%v", err)
	return a
}

// ordered lists values of each type in ascending order; NULL comes first.
var ordered = map[types.Type][]any{
	types.Boolean:                          {nil, false, true},
	types.Byte:                             {nil, int64(-128), int64(-1), int64(0), int64(127)},
	types.Short:                            {nil, int64(-300), int64(0), int64(300)},
	types.Integer:                          {nil, int64(math.MinInt32), int64(-1), int64(0), int64(7)},
	types.Long:                             {nil, int64(math.MinInt64 + 1), int64(-5), int64(0), int64(math.MaxInt64)},
	types.Float:                            {nil, float64(math.Inf(-1)), float64(-1), float64(0), float64(1e-20), float64(math.Inf(1)), float64(math.NaN())},
	types.Double:                           {nil, math.Inf(-1), -1e300, -1.0, 0.0, 1e-300, 5.0, math.Inf(1), math.NaN()},
	types.String:                           {nil, "a", "a\x00", "aa", "ab", "b", "é", "\U0001F600"},
	types.Binary:                           {nil, []byte{1}, []byte{1, 0}, []byte{2}, []byte{0xff, 0xff}},
	types.Date:                             {nil, int64(-1000), int64(0), int64(19000)},
	types.Timestamp:                        {nil, int64(-1), int64(0), int64(1_700_000_000_000_000)},
	types.TimestampNTZ:                     {nil, int64(-1), int64(0), int64(1_700_000_000_000_000)},
	types.Decimal{Precision: 9, Scale: 2}:  {nil, decimal128.FromI64(-100), decimal128.FromI64(0), decimal128.FromI64(5)},
	types.Decimal{Precision: 38, Scale: 0}: {nil, decimal128.New(-5, 0), decimal128.FromI64(-100), decimal128.FromI64(5), decimal128.New(3, 9), decimal128.New(1<<60, 0)},
}

func keysOf(t failer, kind Kind, ts []types.Type, sample, rows []arrow.Array) []uint64 {
	s, err := NewSample(ts)
	must(t, err == nil, "%v", err)
	if sample != nil {
		s.Add(sample)
	}
	return slices.Clone(s.Curve(kind).Keys().Of(rows))
}

func TestOneColumnKeepsItsOrder(t *testing.T) {
	for typ, vals := range ordered {
		a := column(t, typ, vals...)
		for _, s := range [][]arrow.Array{nil, {a}, {array.NewSlice(a, 1, 2)}} {
			keys := keysOf(t, ZOrder, []types.Type{typ}, s, []arrow.Array{a})
			must(t, slices.IsSorted(keys), "%v sampled %v: %v", typ, s, keys)
		}
		keys := keysOf(t, ZOrder, []types.Type{typ}, []arrow.Array{a}, []arrow.Array{a})
		must(t, len(slices.Compact(keys)) == len(vals), "%v: sampled values are told apart: %v", typ, keys)
	}
}

func TestZeroAndNaN(t *testing.T) {
	a := column(t, types.Double, math.Copysign(0, -1), 0.0, math.NaN(), math.Float64frombits(0xfff8000000000001))
	keys := keysOf(t, ZOrder, []types.Type{types.Double}, nil, []arrow.Array{a})
	same(t, keys[0], keys[1])
	same(t, keys[2], keys[3])
	same(t, uint64(math.MaxUint64), keys[2])
}

func TestTypesWithoutOrder(t *testing.T) {
	for _, typ := range []types.Type{types.Variant, types.Void, &types.Array{Element: types.Long}, &types.Map{Key: types.Long, Value: types.Long}, types.NewStruct()} {
		_, err := NewSample([]types.Type{typ})
		must(t, err != nil && !Ordered(typ), "%v", typ)
	}
	_, err := NewSample(nil)
	must(t, err != nil, "no columns")
}

// TestRangesAgainstCounting compares with the definition: the number of a range
// is how many bounds are smaller.
func TestRangesAgainstCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		long := strings.Repeat("p", rapid.SampledFrom([]int{0, 3, 200}).Draw(t, "prefix"))
		gen := func(name string) ([]arrow.Array, [][]byte) {
			vals := rapid.SliceOfN(rapid.StringMatching(`[ab\x00]{0,9}`), 0, 40).Draw(t, name)
			var in []any
			var raw [][]byte
			for _, v := range vals {
				in, raw = append(in, long+v), append(raw, []byte(long+v))
			}
			return []arrow.Array{column(t, types.String, in...)}, raw
		}
		sample, _ := gen("sample")
		rows, raw := gen("rows")
		const n = 4
		r := newRanges(shapeText, sample, n).(*textRanges)
		got := make([]uint32, len(raw))
		r.number(got, rows[0], nil)
		for i, v := range raw {
			want := 0
			for _, b := range r.bounds {
				if bytes.Compare(b, v) < 0 {
					want++
				}
			}
			must(t, want == int(got[i]), "%q among %q", v, r.bounds)
		}
		must(t, slices.IsSortedFunc(r.bounds, bytes.Compare), "%q", r.bounds)

		keys := make([]uint64, len(raw))
		r.order(keys, rows[0], make([]uint32, len(raw)))
		for i := range raw {
			for j := range raw {
				if bytes.Compare(raw[i], raw[j]) < 0 {
					must(t, keys[i] <= keys[j], "%q %q", raw[i], raw[j])
				}
			}
		}
	})
}

func TestWideRangesKeepOrder(t *testing.T) {
	typ := types.Decimal{Precision: 38}
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.Custom(func(t *rapid.T) any {
			return decimal128.New(rapid.Int64Range(-1<<rapid.IntRange(0, 62).Draw(t, "bits"), 1<<40).Draw(t, "hi"), rapid.Uint64().Draw(t, "lo"))
		})
		sample, vals := rapid.SliceOfN(gen, 0, 30).Draw(t, "sample"), rapid.SliceOfN(gen, 1, 30).Draw(t, "rows")
		keys := keysOf(t, ZOrder, []types.Type{typ}, []arrow.Array{column(t, typ, sample...)}, []arrow.Array{column(t, typ, vals...)})
		for i, a := range vals {
			for j, b := range vals {
				if a.(decimal128.Num).Less(b.(decimal128.Num)) {
					must(t, keys[i] <= keys[j], "%v %v", a, b)
				}
			}
		}
	})
}

// TestRangesAreEven: ranges of a sampled column hold as many rows each, and few
// values spread over all numbers.
func TestRangesAreEven(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var vals, few []any
	for range 20_000 {
		vals = append(vals, int64(math.Exp(r.Float64()*40)))
		few = append(few, int64(r.IntN(7)))
	}
	counts := map[uint32]int{}
	numbers := func(vals []any) []uint32 {
		a := column(t, types.Long, vals...)
		out := make([]uint32, a.Len())
		newRanges(shapeWord, []arrow.Array{a}, 4).number(out, a, make([]uint64, a.Len()))
		return out
	}
	for _, id := range numbers(vals) {
		counts[id]++
	}
	for id := range uint32(16) {
		must(t, counts[id] > 950 && counts[id] < 1550, "range %d: %d", id, counts[id])
	}
	ids := numbers(few)
	must(t, slices.Max(ids) > 12, "7 values fill 16 ranges")
}

func TestInterleave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 7).Draw(t, "columns")
		bits := rapid.IntRange(1, min(mostBits, 64/n)).Draw(t, "bits")
		at := rapid.IntRange(0, n-1).Draw(t, "at")
		v := rapid.Uint64Range(0, 1<<bits-1).Draw(t, "v")
		var want uint64
		for b := range bits { // bit by bit from the top: column 0 first
			if v>>b&1 == 1 {
				want += 1 << (b*n + at)
			}
		}
		same(t, want, spread(v, bits, n, at))
	})
	// two columns of four values: the order of Z
	var xs, ys []any
	for y := range 4 {
		for x := range 4 {
			xs, ys = append(xs, int64(x)), append(ys, int64(y))
		}
	}
	rows := []arrow.Array{column(t, types.Long, xs...), column(t, types.Long, ys...)}
	keys := keysOf(t, ZOrder, []types.Type{types.Long, types.Long}, rows, rows)
	var got []string
	for _, row := range Order(keys) {
		got = append(got, fmt.Sprint(xs[row], ys[row]))
	}
	same(t, []string{"0 0", "0 1", "1 0", "1 1", "0 2", "0 3", "1 2", "1 3", "2 0", "2 1", "3 0", "3 1", "2 2", "2 3", "3 2", "3 3"}, got)
}

// walk goes through a whole cube along Hilbert's curve.
func walk(n, bits int) (points [][]uint32) {
	total := 1 << (n * bits)
	ids := make([][]uint32, n)
	for row := range total {
		p := make([]uint32, n)
		for i := range n {
			p[i] = uint32(row>>(i*bits)) & (1<<bits - 1)
			ids[i] = append(ids[i], p[i])
		}
		points = append(points, p)
	}
	hilbert(ids, bits)
	out := make([][]uint32, total)
	for row, p := range points {
		var key uint64
		for i := range n {
			key |= spread(uint64(ids[i][row]), bits, n, n-1-i)
		}
		out[key] = p
	}
	return out
}

func TestHilbertVisitsEveryPointByStepsOfOne(t *testing.T) {
	for _, c := range [][2]int{{2, 1}, {2, 6}, {3, 4}, {4, 3}, {5, 2}} {
		points := walk(c[0], c[1])
		for i, p := range points {
			must(t, p != nil, "%d dimensions, %d bits: nothing at %d", c[0], c[1], i)
			if i == 0 {
				continue
			}
			var steps uint32
			for d := range p {
				steps += max(p[d], points[i-1][d]) - min(p[d], points[i-1][d])
			}
			must(t, steps == 1, "%v to %v", points[i-1], p)
		}
		same(t, make([]uint32, c[0]), points[0])
	}
}

// TestLocality: a box of the space meets fewer pieces of a curve than of an order
// by the first column.
func TestLocality(t *testing.T) {
	const side, pieces = 64, 64
	var xs, ys []any
	for i := range side * side {
		xs, ys = append(xs, int64(i%side)), append(ys, int64(i/side))
	}
	rows := []arrow.Array{column(t, types.Long, xs...), column(t, types.Long, ys...)}
	for _, kind := range []Kind{ZOrder, Hilbert} {
		rowsInOrder := Order(keysOf(t, kind, []types.Type{types.Long, types.Long}, rows, rows))
		met := 0
		for p := range pieces {
			low, high := side, -1
			for _, row := range rowsInOrder[p*len(rowsInOrder)/pieces : (p+1)*len(rowsInOrder)/pieces] {
				low, high = min(low, int(row)/side), max(high, int(row)/side)
			}
			if low <= 33 && high >= 33 { // y = 33: an order by x alone would need all pieces
				met++
			}
		}
		must(t, met <= pieces/4, "kind %d: %d", kind, met)
	}
}

func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mask := rapid.SampledFrom([]uint64{3, 0xff00, 0xffff_0000_0000_ffff, math.MaxUint64}).Draw(t, "mask")
		keys := rapid.SliceOf(rapid.Uint64()).Draw(t, "keys")
		for i := range keys {
			keys[i] &= mask
		}
		want := make([]int32, len(keys))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortStableFunc(want, func(a, b int32) int {
			switch {
			case keys[a] < keys[b]:
				return -1
			case keys[a] > keys[b]:
				return 1
			}
			return 0
		})
		sorted := slices.Clone(keys)
		slices.Sort(sorted)
		same(t, want, Order(keys))
		same(t, sorted, keys)
	})
}

func TestManyColumns(t *testing.T) {
	var ts []types.Type
	var rows []arrow.Array
	for range 70 {
		ts, rows = append(ts, types.Long), append(rows, column(t, types.Long, int64(1), int64(2), nil))
	}
	for _, kind := range []Kind{ZOrder, Hilbert} {
		keys := keysOf(t, kind, ts, rows, rows)
		must(t, keys[0] != keys[1], "%x", keys)
	}
}

func benchmarkKeys(b *testing.B, kind Kind, ts []types.Type, cols ...arrow.Array) {
	s, err := NewSample(ts)
	must(b, err == nil, "%v", err)
	s.Add(cols)
	k := s.Curve(kind).Keys()
	k.Of(cols)
	b.SetBytes(int64(cols[0].Len()))
	b.ReportAllocs()
	for b.Loop() {
		k.Of(cols)
	}
}

func BenchmarkKeys(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var l1, l2, s []any
	for range 1 << 16 {
		v := r.Int64N(1 << 40)
		l1, l2, s = append(l1, v), append(l2, r.Int64N(1000)), append(s, fmt.Sprintf("https://example.org/%x", v))
	}
	a1, a2, a3 := column(b, types.Long, l1...), column(b, types.Long, l2...), column(b, types.String, s...)
	b.Run("z-2-longs", func(b *testing.B) { benchmarkKeys(b, ZOrder, []types.Type{types.Long, types.Long}, a1, a2) })
	b.Run("hilbert-2-longs", func(b *testing.B) { benchmarkKeys(b, Hilbert, []types.Type{types.Long, types.Long}, a1, a2) })
	b.Run("hilbert-4-longs", func(b *testing.B) {
		benchmarkKeys(b, Hilbert, []types.Type{types.Long, types.Long, types.Long, types.Long}, a1, a2, a1, a2)
	})
	b.Run("z-long-string", func(b *testing.B) { benchmarkKeys(b, ZOrder, []types.Type{types.Long, types.String}, a1, a3) })
	b.Run("string", func(b *testing.B) { benchmarkKeys(b, ZOrder, []types.Type{types.String}, a3) })
	b.Run("order-24-bits", func(b *testing.B) {
		keys := make([]uint64, 1<<19)
		b.SetBytes(int64(len(keys)))
		for b.Loop() {
			for i := range keys {
				keys[i] = r.Uint64() & 0xffffff
			}
			Order(keys)
		}
	})
}
