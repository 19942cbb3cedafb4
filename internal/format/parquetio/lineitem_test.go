package parquetio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/types"
)

// lineitem has the shape of TPC-H's table of that name.
func lineitem() *types.Struct {
	money := types.Decimal{Precision: 15, Scale: 2}
	return types.NewStruct(field("l_orderkey", types.Long), field("l_partkey", types.Long), field("l_suppkey", types.Long), field("l_linenumber", types.Integer),
		field("l_quantity", money), field("l_extendedprice", money), field("l_discount", money), field("l_tax", money),
		field("l_returnflag", types.String), field("l_linestatus", types.String), field("l_shipdate", types.Date), field("l_commitdate", types.Date),
		field("l_receiptdate", types.Date), field("l_shipinstruct", types.String), field("l_shipmode", types.String), field("l_comment", types.String))
}

func lineitemRows(from, n int) []arrow.Array {
	r := rand.New(rand.NewPCG(1, uint64(from)))
	mem := memory.DefaultAllocator
	ints := func(f func(i int) int64) arrow.Array {
		b := array.NewInt64Builder(mem)
		for i := range n {
			b.Append(f(i))
		}
		return b.NewArray()
	}
	money := func(f func() int64) arrow.Array {
		b := array.NewDecimal128Builder(mem, &arrow.Decimal128Type{Precision: 15, Scale: 2})
		for range n {
			b.Append(decimal128.FromI64(f()))
		}
		return b.NewArray()
	}
	text := func(f func() string) arrow.Array {
		b := array.NewStringBuilder(mem)
		for range n {
			b.Append(f())
		}
		return b.NewArray()
	}
	date := func() arrow.Array {
		b := array.NewDate32Builder(mem)
		for range n {
			b.Append(arrow.Date32(8000 + r.IntN(2500)))
		}
		return b.NewArray()
	}
	line := array.NewInt32Builder(mem)
	for i := range n {
		line.Append(int32(i%4 + 1))
	}
	pick := func(s ...string) func() string { return func() string { return s[r.IntN(len(s))] } }
	words := []string{"carefully", "final", "deposits", "sleep", "quickly", "ironic", "requests", "haggle", "blithely", "about", "the", "furiously"}
	return []arrow.Array{
		ints(func(i int) int64 { return int64((from + i) / 4) }), ints(func(int) int64 { return int64(r.IntN(200_000)) }), ints(func(int) int64 { return int64(r.IntN(10_000)) }),
		line.NewArray(), money(func() int64 { return int64(r.IntN(50)+1) * 100 }), money(func() int64 { return int64(r.IntN(10_000_000)) }),
		money(func() int64 { return int64(r.IntN(11)) }), money(func() int64 { return int64(r.IntN(9)) }),
		text(pick("A", "N", "R")), text(pick("O", "F")), date(), date(), date(),
		text(pick("DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN")), text(pick("AIR", "MAIL", "SHIP", "TRUCK", "RAIL", "FOB", "REG AIR")),
		text(func() string {
			return fmt.Sprint(words[r.IntN(len(words))], " ", words[r.IntN(len(words))], " ", words[r.IntN(len(words))], r.IntN(1000))
		}),
	}
}

func BenchmarkWriteLineitem(b *testing.B) {
	s := lineitem()
	const rows = 1 << 20
	var batches [][]arrow.Array
	for from := 0; from < rows; from += 1 << 16 {
		batches = append(batches, lineitemRows(from, 1<<16))
	}
	b.ResetTimer()
	b.ReportAllocs()
	var bytes int64
	for b.Loop() {
		w, err := NewFileWriter(io.Discard, s, WriterOptions{})
		if err != nil {
			b.Fatal(err)
		}
		for _, cols := range batches {
			if err := w.WriteColumns(cols, 1<<16); err != nil {
				b.Fatal(err)
			}
		}
		info, err := w.Close()
		if err != nil {
			b.Fatal(err)
		}
		bytes = info.Bytes
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	b.ReportMetric(float64(bytes)/1e6, "MB/file")
}

func lineitemFile(t testing.TB, rows int, o WriterOptions) []byte {
	var buf bytes.Buffer
	w, err := NewFileWriter(&buf, lineitem(), o)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < rows; from += 1 << 16 {
		if err := w.WriteColumns(lineitemRows(from, 1<<16), 1<<16); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func BenchmarkReadLineitem(b *testing.B) {
	const rows = 1 << 20
	data := lineitemFile(b, rows, WriterOptions{})
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for batch, err := range f.Read(context.Background(), Query{Schema: lineitem()}) {
			if err != nil {
				b.Fatal(err)
			}
			n += batch.Rows
		}
		if n != rows {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkReadOneRow(b *testing.B) {
	s := types.NewStruct(field("id", types.Long), field("name", types.String), field("city", types.String), field("v", types.Double))
	data := writeFile(b, s, WriterOptions{}, sampleColumns(b, s, 1, 1))
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{Whole: 1 << 20})
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range f.Read(context.Background(), Query{Schema: s}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
