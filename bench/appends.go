package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

const appendDDL = "id BIGINT, writer INT, name STRING, at DOUBLE"

// oneRow is a source of a single row.
func oneRow(schema *types.Struct, writer, n int) (sluice.Source, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "writer", Type: arrow.PrimitiveTypes.Int32}, {Name: "name", Type: arrow.BinaryTypes.String}, {Name: "at", Type: arrow.PrimitiveTypes.Float64}}, nil))
	b.Field(0).(*array.Int64Builder).Append(int64(writer)*1_000_000 + int64(n))
	b.Field(1).(*array.Int32Builder).Append(int32(writer))
	b.Field(2).(*array.StringBuilder).Append("row " + strconv.Itoa(n))
	b.Field(3).(*array.Float64Builder).Append(float64(n) / 2)
	return sluice.FromRecords(schema, b.NewRecordBatch())
}

func appendTable(ctx context.Context, place string) (string, *types.Struct, error) {
	schema, err := types.ParseDDL(appendDDL)
	if err != nil {
		return "", nil, err
	}
	table := filepath.Join(place, "appends")
	t, _, err := sluice.CreateIfNotExists(ctx, table, schema, sluice.CreateOptions{})
	if err != nil {
		return "", nil, err
	}
	return table, schema, t.Close()
}

// runAppends lets goroutines, each with a handle of its own, append rows one by one.
func runAppends(writers, each int, sync_ bool) func(ctx context.Context, place string) (Line, error) {
	return func(ctx context.Context, place string) (Line, error) {
		table, schema, err := appendTable(ctx, place)
		if err != nil {
			return Line{}, err
		}
		line := Line{Extra: map[string]float64{}}
		var wg sync.WaitGroup
		errs := make([]error, writers)
		lines := make([]Line, writers)
		start := time.Now()
		for w := range writers {
			wg.Go(func() { lines[w], errs[w] = appendRows(ctx, table, schema, w, each, sync_) })
		}
		wg.Wait()
		line.WallS = time.Since(start).Seconds()
		for w := range writers {
			if errs[w] != nil {
				return line, errs[w]
			}
			line.Requests += lines[w].Requests
			line.ReadMB += lines[w].ReadMB
			line.WriteMB += lines[w].WriteMB
			for k, v := range lines[w].Extra {
				line.Extra[k] += v / float64(writers)
			}
		}
		return finishAppends(ctx, line, table, writers*each)
	}
}

// finishAppends checks that every row is there once and adds the rates.
func finishAppends(ctx context.Context, line Line, table string, rows int) (Line, error) {
	t, err := sluice.Open(ctx, table)
	if err != nil {
		return line, err
	}
	defer t.Close()
	s, err := t.Snapshot(ctx)
	if err != nil {
		return line, err
	}
	n, err := s.Scan(sluice.ScanOptions{}).Count(ctx)
	if err != nil {
		return line, err
	}
	if n != int64(rows) || s.Version() != int64(rows) {
		return line, fmt.Errorf("%d rows at version %d, want %d: %w", n, s.Version(), rows, errWrong)
	}
	line.Extra["commits_per_s"] = float64(rows) / line.WallS
	line.Extra["requests_per_commit"] = float64(line.Requests) / float64(rows)
	return line, nil
}

// appendRows is one writer. It notes the rate around version 100 and at the end.
func appendRows(ctx context.Context, table string, schema *types.Struct, writer, each int, sync bool) (Line, error) {
	t, b, err := open(ctx, table, sync)
	if err != nil {
		return Line{}, err
	}
	rate := func(d time.Duration, n int) float64 { return float64(n) / d.Seconds() }
	line := Line{Extra: map[string]float64{}}
	mark := time.Now()
	for i := range each {
		row, err := oneRow(schema, writer, i)
		if err != nil {
			return line, err
		}
		if _, err := t.Append(ctx, row, sluice.AppendOptions{}); err != nil {
			return line, err
		}
		switch {
		case each >= 1000 && i == 50:
			mark = time.Now()
		case each >= 1000 && i == 150:
			line.Extra["rate_at_100"] = rate(time.Since(mark), 100)
		case each >= 1000 && i == each-101:
			mark = time.Now()
		case each >= 1000 && i == each-1:
			line.Extra["rate_at_end"] = rate(time.Since(mark), 100)
		}
	}
	if err := t.Close(); err != nil {
		return line, err
	}
	return counted(line, b), nil
}

// runAppendProcesses is runAppends with a process for each writer.
func runAppendProcesses(writers, each int, sync_ bool) func(ctx context.Context, place string) (Line, error) {
	return func(ctx context.Context, place string) (Line, error) {
		table, _, err := appendTable(ctx, place)
		if err != nil {
			return Line{}, err
		}
		line := Line{Extra: map[string]float64{}}
		start := time.Now()
		cmds := make([]*exec.Cmd, writers)
		outs := make([]strings.Builder, writers)
		for w := range writers {
			cmds[w] = exec.CommandContext(ctx, os.Args[0], "-child", "append-worker", "-place", fmt.Sprintf("%s|%d|%d|%t", table, w, each, sync_))
			cmds[w].Stdout, cmds[w].Stderr = &outs[w], os.Stderr
			if err := cmds[w].Start(); err != nil {
				return line, err
			}
		}
		for w, c := range cmds {
			if err := c.Wait(); err != nil {
				return line, fmt.Errorf("writer %d: %w", w, err)
			}
			var one Line
			if err := json.Unmarshal([]byte(outs[w].String()), &one); err != nil {
				return line, err
			}
			line.Requests += one.Requests
			line.ReadMB += one.ReadMB
			line.WriteMB += one.WriteMB
		}
		line.WallS = time.Since(start).Seconds()
		return finishAppends(ctx, line, table, writers*each)
	}
}

// runWorker is one writing process; place is table|writer|rows|sync.
func runWorker(ctx context.Context, place string) (Line, error) {
	parts := strings.Split(place, "|")
	if len(parts) != 4 {
		return Line{}, fmt.Errorf("append-worker runs inside append-8-processes only")
	}
	writer, err1 := strconv.Atoi(parts[1])
	each, err2 := strconv.Atoi(parts[2])
	if err1 != nil || err2 != nil {
		return Line{}, fmt.Errorf("append-worker: %q", place)
	}
	schema, err := types.ParseDDL(appendDDL)
	if err != nil {
		return Line{}, err
	}
	return appendRows(ctx, parts[0], schema, writer, each, parts[3] == "true")
}
