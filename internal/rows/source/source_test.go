package source

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func ddl(t testing.TB, text string) *types.Struct {
	t.Helper()
	if text == "" {
		return nil
	}
	s, err := types.ParseDDL(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rowsOf prints all rows of a source as canonical JSON, one a line.
func rowsOf(t testing.TB, s Source) (string, error) {
	t.Helper()
	var out []byte
	for b, err := range s.Batches(t.Context()) {
		if err != nil {
			return string(out), err
		}
		for i := range int(b.NumRows()) {
			out = append(columns.AppendCanonical(out, b, s.Schema(), i), '\n')
		}
	}
	return string(out), nil
}

// read opens text and prints its rows; small windows and batches must not matter.
func read(t testing.TB, text string, o Options) (schema, rows string, err error) {
	t.Helper()
	o.Now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s, err := OpenReader(t.Context(), strings.NewReader(text), o)
	if err != nil {
		return "", "", err
	}
	rows, err = rowsOf(t, s)
	if o.Schema != nil {
		o.BatchRows = 2
		again, err2 := OpenReader(t.Context(), iotest.OneByteReader(strings.NewReader(text)), o)
		if err2 != nil {
			t.Fatal(err2)
		}
		rows2, err2 := rowsOf(t, again)
		if rows2 != rows && err == nil || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Errorf("read byte by byte:\n%s%v\nread at once:\n%s%v", rows2, err2, rows, err)
		}
	}
	return types.FormatDDL(s.Schema()), rows, err
}

func lines(list ...string) string {
	return strings.Join(list, "\n") + "\n"
}

func TestJSONLayouts(t *testing.T) {
	want := lines(`{"a":1,"b":"x"}`, `{"a":2,"b":null}`, `{"a":null,"b":"y"}`)
	for name, text := range map[string]string{
		"lines":               lines(`{"a":1,"b":"x"}`, `{"a":2}`, `{"b":"y"}`),
		"lines with blanks":   lines("", ` {"a":1,"b":"x"} `, "", "\t"+`{"a":2}`+"\r", `{"b":"y"}`, ""),
		"no last newline":     lines(`{"a":1,"b":"x"}`, `{"a":2}`) + `{"b":"y"}`,
		"byte order mark":     "\xEF\xBB\xBF" + lines(`{"a":1,"b":"x"}`, `{"a":2}`, `{"b":"y"}`),
		"array on a line":     `[{"a":1,"b":"x"},{"a":2},{"b":"y"}]`,
		"array over lines":    "[\n  {\n \"a\": 1,\n\"b\": \"x\" },\n{\n\"a\":2\n}\n,\n{\"b\":\"y\"}\n]\n",
		"arrays of lines":     lines(`[{"a":1,"b":"x"},`, `{"a":2},`, `{"b":"y"}]`),
		"two arrays":          `[{"a":1,"b":"x"}] [{"a":2},{"b":"y"}]`,
		"concatenated":        `{"a":1,"b":"x"}{"a":2} {"b":"y"}`,
		"pretty concatenated": "{\n\"a\":1,\n\"b\":\"x\"\n}\n{\n\"a\":2}\n{\"b\":\n\"y\"}",
		"several on a line":   lines(`{"a":1,"b":"x"}`, `{"a":2} {"b":"y"}`),
		"arrays on lines":     lines(`{"a":1,"b":"x"}`, `[{"a":2},{"b":"y"}]`),
		"empty array between": `[{"a":1,"b":"x"}][][{"a":2},{"b":"y"}]`,
	} {
		for _, schema := range []string{"a BIGINT, b STRING", ""} {
			got, rows, err := read(t, text, Options{Format: JSON, Schema: ddl(t, schema)})
			if err != nil || rows != want {
				t.Errorf("%s (schema %q): %v\n%s", name, schema, err, rows)
			}
			if got != "a BIGINT, b STRING" && got != "`a` BIGINT, `b` STRING" {
				t.Errorf("%s: schema %s", name, got)
			}
		}
	}
}

func TestJSONEmpty(t *testing.T) {
	for _, text := range []string{"", "\n \n", "[]", "\xEF\xBB\xBF"} {
		if _, rows, err := read(t, text, Options{Format: JSON, Schema: ddl(t, "a INT")}); rows != "" || err != nil {
			t.Errorf("%q: %q, %v", text, rows, err)
		}
		if _, _, err := read(t, text, Options{Format: JSON}); err == nil || !strings.Contains(err.Error(), "declare one") {
			t.Errorf("%q without a schema: %v", text, err)
		}
	}
}

// TestJSONValues reads one value v into a column of each type; "!" is a bad record.
func TestJSONValues(t *testing.T) {
	for _, c := range []struct{ typ, in, want string }{
		{"BOOLEAN", `true`, `true`}, {"BOOLEAN", `false`, `false`}, {"BOOLEAN", `"true"`, "!"}, {"BOOLEAN", `1`, "!"}, {"BOOLEAN", `null`, `null`},
		{"TINYINT", `127`, `127`}, {"TINYINT", `128`, "!"}, {"TINYINT", `-128`, `-128`},
		{"SMALLINT", `-32769`, "!"}, {"INT", `2147483647`, `2147483647`}, {"INT", `2147483648`, "!"},
		{"BIGINT", `-9223372036854775808`, `-9223372036854775808`}, {"BIGINT", `9223372036854775807`, `9223372036854775807`}, {"BIGINT", `9223372036854775808`, "!"},
		{"BIGINT", `1.0`, "!"}, {"BIGINT", `1e3`, "!"}, {"BIGINT", `"5"`, "!"}, {"BIGINT", `{}`, "!"}, {"BIGINT", `99999999999999999999999`, "!"}, {"INT", `-0`, `0`},
		{"STRING", `"x"`, `"x"`}, {"STRING", `12`, `"12"`}, {"STRING", `1.50e3`, `"1.50e3"`}, {"STRING", `true`, `"true"`}, {"STRING", `{"a": [1, 2]}`, `"{\"a\": [1, 2]}"`},
		{"STRING", `""`, `""`}, {"STRING", `"\u00e9\ud83d\ude00\n\/\"\\"`, `"é😀\n/\"\\"`}, {"STRING", `"\ud83d"`, "\"\uFFFD\""}, {"STRING", `"\ud83dx"`, "\"\uFFFDx\""}, {"STRING", `"日本"`, `"日本"`},
		{"DATE", `"2024-02-29"`, `"2024-02-29"`}, {"DATE", `"2023-02-29"`, "!"}, {"DATE", `20240101`, "!"}, {"DATE", `""`, "!"},
		{"TIMESTAMP", `"2024-01-02T03:04:05.123456Z"`, `"2024-01-02T03:04:05.123456Z"`}, {"TIMESTAMP", `"2024-01-02 03:04:05+02:00"`, `"2024-01-02T01:04:05.000000Z"`},
		{"TIMESTAMP", `5`, `"1970-01-01T00:00:05.000000Z"`}, {"TIMESTAMP", `"now or never"`, "!"}, {"TIMESTAMP", `1.5`, "!"}, {"TIMESTAMP", `true`, "!"},
		{"TIMESTAMP_NTZ", `"2024-01-02T03:04:05"`, `"2024-01-02T03:04:05.000000"`}, {"TIMESTAMP_NTZ", `5`, "!"},
		{"DECIMAL(5,2)", `1.005`, `"1.01"`}, {"DECIMAL(5,2)", `-1.005`, `"-1.01"`}, {"DECIMAL(5,2)", `999.99`, `"999.99"`}, {"DECIMAL(5,2)", `999.995`, "!"}, {"DECIMAL(5,2)", `1e2`, `"100.00"`},
		{"DECIMAL(5,2)", `"1,2.5"`, `"12.50"`}, {"DECIMAL(5,2)", `"x"`, "!"}, {"DECIMAL(5,2)", `1000`, "!"}, {"DECIMAL(5,2)", `0.0001`, `"0.00"`}, {"DECIMAL(5,2)", `true`, "!"}, {"DECIMAL(5,2)", `0e99`, `"0.00"`},
		{"DECIMAL(38,0)", `99999999999999999999999999999999999999`, `"99999999999999999999999999999999999999"`}, {"DECIMAL(38,0)", `100000000000000000000000000000000000000`, "!"},
		{"BINARY", `"aGk="`, `"aGk="`}, {"BINARY", `"aGk"`, `"aGk="`}, {"BINARY", `"*"`, "!"}, {"BINARY", `5`, "!"},
		{"ARRAY<INT>", `[1, null ,3]`, `[1,null,3]`}, {"ARRAY<INT>", `[]`, `[]`}, {"ARRAY<INT>", `[1,"x"]`, "!"}, {"ARRAY<INT>", `{}`, "!"}, {"ARRAY<ARRAY<STRING>>", `[["a"],[],null]`, `[["a"],[],null]`},
		{"STRUCT<a: INT, B: STRING>", `{"b":"x","z":[{}],"a":1}`, `{"a":1,"B":"x"}`}, {"STRUCT<a: INT>", `{}`, `{"a":null}`}, {"STRUCT<a: INT>", `{"a":"x"}`, "!"}, {"STRUCT<a: INT>", `[1]`, "!"},
		{"STRUCT<a: ARRAY<STRUCT<b: INT>>>", `{"a":[{"b":1},{},null]}`, `{"a":[{"b":1},{"b":null},null]}`},
		{"MAP<STRING, INT>", `{"x":1,"y":null}`, ``}, {"MAP<STRING, INT>", `{"x":"y"}`, "!"}, {"MAP<STRING, INT>", `[]`, "!"}, {"MAP<STRING, INT>", `{"x":1,"x":2}`, "!"},
	} {
		o := Options{Format: JSON, Schema: ddl(t, "v "+c.typ+", k INT")}
		for _, text := range []string{
			`{"k":1,"v":` + c.in + `}` + "\n" + `{"k":2}`,
			`[{"v":` + c.in + ",\n" + `"k":1},{"k":2}]`,
		} {
			_, rows, err := read(t, text, o)
			if c.want == "!" {
				var re *RecordError
				if !errors.As(err, &re) || re.Record != 1 || !strings.HasPrefix(re.Field, "v") {
					t.Errorf("%s of %s: rows %s, error %v; want a bad record 1, field v", c.typ, c.in, rows, err)
				}
				p := o
				p.Mode = Permissive
				if _, rows, err := read(t, text, p); err != nil || !strings.Contains(rows, `"k":1`) || !strings.HasSuffix(rows, `{"v":null,"k":2,"_corrupt_record":null}`+"\n") {
					t.Errorf("%s of %s, permissive: %s %v", c.typ, c.in, rows, err)
				}
				p.Mode = Drop
				if _, rows, err := read(t, text, p); err != nil || rows != `{"v":null,"k":2}`+"\n" {
					t.Errorf("%s of %s, drop: %s %v", c.typ, c.in, rows, err)
				}
				continue
			}
			if want := `{"v":` + c.want + `,"k":1}` + "\n" + `{"v":null,"k":2}` + "\n"; err != nil || (c.want != "" && rows != want) {
				t.Errorf("%s of %s: %s%v; want\n%s", c.typ, c.in, rows, err, want)
			}
		}
	}
}

func TestJSONFloats(t *testing.T) {
	text := lines(`{"d":1.5,"f":0.1}`, `{"d":"NaN","f":"-INF"}`, `{"d":NaN,"f":-Infinity}`, `{"d":1e400,"f":+INF}`, `{"d":7,"f":-0.0}`)
	s, err := OpenReader(t.Context(), strings.NewReader(text), Options{Format: JSON, Schema: ddl(t, "d DOUBLE, f FLOAT")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for b, err := range s.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(b.NumRows()) {
			got = append(got, b.Column(0).ValueStr(i)+" "+b.Column(1).ValueStr(i))
		}
	}
	if want := "1.5 0.1|NaN -Inf|NaN -Inf|+Inf +Inf|7 -0"; strings.Join(got, "|") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "|"), want)
	}
	for _, bad := range []string{`"1.5"`, `"x"`, `""`, `true`, `Nan`} {
		if _, _, err := read(t, `{"d":`+bad+"}\n", Options{Format: JSON, Schema: ddl(t, "d DOUBLE")}); err == nil {
			t.Errorf("DOUBLE of %s: no error", bad)
		}
	}
}

func TestJSONNames(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"a":1,"A":2}`, `{"a":1}`}, {`{"A":2,"a":1}`, `{"a":1}`}, {`{"A":2}`, `{"a":2}`}, {`{"a":1,"a":3}`, `{"a":3}`}, {`{"a":"x","a":3}`, "!"},
		{`{"\u0061":4}`, `{"a":4}`}, {`{"ab":4,"":5}`, `{"a":null}`},
	} {
		_, rows, err := read(t, c.in, Options{Format: JSON, Schema: ddl(t, "a INT")})
		if c.want == "!" {
			if err == nil {
				t.Errorf("%s: %s", c.in, rows)
			}
		} else if err != nil || rows != c.want+"\n" {
			t.Errorf("%s: %s%v, want %s", c.in, rows, err, c.want)
		}
	}
}

func TestJSONErrors(t *testing.T) {
	schema := ddl(t, "id INT, s STRUCT<x: ARRAY<INT>>, m MAP<STRING, INT>")
	for _, c := range []struct{ text, want string }{
		{lines(`{"id":1}`, `{"id":"x"}`), `in.json: record 2 (line 2, byte 15), field id: the string "x" cannot be read as INT; the record begins {"id":"x"}`},
		{lines(`{"id":1}`, ``, `{"id":2,"s":{"x":[1,true]}}`), `record 2 (line 3, byte 30), field s.x[1]: the boolean true cannot be read as INT`},
		{lines(`{"m":{"k y":"z"}}`), `field m["k y"]: the string "z" cannot be read as INT`},
		{"[\n{\"id\":1},\n{\n\"id\":\n1.5\n}\n]", `record 2 (line 5, byte 20), field id: the number 1.5 cannot be read as INT`},
		{lines(`{"id":1}`, `{"id":2`, `{"id":3}`), `record 2 (line 2, byte 16): the line ends inside the record; the record begins {"id":2`},
		{lines(`{"id":1}`, `{"id":2,}`), `record 2 (line 2, byte 17): found '}' where a key in quotes should be`},
		{lines(`{"id":1}`, `{"id" 2}`), `found '2' where ':' should be`},
		{lines(`{"id":1}`, `garbage`), `record 2 (line 2, byte 9): found 'g' where an object should be`},
		{lines(`{"id":1}`, `{"id":01}`), `leading zeros`},
		{lines(`{"id":1}`, `{"id":truth}`), `found 't' where a value should be`},
		{lines(`{"id":1}`, "{\"zz\":\"a\tb\"}"), `must be escaped`},
		{lines(`{"id":1}`, "{\"zz\":\"a\xff\"}"), `not valid UTF-8`},
		{lines(`{"id":1}`, `{"zz":"\x"}`), `unknown escape \x`},
		{lines(`{"id":1}`, `{"zz":"\u12G4"}`), `four hexadecimal digits`},
		{lines(`{"id":1}`, `5`), `found '5' where an object should be`},
		{lines(`[{"id":1}`, `{"id":2}]`), `record 2 (line 2, byte 10): found '{' where ',' or ']' should be`},
		{`[{"id":1},{"id":2}`, `the file ends inside the array`},
		{"[{\"id\":1},\n{\"id\":", `record 2 (line 2, byte 17): the file ends inside the record`},
		{`[[{"id":1}]]`, `found '[' where an object should be`},
		{strings.Repeat(`[`, 3), `found '[' where an object should be`},
		{`{"zz":` + strings.Repeat(`[`, 2000), `nested deeper than 1000 levels`},
	} {
		_, _, err := read(t, c.text, Options{Format: JSON, Schema: schema, Name: "in.json"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestJSONModes(t *testing.T) {
	text := lines(`{"a":1,"b":"x"}`, `{"a":"bad","b":"keep"}`, `{"a":3`, `{"a":4}`)
	schema := ddl(t, "a INT, b STRING")
	for _, c := range []struct {
		mode   Mode
		schema *types.Struct
		want   string
		bad    int64
	}{
		{Drop, schema, lines(`{"a":1,"b":"x"}`, `{"a":4,"b":null}`), 2},
		{Permissive, schema, lines(`{"a":1,"b":"x","_corrupt_record":null}`, `{"a":null,"b":"keep","_corrupt_record":"{\"a\":\"bad\",\"b\":\"keep\"}"}`,
			`{"a":null,"b":null,"_corrupt_record":"{\"a\":3"}`, `{"a":4,"b":null,"_corrupt_record":null}`), 2},
		{Permissive, ddl(t, "a INT, _corrupt_record STRING, b STRING"), lines(`{"a":1,"_corrupt_record":null,"b":"x"}`, `{"a":null,"_corrupt_record":"{\"a\":\"bad\",\"b\":\"keep\"}","b":"keep"}`,
			`{"a":null,"_corrupt_record":"{\"a\":3","b":null}`, `{"a":4,"_corrupt_record":null,"b":null}`), 2},
		{Drop, nil, lines(`{"a":"1","b":"x"}`, `{"a":"bad","b":"keep"}`, `{"a":"4","b":null}`), 1},
	} {
		s, err := OpenReader(t.Context(), strings.NewReader(text), Options{Format: JSON, Schema: c.schema, Mode: c.mode})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := rowsOf(t, s)
		if err != nil || rows != c.want || s.(Tolerant).BadRecords() != c.bad {
			t.Errorf("%s: %d bad, %v\n%s", c.mode, s.(Tolerant).BadRecords(), err, rows)
		}
	}
	if _, err := OpenReader(t.Context(), strings.NewReader(text), Options{Format: JSON, Schema: ddl(t, "_corrupt_record INT"), Mode: Permissive}); err == nil {
		t.Error("a corrupt column of another type is accepted")
	}
	// In an array nothing behind a syntax error can be trusted.
	_, rows, err := read(t, `[{"a":1},{"a":"bad"},{"a":2}, {"a" 3}, {"a":4}]`, Options{Format: JSON, Schema: schema, Mode: Permissive})
	if want := lines(`{"a":1,"b":null,"_corrupt_record":null}`, `{"a":null,"b":null,"_corrupt_record":"{\"a\":\"bad\"}"}`, `{"a":2,"b":null,"_corrupt_record":null}`,
		`{"a":null,"b":null,"_corrupt_record":"{\"a\" 3}, {\"a\":4}]"}`); err != nil || rows != want {
		t.Errorf("array: %v\n%s", err, rows)
	}
}

func TestJSONInference(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"z":1,"a":"x","m":true,"n":null}`, "z BIGINT, a STRING, m BOOLEAN, n STRING"},
		{`{"v":1}{"v":2.5}`, "v DOUBLE"}, {`{"v":1}{"v":"x"}`, "v STRING"}, {`{"v":true}{"v":1}`, "v STRING"}, {`{"v":null}{"v":1}`, "v BIGINT"},
		{`{"v":9223372036854775808}`, "v DECIMAL(20,0)"}, {`{"v":123456789012345678901234567890}{"v":1}`, "v DECIMAL(30,0)"}, {`{"v":` + strings.Repeat("9", 39) + `}`, "v DOUBLE"},
		{`{"v":[1,2.5,null]}{"v":[]}`, "v ARRAY<DOUBLE>"}, {`{"v":[]}`, "v ARRAY<STRING>"}, {`{"v":{"b":1}}{"v":{"a":"x","b":null}}`, "v STRUCT<b: BIGINT, a: STRING>"},
		{`{"v":{}}`, "v STRING"}, {`{"v":[{"a":1},{"b":[true]}]}`, "v ARRAY<STRUCT<a: BIGINT, b: ARRAY<BOOLEAN>>>"}, {`{"v":{"a":1}}{"v":[1]}`, "v STRING"}, {`{"v":NaN}`, "v DOUBLE"},
	} {
		s, err := OpenReader(t.Context(), strings.NewReader(c.text), Options{Format: JSON})
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if want := ddl(t, c.want); !types.Equal(s.Schema(), want) {
			t.Errorf("%s: %s, want %s", c.text, s.Schema(), want)
		}
		if _, err := rowsOf(t, s); err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	if _, _, err := read(t, `{"id":1,"ID":2}`, Options{Format: JSON}); err == nil || !strings.Contains(err.Error(), "differ only in case") {
		t.Errorf("two spellings: %v", err)
	}
}

func TestBatchesAndCancellation(t *testing.T) {
	text := strings.Repeat(`{"a":1}`+"\n", 1000)
	s, err := OpenReader(t.Context(), strings.NewReader(text), Options{BatchRows: 300})
	if err != nil {
		t.Fatal(err)
	}
	if !s.(Rewindable).Rewindable() {
		t.Error("a source in memory is not rewindable")
	}
	for range 2 {
		var sizes []int64
		for b, err := range s.Batches(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, b.NumRows())
		}
		if len(sizes) != 4 || sizes[0] != 300 || sizes[3] != 100 {
			t.Errorf("batches of %v rows", sizes)
		}
	}
	for range s.Batches(t.Context()) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	var got arrow.RecordBatch
	for got, last = range s.Batches(ctx) {
	}
	if !errors.Is(last, context.Canceled) || got != nil {
		t.Errorf("cancelled: %v, %v", got, last)
	}
}

func TestStreamIsReadOnce(t *testing.T) {
	s, err := OpenReader(t.Context(), strings.NewReader(`{"a":1}`), Options{Format: JSON, Schema: ddl(t, "a INT")})
	if err != nil {
		t.Fatal(err)
	}
	if s.(Rewindable).Rewindable() {
		t.Error("a stream says that it is rewindable")
	}
	if rows, err := rowsOf(t, s); err != nil || rows != `{"a":1}`+"\n" {
		t.Errorf("%s %v", rows, err)
	}
	if _, err := rowsOf(t, s); err == nil || !strings.Contains(err.Error(), "read already") {
		t.Errorf("second time: %v", err)
	}
	broken := iotest.ErrReader(errors.New("the pipe broke"))
	s, _ = OpenReader(t.Context(), broken, Options{Format: JSON, Schema: ddl(t, "a INT")})
	if _, err := rowsOf(t, s); err == nil || !strings.Contains(err.Error(), "the pipe broke") {
		t.Errorf("a failing reader: %v", err)
	}
}

func TestRecordLimit(t *testing.T) {
	text := `{"a":"` + strings.Repeat("x", 3<<20) + `"}`
	_, _, err := read(t, text, Options{Format: JSON, Schema: ddl(t, "a STRING"), MaxRecord: 2 << 20})
	if err == nil || !strings.Contains(err.Error(), "longer than 2097152 bytes") {
		t.Errorf("%v", err)
	}
	if _, rows, err := read(t, text, Options{Format: JSON}); err != nil || len(rows) != 3<<20+9 {
		t.Errorf("%d bytes, %v", len(rows), err)
	}
}
