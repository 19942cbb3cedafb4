package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// lineitemRows is the size of the lineitem table (TPC-H scale factor 1 has six million).
var lineitemRows int64

// lineitemFiles is how many data files the table is made of.
const lineitemFiles = 12

const lineitemDDL = `l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INT, l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2),
 l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag STRING, l_linestatus STRING, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE,
 l_shipinstruct STRING, l_shipmode STRING, l_comment STRING`

var (
	instructions = []string{"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"}
	modes        = []string{"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"}
	words        = []string{"furiously", "quickly", "carefully", "final", "express", "pending", "ironic", "deposits", "packages", "requests", "accounts", "foxes", "theodolites", "sleep", "haggle", "above", "the", "regular"}
)

// lineitems yields rows with the given line keys (order * 8 + line).
func lineitems(seed uint64, keys iter.Seq[int64], batch int) iter.Seq[arrow.RecordBatch] {
	schema := arrowLineitem()
	return func(yield func(arrow.RecordBatch) bool) {
		r := rand.New(rand.NewPCG(seed, 7))
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		n := 0
		for key := range keys {
			appendLineitem(b, r, key)
			if n++; n == batch {
				n = 0
				if !yield(b.NewRecordBatch()) {
					return
				}
			}
		}
		if n > 0 {
			yield(b.NewRecordBatch())
		}
	}
}

func arrowLineitem() *arrow.Schema {
	dec := &arrow.Decimal128Type{Precision: 15, Scale: 2}
	i64, str, date := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String, arrow.FixedWidthTypes.Date32
	f := func(name string, t arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: t, Nullable: true}
	}
	return arrow.NewSchema([]arrow.Field{f("l_orderkey", i64), f("l_partkey", i64), f("l_suppkey", i64), f("l_linenumber", arrow.PrimitiveTypes.Int32),
		f("l_quantity", dec), f("l_extendedprice", dec), f("l_discount", dec), f("l_tax", dec), f("l_returnflag", str), f("l_linestatus", str),
		f("l_shipdate", date), f("l_commitdate", date), f("l_receiptdate", date), f("l_shipinstruct", str), f("l_shipmode", str), f("l_comment", str)}, nil)
}

func appendLineitem(b *array.RecordBuilder, r *rand.Rand, key int64) {
	b.Field(0).(*array.Int64Builder).Append(key / 8)
	b.Field(1).(*array.Int64Builder).Append(1 + r.Int64N(200_000))
	b.Field(2).(*array.Int64Builder).Append(1 + r.Int64N(10_000))
	b.Field(3).(*array.Int32Builder).Append(int32(key % 8))
	dec := func(i int, v int64) { b.Field(i).(*array.Decimal128Builder).Append(decimal128.FromI64(v)) }
	dec(4, 100*(1+r.Int64N(50)))
	dec(5, 90_000+r.Int64N(10_000_000))
	dec(6, r.Int64N(11))
	dec(7, r.Int64N(9))
	text := func(i int, s string) { b.Field(i).(*array.StringBuilder).Append(s) }
	text(8, "ANR"[key%3:key%3+1])
	text(9, "OF"[key%2:key%2+1])
	day := 8035 + r.Int64N(2500)
	b.Field(10).(*array.Date32Builder).Append(arrow.Date32(day))
	b.Field(11).(*array.Date32Builder).Append(arrow.Date32(day + r.Int64N(60)))
	b.Field(12).(*array.Date32Builder).Append(arrow.Date32(day + 1 + r.Int64N(30)))
	text(13, instructions[r.IntN(len(instructions))])
	text(14, modes[r.IntN(len(modes))])
	comment := words[r.IntN(len(words))] + " " + words[r.IntN(len(words))] + " " + words[r.IntN(len(words))]
	text(15, comment)
}

// lineKeys are the keys of rows from..to: orders of one to seven lines.
func lineKeys(from, to int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := from; i < to; i++ {
			if !yield((i/4)*8 + i%4 + 1) {
				return
			}
		}
	}
}

// batches is a source that makes its rows on the way.
func batches(schema *types.Struct, make func() iter.Seq[arrow.RecordBatch]) sluice.Source {
	return generated{schema, make}
}

type generated struct {
	schema *types.Struct
	make   func() iter.Seq[arrow.RecordBatch]
}

func (g generated) Schema() *types.Struct { return g.schema }

func (g generated) Batches(context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for b := range g.make() {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// prepareLineitem makes the table in both forms, and the files to merge.
func prepareLineitem(ctx context.Context, dir string) error {
	schema, err := types.ParseDDL(lineitemDDL)
	if err != nil {
		return err
	}
	for _, form := range []struct{ name, marks string }{{"lineitem-dv", "true"}, {"lineitem-cow", "false"}} {
		place := filepath.Join(dir, form.name)
		if done(place) {
			continue
		}
		if err := again(place); err != nil {
			return err
		}
		t, err := sluice.Create(ctx, place, schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableDeletionVectors": form.marks}})
		if err != nil {
			return err
		}
		for i := range int64(lineitemFiles) {
			from, to := lineitemRows*i/lineitemFiles, lineitemRows*(i+1)/lineitemFiles
			src := batches(schema, func() iter.Seq[arrow.RecordBatch] { return lineitems(uint64(i), lineKeys(from, to), 1<<16) })
			if _, err := t.Append(ctx, src, sluice.AppendOptions{}); err != nil {
				return err
			}
		}
		if err := t.Close(); err != nil {
			return err
		}
		if err := writeUpserts(place); err != nil {
			return err
		}
		if err := markDone(place); err != nil {
			return err
		}
	}
	return nil
}

// writeUpserts writes the sources: one row of a hundred scattered over the whole
// table, or as many rows in one stretch; a tenth of them are new.
func writeUpserts(place string) error {
	n := lineitemRows / 100
	scattered := func(yield func(int64) bool) {
		for i := range n {
			row := i*100 + i%97
			key := (row/4)*8 + row%4 + 1
			if i%10 == 0 {
				key = (lineitemRows/4+i)*8 + 1
			}
			if !yield(key) {
				return
			}
		}
	}
	narrow := func(yield func(int64) bool) {
		start := lineitemRows / 3
		for i := range n {
			row := start + i
			key := (row/4)*8 + row%4 + 1
			if i%10 == 0 {
				key = (row/4)*8 + 6 + i%2
			}
			if !yield(key) {
				return
			}
		}
	}
	for name, keys := range map[string]iter.Seq[int64]{"scattered": scattered, "narrow": narrow} {
		f, err := os.Create(filepath.Join(place, "_source_"+name+".parquet"))
		if err != nil {
			return err
		}
		w, err := pqarrow.NewFileWriter(arrowLineitem(), f, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.NewArrowWriterProperties())
		if err != nil {
			return err
		}
		for b := range lineitems(99, keys, 1<<16) {
			if err := w.WriteBuffered(b); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}

func runUpsert(kind string) func(ctx context.Context, place string) (Line, error) {
	return func(ctx context.Context, place string) (Line, error) {
		start := time.Now()
		t, b, err := open(ctx, place, true)
		if err != nil {
			return Line{}, err
		}
		defer t.Close()
		src, err := sluice.FromFile(ctx, filepath.Join(place, "_source_"+kind+".parquet"), sluice.SourceOptions{})
		if err != nil {
			return Line{}, err
		}
		res, err := t.Merge(src, "t.l_orderkey = s.l_orderkey AND t.l_linenumber = s.l_linenumber").
			WhenMatched().UpdateAll().WhenNotMatched().InsertAll().Exec(ctx)
		if err != nil {
			return Line{}, err
		}
		if res.Inserted+res.Updated != lineitemRows/100 {
			return Line{}, fmt.Errorf("%d inserted and %d updated: %w", res.Inserted, res.Updated, errWrong)
		}
		return counted(Line{WallS: time.Since(start).Seconds(), Extra: map[string]float64{"updated": float64(res.Updated), "inserted": float64(res.Inserted),
			"copied": float64(res.Copied), "files_added": float64(res.FilesAdded)}}, b), nil
	}
}
