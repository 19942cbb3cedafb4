package scan_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/types"
)

// largeRows make a file that is cut into parts.
const largeRows = 500_000

// large adds a file of one row group: ids and names of a hundred random characters.
func (tb *table) large(t testing.TB) *action.Add {
	ids, names := array.NewInt64Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range int64(largeRows) {
		ids.Append(i)
		names.Append(fmt.Sprintf("%016x%016x%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()))
	}
	var buf bytes.Buffer
	w, err := parquetio.NewFileWriter(&buf, types.NewStruct(field("id", types.Long), field("name", types.String)), parquetio.WriterOptions{Codec: parquetio.Uncompressed})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteColumns([]arrow.Array{ids.NewArray(), names.NewArray()}, largeRows); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tb.bucket.Put(t.Context(), "large.parquet", buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	return &action.Add{Path: "large.parquet", Size: int64(buf.Len()), PartitionValues: action.PartitionValues{"p": text("7")}}
}

// TestLargeFileInParts: several workers read one file, each row once, with its
// deletion vector, and leave nothing behind when the caller stops or fails.
func TestLargeFileInParts(t *testing.T) {
	tb := newTable(t)
	add := tb.large(t)
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
	tb := newTable(t)
	add := tb.large(t)
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
