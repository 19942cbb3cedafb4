package snapshot_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// writeLargeTable makes a log of commits with files/commits adds each, with
// partition values and statistics.
func writeLargeTable(tb testing.TB, dir string, files, commits int) {
	log := filepath.Join(dir, "_delta_log")
	if err := os.MkdirAll(log, 0o755); err != nil {
		tb.Fatal(err)
	}
	n := 0
	for v := range commits {
		var b []byte
		b = append(b, `{"commitInfo":{"timestamp":1700000000000,"operation":"WRITE","operationParameters":{},"isBlindAppend":true}}`+"\n"...)
		if v == 0 {
			b = append(b, `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`+"\n"...)
			b = append(b, `{"metaData":{"id":"t","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{\"name\":\"name\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},{\"name\":\"day\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["day"],"configuration":{},"createdTime":1700000000000}}`+"\n"...)
		}
		for range files / commits {
			day := fmt.Sprintf("2024-%02d-%02d", n%12+1, n/12%28+1)
			b = fmt.Appendf(b, `{"add":{"path":"day=%s/part-%05d-%08x-7a1c-4e0b-9f53-0123456789ab-c000.snappy.parquet","partitionValues":{"day":"%s"},"size":%d,"modificationTime":%d,"dataChange":true,"stats":"{\"numRecords\":%d,\"minValues\":{\"id\":%d,\"name\":\"name-%08d\"},\"maxValues\":{\"id\":%d,\"name\":\"name-%08d\"},\"nullCount\":{\"id\":0,\"name\":%d}}"}}`+"\n",
				day, n%1000, uint32(n)*2654435761, day, 100000+n, 1700000000000+n, 1000+n%7, n*1000, n*1000, n*1000+999, n*1000+999, n%3)
			n++
		}
		if err := os.WriteFile(filepath.Join(log, fmt.Sprintf("%020d.json", v)), b, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{1000, 300_000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			writeLargeTable(b, dir, n, 5)
			bucket, e, ctx := openBucket(b, dir), env.New(), context.Background()
			open := func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s, err := snapshot.Load(ctx, e, bucket, snapshot.Latest())
					if err != nil {
						b.Fatal(err)
					}
					paths := 0
					for i := range s.Files().All() {
						paths += len(s.Files().Path(i))
					}
					if s.NumFiles() != n || paths == 0 {
						b.Fatalf("%d files", s.NumFiles())
					}
				}
			}
			b.Run("commits", open)
			s, err := snapshot.Load(ctx, e, bucket, snapshot.Latest())
			if err != nil {
				b.Fatal(err)
			}
			b.Run("write-checkpoint", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := snapshot.WriteCheckpoint(ctx, s); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("checkpoint", open)
			b.Run("stats", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					for i := range s.Files().All() {
						if s.Files().StatsJSON(i) == nil {
							b.Fatal("no statistics")
						}
					}
				}
			})
			b.Run("adds", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					for i := range s.Files().All() {
						if s.Files().Add(i).Path == "" {
							b.Fatal("no path")
						}
					}
				}
			})
		})
	}
}
