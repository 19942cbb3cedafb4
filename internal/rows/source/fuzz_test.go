package source

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/types"
)

var everything = types.NewStruct(
	types.Field{Name: "b", Type: types.Boolean, Nullable: true}, types.Field{Name: "i", Type: types.Integer, Nullable: true},
	types.Field{Name: "l", Type: types.Long, Nullable: true}, types.Field{Name: "d", Type: types.Double, Nullable: true},
	types.Field{Name: "s", Type: types.String, Nullable: true}, types.Field{Name: "t", Type: types.Timestamp, Nullable: true},
	types.Field{Name: "n", Type: types.Decimal{Precision: 10, Scale: 3}, Nullable: true}, types.Field{Name: "x", Type: types.Binary, Nullable: true},
	types.Field{Name: "a", Type: &types.Array{Element: types.String, ContainsNull: true}, Nullable: true},
	types.Field{Name: "m", Type: &types.Map{Key: types.String, Value: types.Long, ValueContainsNull: true}, Nullable: true},
	types.Field{Name: "o", Type: types.NewStruct(types.Field{Name: "p", Type: types.Date, Nullable: true}, types.Field{Name: "q", Type: types.Void, Nullable: true}), Nullable: true},
	types.Field{Name: "v", Type: types.Variant, Nullable: true},
)

// FuzzSkip compares what the lexer takes for a JSON value with the standard library.
func FuzzSkip(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e+3,true,false,null,"\u00e9\n"]}`, `[[],{}]`, `"\ud800"`, `{"a":1,}`, `01`, `nul`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.TrimSpace(data)
		if !utf8.Valid(data) || bytes.ContainsAny(data, "NI+") || bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > 900 {
			return
		}
		l := lexer{b: append(data[:len(data):len(data)], ' ')} // a number needs an end
		err := l.skip()
		ours := err == nil && len(bytes.TrimSpace(l.b[l.i:])) == 0
		if theirs := json.Valid(data); ours != theirs {
			t.Errorf("%q: we say %v (%v), the standard library %v", data, ours, err, theirs)
		}
	})
}

// FuzzString compares the text of strings with the standard library.
func FuzzString(f *testing.F) {
	f.Add(`"plain"`)
	f.Add(`"half a pair\ud800"`)
	f.Add(`"é\u00e9\ud83d\ude00\ud83d\\\"\/\b\f\n\r\t long enough for eight bytes at once"`)
	f.Fuzz(func(t *testing.T, s string) {
		var want string
		if len(s) == 0 || s[0] != '"' || !utf8.ValidString(s) || json.Unmarshal([]byte(s), &want) != nil {
			return
		}
		l := lexer{b: []byte(s)}
		if got, err := l.str(); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", s, got, err, want)
		}
	})
}

// FuzzJSON reads anything in all modes, at once and in pieces.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"b":true,"i":1,"l":2,"d":1.5,"s":"x","t":"2024-01-01","n":1.25,"x":"aGk=","a":["x"],"m":{"k":1},"o":{"p":"2024-01-01","q":1},"v":{"z":[1]}}` + "\n" + `{"i":"bad"}`))
	f.Add([]byte("[{\"i\":1},\n{\"o\":{\"p\":5}}]"))
	f.Add([]byte(`{"a":[1,{"x":2}],"m":{"k":1,"k":2}}{"a":null} [ {"s":{}} ] 5`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := OpenReader(t.Context(), bytes.NewReader(data), Options{Format: JSON}); err == nil {
			if _, err := rowsOf(t, s); err != nil {
				t.Errorf("an inferred schema %s does not fit: %v", s.Schema(), err)
			}
		}
		checkModes(t, data, Options{Format: JSON, Schema: everything})
	})
}

// checkModes checks that pieces make no difference, and that the modes agree.
func checkModes(t *testing.T, data []byte, o Options) {
	rows := map[Mode]string{}
	for _, mode := range []Mode{Fail, Drop, Permissive} {
		o.Mode = mode
		s, err := OpenReader(t.Context(), bytes.NewReader(data), o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rowsOf(t, s)
		if mode != Fail && err != nil && !strings.Contains(err.Error(), "header") {
			var re *RecordError
			if !(o.Format == CSV && errors.As(err, &re)) { // a broken CSV header is always an error
				t.Errorf("%s: %v", mode, err)
			}
		}
		if mode == Fail && (err == nil) != (s.(Tolerant).BadRecords() == 0) && o.Format == JSON {
			t.Errorf("fail: %d bad records and the error %v", s.(Tolerant).BadRecords(), err)
		}
		p, err2 := OpenReader(t.Context(), iotest.HalfReader(bytes.NewReader(data)), o)
		if err2 != nil {
			t.Fatal(err2)
		}
		if again, err2 := rowsOf(t, p); again != got || (err == nil) != (err2 == nil) {
			t.Errorf("%s: in pieces:\n%s%v\nat once:\n%s%v", mode, again, err2, got, err)
		}
		rows[mode] = got
	}
	if strings.Count(rows[Permissive], "\n") < strings.Count(rows[Drop], "\n") || !strings.HasPrefix(rows[Drop], rows[Fail]) && rows[Fail] != "" {
		t.Errorf("fail:\n%s\ndrop:\n%s\npermissive:\n%s", rows[Fail], rows[Drop], rows[Permissive])
	}
}

// FuzzCSV compares fields with the standard library where that reads the text.
func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,\"x\"\"y\"\r\n\"\",\n")
	f.Add("\"a\nb\",c\n\n1,2")
	f.Fuzz(func(t *testing.T, text string) {
		checkModes(t, []byte(text), Options{Format: CSV, Schema: types.NewStruct(everything.Fields[1], everything.Fields[4]), CSV: CSVOptions{NoHeader: true}})
		if !utf8.ValidString(text) || strings.Contains(text, "\r") || strings.HasPrefix(text, string(bom)) {
			return
		}
		want := csv.NewReader(strings.NewReader(text))
		want.FieldsPerRecord = -1
		w, _ := newWindow(t.Context(), strings.NewReader(text), 1<<20)
		got := &csvReader{w: w, o: CSVOptions{Delimiter: ',', Quote: '"'}}
		for {
			fields, err := want.Read()
			if err != nil && err != io.EOF {
				return // it refuses quotes inside plain fields, which we take as they are
			}
			_, problem, err2 := got.next()
			if (err == io.EOF) != (err2 == io.EOF) || problem != nil {
				t.Fatalf("%q: they end %v, we %v %v", text, err, err2, problem)
			}
			if err == io.EOF {
				return
			}
			for i, c := range got.fields {
				if i >= len(fields) || fields[i] != string(c.text) {
					t.Fatalf("%q: field %d is %q, want %q", text, i, c.text, fields)
				}
			}
			if len(fields) != len(got.fields) {
				t.Fatalf("%q: %d fields, want %d", text, len(got.fields), len(fields))
			}
		}
	})
}

// TestDecimalsAgreeWithRationals checks the rounding against exact arithmetic.
func TestDecimalsAgreeWithRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][-+]?[0-9])?`).Draw(t, "text")
		precision := rapid.IntRange(1, 38).Draw(t, "precision")
		scale := rapid.IntRange(0, precision).Draw(t, "scale")
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Skip()
		}
		ten := big.NewInt(10)
		exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(ten, big.NewInt(int64(scale)), nil)))
		// Half up on the magnitude: floor(|x| + 1/2).
		mag := new(big.Rat).Abs(exact)
		mag.Add(mag, big.NewRat(1, 2))
		want := new(big.Int).Quo(mag.Num(), mag.Denom())
		fits := want.Cmp(new(big.Int).Exp(ten, big.NewInt(int64(precision)), nil)) < 0
		if exact.Sign() < 0 {
			want.Neg(want)
		}
		got, ok := parseDecimal([]byte(text), precision, scale)
		if ok != fits || ok && got.BigInt().Cmp(want) != 0 {
			t.Fatalf("%s as decimal(%d,%d): %v %v, want %v %v", text, precision, scale, got.BigInt(), ok, want, fits)
		}
	})
}
