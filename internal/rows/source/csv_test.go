package source

import (
	"strings"
	"testing"
)

func TestCSV(t *testing.T) {
	for _, c := range []struct {
		name, text, ddl, schema string
		o                       CSVOptions
		want                    string
	}{
		{name: "plain", text: "a,b\n1,x\n2,\n,y\n", ddl: "a INT, b STRING", want: lines(`{"a":1,"b":"x"}`, `{"a":2,"b":null}`, `{"a":null,"b":"y"}`)},
		{name: "inferred", text: "a,b,c,d,e,f\n1,x,1.5,true,2024-01-02,2024-01-02 03:04:05\n2,,2,FALSE,,\n", schema: "a BIGINT, b STRING, c DOUBLE, d BOOLEAN, e DATE, f TIMESTAMP",
			want: lines(`{"a":1,"b":"x","c":1.5,"d":true,"e":"2024-01-02","f":"2024-01-02T03:04:05.000000Z"}`, `{"a":2,"b":null,"c":2,"d":false,"e":null,"f":null}`)},
		{name: "postal codes stay texts", text: "z\n01234\n-05\n", schema: "z STRING", want: lines(`{"z":"01234"}`, `{"z":"-05"}`)},
		{name: "quotes", text: "a,b\n\"x,\"\"y\"\"\nz\",\"\"\n\"\",plain \"quote\"\n", ddl: "a STRING, b STRING", want: lines(`{"a":"x,\"y\"\nz","b":""}`, `{"a":"","b":"plain \"quote\""}`)},
		{name: "CRLF", text: "a,b\r\n1,x\r\n\r\n2,\"y\"\r\n", ddl: "a INT, b STRING", want: lines(`{"a":1,"b":"x"}`, `{"a":2,"b":"y"}`)},
		{name: "CRLF at the end of the file", text: "a,b\r\n2,\"y\"\r", ddl: "a INT, b STRING", want: lines(`{"a":2,"b":"y"}`)},
		{name: "no last newline", text: "a,b\n1,x", ddl: "a INT, b STRING", want: lines(`{"a":1,"b":"x"}`)},
		{name: "trailing delimiter", text: "a,b\n1,", ddl: "a INT, b STRING", want: lines(`{"a":1,"b":null}`)},
		{name: "by name, in any order and case", text: "B,x,A\n1,2,3\n", ddl: "a INT, b INT, c INT", want: lines(`{"a":3,"b":1,"c":null}`)},
		{name: "without a header", text: "1,x\n2,y\n", ddl: "a INT, b STRING", o: CSVOptions{NoHeader: true}, want: lines(`{"a":1,"b":"x"}`, `{"a":2,"b":"y"}`)},
		{name: "names are made", text: "1,x\n", schema: "_c0 BIGINT, _c1 STRING", o: CSVOptions{NoHeader: true}, want: lines(`{"_c0":1,"_c1":"x"}`)},
		{name: "dialect", text: "a;b\n# remark\n'x;\\'y';NULL\n'NULL';1\n", ddl: "a STRING, b INT", o: CSVOptions{Delimiter: ';', Quote: '\'', Escape: '\\', Comment: '#', Null: "NULL"}, want: lines(`{"a":"x;'y","b":null}`, `{"a":"NULL","b":1}`)},
		{name: "byte order mark", text: "\xEF\xBB\xBFa\n1\n", ddl: "a INT", want: lines(`{"a":1}`)},
		{name: "header only", text: "a,b\n", ddl: "a INT"},
		{name: "empty", text: "", ddl: "a INT"},
		{name: "numbers with blanks", text: "a,b\n 1 , 2.5\n", ddl: "a INT, b DECIMAL(3,1)", want: lines(`{"a":1,"b":"2.5"}`)},
	} {
		schema, rows, err := read(t, c.text, Options{Format: CSV, Schema: ddl(t, c.ddl), CSV: c.o})
		if err != nil || rows != c.want || (c.schema != "" && strings.ReplaceAll(schema, "`", "") != c.schema) {
			t.Errorf("%s: schema %s, %v\n%s", c.name, schema, err, rows)
		}
	}
}

func TestCSVErrors(t *testing.T) {
	schema := ddl(t, "a INT, b STRING")
	for _, c := range []struct{ text, want string }{
		{"a,b\n1,x\nz,y\n", `in.csv: record 2 (line 3, byte 8), field a: "z" cannot be read as INT; the record begins z,y`},
		{"a,b\n1\n", "record 1 (line 2, byte 4): it has 1 fields where 2 are expected"},
		{"a,b\n1,x,3\n", "it has 3 fields where 2 are expected"},
		{"a,b\n1,\"x\"y\n", "record 1 (line 2, byte 9): found 'y' behind a closing quote"},
		{"a,b\n1,\"x\n\n", "record 1 (line 2, byte 6): the file ends inside quotes"},
		{"a,b\n1,\xff\n", "field 2 is not valid UTF-8"},
	} {
		_, _, err := read(t, c.text, Options{Format: CSV, Schema: schema, Name: "in.csv"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
	for _, text := range []string{"a,A\n1,2\n", ""} {
		if _, _, err := read(t, text, Options{Format: CSV}); err == nil {
			t.Errorf("%q: a schema was inferred", text)
		}
	}
	if _, err := OpenReader(t.Context(), strings.NewReader(""), Options{Format: CSV, CSV: CSVOptions{Delimiter: '"'}}); err == nil {
		t.Error("one character is both delimiter and quote")
	}
}

func TestCSVModes(t *testing.T) {
	text := "a,b\n1,x\nz,keep\n2,\"q\"w\n3\n4,y\n"
	_, rows, err := read(t, text, Options{Format: CSV, Schema: ddl(t, "a INT, b STRING"), Mode: Permissive})
	if want := lines(`{"a":1,"b":"x","_corrupt_record":null}`, `{"a":null,"b":"keep","_corrupt_record":"z,keep"}`, `{"a":null,"b":null,"_corrupt_record":"2,\"q\"w"}`,
		`{"a":3,"b":null,"_corrupt_record":"3"}`, `{"a":4,"b":"y","_corrupt_record":null}`); err != nil || rows != want {
		t.Errorf("permissive: %v\n%s", err, rows)
	}
	_, rows, err = read(t, text, Options{Format: CSV, Schema: ddl(t, "a INT, b STRING"), Mode: Drop})
	if want := lines(`{"a":1,"b":"x"}`, `{"a":4,"b":"y"}`); err != nil || rows != want {
		t.Errorf("drop: %v\n%s", err, rows)
	}
}
