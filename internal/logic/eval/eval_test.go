package eval

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func bound(t testing.TB, text string) (expr.Expr, Input) {
	t.Helper()
	scope, cols, n := testTable(t)
	e, err := expr.Parse(text)
	if err == nil {
		e, err = expr.Bind(e, scope)
	}
	if err != nil {
		t.Fatal(text, err)
	}
	return e, Input{cols, n}
}

func TestEval(t *testing.T) {
	for text, want := range map[string]string{
		"i8 + 1":               "[2 128 -127 <nil> 1]",
		"i > 0 AND 10 / i > 1": "[true false false <nil> false]",
		"i = 0 OR 10 / i > 1":  "[true false false <nil> true]",
		"CASE WHEN i <> 0 THEN 10 div i ELSE -1 END": "[10 0 0 -1 -1]",
		"coalesce(i, l, 7)":                          "[1 2147483647 -2147483648 7 0]",
		"s LIKE '%l%'":                               "[false false true <nil> false]",
		"s IN ('abc', '12', NULL)":                   "[true <nil> <nil> <nil> true]",
		"n * 2":                                      "[2.50 199999999.98 -199999999.98 <nil> 0.00]",
		"n / 3":                                      "[0.416667 33333333.330000 -33333333.330000 <nil> 0.000000]",
		"x = x":                                      "[true true true <nil> true]",
		"f <=> NULL":                                 "[false false false true false]",
		"CAST(d AS STRING)":                          "[2021-03-04 9999-12-31 0001-01-01 <nil> 1970-01-01]",
		"try_cast(s AS INT)":                         "[<nil> <nil> <nil> <nil> 12]",
		"o.x":                                        "[1 0 <nil> <nil> 5]",
		"transform(a, e -> e + i8)":                  "[[2 3 <nil>] [] [<nil> -123] <nil> [0]]",
		"upper(s) || '!'":                            "[ABC! ! HELLO WORLD! <nil> 12!]",
	} {
		e, in := bound(t, text)
		a, err := Eval(e, in)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []any
		for i := range in.Rows {
			got = append(got, printable(columns.Value(a, i)))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", text, got, want)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	for text, want := range map[string]string{
		"i + 1": "ARITHMETIC_OVERFLOW 22003", "i8 + i8": "BINARY_ARITHMETIC_OVERFLOW 22003", "1 / i": "DIVIDE_BY_ZERO 22012", "i % 0": "REMAINDER_BY_ZERO 22012",
		"CAST(s AS INT)": "CAST_INVALID_INPUT 22018", "CAST(l AS INT)": "CAST_OVERFLOW 22003", "CAST(n AS DECIMAL(3,1))": "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION 22003",
		"a[5]": "INVALID_ARRAY_INDEX 22003", "element_at(a, 0)": "INVALID_INDEX_OF_ZERO 22003", "map(s, 1, s, 2)": "DUPLICATED_MAP_KEY 23505",
		"s LIKE 'a\\\\b'": "INVALID_FORMAT.ESC_IN_THE_MIDDLE 42601", "make_date(2021, 2, 30)": "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION 22023",
		"timestamp_seconds(l)": " ", "raise_error(s)": "USER_RAISED_EXCEPTION P0001",
	} {
		e, in := bound(t, text)
		_, err := Eval(e, in)
		var ee *Error
		if !errors.As(err, &ee) || ee.Class+" "+ee.SQLState != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestAssignOverflow(t *testing.T) {
	scope, cols, n := testTable(t)
	e, err := expr.BindAssign(expr.NewColumn("l"), scope, types.Integer, "k")
	if err != nil {
		t.Fatal(err)
	}
	var ee *Error
	if _, err := Eval(e, Input{cols, n}); !errors.As(err, &ee) || ee.Class != "CAST_OVERFLOW_IN_TABLE_INSERT" {
		t.Errorf("got %v", err)
	}
}

func TestFilter(t *testing.T) {
	e, in := bound(t, "i > 0 OR s = '12'")
	if got, err := Filter(e, in); err != nil || !slices.Equal(got, []int32{0, 1, 4}) {
		t.Errorf("got %v, %v", got, err)
	}
	e, in = bound(t, "NULL")
	if got, err := Filter(e, in); err != nil || len(got) != 0 {
		t.Errorf("NULL keeps %v, %v", got, err)
	}
}

func TestFoldKeepsWhatFails(t *testing.T) {
	for text, want := range map[string]string{
		"i + (1 + 2)": "i + 3", "1 / 0": "1D / 0D", "i = CAST('x' AS INT)": "i = CAST('x' AS INT)", "s = upper('a')": "s = 'A'", "d > '2020-01-01'": "d > DATE'2020-01-01'",
		"n > 5": "n > 5.00BD",
	} {
		e, _ := bound(t, text)
		if got := expr.Fold(e, Literal).String(); got != want {
			t.Errorf("%s folds to %s, want %s", text, got, want)
		}
	}
}

func TestNoRows(t *testing.T) {
	e, in := bound(t, "CAST('x' AS INT) + a[0]")
	a, err := Eval(e, Input{columns.Slice(in.Columns, 0, 0), 0})
	if err != nil || a.Len() != 0 || a.DataType().ID() != arrow.INT32 {
		t.Errorf("got %v, %v", a, err)
	}
}

func benchmarkEval(b *testing.B, text string) {
	schema, _ := types.ParseDDL("i INT, l BIGINT, x DOUBLE, n DECIMAL(10,2), s STRING")
	const rows = 8192
	data := make([][]any, 5)
	for r := range rows {
		data[0] = append(data[0], int64(r%100))
		data[1] = append(data[1], int64(r))
		data[2] = append(data[2], float64(r)/3)
		data[3] = append(data[3], expr.Decimal{Unscaled: rescale(bigPow10[0], 0, r%7), Scale: 2})
		data[4] = append(data[4], fmt.Sprintf("customer %d", r%97))
	}
	cols := make([]arrow.Array, 5)
	for i := range cols {
		cols[i], _ = columns.FromValues(schema.Fields[i].Type, data[i]...)
	}
	e, err := expr.Parse(text)
	if err == nil {
		e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Schema: schema}}})
	}
	if err != nil {
		b.Fatal(err)
	}
	e = expr.Fold(e, Literal)
	b.ReportAllocs()
	b.SetBytes(rows)
	for b.Loop() {
		if _, err := Eval(e, Input{cols, rows}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	for _, text := range []string{"i < 50", "l > i", "x < 100D AND l >= 10", "l + i * 2", "n + 1", "s LIKE '%mer 5%'", "s = 'customer 5'", "i IN (1, 2, 3)", "CASE WHEN i < 50 THEN l ELSE 0 END", "coalesce(l, 0) + 1"} {
		b.Run(text, func(b *testing.B) { benchmarkEval(b, text) })
	}
}
