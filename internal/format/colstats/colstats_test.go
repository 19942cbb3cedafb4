package colstats

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func field(name string, t types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

// column builds an array; nested values as columns.FromValues takes them.
func column(t testing.TB, typ types.Type, vals ...any) arrow.Array {
	t.Helper()
	a, err := columns.FromValues(typ, vals...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func dec(n int64, scale int) expr.Decimal { return expr.Decimal{Unscaled: big.NewInt(n), Scale: scale} }

func TestCollect(t *testing.T) {
	inner := types.NewStruct(field("x", types.Integer), field("y", types.String))
	long := strings.Repeat("a", 40)
	for _, c := range []struct {
		name string
		t    types.Type
		vals []any
		want string // minValues, maxValues, nullCount
	}{
		{"integers", types.Long, []any{int64(3), nil, int64(-1)}, `{"c":-1} {"c":3} {"c":1}`},
		{"byte", types.Byte, []any{int64(-128), int64(127)}, `{"c":-128} {"c":127} {"c":0}`},
		{"only nulls", types.Long, []any{nil, nil}, `{} {} {"c":2}`},
		{"doubles", types.Double, []any{1.0, 2.5}, `{"c":1.0} {"c":2.5} {"c":0}`},
		{"float", types.Float, []any{float64(float32(0.1))}, `{"c":0.1} {"c":0.1} {"c":0}`},
		{"zeros", types.Double, []any{0.0}, `{"c":-0.0} {"c":0.0} {"c":0}`},
		{"negative zero", types.Double, []any{math.Copysign(0, -1)}, `{"c":-0.0} {"c":0.0} {"c":0}`},
		{"NaN", types.Double, []any{math.NaN(), 1.0}, `{"c":1.0} {} {"c":0}`},
		{"only NaN", types.Double, []any{math.NaN()}, `{} {} {"c":0}`},
		{"infinite", types.Double, []any{math.Inf(1), 1e300}, `{"c":1e+300} {} {"c":0}`},
		{"decimals", types.Decimal{Precision: 10, Scale: 2}, []any{dec(-5, 2), dec(1200, 2)}, `{"c":-0.05} {"c":12.00} {"c":0}`},
		{"dates", types.Date, []any{int64(0), int64(-1)}, `{"c":"1969-12-31"} {"c":"1970-01-01"} {"c":0}`},
		{"timestamps", types.Timestamp, []any{int64(1999), int64(-1)}, `{"c":"1969-12-31T23:59:59.999Z"} {"c":"1970-01-01T00:00:00.001Z"} {"c":0}`},
		{"ntz", types.TimestampNTZ, []any{int64(1_500_000)}, `{"c":"1970-01-01T00:00:01.500"} {"c":"1970-01-01T00:00:01.500"} {"c":0}`},
		{"strings", types.String, []any{"b", "", nil, "\"q\""}, `{"c":""} {"c":"b"} {"c":1}`},
		{"long string", types.String, []any{long}, `{"c":"` + long[:32] + `"} {"c":"` + long[:32] + "\x7f" + `"} {"c":0}`},
		{"booleans", types.Boolean, []any{true, nil}, `{} {} {"c":1}`},
		{"binary", types.Binary, []any{[]byte{1}}, `{} {} {"c":0}`},
		{"array", &types.Array{Element: types.Long, ContainsNull: true}, []any{[]any{int64(1)}, nil}, `{} {} {"c":1}`},
		{"struct", inner, []any{[]any{int64(1), "p"}, nil, []any{nil, "q"}}, `{"c":{"x":1,"y":"p"}} {"c":{"x":1,"y":"q"}} {"c":{"x":2,"y":1}}`},
		{"null structs", inner, []any{nil}, `{"c":{}} {"c":{}} {"c":{"x":1,"y":1}}`},
		{"struct without bounds", types.NewStruct(field("b", types.Boolean)), []any{[]any{true}}, `{} {} {"c":{"b":0}}`},
	} {
		schema := types.NewStruct(field("c", c.t))
		col := NewCollector(Leaves(schema), DefaultPrefix)
		col.Add([]arrow.Array{column(t, c.t, c.vals...)}, len(c.vals))
		text := col.JSON(false)
		var got struct {
			NumRecords                      int
			MinValues, MaxValues, NullCount json.RawMessage
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%s: %v: %s", c.name, err, text)
		}
		if s := string(got.MinValues) + " " + string(got.MaxValues) + " " + string(got.NullCount); s != c.want || got.NumRecords != len(c.vals) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, s, c.want)
		}
	}
}

func TestCollectSlicesAndBatches(t *testing.T) {
	schema := types.NewStruct(field("a", types.Long), field("s", types.NewStruct(field("x", types.String))))
	c := NewCollector(Leaves(schema), DefaultPrefix)
	a := column(t, types.Long, int64(100), int64(1), nil, int64(-100))
	s := column(t, schema.Fields[1].Type, []any{"zz"}, []any{"b"}, nil, []any{"a"})
	c.Add(columns.Slice([]arrow.Array{a, s}, 1, 2), 2)
	c.Add(columns.Slice([]arrow.Array{a, s}, 1, 1), 1)
	c.Add([]arrow.Array{nil, nil}, 1)
	const want = `{"numRecords":4,"minValues":{"a":1,"s":{"x":"b"}},"maxValues":{"a":1,"s":{"x":"b"}},"nullCount":{"a":2,"s":{"x":2}},"tightBounds":true}`
	if got := c.JSON(true); got != want {
		t.Errorf("got %s", got)
	}
	if got := NewCollector(nil, DefaultPrefix).JSON(false); got != `{"numRecords":0}` {
		t.Error(got)
	}
}

// TestBoundsHold writes random values and reads the bounds back: no value may
// lie outside, and cut strings keep valid bounds.
func TestBoundsHold(t *testing.T) {
	gens := map[types.Type]*rapid.Generator[any]{
		types.Long:      rapid.Int64().AsAny(),
		types.Timestamp: rapid.Int64Range(-1<<55, 1<<55).AsAny(), types.TimestampNTZ: rapid.Int64Range(-1<<55, 1<<55).AsAny(),
		types.Date: rapid.Int64Range(-1000000, 3000000).AsAny(), types.Double: rapid.Float64().AsAny(),
		types.Float:                            rapid.Map(rapid.Float32(), func(f float32) float64 { return float64(f) }).AsAny(),
		types.String:                           rapid.OneOf(rapid.StringN(0, 100, 400), rapid.StringOfN(rapid.SampledFrom([]rune{'a', 0x7e, 0x7f, 0x80, 0xfffd, 0xffff, 0x10fffe, 0x10ffff}), 30, 80, -1)).AsAny(),
		types.Decimal{Precision: 38, Scale: 6}: rapid.Map(rapid.Int64(), func(n int64) expr.Decimal { return dec(n, 6) }).AsAny(),
	}
	rapid.Check(t, func(rt *rapid.T) {
		for typ, g := range gens {
			vals := rapid.SliceOfN(rapid.OneOf(g, rapid.Just[any](nil)), 1, 6).Draw(rt, typ.String())
			schema := types.NewStruct(field("weird \"name\"\n", typ))
			c := NewCollector(Leaves(schema), DefaultPrefix)
			c.Add([]arrow.Array{column(t, typ, vals...)}, len(vals))
			var st Stats
			text := c.JSON(true)
			if err := NewDecoder(Leaves(schema)).Decode([]byte(text), &st); err != nil {
				rt.Fatal(err, text)
			}
			leaf := st.Leaves[0]
			nulls := int64(0)
			lo, hi := leaf.Min(typ), leaf.Max(typ)
			for _, v := range vals {
				if v == nil {
					nulls++
					continue
				}
				x, ok := Of(v, typ)
				if !ok {
					rt.Fatalf("no value of %v", v)
				}
				if cmp, ok := Compare(lo, x); ok && cmp > 0 {
					rt.Fatalf("%v lies below %v in %s", v, lo, text)
				}
				if cmp, ok := Compare(hi, x); ok && cmp < 0 {
					rt.Fatalf("%v lies above %v in %s", v, hi, text)
				}
			}
			if leaf.Nulls != nulls || st.Records != int64(len(vals)) || !st.Tight {
				rt.Fatalf("%+v %s", st, text)
			}
		}
	})
}

func TestDecodeOtherWriters(t *testing.T) {
	d10 := types.Decimal{Precision: 10, Scale: 2}
	d30 := types.Decimal{Precision: 30, Scale: 2}
	for _, c := range []struct {
		raw      string
		t        types.Type
		min, max any
	}{
		{`12`, types.Long, int64(12), int64(12)}, {`12.0`, types.Long, nil, nil}, {`"x"`, types.Long, nil, nil}, {`{}`, types.Long, nil, nil},
		{`12`, types.Double, 12.0, 12.0}, {`"NaN"`, types.Double, nil, nil}, {`"Infinity"`, types.Double, math.Inf(1), math.Inf(1)},
		{`1.5`, d10, dec(150, 2), dec(150, 2)}, {`"1.50"`, d10, dec(150, 2), dec(150, 2)}, {`1.555`, d10, dec(155, 2), dec(156, 2)},
		{`12345678901234567890.12`, d30, dec(0, 2), dec(0, 2)},
		{`"2020-01-01"`, types.Date, int64(18262), int64(18262)}, {`18262`, types.Date, nil, nil},
		{`"1970-01-01T00:00:00.000Z"`, types.Timestamp, int64(0), int64(999)}, {`"1970-01-01 01:00:00+01:00"`, types.Timestamp, int64(0), int64(999)},
		{`"1970-01-02"`, types.TimestampNTZ, int64(86400e6), int64(86400e6 + 999)},
		{`"aé\n"`, types.String, "aé\n", "aé\n"}, {`"\u00e9"`, types.String, "é", "é"}, {`"ab` + "\uFFFD" + `"`, types.String, "ab\uFFFD", "ab\U0010FFFF"},
		{`true`, types.Boolean, nil, nil}, {`null`, types.Long, nil, nil},
	} {
		schema := types.NewStruct(field("c", c.t))
		var st Stats
		text := `{"numRecords":1,"minValues":{"z":{"c":[1,{"c":"}"}]},"c":` + c.raw + `},"maxValues":{"c":` + c.raw + `}}`
		if err := NewDecoder(Leaves(schema)).Decode([]byte(text), &st); err != nil {
			t.Fatal(err, text)
		}
		lo, hi := st.Leaves[0].Min(c.t).Literal(c.t), st.Leaves[0].Max(c.t).Literal(c.t)
		if d, ok := c.min.(expr.Decimal); ok && d.Unscaled.Sign() == 0 { // exact text of 22 digits
			want, _ := new(big.Int).SetString("1234567890123456789012", 10)
			c.min, c.max = expr.Decimal{Unscaled: want, Scale: 2}, expr.Decimal{Unscaled: want, Scale: 2}
		}
		bigs := cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })
		switch {
		case c.raw == "1.555": // widened: at least as wide as the number
			if lo.(expr.Decimal).Unscaled.Int64() > 155 || hi.(expr.Decimal).Unscaled.Int64() < 156 {
				t.Errorf("%s: %v %v", c.raw, lo, hi)
			}
		case !cmp.Equal(lo, c.min, bigs) || !cmp.Equal(hi, c.max, bigs):
			t.Errorf("%s as %s: %v %v", c.raw, c.t, lo, hi)
		}
	}
}

// TestDecimalThroughFloat: a writer printed 12345678901234567.89 as a float.
func TestDecimalThroughFloat(t *testing.T) {
	typ := types.Decimal{Precision: 20, Scale: 2}
	exact, _ := new(big.Int).SetString("1234567890123456789", 10)
	want, _ := Of(expr.Decimal{Unscaled: exact, Scale: 2}, typ)
	raw := []byte("12345678901234568.0")
	lo, hi := bound(raw, typ, false), bound(raw, typ, true)
	if c, ok := Compare(lo, want); !ok || c > 0 {
		t.Errorf("min %v", lo.Literal(typ))
	}
	if c, ok := Compare(hi, want); !ok || c < 0 {
		t.Errorf("max %v", hi.Literal(typ))
	}
}

func TestSelect(t *testing.T) {
	logical := types.NewStruct(field("p", types.String), field("a", types.Long),
		field("s", types.NewStruct(field("x", types.Long), field("y.z", types.Long))), field("b", types.Binary))
	physical := types.NewStruct(field("c0", types.String), field("c1", types.Long),
		field("c2", types.NewStruct(field("c3", types.Long), field("c4", types.Long))), field("c5", types.Binary))
	for _, c := range []struct {
		config map[string]string
		want   string
	}{
		{nil, "c1 c2.c3 c2.c4 c5"},
		{map[string]string{PropertyCount: "2"}, "c1 c2.c3"},
		{map[string]string{PropertyCount: "0"}, ""},
		{map[string]string{PropertyCount: "-1"}, "c1 c2.c3 c2.c4 c5"},
		{map[string]string{PropertyColumns: "S, b", PropertyCount: "1"}, "c2.c3 c2.c4 c5"},
		{map[string]string{PropertyColumns: "s.`y.z`,a"}, "c1 c2.c4"},
		{map[string]string{PropertyColumns: ""}, ""},
		{map[string]string{PropertyColumns: "a,"}, "error"}, {map[string]string{PropertyColumns: "`a"}, "error"}, {map[string]string{PropertyCount: "x"}, "error"},
	} {
		leaves, err := Select(logical, physical, []string{"P"}, c.config)
		var got []string
		for _, l := range leaves {
			got = append(got, strings.Join(l.Path, "."))
		}
		if err != nil {
			got = []string{"error"}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%v: %q, want %q (%v)", c.config, s, c.want, err)
		}
	}
}

func TestLoosen(t *testing.T) {
	for in, want := range map[string]string{
		`{"numRecords":3}`: `{"numRecords":3,"tightBounds":false}`,
		`{"numRecords":3,"tightBounds":true,"x":"}"}`: `{"numRecords":3,"tightBounds":false,"x":"}"}`,
		`{"numRecords":3,"tightBounds":false}`:        `{"numRecords":3,"tightBounds":false}`,
		`{}`:                                          `{"tightBounds":false,"numRecords":7}`,
		`{"tightBounds" : true }`:                     `{"tightBounds" : false ,"numRecords":7}`,
		``:                                            `{"numRecords":7,"tightBounds":false}`,
		`{"numRecords":3`:                             `{"numRecords":7,"tightBounds":false}`,
		`{"x":{"tightBounds":true}}`:                  `{"x":{"tightBounds":true},"tightBounds":false,"numRecords":7}`,
	} {
		if got := Loosen(in, 7); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestNumRecords(t *testing.T) {
	for in, want := range map[string]int64{`{"numRecords":3}`: 3, `{"a":"numRecords","numRecords":12`: 12, `{"numRecords":-1}`: -1, `{}`: -1, ``: -1, `{"numRecords":"5"}`: -1, `{"numRecords":5.0}`: 5, `{"numRecords": 7}`: 7, `{"numRecords":}`: -1,
		`{"numRecords":123456789012345678,"a":1}`: 123456789012345678, `{"numRecords":9223372036854775808}`: -1, `{"numRecords":12x`: -1} {
		n, ok := NumRecords(in)
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("%s: %d", in, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"numRecords":3,"minValues":{"a":1,"s":{"x":"b"}},"maxValues":{"a":1},"nullCount":{"a":2},"tightBounds":true}`)
	f.Add(`{"minValues":{"a":"\"\\"}}`)
	f.Add(`{"maxValues":{"s":null,"a":1e400}}`)
	leaves := Leaves(types.NewStruct(field("a", types.Long), field("s", types.NewStruct(field("x", types.String))), field("d", types.Decimal{Precision: 38, Scale: 3}), field("t", types.Timestamp)))
	d := NewDecoder(leaves)
	f.Fuzz(func(t *testing.T, s string) {
		var st Stats
		err := d.Decode([]byte(s), &st)
		if json.Valid([]byte(s)) && strings.HasPrefix(strings.TrimSpace(s), "{") && err != nil {
			t.Errorf("%q: %v", s, err)
		}
		for i, l := range st.Leaves {
			l.Min(leaves[i].Type)
			l.Max(leaves[i].Type)
		}
		loose := Loosen(s, 1)
		if json.Valid([]byte(s)) && !json.Valid([]byte(loose)) {
			t.Errorf("%q becomes %q", s, loose)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	leaves := Leaves(types.NewStruct(field("id", types.Long), field("city", types.String)))
	d := NewDecoder(leaves)
	stats := []byte(`{"numRecords":1000,"minValues":{"id":12345,"name":"aaaa","city":"Berlin","at":"2020-01-01T00:00:00.000Z","v":1.5},"maxValues":{"id":22345,"name":"zzzz","city":"Zagreb","at":"2020-01-02T00:00:00.000Z","v":99.5},"nullCount":{"id":0,"name":0,"city":2,"at":0,"v":0}}`)
	b.SetBytes(int64(len(stats)))
	var st Stats
	for b.Loop() {
		if d.Decode(stats, &st) != nil || st.Leaves[0].Min(types.Long).I != 12345 || st.Leaves[1].Max(types.String).S != "Zagreb" {
			b.Fatal("wrong")
		}
	}
}

func BenchmarkCollect(b *testing.B) {
	schema := types.NewStruct(field("a", types.Long), field("b", types.Double), field("s", types.String))
	vals := make([][]any, 3)
	for i := range 10000 {
		vals[0] = append(vals[0], int64(i*7919%10007))
		vals[1] = append(vals[1], float64(i))
		vals[2] = append(vals[2], strings.Repeat(string(rune('a'+i%26)), 10))
	}
	var cols []arrow.Array
	for i, f := range schema.Fields {
		cols = append(cols, column(b, f.Type, vals[i]...))
	}
	for b.Loop() {
		c := NewCollector(Leaves(schema), DefaultPrefix)
		c.Add(cols, 10000)
	}
}
