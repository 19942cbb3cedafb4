package scan_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/types"
)

// largeRows make a file that is cut into parts.
const largeRows = 500_000

// largeFile is a file of one row group: ids and names of a hundred random characters.
var largeFile = sync.OnceValues(func() (data []byte, words *array.String) {
	ids, names := array.NewInt64Builder(arrowmemory.DefaultAllocator), array.NewStringBuilder(arrowmemory.DefaultAllocator)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range int64(largeRows) {
		ids.Append(i)
		names.Append(fmt.Sprintf("%016x%016x%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()))
	}
	words = names.NewStringArray()
	var buf bytes.Buffer
	w, err := parquetio.NewFileWriter(&buf, types.NewStruct(field("id", types.Long), field("name", types.String)), parquetio.WriterOptions{Codec: parquetio.Uncompressed})
	if err == nil {
		err = w.WriteColumns([]arrow.Array{ids.NewArray(), words}, largeRows)
	}
	if err == nil {
		_, err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return buf.Bytes(), words
})

// large is a table with that file in a store, and its names.
func large(t testing.TB, d storage.Driver) (*table, *action.Add, *array.String) {
	tb := newTable(t)
	tb.bucket = storage.NewBucket(d)
	tb.src.Bucket = tb.bucket
	data, words := largeFile()
	if err := tb.bucket.Put(t.Context(), "large.parquet", data); err != nil {
		t.Fatal(err)
	}
	return tb, &action.Add{Path: "large.parquet", Size: int64(len(data)), PartitionValues: action.PartitionValues{"p": text("7")}}, words
}

// TestLargeFileFromAfar: a store whose requests are costly, and several for one column.
func TestLargeFileFromAfar(t *testing.T) {
	tb, add, words := large(t, remote{memory.New()})
	for _, o := range []scan.Options{{}, {Rows: []scan.Range{{Start: 7, End: 250_000}, {Start: 300_000, End: largeRows}}}} {
		rows := 0
		for b, err := range scan.File(t.Context(), env.New(), tb.src, add, o) {
			if err != nil {
				t.Fatal(err)
			}
			ids, names := b.Columns[1].(*array.Int64).Int64Values(), b.Columns[2].(*array.String)
			for i, id := range ids {
				if names.Value(i) != words.Value(int(id)) {
					t.Fatalf("row %d has the name %s, want %s", id, names.Value(i), words.Value(int(id)))
				}
			}
			rows += len(ids)
		}
		if want := map[bool]int{true: largeRows, false: largeRows - 50_007}[o.Rows == nil]; rows != want {
			t.Errorf("%d rows, want %d", rows, want)
		}
	}
}

// TestLargeFileInParts: several workers read one file, each row once, with its
// deletion vector, and leave nothing behind when the caller stops or fails.
func TestLargeFileInParts(t *testing.T) {
	tb, add, _ := large(t, memory.New())
	e := env.New()
	e.Workers = 4
	dead := roaring64.New()
	for i := uint64(0); i < largeRows; i += 3 {
		dead.Add(i)
	}
	for _, deleted := range []bool{false, true} {
		if deleted {
			ds, err := dv.Store(t.Context(), tb.bucket, []*roaring64.Bitmap{dead}, uuid.NewString)
			if err != nil {
				t.Fatal(err)
			}
			add.DeletionVector = ds[0]
		}
		seen := roaring64.New()
		backwards, last := 0, int64(-1)
		for b, err := range scan.Stream(t.Context(), e, tb.src, shares([]*action.Add{add}), scan.Options{Columns: []int{1}, Positions: true}) {
			if err != nil {
				t.Fatal(err)
			}
			values := b.Columns[1].(*array.Int64).Int64Values()
			for i, at := range b.Positions {
				if values[i] != at || !seen.CheckedAdd(uint64(at)) {
					t.Fatalf("row %d at position %d, or twice", values[i], at)
				}
			}
			if b.Positions[0] < last {
				backwards++
			}
			last = b.Positions[0]
		}
		want := uint64(largeRows)
		if deleted {
			want -= dead.GetCardinality()
		}
		if seen.GetCardinality() != want || deleted && roaring64.And(seen, dead).GetCardinality() != 0 {
			t.Fatalf("%d rows, want %d", seen.GetCardinality(), want)
		}
		t.Logf("parts interleaved %d times", backwards)
	}
	for range scan.Stream(t.Context(), e, tb.src, shares([]*action.Add{add}), scan.Options{Columns: []int{1}, Batch: 1000}) {
		break // goleak sees a goroutine that stays
	}
	fails := &expr.Call{Fn: "=", T: types.Boolean, Args: []expr.Expr{&expr.Column{Ref: 1, T: types.Long}, &expr.Cast{Arg: &expr.Column{Ref: 2, T: types.String}, To: types.Long}}}
	errs := 0
	for _, err := range scan.Stream(t.Context(), e, tb.src, shares([]*action.Add{add, add}), scan.Options{Columns: []int{}, Filter: fails}) {
		if err != nil {
			errs++
		}
	}
	if errs != 1 {
		t.Errorf("%d errors", errs)
	}
}

// TestMemoryLimit: batches are as small as the limit asks for, however wide rows are.
func TestMemoryLimit(t *testing.T) {
	tb, add, _ := large(t, memory.New())
	for _, limit := range []int64{0, 64 << 20, 4 << 20} {
		e := env.New()
		e.Workers, e.Memory = 2, limit
		rows, most := 0, 0
		for b, err := range scan.Stream(t.Context(), e, tb.src, shares([]*action.Add{add}), scan.Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			rows, most = rows+b.Rows, max(most, b.Rows)
		}
		if rows != largeRows {
			t.Fatalf("%d rows", rows)
		}
		if wide := int64(most) * 110; limit > 0 && wide > limit/6 {
			t.Errorf("limit %d: a batch of %d bytes", limit, wide)
		}
	}
}
