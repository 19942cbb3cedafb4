package partition

import (
	"math"
	"math/big"
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

var bigInts = cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

func TestParse(t *testing.T) {
	dec := types.Decimal{Precision: 10, Scale: 2}
	for _, c := range []struct {
		text string
		t    types.Type
		want any
	}{
		{"", types.Long, nil}, {"", types.String, nil}, {HiveNull, types.Date, nil},
		{"a b", types.String, "a b"}, {" ", types.String, " "}, {"-12", types.Byte, int64(-12)},
		{"TRUE", types.Boolean, true}, {"1.5", types.Double, 1.5}, {"NaN", types.Float, math.NaN()}, {"-Infinity", types.Double, math.Inf(-1)},
		{"12.3", dec, expr.Decimal{Unscaled: big.NewInt(1230), Scale: 2}}, {"1.2E3", dec, expr.Decimal{Unscaled: big.NewInt(120000), Scale: 2}},
		{"1970-01-02", types.Date, int64(1)}, {"1969-12-31", types.Date, int64(-1)}, {"1970-1-2", types.Date, int64(1)}, {"0001-01-01", types.Date, int64(-719162)},
		{"1970-01-01 00:00:01", types.Timestamp, int64(1e6)}, {"1970-01-01 00:00:00.000123", types.Timestamp, int64(123)},
		{"1970-01-01T00:00:00.5Z", types.Timestamp, int64(500000)}, {"1970-01-01T05:30:00+05:30", types.Timestamp, int64(0)},
		{"1969-12-31 16:00:00-0800", types.Timestamp, int64(0)}, {"1970-01-02", types.TimestampNTZ, int64(day)},
		{"\x01\x02", types.Binary, []byte{1, 2}}, {"é", types.Binary, []byte{0xc3, 0xa9}}, {" ", types.Binary, []byte{' '}},
		{"Yes", types.Boolean, true}, {"0", types.Boolean, false}, {" 7 ", types.Long, int64(7)}, {"+7", types.Integer, int64(7)},
		{"-0001-12-31", types.Date, int64(-719529)},
		{"1500-02-28", types.Date, int64(-171606)}, {"9999-12-31", types.Date, int64(2932896)}, {"1970-01-02 12:00:00", types.Date, int64(1)},
		{"1970-01-01T05:30:00+05:30", types.TimestampNTZ, int64(5*3600+1800) * second}, {"1970-01-01 00:00:00Z", types.TimestampNTZ, int64(0)},
		{"1970-01-01 01:00:00 Europe/Paris", types.Timestamp, int64(0)}, {"2020-07-01 02:00:00Europe/Paris", types.Timestamp, int64(1593561600) * second},
		{"1970-01-01 08:00:00 GMT+8", types.Timestamp, int64(0)}, {"1970-01-01 08:00:00UTC+08:00:00", types.Timestamp, int64(0)}, {"1970-01-01 00:00:00 UTC", types.Timestamp, int64(0)},
		{"1970-01-01 00:00:00.1234567", types.Timestamp, int64(123456)}, {"0001-01-01 00:00:00", types.Timestamp, int64(-719162) * day},
		{"9999-12-31T23:59:59.999999Z", types.Timestamp, int64(2932897)*day - 1},
		{"-0.0", types.Double, math.Copysign(0, -1)}, {"1e400", types.Double, math.Inf(1)}, {"0012.3000", dec, expr.Decimal{Unscaled: big.NewInt(1230), Scale: 2}}, {"0E-18", dec, expr.Decimal{Unscaled: big.NewInt(0), Scale: 2}},
	} {
		got, err := Parse(c.text, c.t)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, bigInts, cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })); diff != "" {
			t.Errorf("%q as %s: %s", c.text, c.t, diff)
		}
	}
	for _, c := range []struct {
		text string
		t    types.Type
	}{
		{"x", types.Long}, {"300", types.Byte}, {"perhaps", types.Boolean}, {"1.234", dec}, {"123456789.00", dec}, {"1_0", dec}, {"", nil}, {"1970-02-30", types.Date},
		{"1970-01-01 25:00:00", types.Timestamp}, {"1970-01-01x", types.Timestamp}, {"1970-", types.Date}, {"1970-01", types.Date}, {"1970-01-01 00:00:00 Local", types.Timestamp}, {"1970-01-01 00:00:00 ../UTC", types.Timestamp}, {"1970-01-01 00:00:00+19", types.Timestamp}, {"1970-01-01 00:00:00+1:2", types.Timestamp}, {"99999999-01-01", types.Date},
	} {
		if c.t == nil {
			continue
		}
		if v, err := Parse(c.text, c.t); err == nil {
			t.Errorf("%q as %s gives %v", c.text, c.t, v)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		v    any
		t    types.Type
		want string
	}{
		{int64(1), types.Long, "1"}, {1.0, types.Double, "1.0"}, {1e21, types.Double, "1.0E21"}, {1.5e-7, types.Float, "1.5E-7"}, {0.25, types.Float, "0.25"},
		{int64(0), types.Date, "1970-01-01"}, {int64(1), types.Timestamp, "1970-01-01T00:00:00.000001Z"}, {int64(1), types.TimestampNTZ, "1970-01-01 00:00:00.000001"},
		{int64(10e6), types.TimestampNTZ, "1970-01-01 00:00:10"}, {false, types.Boolean, "false"}, {math.Copysign(0, -1), types.Double, "-0.0"},
		{expr.Decimal{Unscaled: big.NewInt(-5), Scale: 2}, types.Decimal{Precision: 5, Scale: 2}, "-0.05"},
	} {
		got, null, err := Format(c.v, c.t)
		if got != c.want || null || err != nil {
			t.Errorf("%v as %s: %q %v %v, want %q", c.v, c.t, got, null, err, c.want)
		}
	}
	for _, v := range []any{nil, "", HiveNull, []byte{}} {
		if _, null, err := Format(v, types.String); !null || err != nil {
			t.Errorf("%q is not null: %v", v, err)
		}
	}
	if _, _, err := Format([]byte{0xff}, types.Binary); err == nil {
		t.Error("bytes that are no UTF-8 are accepted")
	}
}

func TestRoundTrip(t *testing.T) {
	gens := map[types.Type]*rapid.Generator[any]{
		types.Long:      rapid.Int64().AsAny(),
		types.Date:      rapid.Int64Range(-2000000, 2000000).AsAny(),
		types.Timestamp: rapid.Int64Range(-1<<58, 1<<58).AsAny(), types.TimestampNTZ: rapid.Int64Range(-1<<58, 1<<58).AsAny(),
		types.Double: rapid.Float64().AsAny(), types.String: rapid.StringN(1, 10, 40).AsAny(), types.Boolean: rapid.Bool().AsAny(),
	}
	rapid.Check(t, func(rt *rapid.T) {
		for typ, g := range gens {
			v := g.Draw(rt, typ.String())
			text, null, err := Format(v, typ)
			if err != nil || null {
				rt.Fatal(text, null, err)
			}
			back, err := Parse(text, typ)
			if err != nil || back != v {
				rt.Fatalf("%s: %v -> %q -> %v (%v)", typ, v, text, back, err)
			}
		}
	})
}

func TestPaths(t *testing.T) {
	for _, c := range []struct{ value, folder, path string }{
		{"a b", "p=a b", "p=a%20b"},
		{"a/b:c", "p=a%2Fb%3Ac", "p=a%252Fb%253Ac"},
		{"50%", "p=50%25", "p=50%2525"},
		{"ü", "p=ü", "p=%C3%BC"},
		{"日本", "p=日本", "p=%E6%97%A5%E6%9C%AC"},
		{"a\u00a0b", "p=a\u00a0b", "p=a%C2%A0b"},
		{"{x}", "p=%7Bx}", "p=%257Bx%7D"},
		{"'\"#?=*[]^\\\n", "p=%27%22%23%3F%3D%2A%5B%5D%5E%5C%0A", "p=%2527%2522%2523%253F%253D%252A%255B%255D%255E%255C%250A"},
		{"", "p=" + HiveNull, "p=" + HiveNull},
		{"a<b>|", "p=a<b>|", "p=a%3Cb%3E%7C"},
	} {
		folder := Folder("p", c.value, false)
		if folder != c.folder {
			t.Errorf("folder of %q: %q, want %q", c.value, folder, c.folder)
		}
		path := EscapePath(folder)
		if path != c.path {
			t.Errorf("path of %q: %q, want %q", c.value, path, c.path)
		}
		if back, err := url.PathUnescape(path); err != nil || back != folder {
			t.Errorf("%q comes back as %q (%v)", folder, back, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1970-01-01T00:00:00.5+01:00")
	f.Add("1.2E3")
	f.Add("2020-01-02 03:04:05 Europe/Paris")
	f.Add("-0001-01-01 00:00:00 GMT-03:30:15")
	f.Add(" true ")
	f.Add("\x01\xff")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) { // JSON holds no such text
			return
		}
		for _, typ := range []types.Type{types.Date, types.Timestamp, types.TimestampNTZ, types.Boolean, types.Long, types.Binary, types.String, types.Double, types.Decimal{Precision: 38, Scale: 10}} {
			v, err := Parse(s, typ)
			if err != nil || v == nil {
				continue
			}
			text, _, err := Format(v, typ)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := Parse(text, typ); err != nil {
				t.Errorf("%q -> %v -> %q: %v", s, v, text, err)
			} else if d := cmp.Diff(v, back, bigInts, cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })); d != "" {
				t.Errorf("%q -> %q: %s", s, text, d)
			}
		}
	})
}
