package parquetio

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func field(name string, t types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

// everyType is a schema with each type, nested ones included.
func everyType() *types.Struct {
	s := types.NewStruct(
		field("bo", types.Boolean), field("by", types.Byte), field("sh", types.Short), field("in", types.Integer),
		field("lo", types.Long), field("fl", types.Float), field("do", types.Double), field("st", types.String),
		field("bi", types.Binary), field("da", types.Date), field("ts", types.Timestamp), field("tn", types.TimestampNTZ),
		field("d9", types.Decimal{Precision: 9, Scale: 2}), field("d18", types.Decimal{Precision: 18, Scale: 4}), field("d38", types.Decimal{Precision: 38, Scale: 10}))
	s.Fields = append(s.Fields,
		field("li", &types.Array{Element: types.Integer, ContainsNull: true}),
		field("ma", &types.Map{Key: types.String, Value: types.Long, ValueContainsNull: true}),
		field("ss", types.NewStruct(field("a", types.String), field("b", &types.Array{Element: types.NewStruct(field("x", types.Double)), ContainsNull: true}))),
		types.Field{Name: "req", Type: types.Long})
	return s
}

// sampleValue is a value for row i; every fifth is NULL where NULL is allowed.
func sampleValue(t types.Type, i int, null bool) any {
	if null && i%5 == 3 {
		return nil
	}
	switch x := t.(type) {
	case types.Decimal:
		n := big.NewInt(int64(i*7919 - 5000))
		if x.Precision > 18 {
			n.Mul(n, big.NewInt(1_000_000_000_000_000))
		}
		return expr.Decimal{Unscaled: n, Scale: x.Scale}
	case *types.Array:
		out := []any{}
		for k := range i % 4 {
			out = append(out, sampleValue(x.Element, i+k, x.ContainsNull))
		}
		return out
	case *types.Map:
		out := []columns.KV{}
		for k := range i % 3 {
			out = append(out, columns.KV{Key: fmt.Sprint("k", i, k), Value: sampleValue(x.Value, i+k, x.ValueContainsNull)})
		}
		return out
	case *types.Struct:
		out := make([]any, len(x.Fields))
		for k, f := range x.Fields {
			out[k] = sampleValue(f.Type, i+k+1, f.Nullable)
		}
		return out
	}
	switch t {
	case types.Boolean:
		return i%3 == 0
	case types.Byte:
		return int64(int8(i))
	case types.Float:
		return float64(float32(i) * 1.5)
	case types.Double:
		return float64(i) / 3
	case types.String:
		return fmt.Sprint("value ", i%50)
	case types.Binary:
		return []byte{byte(i), byte(i >> 8), 0xff}
	}
	return int64(i % 30000)
}

func sampleColumns(t testing.TB, s *types.Struct, from, n int) []arrow.Array {
	out := make([]arrow.Array, len(s.Fields))
	for c, f := range s.Fields {
		vals := make([]any, n)
		for i := range vals {
			vals[i] = sampleValue(f.Type, from+i, f.Nullable)
		}
		a, err := columns.FromValues(f.Type, vals...)
		if err != nil {
			t.Fatal(err)
		}
		out[c] = a
	}
	return out
}

func writeFile(t testing.TB, s *types.Struct, o WriterOptions, batches ...[]arrow.Array) []byte {
	var buf bytes.Buffer
	w, err := NewFileWriter(&buf, s, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, cols := range batches {
		if err := w.WriteColumns(cols, cols[0].Len()); err != nil {
			t.Fatal(err)
		}
	}
	info, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if info.Bytes != int64(buf.Len()) {
		t.Fatalf("FileInfo says %d bytes, there are %d", info.Bytes, buf.Len())
	}
	return buf.Bytes()
}

// readByArrow reads a file through arrow-go alone.
func readByArrow(t testing.TB, data []byte) arrow.Table {
	tab, err := pqarrow.ReadTable(context.Background(), bytes.NewReader(data), parquet.NewReaderProperties(nil), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestWrittenFilesAreReadByArrow(t *testing.T) {
	s := everyType()
	for name, o := range map[string]WriterOptions{
		"defaults": {}, "small pages and groups": {PageRows: 7, RowGroupRows: 100}, "zstd": {Codec: Zstd}, "plain bytes": {Codec: Uncompressed, PageBytes: 50},
	} {
		t.Run(name, func(t *testing.T) {
			cols := sampleColumns(t, s, 0, 300)
			data := writeFile(t, s, o, columns.Slice(cols, 0, 111), columns.Slice(cols, 111, 189))
			tab := readByArrow(t, data)
			for c, f := range s.Fields {
				chunks := tab.Column(c).Data().Chunks()
				got, err := array.Concatenate(chunks, memory.DefaultAllocator)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 300 {
					g, w := string(columns.AppendCanonicalValue(nil, got, f.Type, i)), string(columns.AppendCanonicalValue(nil, cols[c], f.Type, i))
					if g != w {
						t.Fatalf("column %s row %d: arrow reads %s, want %s", f.Name, i, g, w)
					}
				}
			}
		})
	}
}

// TestStatistics reads bounds back through arrow-go.
func TestStatistics(t *testing.T) {
	long := string(bytes.Repeat([]byte("é"), 60))
	cases := []struct {
		name   string
		t      types.Type
		vals   []any
		lo, hi any
		has    bool
	}{
		{"long", types.Long, []any{int64(3), nil, int64(-2)}, int64(-2), int64(3), true},
		{"nan", types.Double, []any{1.0, math.NaN()}, 1.0, math.Inf(1), true},
		{"nan alone", types.Float, []any{math.NaN()}, float32(math.Inf(1)), float32(math.Inf(1)), true},
		{"zero", types.Double, []any{0.0, 0.0}, math.Copysign(0, -1), 0.0, true},
		{"all null", types.Long, []any{nil, nil}, nil, nil, false},
		{"text", types.String, []any{long, "a"}, parquet.ByteArray("a"), parquet.ByteArray(long), true},
		{"very long text", types.String, []any{strings.Repeat(long, 9)}, nil, nil, false},
		{"negative decimal", types.Decimal{Precision: 20}, []any{expr.Decimal{Unscaled: big.NewInt(-1)}, expr.Decimal{Unscaled: big.NewInt(1)}},
			parquet.FixedLenByteArray(bytes.Repeat([]byte{255}, 9)), parquet.FixedLenByteArray([]byte{0, 0, 0, 0, 0, 0, 0, 0, 1}), true},
	}
	for _, c := range cases {
		a, err := columns.FromValues(c.t, c.vals...)
		if err != nil {
			t.Fatal(err)
		}
		data := writeFile(t, types.NewStruct(field("c", c.t)), WriterOptions{}, []arrow.Array{a})
		r, err := file.NewParquetReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		col, err := r.MetaData().RowGroup(0).ColumnChunk(0)
		if err != nil {
			t.Fatal(err)
		}
		st, err := col.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		if st.HasMinMax() != c.has {
			t.Errorf("%s: has bounds: %v, want %v", c.name, st.HasMinMax(), c.has)
			continue
		}
		if !c.has {
			continue
		}
		lo, hi := fmt.Sprintf("%x", st.EncodeMin()), fmt.Sprintf("%x", st.EncodeMax())
		if want := encoded(c.lo); lo != want {
			t.Errorf("%s: least %s, want %s", c.name, lo, want)
		}
		if want := encoded(c.hi); hi != want {
			t.Errorf("%s: greatest %s, want %s", c.name, hi, want)
		}
	}
}

func encoded(v any) string {
	switch x := v.(type) {
	case int64:
		return fmt.Sprintf("%x", bytesOf([]int64{x}))
	case float64:
		return fmt.Sprintf("%x", bytesOf([]float64{x}))
	case float32:
		return fmt.Sprintf("%x", bytesOf([]float32{x}))
	}
	return fmt.Sprintf("%x", v)
}

func TestWriterRefuses(t *testing.T) {
	req := types.NewStruct(types.Field{Name: "c", Type: types.Long})
	null, _ := columns.FromValues(types.Long, nil)
	text, _ := columns.FromValues(types.String, "x")
	wide, _ := columns.FromValues(types.Decimal{Precision: 9}, expr.Decimal{Unscaled: big.NewInt(99_999_999_999)})
	for name, c := range map[string]struct {
		s *types.Struct
		a arrow.Array
	}{
		"NULL": {req, null}, "another type": {req, text}, "too many digits": {types.NewStruct(field("c", types.Decimal{Precision: 9})), wide},
	} {
		w, err := NewFileWriter(&bytes.Buffer{}, c.s, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteColumns([]arrow.Array{c.a}, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := w.Close(); err == nil {
			t.Errorf("%s: Close after the error gives none", name)
		}
	}
}

func BenchmarkWriteOneRow(b *testing.B) {
	s := types.NewStruct(field("id", types.Long), field("name", types.String), field("city", types.String), field("v", types.Double))
	cols := sampleColumns(b, s, 1, 1)
	b.ReportAllocs()
	for b.Loop() {
		writeFile(b, s, WriterOptions{}, cols)
	}
}
