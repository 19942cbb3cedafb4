package prune

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// bases are the data columns of the tables with generated partition columns.
var bases = []types.Field{
	{Name: "ts", Type: types.Timestamp, Nullable: true}, {Name: "n", Type: types.TimestampNTZ, Nullable: true},
	{Name: "d", Type: types.Date, Nullable: true}, {Name: "s", Type: types.String, Nullable: true}, {Name: "i", Type: types.Integer, Nullable: true},
	{Name: "st", Type: types.NewStruct(types.Field{Name: "ts", Type: types.Timestamp, Nullable: true}), Nullable: true},
}

// generatedTable is a table with a partition column for each expression.
func generatedTable(t rapid.TB, exprs ...string) (*types.Struct, []string, []expr.Expr) {
	schema := types.NewStruct(bases...)
	var names []string
	var bound []expr.Expr
	for k, sql := range exprs {
		e := bind(t, sql, types.NewStruct(bases...))
		name := fmt.Sprintf("p%d", k)
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: e.Type(), Nullable: true, Metadata: types.Metadata{}.With(generationKey, sql)})
		names, bound = append(names, name), append(bound, e)
	}
	return schema, names, bound
}

func bind(t rapid.TB, sql string, schema *types.Struct) expr.Expr {
	e, err := expr.Parse(sql)
	if err == nil {
		e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Schema: schema}}})
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return e
}

// row is the arrays of one row.
func rowOf(t rapid.TB, schema *types.Struct, values []any) eval.Input {
	in := eval.Input{Rows: 1, Columns: make([]arrow.Array, len(values))}
	for i, v := range values {
		a, err := columns.FromValues(schema.Fields[i].Type, v)
		if err != nil {
			t.Fatal(err)
		}
		in.Columns[i] = a
	}
	return in
}

// partitionTexts are the partition values that a writer whose clock is offset
// from UTC writes for a row; timestamps in UTC or by its clock.
func partitionTexts(t rapid.TB, schema *types.Struct, bound []expr.Expr, values []any, offset int64, utc bool) []*string {
	local := append([]any(nil), values...)
	if v, ok := values[0].(int64); ok {
		local[0] = v + offset
	}
	if st, ok := values[5].([]any); ok && st[0] != nil {
		local[5] = []any{st[0].(int64) + offset}
	}
	var out []*string
	for _, e := range bound {
		a, err := eval.Eval(e, rowOf(t, schema, local))
		if err != nil {
			t.Skip(err)
		}
		if columns.IsNull(a, 0) {
			out = append(out, nil)
			continue
		}
		v := columns.Value(a, 0)
		if utc && e.Type().Kind() == types.KindTimestamp {
			v = v.(int64) - offset
		}
		text, null, err := partition.Format(v, e.Type())
		if err != nil {
			t.Skip(err)
		}
		if null {
			text = ""
		}
		out = append(out, &text)
	}
	return out
}

type generatedFile struct {
	parts []*string
	stats string
}

func (f generatedFile) Partition(i int) (string, bool) {
	if f.parts[i] == nil || *f.parts[i] == "" {
		return "", true
	}
	return *f.parts[i], false
}

func (f generatedFile) StatsJSON() []byte { return []byte(f.stats) }

var generations = []string{
	"CAST(ts AS DATE)", "YEAR(ts)", "MONTH(ts)", "DAY(ts)", "HOUR(ts)", "date_format(ts, 'yyyy-MM')", "date_format(ts, 'yyyy-MM-dd-HH')", "date_format(ts, 'yyyyMMdd')",
	"date_trunc('MONTH', ts)", "date_trunc('HOUR', ts)", "date_trunc('WEEK', ts)", "trunc(ts, 'YEAR')", "ts",
	"CAST(n AS DATE)", "YEAR(n)", "MONTH(n)", "DAY(n)", "HOUR(n)", "date_format(n, 'yyyy-MM')", "n", "date_trunc('HOUR', n)", "date_trunc('DAY', n)", "date_trunc('HOUR', d)", "date_trunc('MONTH', d)",
	"YEAR(d)", "MONTH(d)", "DAY(d)", "date_format(d, 'yyyy-MM')", "trunc(d, 'MM')", "trunc(d, 'QUARTER')", "d",
	"SUBSTRING(s, 1, 2)", "SUBSTRING(s, 0, 1)", "left(s, 3)", "s", "SUBSTRING(s, 2, 2)", "i", "i % 3", "CAST(st.ts AS DATE)", "YEAR(st.ts)",
}

// A file with a row that satisfies a predicate is kept, whatever its partition
// columns are generated from and wherever its writer lives; and where the
// predicate is said to be always true, it is.
func TestGeneratedNeverLosesRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema, names, bound := generatedTable(t, rapid.SliceOfNDistinct(rapid.SampledFrom(generations), 1, 5, func(s string) string { return s }).Draw(t, "generated")...)
		start := rapid.SampledFrom([]int64{1704067200, 1709164800, 1698537600, 0, -62135596800, 253402214400, -2208988800}).Draw(t, "epoch") * 1_000_000
		moment := func(label string) int64 {
			return start + rapid.Int64Range(0, 86_400_000_000).Draw(t, label) + rapid.SampledFrom([]int64{0, 0, 1, -1, 3600, 86400, -86400, 31 * 86400, 366 * 86400}).Draw(t, label+" far")*1_000_000
		}
		maybe := func(label string, v any) any {
			if rapid.IntRange(0, 5).Draw(t, label+" null") == 0 {
				return nil
			}
			return v
		}
		word := func(label string) string {
			return rapid.SampledFrom([]string{"", "a", "ab", "abc", "abd", "b", "\u00e9t\u00e9", "\u00e9", "\U0010ffff\U0010ffffx", "__HIVE_DEFAULT_PARTITION__", "a\x00"}).Draw(t, label)
		}
		values := []any{maybe("ts", moment("ts")), maybe("n", moment("n")), maybe("d", floorDiv(moment("d"), microsPerDay)), maybe("s", word("s")),
			maybe("i", rapid.Int64Range(-3, 3).Draw(t, "i")), maybe("st", []any{maybe("st.ts", moment("st.ts"))})}
		offset := rapid.SampledFrom([]int64{0, 0, 3600, -8 * 3600, 14 * 3600, -12 * 3600, 56602, -54822, 19800}).Draw(t, "zone") * 1_000_000
		f := generatedFile{parts: partitionTexts(t, types.NewStruct(bases...), bound, values, offset, rapid.Bool().Draw(t, "utc"))}

		op := rapid.SampledFrom([]string{"=", "<", "<=", ">", ">=", "<>", "<=>"}).Draw(t, "op")
		var column string
		var constant expr.Expr
		switch rapid.IntRange(0, 4).Draw(t, "column") {
		case 0:
			column, constant = "ts", lit(moment("c"), types.Timestamp)
		case 1:
			column, constant = "n", lit(moment("c"), types.TimestampNTZ)
		case 2:
			column, constant = "d", lit(floorDiv(moment("c"), microsPerDay), types.Date)
		case 3:
			column, constant = "s", lit(word("c"), types.String)
		default:
			column, constant = "st.ts", lit(moment("c"), types.Timestamp)
		}
		cond := bind(t, fmt.Sprintf("%s IS NULL", column), schema)
		if rapid.IntRange(0, 6).Draw(t, "null test") > 0 {
			at := bind(t, column, schema)
			cond = &expr.Call{Fn: op, Args: []expr.Expr{at, constant}, T: types.Boolean, Null: true}
		}
		if rapid.Bool().Draw(t, "not") {
			cond = &expr.Call{Fn: "not", Args: []expr.Expr{cond}, T: types.Boolean, Null: cond.Nullable()}
		}
		in := rowOf(t, types.NewStruct(bases...), values)
		in.Columns = append(in.Columns, make([]arrow.Array, len(names))...)
		sel, err := eval.Filter(cond, in)
		if err != nil {
			t.Fatal(err)
		}
		p := NewGenerated(cond, schema, names)
		if v := p.Keep(f); len(sel) > 0 && !v.Keep {
			t.Fatalf("%s by %s drops a file with row %v, partition %v", cond, v.By, values, show(f.parts))
		}
		if len(sel) > 0 && !p.KeepPartition(f).Keep {
			t.Fatalf("KeepPartition(%s) drops a file with row %v", cond, values)
		}
		if len(sel) == 0 && p.Always(f) {
			t.Fatalf("%s is not always true: row %v, partition %v", cond, values, show(f.parts))
		}
	})
}

func show(parts []*string) string {
	var out []string
	for _, p := range parts {
		if p == nil {
			out = append(out, "NULL")
		} else {
			out = append(out, *p)
		}
	}
	return strings.Join(out, ", ")
}

// Files are dropped by their partition values, without statistics.
func TestGeneratedDrops(t *testing.T) {
	for _, c := range []struct {
		generated, value, where string
		keep                    bool
	}{
		{"CAST(n AS DATE)", "2024-01-05", "n >= TIMESTAMP_NTZ '2024-01-06 00:00:00'", false},
		{"CAST(n AS DATE)", "2024-01-05", "n >= TIMESTAMP_NTZ '2024-01-05 23:59:59.999999'", true},
		{"CAST(n AS DATE)", "2024-01-05", "n IS NULL", false},
		{"CAST(n AS DATE)", "", "n IS NOT NULL", false},
		{"CAST(n AS DATE)", "", "n IS NULL", true},
		{"CAST(n AS DATE)", "2024-01-05", "n < TIMESTAMP_NTZ '2024-01-05 00:00:00' OR n = TIMESTAMP_NTZ '2025-01-01 00:00:00'", false},
		{"CAST(n AS DATE)", "2024-01-05", "n IN (TIMESTAMP_NTZ '2024-01-04 10:00:00', TIMESTAMP_NTZ '2024-01-06 10:00:00')", false},
		{"CAST(n AS DATE)", "2024-01-05", "CAST(n AS DATE) = DATE '2024-01-06'", false},
		{"CAST(n AS DATE)", "2024-01-05", "n > TIMESTAMP_NTZ '2024-01-05 12:00:00' AND i = 1", true},
		{"CAST(ts AS DATE)", "2024-01-05", "ts >= TIMESTAMP '2024-01-07 00:00:00Z'", false},
		{"CAST(ts AS DATE)", "2024-01-05", "ts < TIMESTAMP '2024-01-04 00:00:00Z'", false},
		{"CAST(ts AS DATE)", "2024-01-05", "ts >= TIMESTAMP '2024-01-06 12:00:00Z'", true}, // still the 5th in some zone
		{"CAST(st.ts AS DATE)", "2024-01-05", "st.ts > TIMESTAMP '2024-02-01 00:00:00Z'", false},
		{"YEAR(d)", "2024", "d >= DATE '2025-01-01'", false},
		{"YEAR(d)", "2024", "d = DATE '2024-12-31'", true},
		{"YEAR(ts)", "2024", "ts < TIMESTAMP '2023-06-01 00:00:00Z'", false},
		{"date_format(d, 'yyyy-MM')", "2024-02", "d BETWEEN DATE '2024-03-01' AND DATE '2024-03-31'", false},
		{"date_format(d, 'yyyy-MM')", "2024-02", "d = DATE '2024-02-29'", true},
		{"date_format(d, 'yyyy-MM')", "nonsense", "d = DATE '2030-02-01'", true},
		{"date_format(ts, 'yyyy-MM-dd-HH')", "2024-02-03-04", "ts > TIMESTAMP '2024-02-05 00:00:00Z'", false},
		{"date_trunc('MONTH', n)", "2024-02-01 00:00:00", "n > TIMESTAMP_NTZ '2024-04-01 00:00:00'", false},
		{"trunc(d, 'MM')", "2024-02-01", "d > DATE '2024-03-10'", false},
		{"SUBSTRING(s, 1, 3)", "abc", "s = 'abe'", false},
		{"SUBSTRING(s, 1, 3)", "abc", "s = 'abcdef'", true},
		{"SUBSTRING(s, 1, 3)", "ab", "s = 'abc'", false},
		{"SUBSTRING(s, 1, 3)", "abc", "s LIKE 'b%'", false},
		{"SUBSTRING(s, 1, 3)", "", "s = ''", true},
		{"s", "abc", "s > 'abc'", false},
		{"i", "7", "i <> 7", false},
		{"i % 3", "1", "i = 3", true}, // not understood
	} {
		schema, names, _ := generatedTable(t, c.generated)
		p := NewGenerated(bind(t, c.where, schema), schema, names)
		f := generatedFile{parts: []*string{&c.value}}
		if v := p.Keep(f); v.Keep != c.keep || !v.Keep && v.By != Partition {
			t.Errorf("%s = %q, %s: %+v, want keep %v", c.generated, c.value, c.where, v, c.keep)
		}
		if v := p.KeepPartition(f); v.Keep != c.keep {
			t.Errorf("%s = %q, %s: KeepPartition says %v", c.generated, c.value, c.where, v.Keep)
		}
	}
}

// Without the table feature nobody has checked the generation expressions.
func TestGeneratedNeedsTheFeature(t *testing.T) {
	schema, names, _ := generatedTable(t, "CAST(n AS DATE)")
	day := "2024-01-05"
	p := New(bind(t, "n > TIMESTAMP_NTZ '2025-01-01 00:00:00'", schema), schema, names)
	if v := p.Keep(generatedFile{parts: []*string{&day}}); !v.Keep {
		t.Errorf("%+v", v)
	}
}

// Year, month, day and hour narrow together; a part counts once those before it do.
func TestGeneratedParts(t *testing.T) {
	schema, names, _ := generatedTable(t, "YEAR(n)", "MONTH(n)", "DAY(n)", "HOUR(n)")
	text := func(list ...string) (out []*string) {
		for _, s := range list {
			out = append(out, &s)
		}
		return out
	}
	for where, want := range map[string][4]bool{
		"n < TIMESTAMP_NTZ '2024-01-01 00:00:00'": {false, false, false, false},
		"n < TIMESTAMP_NTZ '2024-03-01 00:00:00'": {true, false, false, false},
		"n < TIMESTAMP_NTZ '2024-03-05 00:00:00'": {true, true, false, false},
		"n < TIMESTAMP_NTZ '2024-03-05 07:00:00'": {true, true, true, false},
		"n < TIMESTAMP_NTZ '2024-03-05 07:00:01'": {true, true, true, true},
	} {
		for k, parts := range [][]*string{text("2024", "x", "x", "x"), text("2024", "3", "x", "x"), text("2024", "3", "5", "x"), text("2024", "3", "5", "7")} {
			p := NewGenerated(bind(t, where, schema), schema, names)
			if got := p.Keep(generatedFile{parts: parts}).Keep; got != want[k] {
				t.Errorf("%s, %s: keep %v, want %v", where, show(parts), got, want[k])
			}
		}
	}
}
