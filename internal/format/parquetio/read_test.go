package parquetio

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// readRows reads a file into canonical rows, with the positions they claim.
func readRows(t testing.TB, data []byte, q Query) (rows []string, at []int64) {
	t.Helper()
	f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{Name: "test.parquet"})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range f.Read(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		var cols []arrow.Array
		s := &types.Struct{}
		for o, c := range b.Columns {
			if c != nil {
				if c.Len() != b.Rows {
					t.Fatalf("column %d has %d rows of %d", o, c.Len(), b.Rows)
				}
				cols, s.Fields = append(cols, c), append(s.Fields, q.Schema.Fields[o])
			}
		}
		for i := range b.Rows {
			rows = append(rows, string(columns.AppendCanonicalRow(nil, cols, s, i)))
			at = append(at, b.First+int64(i))
		}
	}
	return rows, at
}

func canonical(s *types.Struct, cols []arrow.Array) []string {
	out := make([]string, cols[0].Len())
	for i := range out {
		out[i] = string(columns.AppendCanonicalRow(nil, cols, s, i))
	}
	return out
}

func sameRows(t interface {
	Helper()
	Fatalf(string, ...any)
}, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("row %d\ngot  %s\nwant %s", i, got[i], want[i])
		}
	}
}

func TestRoundTrip(t *testing.T) {
	s := everyType()
	cols := sampleColumns(t, s, 0, 1000)
	want := canonical(s, cols)
	for name, o := range map[string]WriterOptions{
		"defaults": {}, "small": {PageRows: 7, RowGroupRows: 100}, "zstd": {Codec: Zstd}, "uncompressed": {Codec: Uncompressed, PageBytes: 64, NoPageIndex: true},
	} {
		t.Run(name, func(t *testing.T) {
			data := writeFile(t, s, o, cols)
			for _, batch := range []int{0, 1, 13, 333} {
				got, at := readRows(t, data, Query{Schema: s, Batch: batch, Window: int64(batch * 1000)})
				sameRows(t, got, want)
				for i := range at {
					if at[i] != int64(i) {
						t.Fatalf("row %d claims position %d", i, at[i])
					}
				}
			}
		})
	}
}

// arrowFile writes columns with arrow-go.
func arrowFile(t testing.TB, s *types.Struct, cols []arrow.Array, props ...parquet.WriterProperty) []byte {
	t.Helper()
	as, err := columns.ArrowSchema(s)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(as, &buf, parquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(array.NewRecordBatch(as, cols, int64(cols[0].Len()))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestReadsFilesOfArrow(t *testing.T) {
	s := everyType()
	cols := sampleColumns(t, s, 5, 2000)
	want := canonical(s, cols)
	for name, props := range map[string][]parquet.WriterProperty{
		"v1 snappy":       {parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDataPageSize(500)},
		"v2 gzip":         {parquet.WithCompression(compress.Codecs.Gzip), parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithDataPageSize(500)},
		"plain zstd":      {parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDictionaryDefault(false)},
		"brotli":          {parquet.WithCompression(compress.Codecs.Brotli)},
		"lz4":             {parquet.WithCompression(compress.Codecs.Lz4Raw)},
		"decimal as ints": {parquet.WithStoreDecimalAsInteger(true)},
		"groups":          {parquet.WithMaxRowGroupLength(77)},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := readRows(t, arrowFile(t, s, cols, props...), Query{Schema: s, Batch: 300})
			sameRows(t, got, want)
		})
	}
}

func TestReadsRareEncodings(t *testing.T) {
	for name, c := range map[string]struct {
		enc   parquet.Encoding
		types []types.Type
	}{
		"delta binary": {parquet.Encodings.DeltaBinaryPacked, []types.Type{types.Integer, types.Long}},
		"delta length": {parquet.Encodings.DeltaLengthByteArray, []types.Type{types.String, types.Binary}},
		"delta bytes":  {parquet.Encodings.DeltaByteArray, []types.Type{types.String}},
		"byte split":   {parquet.Encodings.ByteStreamSplit, []types.Type{types.Double, types.Float, types.Long, types.Decimal{Precision: 38, Scale: 10}}},
		"rle":          {parquet.Encodings.RLE, []types.Type{types.Boolean}},
	} {
		for _, typ := range c.types {
			t.Run(fmt.Sprint(name, " ", typ), func(t *testing.T) {
				s := types.NewStruct(field("c", typ))
				cols := sampleColumns(t, s, 0, 1500)
				data := arrowFile(t, s, cols, parquet.WithDictionaryDefault(false), parquet.WithEncoding(c.enc), parquet.WithDataPageSize(900))
				got, _ := readRows(t, data, Query{Schema: s})
				sameRows(t, got, canonical(s, cols))
			})
		}
	}
}

func TestProjectionAndMissingColumns(t *testing.T) {
	s := everyType()
	cols := sampleColumns(t, s, 0, 50)
	data := writeFile(t, s, WriterOptions{}, cols)
	wider := types.NewStruct(append([]types.Field{field("absent", types.String)}, s.Fields...)...)
	wider.Fields[1].Name = "BO" // another case
	wider.Fields[18].Type = types.NewStruct(field("b", s.Fields[17].Type.(*types.Struct).Fields[1].Type), field("new", types.Long))
	got, _ := readRows(t, data, Query{Schema: wider, Columns: []int{0, 1, 18}})
	for i, g := range got {
		if i == 0 && g != `{"absent":null,"BO":true,"ss":{"b":[{"x":null},null],"new":null}}` {
			t.Fatal(g)
		}
	}
	if got, at := readRows(t, data, Query{Schema: wider, Columns: []int{}}); len(got) != 50 || at[49] != 49 {
		t.Fatalf("no columns: %d rows", len(got))
	}
}

func TestFieldIDs(t *testing.T) {
	id := func(name string, n int) types.Field {
		f := field(name, types.Long)
		f.Metadata = f.Metadata.With(fieldIDKey, n)
		return f
	}
	one, _ := columns.FromValues(types.Long, int64(1))
	two, _ := columns.FromValues(types.Long, int64(2))
	data := writeFile(t, types.NewStruct(id("a", 7), id("b", 8)), WriterOptions{}, []arrow.Array{one, two})
	got, _ := readRows(t, data, Query{Schema: types.NewStruct(id("b", 7), id("z", 8), id("a", 9)), ByID: true})
	sameRows(t, got, []string{`{"b":1,"z":2,"a":null}`})
}

// TestPredicatesSkipPages compares what is skipped with what a full read gives.
func TestPredicatesSkipPages(t *testing.T) {
	s := types.NewStruct(field("n", types.Long), field("s", types.String), field("l", &types.Array{Element: types.Long}))
	vals := make([][]any, 3)
	for i := range 5000 {
		vals[0] = append(vals[0], int64(i))
		vals[1] = append(vals[1], fmt.Sprintf("name %05d", i))
		vals[2] = append(vals[2], []any{int64(i), int64(i + 1)}[:i%3])
	}
	var cols []arrow.Array
	for i, f := range s.Fields {
		a, err := columns.FromValues(f.Type, vals[i]...)
		if err != nil {
			t.Fatal(err)
		}
		cols = append(cols, a)
	}
	want := canonical(s, cols)
	files := map[string][]byte{
		"ours":  writeFile(t, s, WriterOptions{PageRows: 100, RowGroupRows: 2000}, cols),
		"arrow": arrowFile(t, s, cols, parquet.WithPageIndexEnabled(true), parquet.WithDataPageSize(1000), parquet.WithBatchSize(100), parquet.WithDictionaryDefault(false)),
	}
	n, text := &expr.Column{Parts: []string{"n"}, Ref: 0, T: types.Long}, &expr.Column{Parts: []string{"s"}, Ref: 1, T: types.String}
	call := func(fn string, args ...expr.Expr) expr.Expr { return &expr.Call{Fn: fn, Args: args, T: types.Boolean} }
	long := func(v int64) expr.Expr { return &expr.Literal{Value: v, T: types.Long} }
	str := func(v string) expr.Expr { return &expr.Literal{Value: v, T: types.String} }
	cases := []struct {
		name     string
		e        expr.Expr
		match    func(i int) bool
		mostRows int
	}{
		{"one", call("=", n, long(2345)), func(i int) bool { return i == 2345 }, 1000},
		{"mirrored", call(">", long(150), n), func(i int) bool { return i < 150 }, 1000},
		{"range", call("and", call(">=", n, long(1990)), call("<", n, long(2010))), func(i int) bool { return i >= 1990 && i < 2010 }, 1500},
		{"two columns", call("and", call(">", n, long(4000)), call("<=", text, str("name 04005"))), func(i int) bool { return i > 4000 && i <= 4005 }, 1500},
		{"in", call("in", n, long(5), long(4995)), func(i int) bool { return i == 5 || i == 4995 }, 2000},
		{"nothing", call("=", text, str("zzz")), func(i int) bool { return false }, 0},
		{"nulls", call("isnull", n), func(i int) bool { return false }, 0},
		{"null literal", call("=", n, &expr.Literal{T: types.Long}), func(i int) bool { return false }, 0},
	}
	for file, data := range files {
		for _, c := range cases {
			t.Run(file+" "+c.name, func(t *testing.T) {
				got, at := readRows(t, data, Query{Schema: s, Predicate: c.e, Batch: 77})
				seen := map[int64]bool{}
				for i := range got {
					if got[i] != want[at[i]] {
						t.Fatalf("position %d\ngot  %s\nwant %s", at[i], got[i], want[at[i]])
					}
					seen[at[i]] = true
				}
				for i := range want {
					if c.match(i) && !seen[int64(i)] {
						t.Fatalf("row %d is lost", i)
					}
				}
				if len(got) > c.mostRows {
					t.Errorf("%d rows were read, at most %d should be", len(got), c.mostRows)
				}
			})
		}
	}
}

func TestSchemaOfAFile(t *testing.T) {
	s := everyType()
	for name, data := range map[string][]byte{"ours": writeFile(t, s, WriterOptions{}, sampleColumns(t, s, 0, 5)), "arrow": arrowFile(t, s, sampleColumns(t, s, 0, 5))} {
		f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Schema()
		if err != nil || !types.Equal(got, s) {
			t.Errorf("%s: %v (%v)", name, got, err)
		}
	}
}
