package columns_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

var sameBig = cmp.Options{cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 }), cmpopts.EquateEmpty()}

func values(a arrow.Array) []any {
	out := make([]any, a.Len())
	for i := range out {
		out[i] = columns.Value(a, i)
	}
	return out
}

// TestTakeConcatConstant compares with plain slices of values, over every type
// and over slices with an offset.
func TestTakeConcatConstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := genType(2).Draw(t, "type")
		vals := make([]any, rapid.IntRange(1, 20).Draw(t, "rows"))
		for i := range vals {
			vals[i] = genValue(t, typ, true)
		}
		whole, err := columns.FromValues(typ, vals...)
		if err != nil {
			t.Fatal(err)
		}
		from := rapid.IntRange(0, len(vals)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(vals)).Draw(t, "to")
		a := columns.Slice([]arrow.Array{whole, nil}, from, to-from)[0]
		vals = vals[from:to]
		if d := cmp.Diff(vals, values(a), sameBig); d != "" {
			t.Fatalf("FromValues and Value of %s: %s", typ, d)
		}
		idx := rapid.SliceOfN(rapid.Int32Range(-1, int32(len(vals)-1)), 0, 40).Draw(t, "idx")
		want := make([]any, len(idx))
		for i, at := range idx {
			if at >= 0 {
				want[i] = vals[at]
			}
		}
		got := columns.Take(a, idx)
		if d := cmp.Diff(want, values(got), sameBig); d != "" {
			t.Fatalf("Take of %s: %s", typ, d)
		}
		if !arrow.TypeEqual(got.DataType(), whole.DataType()) {
			t.Fatalf("Take changed the type to %s", got.DataType())
		}
		both, err := columns.Concat([]arrow.Array{a, got})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(append(append([]any{}, vals...), want...), values(both), sameBig); d != "" {
			t.Fatalf("Concat of %s: %s", typ, d)
		}
		n := rapid.IntRange(0, 20).Draw(t, "n")
		c := columns.Constant(vals[0], typ, n)
		if c.Len() != n || !arrow.TypeEqual(c.DataType(), whole.DataType()) {
			t.Fatalf("Constant: %d rows of %s", c.Len(), c.DataType())
		}
		for i := range n {
			if d := cmp.Diff(vals[0], columns.Value(c, i), sameBig); d != "" {
				t.Fatalf("Constant of %s: %s", typ, d)
			}
		}
		back, err := columns.FromArrow(whole.DataType())
		if err != nil || !types.Equal(back, typ) {
			t.Fatalf("FromArrow: %v (%v), want %s", back, err, typ)
		}
	})
}

func TestTakeOtherLayouts(t *testing.T) {
	mem := memory.DefaultAllocator
	large := array.NewLargeStringBuilder(mem)
	large.AppendValues([]string{"a", "bb", ""}, []bool{true, true, false})
	ext := array.NewBuilder(mem, arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int32)).(*array.FixedSizeListBuilder)
	for i := range 3 {
		ext.Append(true)
		ext.ValueBuilder().(*array.Int32Builder).AppendValues([]int32{int32(i), int32(10 * i)}, nil)
	}
	fixed := array.NewFixedSizeBinaryBuilder(mem, &arrow.FixedSizeBinaryType{ByteWidth: 3})
	fixed.AppendValues([][]byte{[]byte("abc"), []byte("def"), []byte("ghi")}, nil)
	dict := array.NewDictionaryBuilder(mem, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}).(*array.BinaryDictionaryBuilder)
	for _, s := range []string{"x", "y", "x"} {
		if err := dict.AppendString(s); err != nil {
			t.Fatal(err)
		}
	}
	view := array.NewStringViewBuilder(mem)
	view.AppendValues([]string{"short", "a string that does not fit into the view", "z"}, nil)
	for _, a := range []arrow.Array{large.NewArray(), ext.NewArray(), fixed.NewArray(), dict.NewArray(), view.NewArray()} {
		got := columns.Take(a, []int32{2, -1, 1, 1})
		for i, at := range []int{2, -1, 1, 1} {
			want := array.NullValueStr
			if at >= 0 {
				want = a.ValueStr(at)
			}
			if got.ValueStr(i) != want {
				t.Errorf("%s: row %d is %s, want %s", a.DataType(), i, got.ValueStr(i), want)
			}
		}
	}
}

func TestCanonicalAgainstEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, f, g := rapid.String().Draw(t, "s"), rapid.Float64().Draw(t, "f"), rapid.Float32().Draw(t, "g")
		f = math.Copysign(f, rapid.SampledFrom([]float64{1, -1}).Draw(t, "sign"))
		schema := types.NewStruct(types.Field{Name: s, Type: types.Double}, types.Field{Name: "g", Type: types.Float}, types.Field{Name: "s", Type: types.String})
		row := columns.AppendCanonicalRow(nil, []arrow.Array{
			columns.Constant(f, types.Double, 1), columns.Constant(float64(g), types.Float, 1), columns.Constant(s, types.String, 1)}, schema, 0)
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		want := []byte(`{`)
		for i, v := range []any{s, f, "g", g, "s", s} {
			buf.Reset()
			if err := enc.Encode(v); err != nil {
				t.Fatal(err)
			}
			text := bytes.TrimSpace(buf.Bytes())
			text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte(`\u2028`), []byte("\u2028")), []byte(`\u2029`), []byte("\u2029"))
			want = append(append(want, text...), ":,"[i%2])
		}
		want[len(want)-1] = '}'
		if string(row) != string(want) {
			t.Fatalf("got  %s\nwant %s", row, want)
		}
	})
}

func TestCanonicalForms(t *testing.T) {
	day := func(y int64, m, d int) int64 { return columns.Days(y, m, d) }
	cases := []struct {
		t    types.Type
		v    any
		want string
	}{
		{types.Long, nil, `null`},
		{types.Double, math.NaN(), `"NaN"`}, {types.Double, math.Inf(-1), `"-Infinity"`}, {types.Double, math.Copysign(0, -1), `-0`},
		{types.Double, 1e20, `100000000000000000000`}, {types.Double, 1e21, `1e+21`}, {types.Double, 1.5e-7, `1.5e-7`}, {types.Double, 1.0, `1`},
		{types.Binary, []byte{1, 2}, `"AQI="`}, {types.String, "a\u2028\x01\"\t", "\"a\u2028\\u0001\\\"\\t\""},
		{types.Date, day(10000, 1, 1), `"+10000-01-01"`}, {types.Date, day(-1, 12, 31), `"-0001-12-31"`}, {types.Date, day(0, 2, 29), `"0000-02-29"`},
		{types.Timestamp, int64(-1), `"1969-12-31T23:59:59.999999Z"`}, {types.TimestampNTZ, int64(0), `"1970-01-01T00:00:00.000000"`},
		{&types.Map{Key: types.String, Value: types.Integer}, []columns.KV{{Key: "b", Value: int64(1)}, {Key: "a", Value: int64(2)}}, `[["a",2],["b",1]]`},
		{&types.Array{Element: types.Integer, ContainsNull: true}, []any{nil, int64(3)}, `[null,3]`},
		{types.Void, nil, `null`},
		{types.Variant, []any{[]byte{1, 0, 0}, []byte{12, 42}}, `"42"`},
		{types.Variant, []any{[]byte{1, 2, 0, 1, 2, 'b', 'a'}, []byte{2, 2, 0, 1, 0, 2, 3, 12, 42, 0}}, `"{\"a\":null,\"b\":42}"`},
	}
	for _, c := range cases {
		a := columns.Constant(c.v, c.t, 2)
		if got := string(columns.AppendCanonicalValue(nil, a, c.t, 1)); got != c.want {
			t.Errorf("%s %v: got %s, want %s", c.t, c.v, got, c.want)
		}
	}
}

func TestDecimalText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := new(big.Int).Mul(big.NewInt(rapid.Int64().Draw(t, "a")), big.NewInt(rapid.SampledFrom([]int64{1, 1e9, 1e18}).Draw(t, "b")))
		scale := rapid.IntRange(0, 37).Draw(t, "scale")
		want := new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)).FloatString(scale)
		if got := string(columns.AppendDecimal(nil, decimal128.FromBigInt(n), scale)); got != want {
			t.Fatalf("%s at scale %d: got %s, want %s", n, scale, got, want)
		}
	})
}

func TestCivilAgainstTime(t *testing.T) {
	for d := int64(-800_000); d < 800_000; d += 37 {
		want := time.Unix(d*86400, 0).UTC()
		y, m, day := columns.Civil(d)
		if y != int64(want.Year()) || m != int(want.Month()) || day != want.Day() || columns.Days(y, m, day) != d {
			t.Fatalf("day %d: got %d-%d-%d, want %s", d, y, m, day, want)
		}
	}
}

func FuzzVariantJSON(f *testing.F) {
	f.Add([]byte{1, 2, 0, 1, 2, 'b', 'a'}, []byte{2, 2, 0, 1, 0, 2, 3, 12, 42, 0})
	f.Add([]byte{1, 0, 0}, []byte{3, 2, 0, 2, 4, 12, 1, 12, 2})
	f.Fuzz(func(t *testing.T, m, v []byte) {
		if text, err := columns.VariantJSON(m, v); err == nil && len(text) == 0 {
			t.Fatal("no text and no error")
		}
	})
}

func BenchmarkTakeString(b *testing.B) {
	bld := array.NewStringBuilder(memory.DefaultAllocator)
	idx := make([]int32, 0, 65536)
	for i := range 65536 {
		bld.Append("cust_0123456")
		if i%2 == 0 {
			idx = append(idx, int32(i))
		}
	}
	a := bld.NewArray()
	for b.Loop() {
		columns.Take(a, idx)
	}
}

// TestNullsOfVoid: a struct, list or map whose members are of type void has NULLs too.
func TestNullsOfVoid(t *testing.T) {
	void := types.NewStruct(types.Field{Name: "a", Type: types.Void, Nullable: true})
	for _, typ := range []types.Type{void, &types.Array{Element: void, ContainsNull: true}, types.Void,
		&types.Map{Key: types.String, Value: types.Void, ValueContainsNull: true}} {
		dt, err := columns.ArrowType(typ)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 3} {
			a := columns.Nulls(dt, n)
			if a.Len() != n || !arrow.TypeEqual(a.DataType(), dt) {
				t.Errorf("%s: %d rows of %s, want %d", typ, a.Len(), a.DataType(), n)
			}
			for i := range n {
				if v := columns.Value(a, i); v != nil {
					t.Errorf("%s: row %d is %v", typ, i, v)
				}
			}
		}
	}
}
