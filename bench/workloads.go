package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

var workloads = []workload{
	{name: "replay-300k", what: "open a table of 300,000 adds in 5 commits and list its files", prepare: prepareReplay,
		fresh: inPlace("replay-300k"), run: runReplay, peer: "replay"},
	{name: "upsert-scattered-dv", what: "MERGE 1 % scattered keys into lineitem, deletion vectors", prepare: prepareLineitem,
		fresh: linked("lineitem-dv"), run: runUpsert("scattered"), peer: ""},
	{name: "upsert-scattered-cow", what: "MERGE 1 % scattered keys into lineitem, copy-on-write", prepare: prepareLineitem,
		fresh: linked("lineitem-cow"), run: runUpsert("scattered"), peer: "upsert-scattered"},
	{name: "upsert-narrow-dv", what: "MERGE a narrow range of keys into lineitem, deletion vectors", prepare: prepareLineitem,
		fresh: linked("lineitem-dv"), run: runUpsert("narrow"), peer: ""},
	{name: "upsert-narrow-cow", what: "MERGE a narrow range of keys into lineitem, copy-on-write", prepare: prepareLineitem,
		fresh: linked("lineitem-cow"), run: runUpsert("narrow"), peer: "upsert-narrow"},
	repairWorkload("repair-1-of-10", "copy-on-write", "repair", "false"),
	repairWorkload("repair-1-of-10-dv", "deletion vectors", "repair-dv", "true"),
}

// allWorkloads are those, the scans, expressions, OPTIMIZE, and what is done with each shape of log.
func allWorkloads() []workload {
	return slices.Concat(logWorkloads(), largeWorkloads(), workloads, appendWorkloads, contentionWorkloads, scanWorkloads, exprWorkloads, optimizeWorkloads, vacuumWorkloads())
}

func prepareDir(_ context.Context, dir string) error { return os.MkdirAll(dir, 0o755) }

// inPlace runs on the prepared data itself, which the workload does not change.
func inPlace(name string) func(dir, scratch string) (string, error) {
	return func(dir, _ string) (string, error) { return filepath.Join(dir, name), nil }
}

// linked makes a table that shares its data files with the prepared one.
func linked(name string) func(dir, scratch string) (string, error) {
	return func(dir, scratch string) (string, error) {
		to := filepath.Join(scratch, "table")
		return to, link(filepath.Join(dir, name), to)
	}
}

// link makes a folder with the same files as another.
func link(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
}

// open opens a table with a bucket whose calls can be counted.
func open(ctx context.Context, url string, sync bool) (*sluice.Table, *storage.Bucket, error) {
	b, err := storage.Open(ctx, url, storage.With("sync", fmt.Sprint(sync)))
	if err != nil {
		return nil, nil, err
	}
	t, err := sluice.Open(ctx, url, sluice.WithBucket(b))
	return t, b, err
}

// counted adds the store's counters to a line.
func counted(l Line, b *storage.Bucket) Line {
	s := b.Stats()
	l.Requests = s.Gets + s.Puts + s.Lists + s.Deletes + s.Stats
	l.ReadMB, l.WriteMB = float64(s.BytesRead)/1e6, float64(s.BytesWritten)/1e6
	return l
}

// done reports whether a marker of finished preparation is there.
func done(place string) bool {
	_, err := os.Stat(filepath.Join(place, ".prepared"))
	return err == nil
}

func markDone(place string) error { return os.WriteFile(filepath.Join(place, ".prepared"), nil, 0o644) }

// again removes a preparation that was not finished.
func again(place string) error {
	if err := os.RemoveAll(place); err != nil {
		return err
	}
	return os.MkdirAll(place, 0o755)
}

const replayFiles, replayCommits = 300_000, 5

// prepareReplay writes the log of a table whose data files need not exist.
func prepareReplay(_ context.Context, dir string) error {
	place := filepath.Join(dir, "replay-300k")
	if done(place) {
		return nil
	}
	if err := again(place); err != nil {
		return err
	}
	log := filepath.Join(place, "_delta_log")
	if err := os.MkdirAll(log, 0o755); err != nil {
		return err
	}
	schema := types.JSON(types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true}, types.Field{Name: "name", Type: types.String, Nullable: true},
		types.Field{Name: "v", Type: types.Double, Nullable: true}, types.Field{Name: "day", Type: types.Date, Nullable: true}))
	n := 0
	for c := range replayCommits {
		var b []byte
		b = fmt.Appendf(b, `{"commitInfo":{"timestamp":%d,"operation":"WRITE","operationParameters":{"mode":"Append"}}}`+"\n", 1_700_000_000_000+c)
		if c == 0 {
			b = append(b, `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`+"\n"...)
			b = fmt.Appendf(b, `{"metaData":{"id":"5fba94ed-9794-4965-ba6e-6ee3c0d22af9","format":{"provider":"parquet","options":{}},"schemaString":%q,"partitionColumns":["day"],"configuration":{},"createdTime":1700000000000}}`+"\n", schema)
		}
		for range replayFiles / replayCommits {
			day := time.Date(2024, 1, 1+n%366, 0, 0, 0, 0, time.UTC).Format("2006-01-02")
			stats := fmt.Sprintf(`{"numRecords":1000,"minValues":{"id":%d,"name":"name-%08d","v":%d.5},"maxValues":{"id":%d,"name":"name-%08d","v":%d.5},"nullCount":{"id":0,"name":0,"v":3}}`,
				n*1000, n*1000, n, n*1000+999, n*1000+999, n+10)
			b = fmt.Appendf(b, `{"add":{"path":"day=%s/part-%05d-6f1e2c1a-0000-4000-8000-%012x.c000.snappy.parquet","partitionValues":{"day":"%s"},"size":%d,"modificationTime":%d,"dataChange":true,"stats":%q}}`+"\n",
				day, n%100000, n, day, 1_000_000+n, 1_700_000_000_000+n, stats)
			n++
		}
		if err := os.WriteFile(filepath.Join(log, fmt.Sprintf("%020d.json", c)), b, 0o644); err != nil {
			return err
		}
	}
	return markDone(place)
}

func runReplay(ctx context.Context, place string) (Line, error) {
	start := time.Now()
	t, b, err := open(ctx, place, true)
	if err != nil {
		return Line{}, err
	}
	defer t.Close()
	s, err := t.Snapshot(ctx)
	if err != nil {
		return Line{}, err
	}
	n := 0
	for range s.Paths() {
		n++
	}
	if n != replayFiles {
		return Line{}, fmt.Errorf("%d files, want %d", n, replayFiles)
	}
	return counted(Line{WallS: time.Since(start).Seconds(), Extra: map[string]float64{"files": float64(n)}}, b), nil
}

var errWrong = errors.New("the result is wrong")
