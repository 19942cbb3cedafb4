package eval

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

const testDDL = `b BOOLEAN, i8 TINYINT, i16 SMALLINT, i INT, l BIGINT, f FLOAT, x DOUBLE, n DECIMAL(10,2), n2 DECIMAL(38,10),
 s STRING, s2 STRING, bin BINARY, d DATE, t TIMESTAMP, tn TIMESTAMP_NTZ, a ARRAY<INT>, sa ARRAY<STRING>, m MAP<STRING, INT>, o STRUCT<x: INT, y: STRING>`

// testTable has odd values and NULLs in every column.
func testTable(t testing.TB) (expr.Scope, []arrow.Array, int) {
	schema, err := types.ParseDDL(testDDL)
	if err != nil {
		t.Fatal(err)
	}
	dec := func(u int64, scale int) any {
		return expr.Decimal{Unscaled: big.NewInt(u), Scale: scale}
	}
	data := map[string][]any{
		"b": {true, false, nil, true, nil}, "i8": {int64(1), int64(127), int64(-128), nil, int64(0)},
		"i16": {int64(10), int64(32767), int64(-32768), nil, int64(0)}, "i": {int64(1), int64(math.MaxInt32), int64(math.MinInt32), nil, int64(0)},
		"l": {int64(5), int64(math.MaxInt64), int64(math.MinInt64), nil, int64(0)}, "f": {1.5, math.Inf(1), math.NaN(), nil, math.Copysign(0, -1)},
		"x": {2.25, math.MaxFloat64, math.Inf(-1), nil, math.NaN()}, "n": {dec(125, 2), dec(9999999999, 2), dec(-9999999999, 2), nil, dec(0, 2)},
		"n2": {dec(15000000000, 10), dec(math.MaxInt64, 10), dec(-1, 10), nil, dec(0, 10)},
		"s":  {"abc", "", "Hello World", nil, "12"}, "s2": {"b", "%", "a_c", nil, "2021-03-04"}, "bin": {[]byte("abc"), []byte{}, []byte{0, 255}, nil, []byte("1")},
		"d": {int64(18690), int64(2932896), int64(-719162), nil, int64(0)}, "t": {int64(1614834367123456), int64(253402300799999999), int64(-62135596800000000), nil, int64(-1)},
		"tn": {int64(1614834367123456), int64(253402300799999999), int64(-62135596800000000), nil, int64(-1)},
		"a":  {[]any{int64(1), int64(2), nil}, []any{}, []any{nil, int64(5)}, nil, []any{int64(0)}}, "sa": {[]any{"a", "b"}, []any{}, []any{nil}, nil, []any{""}},
		"m": {[]columns.KV{{Key: "a", Value: int64(1)}, {Key: "b", Value: nil}}, []columns.KV{}, []columns.KV{{Key: "k", Value: nil}}, nil, []columns.KV{{Key: "", Value: int64(0)}}},
		"o": {[]any{int64(1), "yy"}, []any{int64(0), ""}, []any{nil, nil}, nil, []any{int64(5), "abc"}},
	}
	cols := make([]arrow.Array, len(schema.Fields))
	for k, f := range schema.Fields {
		if cols[k], err = columns.FromValues(f.Type, data[f.Name]...); err != nil {
			t.Fatal(f.Name, err)
		}
	}
	return expr.Scope{Tables: []expr.Table{{Schema: schema}}}, cols, 5
}

// everyFunction names functions with a number of arguments.
var everyFunction = strings.Fields(`upper:1 lower:1 length:1 octet_length:1 trim:1 ltrim:1 rtrim:2 btrim:2 repeat:2 replace:3 translate:3 initcap:1 substring:2 substring:3
 left:2 right:2 split:2 split_part:3 instr:2 locate:2 locate:3 ascii:1 chr:1 base64:1 unbase64:1 unhex:1 hex:1 md5:1 sha:1 sha2:2 crc32:1 soundex:1 levenshtein:2 find_in_set:2
 printf:2 regexp_extract:2 regexp_replace:3 regexp_substr:2 regexp_count:2 substring_index:3 space:1 url_encode:1 url_decode:1 encode:2 decode:2 bin:1 conv:3 exp:1 ln:1 log10:1 sqrt:1 cbrt:1
 sin:1 atan2:2 pow:2 factorial:1 year:1 quarter:1 month:1 day:1 dayofweek:1 weekday:1 dayofyear:1 weekofyear:1 hour:1 minute:1 second:1 date_add:2 date_sub:2 datediff:2 add_months:2
 months_between:2 last_day:1 next_day:2 trunc:2 date_trunc:2 date_format:2 unix_date:1 unix_seconds:1 unix_millis:1 date_from_unix_date:1 from_unixtime:1 make_date:3 to_date:1 to_date:2 to_timestamp:1
 array_join:2 size:1 array_size:1 coalesce:2 coalesce:3 nvl2:3 if:3 nullif:2 greatest:2 least:3 typeof:1 abs:1 signum:1 ceil:1 floor:1 round:1 bround:1 nanvl:2 isnan:1 log:2 bit_count:1 concat:2 concat:3
 reverse:1 lpad:3 rpad:2 overlay:3 startswith:2 contains:2 concat_ws:3 format_number:2 to_char:2 array:2 map:2 element_at:2 try_element_at:2 get:2 array_contains:2 array_position:2 array_remove:2 array_append:2
 array_prepend:2 array_insert:3 array_compact:1 array_distinct:1 sort_array:1 array_sort:1 array_max:1 array_min:1 array_union:2 array_intersect:2 array_except:2 arrays_overlap:2 arrays_zip:2 array_repeat:2
 slice:3 flatten:1 sequence:2 map_keys:1 map_values:1 map_entries:1 map_contains_key:2 map_concat:2 str_to_map:1 to_json:1 unix_timestamp:1 timestamp_seconds:1 make_timestamp:6 try_add:2 try_divide:2 mask:1 hash:2 elt:3
 isnull:1 isnotnull:1 nvl:2 struct:2 pmod:2 mod:2 shiftleft:2 shiftright:2 like:2 rlike:2 ilike:2 monthname:1 dayname:1 monotonic:1 from_utc_timestamp:2 parse_json:1 get_json_object:2 luhn_check:1 width_bucket:4`)

func genText(t *rapid.T, depth int) string {
	leaf := []string{"b", "i8", "i16", "i", "l", "f", "x", "n", "n2", "s", "s2", "bin", "d", "t", "tn", "a", "sa", "m", "o", "o.x", "o.y", "NULL", "1", "-3", "0", "2.5", "1e3", "'a'", "'12'", "'2021-01-31'", "TRUE",
		"DATE'2020-02-29'", "TIMESTAMP'2021-03-04 05:06:07'", "INTERVAL 1 MONTH", "INTERVAL 2 HOURS", "array(1, NULL)", "'yyyy-MM-dd'", "'%b%'", "X'00ff'"}
	if depth == 0 {
		return rapid.SampledFrom(leaf).Draw(t, "leaf")
	}
	sub := func() string { return genText(t, rapid.IntRange(0, depth-1).Draw(t, "d")) }
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1, 2:
		op := rapid.SampledFrom([]string{"+", "-", "*", "/", "%", "div", "=", "<>", "<", "<=", ">", ">=", "<=>", "AND", "OR", "||", "&", "|", "^", "<<", "LIKE", "IS DISTINCT FROM"}).Draw(t, "op")
		return "(" + sub() + " " + op + " " + sub() + ")"
	case 3:
		to := rapid.SampledFrom([]string{"TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(10,2)", "DECIMAL(3,1)", "DECIMAL(38,10)", "STRING", "BINARY", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "ARRAY<STRING>", "MAP<STRING,STRING>", "STRUCT<p: STRING, q: STRING>"}).Draw(t, "to")
		return rapid.SampledFrom([]string{"CAST(", "TRY_CAST("}).Draw(t, "try") + sub() + " AS " + to + ")"
	case 4:
		return "CASE WHEN " + sub() + " THEN " + sub() + " ELSE " + sub() + " END"
	case 5:
		return "(" + sub() + rapid.SampledFrom([]string{" IS NULL", " IS NOT NULL", " IS TRUE", " IN (1, NULL)", " IN ('abc', s)", " BETWEEN 0 AND 10"}).Draw(t, "pred") + ")"
	case 6:
		hof := rapid.SampledFrom([]string{"transform(a, e -> e + %s)", "filter(a, (e, k) -> e > %s)", "exists(sa, e -> e = %s)", "forall(a, e -> e <> %s)", "aggregate(a, 0, (acc, e) -> acc + coalesce(e, %s))",
			"zip_with(a, sa, (p, q) -> concat(p, q, %s))", "map_filter(m, (k, v) -> v > %s)", "transform_values(m, (k, v) -> concat(k, %s))", "a[%s]", "m[%s]", "array_sort(a, (p, q) -> p - q + %s)"}).Draw(t, "hof")
		return fmt.Sprintf(hof, sub())
	}
	name, count, _ := strings.Cut(rapid.SampledFrom(everyFunction).Draw(t, "fn"), ":")
	args := make([]string, count[0]-'0')
	for k := range args {
		args[k] = sub()
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// TestBatchAgreesWithRows: a batch fails exactly when a row alone fails, and its
// rows have the values that they have alone; so does the expression that the
// printed tree binds to, and the folded tree. It holds in every session.
func TestBatchAgreesWithRows(t *testing.T) {
	for name, o := range sessions(t) {
		t.Run(name, func(t *testing.T) { batchAgreesWithRows(t, o) })
	}
}

func batchAgreesWithRows(t *testing.T, o expr.Options) {
	scope, cols, n := testTable(t)
	scope.Options = o
	bound, computed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := genText(t, 3)
		e, err := expr.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		e, err = expr.Bind(e, scope)
		if err != nil {
			var be *expr.BindError
			if !errors.As(err, &be) {
				t.Fatalf("%s: %v", text, err)
			}
			return
		}
		bound++
		want, failures := rowByRow(t, text, e, cols, n)
		all, err := Eval(e, Input{cols, n})
		if (err != nil) != (len(failures) > 0) {
			t.Fatalf("%s: the batch gives error %v, its rows %v", text, err, failures)
		}
		if err != nil {
			return
		}
		computed++
		if dt, _ := arrowType(e.Type()); !arrow.TypeEqual(all.DataType(), dt) || all.Len() != n {
			t.Fatalf("%s: an array of %d %s, want %d %s", text, all.Len(), all.DataType(), n, dt)
		}
		for i := range n {
			if got := show(all, i); got != want[i] {
				t.Fatalf("%s: row %d of the batch is %s, alone %s", text, i, got, want[i])
			}
		}
		folded := expr.Fold(e, Literal)
		again, err := Eval(folded, Input{cols, n})
		if err != nil {
			t.Fatalf("%s folded to %s: %v", text, folded, err)
		}
		for i := range n {
			if got := show(again, i); got != want[i] {
				t.Fatalf("%s folded to %s: row %d is %s, want %s", text, folded, i, got, want[i])
			}
		}
		if printed, err := expr.Parse(e.String()); err != nil {
			t.Fatalf("%s printed as %s: %v", text, e, err)
		} else if rebound, err := expr.Bind(printed, scope); err != nil || typeName(rebound.Type()) != typeName(e.Type()) {
			t.Fatalf("%s printed as %s: bound as %v (%v), want %s", text, e, rebound, err, e.Type())
		}
	})
	t.Logf("%d bound, %d computed", bound, computed)
}

func rowByRow(t *rapid.T, text string, e expr.Expr, cols []arrow.Array, n int) (vals []string, failures []error) {
	for i := range n {
		a, err := Eval(e, Input{columns.Slice(cols, i, 1), 1})
		if err != nil {
			var ee *Error
			if !errors.As(err, &ee) {
				t.Fatalf("%s: row %d: %v", text, i, err)
			}
			failures = append(failures, err)
			vals = append(vals, "")
			continue
		}
		vals = append(vals, show(a, i-i))
	}
	return vals, failures
}

func show(a arrow.Array, i int) string { return fmt.Sprintf("%v", printable(columns.Value(a, i))) }

func printable(v any) any {
	switch x := v.(type) {
	case expr.Decimal:
		return x.String()
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = printable(x[i])
		}
		return out
	case []columns.KV:
		out := make([]any, len(x))
		for i := range x {
			out[i] = []any{printable(x[i].Key), printable(x[i].Value)}
		}
		return out
	}
	return v
}
