package merge

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// TestMended: what a condition is mended to selects the same rows, among values at
// the edges of what it asks for, and is spelled so that it is read back.
func TestMended(t *testing.T) {
	schema := types.NewStruct(types.Field{Name: "n", Type: types.Long, Nullable: true}, types.Field{Name: "b", Type: types.Byte, Nullable: true},
		types.Field{Name: "d", Type: types.Date, Nullable: true}, types.Field{Name: "ts", Type: types.Timestamp, Nullable: true}, types.Field{Name: "ntz", Type: types.TimestampNTZ, Nullable: true},
		types.Field{Name: "s", Type: types.String, Nullable: true})
	var cols []arrow.Array
	rows := 0
	for i, texts := range [][]string{
		{"0", "1", "5", "-5", "15", "2024", "", "9223372036854775807"},
		{"0", "1", "5", "-5", "15", "127", "", "-128"},
		{"2023-12-31", "2024-01-01", "2024-01-02", "2024-01-31", "2024-02-01", "2024-12-31", "", "2025-01-01"},
		{"2023-12-31 23:59:59.999999", "2024-01-01 00:00:00", "2024-01-02 00:00:00", "2024-01-02 23:59:59.999999", "2024-02-01 00:00:00", "2024-12-31 12:00:00", "", "2025-01-01 00:00:00"},
		{"2023-12-31 23:59:59.999999", "2024-01-01 00:00:00", "2024-01-02 00:00:00", "2024-01-02 23:59:59.999999", "2024-02-01 00:00:00", "2024-12-31 12:00:00", "", "2025-01-01 00:00:00"},
		{"0", "1", "5", "05", " 5", "2024", "", "x"},
	} {
		values := make([]any, len(texts))
		for k, text := range texts {
			if text == "" {
				continue
			}
			v, err := partition.Parse(text, schema.Fields[i].Type)
			if err != nil {
				t.Fatal(err)
			}
			values[k] = v
		}
		a, err := columns.FromValues(schema.Fields[i].Type, values...)
		if err != nil {
			t.Fatal(err)
		}
		cols, rows = append(cols, a), len(texts)
	}
	bind := func(sql string) expr.Expr {
		e, err := expr.Parse(sql)
		if err == nil {
			e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: schema}}})
		}
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return e
	}
	selected := func(e expr.Expr) map[int32]bool {
		list, err := eval.Filter(e, eval.Input{Columns: cols, Rows: rows})
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		out := map[int32]bool{}
		for _, i := range list {
			out[i] = true
		}
		return out
	}
	for _, c := range []struct{ sql, want string }{
		{"CAST(n AS STRING) = '5'", "n = 5L"}, {"'5' = CAST(n AS STRING)", "n = 5L"}, {"CAST(b AS STRING) = '-5'", "b = -5Y"},
		{"CAST(n AS STRING) = '05'", ""}, {"CAST(b AS STRING) = '128'", ""}, {"CAST(n AS STRING) < '5'", ""}, {"CAST(s AS BIGINT) = 5", ""},
		{"CAST(d AS STRING) = '2024-01-02'", "d = DATE'2024-01-02'"}, {"CAST(d AS STRING) = '2024-1-2'", ""},
		{"date_format(d, 'yyyy') = '2024'", "d >= DATE'2024-01-01' AND d < DATE'2025-01-01'"},
		{"date_format(d, 'yyyy-MM') = '2024-01'", "d >= DATE'2024-01-01' AND d < DATE'2024-02-01'"},
		{"date_format(d, 'yyyyMMdd') = '20240102'", "d = DATE'2024-01-02'"},
		{"date_format(ts, 'yyyy-MM-dd') = '2024-01-02'", "ts >= TIMESTAMP'2024-01-02 00:00:00' AND ts < TIMESTAMP'2024-01-03 00:00:00'"},
		{"date_format(ntz, 'yyyyMM') = '202401'", "ntz >= TIMESTAMP_NTZ'2024-01-01 00:00:00' AND ntz < TIMESTAMP_NTZ'2024-02-01 00:00:00'"},
		{"date_format(d, 'MM') = '01'", ""}, {"date_format(d, 'yyyy') = '24'", ""},
		{"date_add(d, 1) = DATE '2024-01-02'", "d = DATE'2024-01-01'"}, {"date_sub(d, 30) <= DATE '2024-01-02'", "d <= DATE'2024-02-01'"},
		{"DATE '2024-01-02' < date_add(d, 1)", "d > DATE'2024-01-01'"}, {"datediff(d, DATE '2024-01-01') >= 1", "d >= DATE'2024-01-02'"},
		{"datediff(DATE '2024-01-01', d) >= 1", ""}, {"upper(s) = 'X'", ""}, {"n = 5", ""}, {"n + b = 5", ""}, {"date_add(d, b) = DATE '2024-01-02'", ""},
	} {
		e := bind(c.sql)
		m := mended(e)
		if m == nil {
			if c.want != "" {
				t.Errorf("%s is not mended", c.sql)
			}
			continue
		}
		if m.String() != c.want {
			t.Errorf("%s: %s, want %s", c.sql, m, c.want)
		}
		want, got := selected(e), selected(bind(m.String()))
		for i := range int32(rows) {
			if want[i] != got[i] {
				t.Errorf("%s selects row %d: %v; %s: %v", c.sql, i, want[i], m, got[i])
			}
		}
	}
}
