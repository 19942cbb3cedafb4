package eval

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types/civil"
)

// shown is the type and the value of a constant expression as text, or the class of its error.
func shown(t *testing.T, text string, o expr.Options) string {
	t.Helper()
	e, err := expr.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	bound, err := expr.Bind(e, expr.Scope{Options: o})
	if err != nil {
		var b *expr.BindError
		if errors.As(err, &b) {
			return b.Class
		}
		return err.Error()
	}
	a, err := Eval(bound, Input{Rows: 1})
	if err != nil {
		var f *Error
		if errors.As(err, &f) {
			return f.Class
		}
		return err.Error()
	}
	if columns.IsNull(a, 0) {
		return bound.Type().String() + " NULL"
	}
	return bound.Type().String() + " " + texter(a, bound.Type(), expr.Session{Zone: o.TimeZone})(0)
}

// The expectations follow Spark's TypeCoercion, Cast, arithmetic and
// DateTimeUtils with spark.sql.ansi.enabled=false.
func TestOutsideANSIMode(t *testing.T) {
	for text, want := range map[string]string{
		// implicit casts
		"'1' + '2'": "double 3.0", "'1' + 2": "double 3.0", "'1.5' * 2BD": "double 3.0", "'x' + 1": "double NULL", "'7' % 2": "double 1.0",
		"'7' div 2": "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "'1' & 1": "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "-'2'": "double -2.0",
		"'10' > 9": "boolean true", "'x' = 1": "boolean NULL", "'1.0' = 1": "boolean true", "'1.5' = 1.5BD": "boolean true",
		"'2020-01-01' = DATE'2020-01-01'": "boolean true", "'nonsense' < DATE'2020-01-01'": "boolean NULL",
		"'2020-01-01 01:00:00' > TIMESTAMP'2020-01-01 00:00:00'": "boolean true", "'true' = true": "boolean true", "'x' <=> true": "boolean false",
		"true = 1": "boolean true", "true = 2": "boolean false", "false <=> 0.0BD": "boolean true", "true <> 0L": "boolean true",
		"true < 2": "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "true AND 'true'": "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
		"1 IN ('1', '2')": "boolean true", "1 IN ('1.0')": "boolean false", "coalesce(1, 'a')": "string 1", "if(true, 1, 'a')": "string 1",
		"coalesce(true, 'a')": "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "CASE WHEN false THEN DATE'2020-01-01' ELSE 'z' END": "string z",
		"array(1, 'a')": "array<string> [1, a]", "greatest(1, '2')": "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "1 + 1F": "float 2.0", "least(1L, 1F)": "float 1.0",
		"concat(1, true, X'41')": "string 1trueA", "length(123)": "int 3", "substring('hello', '2')": "string ello", "repeat('a', 2.9D)": "string aa",
		"year('2021-05-06')": "int 2021", "upper(DATE'2020-01-01')": "string 2020-01-01", "array_contains(array('1'), 1)": "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES",
		// casts
		"CAST('1.9' AS INT)": "int 1", "CAST('.5' AS INT)": "int 0", "CAST(' -12. ' AS BIGINT)": "bigint -12", "CAST('1e3' AS INT)": "int NULL", "CAST('x' AS INT)": "int NULL",
		"CAST('200' AS TINYINT)": "tinyint NULL", "CAST(200 AS TINYINT)": "tinyint -56", "CAST(3000000000L AS INT)": "int -1294967296",
		"CAST(1e20 AS BIGINT)": "bigint 9223372036854775807", "CAST(1e10 AS INT)": "int 2147483647", "CAST(70000.9D AS SMALLINT)": "smallint 4464",
		"CAST(CAST('NaN' AS DOUBLE) AS INT)": "int 0", "CAST(-1e30 AS TINYINT)": "tinyint 0", "CAST(12345678901.5BD AS INT)": "int -539222987",
		"CAST(123.456BD AS DECIMAL(4,2))": "decimal(4,2) NULL", "CAST('abc' AS DECIMAL(4,2))": "decimal(4,2) NULL", "CAST(1000 AS DECIMAL(3,0))": "decimal(3,0) NULL",
		"CAST('yes' AS BOOLEAN)": "boolean true", "CAST('maybe' AS BOOLEAN)": "boolean NULL", "CAST(DATE'2020-01-01' AS INT)": "int NULL", "CAST(DATE'2020-01-01' AS BOOLEAN)": "boolean NULL",
		"CAST('2020-13-01' AS DATE)": "date NULL", "CAST('later' AS TIMESTAMP)": "timestamp NULL", "CAST(true AS TIMESTAMP)": "timestamp 1970-01-01 00:00:00.000001",
		"CAST(TIMESTAMP'1970-01-02 00:00:00' AS TINYINT)": "tinyint NULL", "hex(CAST(258 AS BINARY))": "string 00000102", "hex(CAST(-1Y AS BINARY))": "string FF",
		"CAST(0.0000001BD AS STRING)": "string 1E-7", "CAST(-0.00000123BD AS STRING)": "string -0.00000123", "CAST(0.000000123BD AS STRING)": "string 1.23E-7",
		"CAST(1 AS DATE)": "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "TRY_CAST(200 AS TINYINT)": "tinyint NULL", "TRY_CAST(DATE'2020-01-01' AS INT)": "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION",
		"CAST(CAST('NaN' AS DOUBLE) AS DECIMAL(5,1))": "decimal(5,1) NULL", "CAST(array('1', 'x') AS ARRAY<INT>)": "array<int> [1, null]",
		// arithmetic
		"2147483647 + 1": "int -2147483648", "127Y + 1Y": "tinyint -128", "-9223372036854775807L - 2L": "bigint 9223372036854775807", "9223372036854775807L * 2L": "bigint -2",
		"1 / 0": "double NULL", "1 % 0": "int NULL", "1 div 0": "bigint NULL", "pmod(1, 0)": "int NULL", "1.0BD / 0": "decimal(7,6) NULL", "1D % 0D": "double NULL",
		"-(-128Y)": "tinyint -128", "abs(CAST(-2147483648 AS INT))": "int -2147483648", "CAST(9e37 AS DECIMAL(38,0)) * 10": "decimal(38,0) NULL",
		"round(2147483647, -1)": "int -2147483646", "try_add(2147483647, 1)": "int NULL", "try_divide(1, 0)": "double NULL", "try_add(CAST('x' AS INT), 1)": "int NULL",
		// collections and functions
		"array(1, 2)[5]": "int NULL", "element_at(array(1, 2), 5)": "int NULL", "element_at(array(1), 0)": "INVALID_INDEX_OF_ZERO", "elt(3, 'a', 'b')": "string NULL",
		"size(NULL)": "int -1", "make_date(2020, 13, 1)": "date NULL", "make_timestamp(2020, 1, 1, 25, 0, 0)": "timestamp NULL",
		"to_date('x', 'yyyy')": "date NULL", "to_timestamp('2020', 'yyyy-MM')": "timestamp NULL", "next_day(DATE'2020-01-01', 'xx')": "date NULL", "to_date('x')": "date NULL",
		"unix_timestamp('x')": "bigint NULL", "conv('99999999999999999999', 10, 16)": "string FFFFFFFFFFFFFFFF", "raise_error('no')": "USER_RAISED_EXCEPTION",
		"INTERVAL '1' DAY / 0": "INTERVAL_DIVIDED_BY_ZERO", "date_format(TIMESTAMP'2020-01-01 00:00:00', 'YYYY')": "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
	} {
		if got := shown(t, text, expr.Options{Legacy: true}); !strings.EqualFold(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestSessionTimeZone(t *testing.T) {
	for _, c := range []struct{ zone, text, want string }{
		{"America/Los_Angeles", "CAST('2024-07-01 12:00:00' AS TIMESTAMP) = TIMESTAMP'2024-07-01 19:00:00Z'", "boolean true"},
		{"America/Los_Angeles", "CAST(TIMESTAMP'2024-01-01 00:30:00Z' AS STRING)", "string 2023-12-31 16:30:00"},
		{"America/Los_Angeles", "CAST(TIMESTAMP'2024-01-01 00:30:00Z' AS DATE)", "date 2023-12-31"},
		{"America/Los_Angeles", "unix_seconds(CAST(DATE'2024-07-01' AS TIMESTAMP))", "bigint 1719817200"},
		{"America/Los_Angeles", "unix_seconds(TIMESTAMP'2024-07-01 00:00:00')", "bigint 1719817200"},
		{"America/Los_Angeles", "TIMESTAMP'2024-03-10 02:30:00'", "timestamp 2024-03-10 03:30:00"},
		{"America/Los_Angeles", "hour(TIMESTAMP'2024-07-01 19:00:00Z')", "int 12"},
		{"America/Los_Angeles", "hour(TIMESTAMP_NTZ'2024-07-01 19:00:00')", "int 19"},
		{"Asia/Kolkata", "extract(SECOND FROM TIMESTAMP'2024-07-01 19:00:01.5Z') + minute(TIMESTAMP'2024-07-01 19:00:00Z')", "decimal(17,6) 31.500000"},
		{"America/Los_Angeles", "date_format(TIMESTAMP'2024-07-01 19:00:00Z', 'yyyy-MM-dd HH:mm XXX z VV O')", "string 2024-07-01 12:00 -07:00 PDT America/Los_Angeles GMT-7"},
		{"+05:30", "date_format(TIMESTAMP'2024-07-01 19:00:00Z', 'HH:mm xx')", "string 00:30 +0530"},
		{"America/Los_Angeles", "from_unixtime(0)", "string 1969-12-31 16:00:00"},
		{"America/Los_Angeles", "unix_timestamp('1970-01-01 00:00:00')", "bigint 28800"},
		{"America/Los_Angeles", "unix_seconds(to_timestamp('1970-01-01', 'yyyy-MM-dd'))", "bigint 28800"},
		{"America/Los_Angeles", "unix_seconds(to_timestamp('1970-01-01 00:00 +01:00', 'yyyy-MM-dd HH:mm XXX'))", "bigint -3600"},
		{"America/Los_Angeles", "unix_seconds(make_timestamp(1970, 1, 1, 0, 0, 0))", "bigint 28800"},
		{"America/Los_Angeles", "unix_seconds(make_timestamp(1970, 1, 1, 0, 0, 0, 'UTC'))", "bigint 0"},
		{"America/Los_Angeles", "date_trunc('DAY', TIMESTAMP'2024-07-01 03:00:00Z')", "timestamp 2024-06-30 00:00:00"},
		{"Asia/Kolkata", "date_trunc('HOUR', TIMESTAMP'2024-07-01 03:00:00Z')", "timestamp 2024-07-01 08:00:00"},
		{"America/Los_Angeles", "TIMESTAMP'2024-03-09 12:00:00' + INTERVAL '1' DAY", "timestamp 2024-03-10 12:00:00"},
		{"America/Los_Angeles", "TIMESTAMP'2024-03-09 12:00:00' + INTERVAL '24' HOUR", "timestamp 2024-03-10 12:00:00"},
		{"America/Los_Angeles", "timestampadd(HOUR, 24, TIMESTAMP'2024-03-09 12:00:00')", "timestamp 2024-03-10 13:00:00"},
		{"America/Los_Angeles", "TIMESTAMP'2024-02-10 12:00:00' + INTERVAL '1' MONTH", "timestamp 2024-03-10 12:00:00"},
		{"America/Los_Angeles", "CAST(TIMESTAMP'2024-03-11 00:00:00' - TIMESTAMP'2024-03-10 00:00:00' AS STRING)", "string INTERVAL '1 00:00:00' DAY TO SECOND"},
		{"America/Los_Angeles", "timestampdiff(HOUR, TIMESTAMP'2024-03-10 00:00:00', TIMESTAMP'2024-03-11 00:00:00')", "bigint 24"},
		{"America/Los_Angeles", "CAST(TIMESTAMP'2024-07-01 00:00:00Z' AS TIMESTAMP_NTZ)", "timestamp_ntz 2024-06-30 17:00:00"},
		{"America/Los_Angeles", "unix_seconds(CAST(TIMESTAMP_NTZ'1970-01-01 00:00:00' AS TIMESTAMP))", "bigint 28800"},
		{"America/Los_Angeles", "current_date()", "date 2024-06-30"},
		{"America/Los_Angeles", "current_timestamp()", "timestamp 2024-06-30 17:30:00"},
		{"America/Los_Angeles", "localtimestamp()", "timestamp_ntz 2024-06-30 17:30:00"},
		{"America/Los_Angeles", "current_timezone()", "string America/Los_Angeles"},
		{"America/Los_Angeles", "DATE'today'", "date 2024-06-30"},
		{"America/Los_Angeles", "CAST('tomorrow' AS TIMESTAMP)", "timestamp 2024-07-01 00:00:00"},
		{"America/Los_Angeles", "to_json(struct(TIMESTAMP'2024-07-01 00:00:00Z' AS t))", `string {"t":"2024-06-30T17:00:00.000-07:00"}`},
		{"America/Los_Angeles", "unix_seconds(from_json('{\"t\":\"1970-01-01 00:00:00\"}', 't TIMESTAMP').t)", "bigint 28800"},
		{"America/Los_Angeles", "CAST(array(TIMESTAMP'2024-07-01 00:00:00Z') AS STRING)", "string [2024-06-30 17:00:00]"},
		{"America/Los_Angeles", "months_between(TIMESTAMP'2024-03-01 00:00:00', TIMESTAMP'2024-02-01 00:00:00')", "double 1.0"},
		{"America/Los_Angeles", "from_utc_timestamp(TIMESTAMP'2024-07-01 00:00:00', 'Asia/Tokyo')", "timestamp 2024-07-01 09:00:00"},
		{"", "current_timezone()", "string UTC"},
	} {
		zone, ok := civil.Zone(c.zone)
		if !ok {
			t.Fatalf("no zone %s", c.zone)
		}
		o := expr.Options{TimeZone: zone, Now: time.Date(2024, 7, 1, 0, 30, 0, 0, time.UTC)}
		if got := shown(t, c.text, o); got != c.want {
			t.Errorf("%s: %s: %s, want %s", c.zone, c.text, got, c.want)
		}
	}
}
