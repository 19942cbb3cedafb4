package eval

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
)

// TestAsSparkSays holds values and error classes that Spark 4.0.1 gave.
func TestAsSparkSays(t *testing.T) {
	scope, cols, _ := testTable(t)
	for _, c := range []struct{ text, want string }{
		{"log10(0.1D)", "-1"}, {"log10(0.01D)", "-2"}, {"log2(1.5D)", "0.5849625007211562"}, {"asinh(-3.5D)", "-1.9657204716496515"}, {"cosh(1)", "1.543080634815244"}, {"sinh(1.5D)", "2.1292794550948173"},
		{"acosh(-2147483648)", "NaN"}, {"format_string('%g|%o|%x|%.2f', 1.5D, -1, -1, CAST(NULL AS DOUBLE))", "1.50000|37777777777|ffffffff|nu"}, {"format_string('%s', 0.0000000001BD)", "1E-10"},
		{"upper('straße ŉ')", "STRASSE ʼN"}, {"lower('İΣ')", "i\u0307ς"}, {"url_encode('a b~*')", "a+b%7E*"}, {"locate('', 'abc', 20)", "1"}, {"to_char(X'41', 'hex')", "41"},
		{"decode(2, 1, 'a', 2, 'b', 'c')", "b"}, {"decode(9, 1, 'a', 'c')", "c"}, {"decode(NULL, NULL, 'n')", "n"},
		{"get_json_object('{\"a\":[{\"b\":1},{\"b\":2}]}', '$.a[*].b')", "[1,2]"}, {"get_json_object('{\"b\":{\"z\":1.50,\"a\":2}}', '$.b')", `{"z":1.5,"a":2}`},
		{"from_json('', 'a INT')", "<nil>"}, {"from_json('{''b'':1,\"a\":\"26/08/2015\"}', 'a DATE', map('dateFormat', 'dd/MM/yyyy'))", "[16673]"}, {"from_json('{\"a\":{\"c\": 1}}', 'a STRING')", `[{"c": 1}]`},
		{"from_json('{\"a\":1', 'a INT, _corrupt_record STRING')", `[<nil> {"a":1]`}, {"to_json(named_struct('d', DATE'2015-08-26'), map('dateFormat', 'dd/MM/yyyy'))", `{"d":"26/08/2015"}`}, {"to_json(named_struct('b', X'616263'))", `{"b":"YWJj"}`},
		{"to_csv(named_struct('a', 1, 'b', 'x,y', 'c', NULL))", `1,"x,y",`}, {"parse_url('http://u:p@h.x:80/p/q?a=1&b=2#r', 'QUERY', 'b')", "2"}, {"parse_url('http://u:p@h.x:80/p/q?a=1#r', 'FILE')", "/p/q?a=1"}, {"try_parse_url('inva lid://x', 'HOST')", "<nil>"},
		{"convert_timezone('Europe/Brussels', 'America/Los_Angeles', TIMESTAMP_NTZ'2021-12-06 00:00:00') = TIMESTAMP_NTZ'2021-12-05 15:00:00'", "true"}, {"make_valid_utf8(X'61C262')", "a\ufffdb"}, {"try_validate_utf8(X'80')", "<nil>"},
		{"CAST(aes_decrypt(aes_encrypt('Spark', '0000111122223333'), '0000111122223333') AS STRING)", "Spark"}, {"CAST(aes_decrypt(unbase64('3lmwu+Mw0H3fi5NDvcu9lg=='), '1234567890abcdef', 'ECB', 'PKCS') AS STRING)", "Spark SQL"},
		{"bitmap_bucket_number(123)", "1"}, {"bitmap_bit_position(123)", "122"}, {"bitmap_count(X'1010')", "2"}, {"'x' >= CAST(NULL AS INT)", "<nil>"}, {"i IS UNKNOWN", "false"},
		{"-(9999999999999999999999999999.9999999999BD)", "[NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION]"}, {"getbit(11, 32)", "[INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE]"}, {"validate_utf8(X'80')", "[INVALID_UTF8_STRING]"},
		{"hash(m)", "[DATATYPE_MISMATCH.HASH_MAP_TYPE]"}, {"array_append(a, 'x')", "[DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES]"}, {"element_at(m, 1)", "[DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES]"}, {"size(s)", "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE]"},
		{"to_json(1)", "[DATATYPE_MISMATCH.INVALID_JSON_SCHEMA]"}, {"to_binary('a', 'x')", "[DATATYPE_MISMATCH.INVALID_ARG_VALUE]"}, {"parse_url('inva lid://x', 'HOST')", "[INVALID_URL]"},
	} {
		got := ""
		e, err := expr.Parse(c.text)
		if err == nil {
			e, err = expr.Bind(e, scope)
		}
		if err == nil {
			a, failed := Eval(e, Input{columns.TakeColumns(cols, []int32{0}), 1})
			if err = failed; err == nil {
				got = fmt.Sprint(columns.Value(a, 0))
			}
		}
		if err != nil {
			got = strings.SplitAfter(err.Error(), "]")[0]
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.text, got, c.want, err)
		}
	}
}
