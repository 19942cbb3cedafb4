package main

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// appendWorkloads are one writer; several are in contentionWorkloads.
var appendWorkloads = []workload{
	{name: "append-1-nosync", what: "1,500 one-row appends by one writer, no fsync", prepare: prepareDir, run: runAppends(false), peer: "append", slow: true},
	{name: "append-1-durable", what: "1,500 one-row appends by one writer, durable", prepare: prepareDir, run: runAppends(true)},
}

const appends = 1500

// rowSchema is what appends and contests write.
var rowSchema = types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true}, types.Field{Name: "writer", Type: types.Integer, Nullable: true},
	types.Field{Name: "name", Type: types.String, Nullable: true}, types.Field{Name: "at", Type: types.Double, Nullable: true})

// someRows is a source of rows whose keys are step apart.
func someRows(first int64, count int, step int64, at float64) sluice.Source {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "writer", Type: arrow.PrimitiveTypes.Int32}, {Name: "name", Type: arrow.BinaryTypes.String}, {Name: "at", Type: arrow.PrimitiveTypes.Float64}}, nil))
	for i := range int64(count) {
		id := first + i*step
		b.Field(0).(*array.Int64Builder).Append(id)
		b.Field(1).(*array.Int32Builder).Append(int32(id / 1_000_000))
		b.Field(2).(*array.StringBuilder).Append("row " + strconv.FormatInt(id, 10))
		b.Field(3).(*array.Float64Builder).Append(at)
	}
	rows := []arrow.RecordBatch{b.NewRecordBatch()}
	return batches(rowSchema, func() iter.Seq[arrow.RecordBatch] { return slices.Values(rows) })
}

// runAppends appends rows one by one, and notes the rate around version 100 and at
// the end.
func runAppends(sync bool) func(ctx context.Context, place string) (Line, error) {
	return func(ctx context.Context, place string) (Line, error) {
		table := filepath.Join(place, "appends")
		made, err := sluice.Create(ctx, table, rowSchema, sluice.CreateOptions{})
		if err != nil {
			return Line{}, err
		}
		if err := made.Close(); err != nil {
			return Line{}, err
		}
		start := time.Now()
		t, b, err := open(ctx, table, sync)
		if err != nil {
			return Line{}, err
		}
		defer t.Close()
		mark, extra := start, map[string]float64{}
		for i := range appends {
			if _, err := t.Append(ctx, someRows(int64(i), 1, 1, 1), sluice.AppendOptions{}); err != nil {
				return Line{}, err
			}
			switch i {
			case 50, appends - 101:
				mark = time.Now()
			case 150:
				extra["rate_at_100"] = 100 / time.Since(mark).Seconds()
			case appends - 1:
				extra["rate_at_end"] = 100 / time.Since(mark).Seconds()
			}
		}
		line := counted(Line{WallS: time.Since(start).Seconds(), Extra: extra}, b)
		s, err := t.Snapshot(ctx)
		if err != nil {
			return line, err
		}
		n, err := s.Scan(sluice.ScanOptions{}).Count(ctx)
		if err == nil && (n != appends || s.Version() != appends) {
			err = fmt.Errorf("%d rows at version %d: %w", n, s.Version(), errWrong)
		}
		extra["commits_per_s"], extra["requests_per_commit"] = appends/line.WallS, float64(line.Requests)/appends
		return line, err
	}
}
