package prune

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/types"
)

func nullable(name string, t types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

var (
	money  = types.Decimal{Precision: 20, Scale: 2}
	inner  = types.NewStruct(nullable("x", types.Integer), nullable("y", types.String))
	schema = types.NewStruct(nullable("p", types.String), nullable("q", types.Date), nullable("r", types.Double),
		nullable("a", types.Long), nullable("b", types.Double), nullable("s", types.String), nullable("t", types.Timestamp),
		nullable("d", money), nullable("n", inner), nullable("f", types.Boolean), nullable("day", types.Date))
	parts = []string{"p", "q", "r"}
)

func ref(name string) *expr.Column {
	i := schema.Index(name)
	return &expr.Column{Parts: []string{name}, Ref: i, T: schema.Fields[i].Type, Null: true}
}

func call(fn string, args ...expr.Expr) *expr.Call {
	return &expr.Call{Fn: fn, Args: args, T: types.Boolean, Null: true}
}

func lit(v any, t types.Type) *expr.Literal { return &expr.Literal{Value: v, T: t} }
func long(n int64) *expr.Literal            { return lit(n, types.Long) }

// file is a File over text.
type file struct {
	parts []*string
	stats string
}

func (f file) Partition(i int) (string, bool) {
	if f.parts[i] == nil {
		return "", true
	}
	return *f.parts[i], false
}
func (f file) StatsJSON() []byte { return []byte(f.stats) }

const stats = `{"numRecords":10,"minValues":{"a":5,"s":"ba","b":1.5,"t":"1970-01-01T00:00:00.000Z","d":1.00,"n":{"x":3},"day":"2020-01-05"},` +
	`"maxValues":{"a":9,"s":"bz","b":2.5,"t":"1970-01-01T00:00:01.000Z","d":2.00,"n":{"x":4},"day":"2020-03-01"},"nullCount":{"a":0,"s":2,"b":0,"n":{"x":0,"y":10},"f":10}}`

func TestKeep(t *testing.T) {
	uk, day := "UK", "2020-01-01"
	f := file{parts: []*string{&uk, &day, nil}, stats: stats}
	str := func(s string) *expr.Literal { return lit(s, types.String) }
	x := &expr.Field{Base: ref("n"), Name: "x", Index: 0, T: types.Integer}
	y := &expr.Field{Base: ref("n"), Name: "y", Index: 1, T: types.String}
	legacy := expr.Session{Legacy: true}
	var many []expr.Expr
	for i := range int64(1000) {
		many = append(many, long(i*2+100))
	}
	for _, c := range []struct {
		e    expr.Expr
		want string
	}{
		{call("=", ref("a"), long(7)), "keep"},
		{call("=", ref("a"), long(4)), "statistics"},
		{call("=", long(10), ref("a")), "statistics"},
		{call("<", ref("a"), long(5)), "statistics"},
		{call("<=", ref("a"), long(5)), "keep"},
		{call(">", long(5), ref("a")), "statistics"},
		{call("<>", ref("a"), long(7)), "keep"},
		{call("isnull", ref("a")), "statistics"},
		{call("isnull", ref("s")), "keep"},
		{call("isnotnull", ref("f")), "statistics"},
		{ref("f"), "statistics"},
		{call("not", ref("f")), "statistics"},
		{call("isnull", ref("f")), "keep"},
		{call("=", y, str("q")), "statistics"},
		{call("<=>", y, lit(nil, types.String)), "keep"},
		{call("<=>", ref("a"), lit(nil, types.Long)), "statistics"},
		{call(">", x, lit(int64(4), types.Integer)), "statistics"},
		{call(">", x, lit(int64(3), types.Integer)), "keep"},
		{call("not", call("<", ref("a"), long(20))), "statistics"},
		{call("not", call("<", ref("a"), long(7))), "keep"},
		{call("in", ref("a"), long(1), long(4), long(10)), "statistics"},
		{call("in", ref("a"), long(1), long(8)), "keep"},
		{call("in", append([]expr.Expr{ref("a"), long(3)}, many...)...), "statistics"},
		{call("in", ref("a"), long(1), lit(nil, types.Long)), "statistics"},
		{call("not", call("in", ref("a"), lit(nil, types.Long))), "statistics"},
		{call("like", ref("s"), str("bc%")), "keep"},
		{call("like", ref("s"), str("c%")), "statistics"},
		{call("like", ref("s"), str("a_%")), "statistics"},
		{call("like", ref("s"), str("%c")), "keep"},
		{call("like", ref("s"), str("ca")), "statistics"},
		{call("like", ref("s"), str(`b\%%`)), "statistics"},
		{call("not", call("like", ref("s"), str("b%"))), "statistics"},
		{call("startswith", ref("s"), str("c")), "statistics"},
		{call("=", ref("b"), lit(3.0, types.Double)), "keep"}, // the maximum is not trusted: a NaN may hide behind it
		{call("<", ref("b"), lit(1.5, types.Double)), "statistics"},
		{call(">", ref("b"), lit(9.0, types.Double)), "keep"},
		{call(">", ref("t"), lit(int64(1_000_500), types.Timestamp)), "keep"}, // lost microseconds
		{call(">", ref("t"), lit(int64(1_000_999), types.Timestamp)), "statistics"},
		{call("=", ref("d"), lit(expr.Decimal{Unscaled: big.NewInt(201), Scale: 2}, money)), "statistics"},
		{call("=", ref("d"), lit(expr.Decimal{Unscaled: big.NewInt(2), Scale: 0}, money)), "keep"},
		{call("=", ref("p"), str("FR")), "partition values"},
		{call("<>", ref("p"), str("UK")), "partition values"},
		{call("like", ref("p"), str("U%")), "keep"},
		{call("=", ref("r"), lit(1.0, types.Double)), "partition values"},
		{call("isnull", ref("r")), "keep"},
		{call("<", ref("q"), lit(int64(18262), types.Date)), "partition values"},
		{call("and", call("=", ref("a"), long(4)), call("=", ref("p"), str("FR"))), "partition values"},
		{call("or", call("=", ref("a"), long(4)), call("=", ref("p"), str("FR"))), "statistics"},
		{call("or", call("=", ref("a"), long(4)), call("=", ref("p"), str("UK"))), "keep"},
		{call("=", &expr.Call{Fn: "upper", Args: []expr.Expr{ref("s")}, T: types.String}, str("X")), "keep"},
		{call("=", &expr.Column{Ref: 99, T: types.Long}, long(1)), "keep"},
		{call(">", &expr.Cast{Arg: ref("a"), To: types.Double}, lit(9.5, types.Double)), "statistics"},
		{call("=", &expr.Call{Fn: "year", Args: []expr.Expr{ref("day")}, T: types.Integer}, lit(int64(2021), types.Integer)), "statistics"},
		{call(">", &expr.Call{Fn: "+", Args: []expr.Expr{ref("a"), long(1)}, T: types.Long}, long(10)), "statistics"},
		{call(">", &expr.Call{Fn: "-", Args: []expr.Expr{long(math.MinInt64), ref("a")}, T: types.Long}, long(10)), "keep"},
		{call("=", &expr.Cast{Arg: ref("a"), To: types.Byte}, lit(int64(100), types.Byte)), "statistics"},
		{call("=", &expr.Cast{Arg: ref("a"), To: types.Byte, In: legacy}, lit(int64(100), types.Byte)), "keep"}, // it may have wrapped
		{call(">", &expr.Cast{Arg: ref("a"), To: types.Double, In: legacy}, lit(9.5, types.Double)), "statistics"},
		{call(">", &expr.Call{Fn: "+", Args: []expr.Expr{ref("a"), long(1)}, T: types.Long, In: legacy}, long(10)), "keep"},
		{call("<", &expr.Cast{Arg: ref("t"), To: types.Date}, lit(int64(0), types.Date)), "statistics"},
		{call("<", &expr.Cast{Arg: ref("t"), To: types.Date, In: expr.Session{Zone: time.FixedZone("", -3600)}}, lit(int64(0), types.Date)), "keep"},
		{lit(false, types.Boolean), "partition values"},
		{lit(nil, types.Boolean), "partition values"},
		{lit(true, types.Boolean), "keep"},
	} {
		v := New(c.e, schema, parts).Keep(f)
		got := v.By.String()
		if v.Keep {
			got = "keep"
		}
		if got != c.want {
			t.Errorf("%s: %s (%s), want %s", c.e, got, v.Reason, c.want)
		}
		if !v.Keep && v.Reason == "" {
			t.Errorf("%s: no reason", c.e)
		}
		if keep := New(c.e, schema, parts).Keep(file{parts: []*string{&uk, &day, nil}}); v.By != Partition && !keep.Keep && !strings.Contains(c.e.String(), "NOT a IN (CAST(NULL") {
			t.Errorf("%s drops a file without statistics: %+v", c.e, keep)
		}
	}
}

func TestPhysicalNamesAndAdds(t *testing.T) {
	s := types.NewStruct(types.Field{Name: "p", Type: types.String, Metadata: types.Metadata{}.With("delta.columnMapping.physicalName", "c1")},
		types.Field{Name: "a", Type: types.Long, Metadata: types.Metadata{}.With("delta.columnMapping.physicalName", "c2")})
	v := "x"
	add := &action.Add{PartitionValues: action.PartitionValues{"c1": &v}, Stats: `{"minValues":{"c2":5},"maxValues":{"c2":6}}`}
	f := FileOf(add, s, []string{"P"})
	p := &expr.Column{Parts: []string{"p"}, Ref: 0, T: types.String}
	a := &expr.Column{Parts: []string{"a"}, Ref: 1, T: types.Long}
	for _, c := range []struct {
		e    expr.Expr
		keep bool
	}{
		{call("=", p, lit("x", types.String)), true}, {call("=", p, lit("y", types.String)), false},
		{call("=", a, long(5)), true}, {call("=", a, long(7)), false},
	} {
		if got := New(c.e, s, []string{"p"}).Keep(f).Keep; got != c.keep {
			t.Errorf("%s: %v", c.e, got)
		}
	}
}

func TestSplit(t *testing.T) {
	p, d := Split(expr.And(call("=", ref("p"), lit("x", types.String)), call("=", ref("a"), long(1)), call("isnull", ref("q"))), schema, parts)
	if p.String() != "p = 'x' AND q IS NULL" || d.String() != "a = 1L" && d.String() != "a = 1" {
		t.Errorf("%s | %s", p, d)
	}
	if p, d := Split(call("=", ref("p"), ref("s")), schema, parts); p != nil || d == nil {
		t.Error(p, d)
	}
}

// world draws data files and predicates over the schema above.
type world struct{ t *rapid.T }

func (w world) value(t types.Type) any {
	if rapid.IntRange(0, 4).Draw(w.t, "null") == 0 {
		return nil
	}
	n := rapid.Int64Range(-3, 3).Draw(w.t, "n")
	switch t.Kind() {
	case types.KindString:
		s := rapid.SampledFrom([]string{"", "a", "ab", "abc", "b", "\u00e9", "\U0001F600", "__HIVE_DEFAULT_PARTITION__"}).Draw(w.t, "s")
		if rapid.IntRange(0, 3).Draw(w.t, "long") == 0 {
			s = strings.Repeat(rapid.SampledFrom([]string{"a", "\u00e9", "\U0010FFFF"}).Draw(w.t, "c"), 32) + s
		}
		return s
	case types.KindDouble:
		return rapid.SampledFrom([]float64{-1, 0, math.Copysign(0, -1), 0.5, 1, math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(w.t, "f")
	case types.KindBoolean:
		return n > 0
	case types.KindTimestamp:
		return n*700 + rapid.SampledFrom([]int64{0, 1, 999, microsPerDay}).Draw(w.t, "us")
	case types.KindDate:
		return n * 200
	case types.KindDecimal:
		return expr.Decimal{Unscaled: big.NewInt(n * 50), Scale: 2}
	case types.KindStruct:
		return []any{w.value(types.Integer), w.value(types.String)}
	}
	return n
}

// file draws a data file: its rows and what the log says of it.
func (w world) file() ([][]any, file) {
	f := file{parts: make([]*string, len(parts))}
	fixed := make([]any, len(parts))
	for i := range parts {
		v := w.value(schema.Fields[i].Type)
		text, null, err := partition.Format(v, schema.Fields[i].Type)
		if err != nil {
			w.t.Fatal(err)
		}
		if null {
			v = nil
		} else {
			f.parts[i] = &text
		}
		fixed[i] = v
	}
	rows := make([][]any, rapid.IntRange(1, 5).Draw(w.t, "rows"))
	cols := make([]arrow.Array, len(schema.Fields))
	for c, field := range schema.Fields {
		vals := make([]any, len(rows))
		for i := range rows {
			if c < len(parts) {
				vals[i] = fixed[c]
			} else {
				vals[i] = w.value(field.Type)
			}
			rows[i] = append(rows[i], vals[i])
		}
		var err error
		if cols[c], err = columns.FromValues(field.Type, vals...); err != nil {
			w.t.Fatal(err)
		}
	}
	leaves, err := colstats.Select(schema, schema, parts, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	collector := colstats.NewCollector(leaves, rapid.SampledFrom([]int{0, 2, 32}).Draw(w.t, "prefix"))
	collector.Add(cols, len(rows))
	f.stats = collector.JSON(true)
	switch rapid.IntRange(0, 5).Draw(w.t, "loss") {
	case 0:
		f.stats = ""
	case 1:
		f.stats = strings.Replace(f.stats, `"minValues"`, `"other"`, 1)
	case 2:
		f.stats = strings.Replace(f.stats, `"nullCount"`, `"other"`, 1)
	case 3: // rows deleted afterwards
		f.stats = colstats.Loosen(f.stats, int64(len(rows)))
		rows = rows[1:]
	}
	return rows, f
}

func (w world) column(t types.Type) expr.Expr {
	var cols []expr.Expr
	for i, f := range schema.Fields {
		if types.Equal(f.Type, t) {
			cols = append(cols, &expr.Column{Parts: []string{f.Name}, Ref: i, T: f.Type, Null: true})
		}
	}
	if t.Kind() == types.KindString {
		cols = append(cols, &expr.Field{Base: ref("n"), Name: "y", Index: 1, T: types.String})
	}
	return rapid.SampledFrom(cols).Draw(w.t, "column")
}

func (w world) scalar(t types.Type, depth int) expr.Expr {
	kind := rapid.IntRange(0, 9).Draw(w.t, "scalar")
	switch {
	case kind == 0:
		return lit(w.value(t), t)
	case depth > 0 && kind == 1:
		return &expr.Call{Fn: "coalesce", Args: []expr.Expr{w.scalar(t, depth-1), w.scalar(t, depth-1)}, T: t}
	case depth > 0 && kind == 2:
		return &expr.Case{Whens: []expr.When{{Cond: w.predicate(depth - 1), Then: w.scalar(t, depth-1)}}, Else: w.scalar(t, depth-1), T: t}
	case depth > 0 && kind <= 4:
		switch t.Kind() {
		case types.KindLong:
			return &expr.Call{Fn: rapid.SampledFrom([]string{"+", "-"}).Draw(w.t, "op"), Args: []expr.Expr{w.scalar(t, depth-1), w.scalar(t, depth-1)}, T: t}
		case types.KindDouble:
			return &expr.Cast{Arg: w.scalar(rapid.SampledFrom([]types.Type{types.Long, money}).Draw(w.t, "from"), depth-1), To: t}
		case types.KindTimestamp:
			return &expr.Cast{Arg: w.scalar(types.Date, depth-1), To: t}
		case types.KindDate:
			return &expr.Cast{Arg: w.scalar(types.Timestamp, depth-1), To: t}
		case types.KindDecimal:
			return &expr.Cast{Arg: w.scalar(types.Long, depth-1), To: t}
		case types.KindString:
			if kind == 3 {
				return &expr.Call{Fn: "upper", Args: []expr.Expr{w.scalar(t, depth-1)}, T: t}
			}
			return &expr.Call{Fn: "substring", Args: []expr.Expr{w.scalar(t, depth-1), lit(int64(1), types.Integer), lit(rapid.Int64Range(1, 34).Draw(w.t, "len"), types.Integer)}, T: t}
		}
	}
	return w.column(t)
}

func (w world) predicate(depth int) expr.Expr {
	if depth > 0 && rapid.Bool().Draw(w.t, "connective") {
		switch fn := rapid.SampledFrom([]string{"and", "or", "not", "istrue", "isfalse", "isnull"}).Draw(w.t, "fn"); fn {
		case "and", "or":
			return call(fn, w.predicate(depth-1), w.predicate(depth-1))
		default:
			return call(fn, w.predicate(depth-1))
		}
	}
	if rapid.IntRange(0, 9).Draw(w.t, "bool") == 0 {
		return w.scalar(types.Boolean, 0)
	}
	t := rapid.SampledFrom([]types.Type{types.Long, types.Double, types.String, types.Timestamp, types.Date, money}).Draw(w.t, "type")
	x := w.scalar(t, depth)
	switch fn := rapid.SampledFrom([]string{"=", "<>", "<", "<=", ">", ">=", "<=>", "in", "isnull", "isnotnull", "like", "year"}).Draw(w.t, "fn"); fn {
	case "isnull", "isnotnull":
		return call(fn, x)
	case "in":
		args := []expr.Expr{x}
		for range rapid.IntRange(1, 4).Draw(w.t, "list") {
			if rapid.IntRange(0, 5).Draw(w.t, "column") == 0 {
				args = append(args, w.scalar(t, 0))
			} else {
				args = append(args, lit(w.value(t), t))
			}
		}
		return call("in", args...)
	case "like":
		p := rapid.SampledFrom([]string{"a%", "ab", "%b", "a_", "", "%", `a\_%`, "\u00e9%"}).Draw(w.t, "pattern")
		return call(rapid.SampledFrom([]string{"like", "startswith"}).Draw(w.t, "like"), w.scalar(types.String, depth), lit(p, types.String))
	case "year":
		y := &expr.Call{Fn: "year", Args: []expr.Expr{w.scalar(types.Date, depth)}, T: types.Integer}
		return call(rapid.SampledFrom([]string{"=", "<"}).Draw(w.t, "op"), y, lit(rapid.Int64Range(1968, 1972).Draw(w.t, "y"), types.Integer))
	default:
		return call(fn, x, w.scalar(t, depth))
	}
}

// TestNeverDropsAMatch draws files and predicates; a file with a row for which
// the predicate is true must be kept.
func TestNeverDropsAMatch(t *testing.T) {
	dropped, total := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := world{t}
		rows, f := w.file()
		for range 8 {
			pred := w.predicate(2)
			v := New(pred, schema, parts).Keep(f)
			total++
			if v.Keep {
				continue
			}
			dropped++
			for _, row := range rows {
				if oracle(pred, row) == true {
					t.Fatalf("%s\nis true for %v\nbut the file is dropped by %s: %s\npartition %v\nstats %s", pred, row, v.By, v.Reason, text3(f), f.stats)
				}
			}
		}
	})
	t.Logf("%d of %d judgements dropped the file", dropped, total)
}

func text3(f file) (out []string) {
	for _, p := range f.parts {
		if p == nil {
			out = append(out, "NULL")
		} else {
			out = append(out, fmt.Sprintf("%q", *p))
		}
	}
	return out
}

// TestKeysNeverDropAMatch does the same for the keys of a MERGE.
func TestKeysNeverDropAMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := world{t}
		rows, f := w.file()
		for i, field := range schema.Fields {
			if types.IsNested(field.Type) {
				continue
			}
			var vals []any
			for range rapid.IntRange(0, 4).Draw(t, "keys") {
				vals = append(vals, w.value(field.Type))
			}
			a, err := columns.FromValues(field.Type, vals...)
			if err != nil {
				t.Fatal(err)
			}
			k, ok := NewKeys(i, a, schema, parts)
			if !ok {
				if colstats.HasBounds(field.Type) {
					t.Fatalf("no keys for %s", field.Name)
				}
				continue
			}
			v := k.Keep(f)
			if v.Keep {
				continue
			}
			for _, row := range rows {
				for _, key := range vals {
					if row[i] != nil && key != nil && oracleOrder(row[i], key, field.Type) == 0 {
						t.Fatalf("%s = %v is a key, but the file is dropped: %s; %s", field.Name, key, v.Reason, f.stats)
					}
				}
			}
		}
	})
}

func TestKeysDrop(t *testing.T) {
	uk := "UK"
	f := file{parts: []*string{&uk, nil, nil}, stats: stats}
	for _, c := range []struct {
		column string
		vals   []any
		keep   bool
	}{
		{"a", []any{int64(1), int64(20)}, false}, {"a", []any{int64(1), int64(6)}, true}, {"a", []any{nil}, false}, {"a", nil, false},
		{"s", []any{"a", "c"}, false}, {"s", []any{"bb"}, true}, {"p", []any{"FR"}, false}, {"p", []any{"FR", "UK"}, true},
		{"q", []any{int64(3)}, false}, {"d", []any{expr.Decimal{Unscaled: big.NewInt(300), Scale: 2}}, false},
	} {
		i := schema.Index(c.column)
		a, err := columns.FromValues(schema.Fields[i].Type, c.vals...)
		if err != nil {
			t.Fatal(err)
		}
		k, ok := NewKeys(i, a, schema, parts)
		if v := k.Keep(f); !ok || v.Keep != c.keep {
			t.Errorf("%s %v: %+v %v", c.column, c.vals, v, ok)
		}
	}
}

func BenchmarkKeep(b *testing.B) {
	uk := "UK"
	f := file{parts: []*string{&uk, nil, nil}, stats: stats}
	p := New(expr.And(call("=", ref("p"), lit("UK", types.String)), call(">", ref("a"), long(100)), call("=", ref("s"), lit("x", types.String))), schema, parts)
	b.ReportAllocs()
	for b.Loop() {
		if p.Keep(f).Keep {
			b.Fatal("kept")
		}
	}
}
