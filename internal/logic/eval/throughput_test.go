package eval

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// workloads are expressions of each kind over the columns of workTable.
var workloads = []struct{ kind, text string }{
	{"comparison", "i < 500"}, {"comparison", "l = l2"}, {"comparison", "s >= 'm'"}, {"comparison", "dec > 12.5"}, {"comparison", "x <= x2"}, {"comparison", "d BETWEEN DATE'2020-01-01' AND DATE'2021-01-01'"},
	{"comparison", "s IN ('name 7', 'name 8', 'x')"}, {"comparison", "s LIKE 'name 1%'"},
	{"arithmetic", "l + l2"}, {"arithmetic", "i * 3"}, {"arithmetic", "x / x2"}, {"arithmetic", "dec + dec2"}, {"arithmetic", "dec * dec2"}, {"arithmetic", "dec / dec2"}, {"arithmetic", "l % 7"}, {"arithmetic", "abs(i)"}, {"arithmetic", "round(x, 1)"}, {"arithmetic", "round(dec, 1)"},
	{"string", "upper(s)"}, {"string", "concat(s, '-', s2)"}, {"string", "substring(s, 2, 4)"}, {"string", "length(s)"}, {"string", "trim(s)"}, {"string", "replace(s, 'a', 'b')"}, {"string", "lpad(s, 12, '*')"}, {"string", "split_part(s, ' ', 1)"}, {"string", "regexp_replace(s, '[0-9]+', '#')"}, {"string", "initcap(s)"},
	{"cast", "CAST(i AS BIGINT)"}, {"cast", "CAST(i AS STRING)"}, {"cast", "CAST(digits AS INT)"}, {"cast", "CAST(digits AS DOUBLE)"}, {"cast", "CAST(digits AS DECIMAL(10,2))"}, {"cast", "CAST(x AS STRING)"}, {"cast", "CAST(dec AS STRING)"}, {"cast", "CAST(x AS DECIMAL(20,4))"},
	{"cast", "CAST(day AS DATE)"}, {"cast", "CAST(d AS STRING)"}, {"cast", "CAST(t AS STRING)"}, {"cast", "CAST(moment AS TIMESTAMP)"}, {"cast", "CAST(t AS DATE)"}, {"cast", "CAST(dec AS DOUBLE)"}, {"cast", "CAST(l AS DECIMAL(20,0))"}, {"cast", "CAST(dec AS DECIMAL(20,6))"}, {"cast", "CAST(dec AS INT)"}, {"cast", "TRY_CAST(s AS INT)"}, {"cast", "CAST(b AS STRING)"},
	{"case", "CASE WHEN i < 300 THEN 'low' WHEN i < 600 THEN s ELSE 'high' END"}, {"case", "CASE WHEN b THEN l ELSE l2 END"}, {"case", "coalesce(n, l)"}, {"case", "if(i % 2 = 0, l + 1, l2)"}, {"case", "nullif(l, l2)"}, {"case", "greatest(l, l2)"},
	{"date", "year(d)"}, {"date", "date_add(d, i)"}, {"date", "date_trunc('MONTH', t)"}, {"date", "date_format(t, 'yyyy-MM')"}, {"date", "hour(t)"}, {"date", "datediff(d, DATE'2020-01-01')"},
	{"hash", "hash(l, s)"}, {"hash", "xxhash64(l, s)"}, {"hash", "md5(s)"}, {"hash", "sha2(s, 256)"}, {"hash", "crc32(s)"},
	{"logic", "i > 10 AND (s = 'x' OR l2 < 5)"}, {"logic", "b AND 1000 / (i + 1) > 3"}, {"logic", "n IS NULL OR NOT b"},
	{"nested", "st.a + 1"}, {"nested", "arr[0]"}, {"nested", "m['k']"}, {"nested", "size(arr)"}, {"nested", "named_struct('a', i, 'b', s)"},
}

func workTable(t testing.TB, rows int) (expr.Scope, Input) {
	schema := &types.Struct{}
	in := Input{Rows: rows}
	add := func(name string, typ types.Type, value func(i int) any) {
		vals := make([]any, rows)
		for i := range vals {
			vals[i] = value(i)
		}
		a, err := fromValues(typ, vals...)
		if err != nil {
			t.Fatal(err)
		}
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: typ, Nullable: true})
		in.Columns = append(in.Columns, a)
	}
	number := func(mul, mod int) func(i int) any { return func(i int) any { return int64(i * mul % mod) } }
	text := func(format string, mod int) func(i int) any {
		return func(i int) any { return fmt.Sprintf(format, i%mod) }
	}
	add("i", types.Integer, number(7, 1000))
	add("l", types.Long, number(7919, 1_000_003))
	add("l2", types.Long, number(31, 997))
	add("n", types.Long, func(i int) any {
		if i%3 == 0 {
			return nil
		}
		return int64(i)
	})
	add("x", types.Double, func(i int) any { return float64(i)*1.25 + 0.375 })
	add("x2", types.Double, func(i int) any { return float64(i%100) + 1 })
	decimals := func(mul int) func(i int) any {
		return func(i int) any { return expr.Decimal{Unscaled: bigInt(int64(i*mul%1_000_000 + 1)), Scale: 2} }
	}
	add("dec", types.Decimal{Precision: 10, Scale: 2}, decimals(37))
	add("dec2", types.Decimal{Precision: 10, Scale: 2}, decimals(11))
	add("s", types.String, text("name %d", 50))
	add("s2", types.String, text("other text %d", 77))
	add("digits", types.String, text("%d", 9999))
	add("day", types.String, text("2021-03-1%d", 10))
	add("moment", types.String, text("2021-03-04 05:06:%02d", 60))
	add("d", types.Date, func(i int) any { return int64(18000 + i%1000) })
	add("t", types.Timestamp, func(i int) any { return int64(i) * 3_601_000_007 })
	add("b", types.Boolean, func(i int) any { return i%3 == 0 })
	add("st", types.NewStruct(types.Field{Name: "a", Type: types.Integer, Nullable: true}), func(i int) any { return []any{int64(i)} })
	add("arr", &types.Array{Element: types.Integer, ContainsNull: true}, func(i int) any { return []any{int64(i), int64(2)} })
	add("m", &types.Map{Key: types.String, Value: types.Integer, ValueContainsNull: true}, func(i int) any { return mapValue("k", int64(i)) })
	return expr.Scope{Tables: []expr.Table{{Schema: schema}}}, in
}

func workload(t testing.TB, text string, s expr.Scope) expr.Expr {
	e, err := expr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if e, err = expr.Bind(e, s); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return expr.Fold(e, Literal)
}

// BenchmarkExpressions reports values a second for one expression of each kind.
func BenchmarkExpressions(b *testing.B) {
	s, in := workTable(b, 8192)
	for _, w := range workloads {
		e := workload(b, w.text, s)
		b.Run(w.kind+"/"+w.text, func(b *testing.B) {
			b.ReportAllocs()
			var out arrow.Array
			for b.Loop() {
				var err error
				if out, err = Eval(e, in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(out.Len())/b.Elapsed().Seconds()/1e6, "Mvalues/s")
		})
	}
}

// TestNothingIsAllocatedForARow counts allocations over two sizes of a batch.
func TestNothingIsAllocatedForARow(t *testing.T) {
	const small, large = 512, 2048
	s, few := workTable(t, small)
	_, many := workTable(t, large)
	for _, w := range workloads {
		e := workload(t, w.text, s)
		count := func(in Input) float64 {
			return testing.AllocsPerRun(5, func() {
				if _, err := Eval(e, in); err != nil {
					t.Fatalf("%s: %v", w.text, err)
				}
			})
		}
		if strings.HasPrefix(w.text, "regexp") {
			continue // the regexp package needs memory for each match
		}
		if more := count(many) - count(few); more > (large-small)/16 {
			t.Errorf("%s: %.2f allocations a row", w.text, more/(large-small))
		}
	}
}

func TestWorkloadsAgreeInEverySession(t *testing.T) {
	s, in := workTable(t, 300)
	utc, _ := civil.Zone("+00:00")
	for _, w := range workloads {
		want, err := Eval(workload(t, w.text, s), in)
		if err != nil {
			t.Fatalf("%s: %v", w.text, err)
		}
		for _, o := range []expr.Options{{Legacy: true}, {TimeZone: utc}} {
			s.Options = o
			got, err := Eval(workload(t, w.text, s), in)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s with %+v: %v %v\nwant %v", w.text, o, got, err, want)
			}
		}
		s.Options = expr.Options{}
	}
}

func bigInt(v int64) *big.Int { return big.NewInt(v) }

func mapValue(k string, v any) any { return []columns.KV{{Key: k, Value: v}} }
