package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/storage"
)

// The table that is vacuumed: so many live files in so many partitions, and one
// orphan in each partition.
const vacuumFiles, vacuumPartitions = 100_000, 1_000

// vacuumWorkloads find what VACUUM would delete in a table on local disk.
func vacuumWorkloads() []workload {
	return []workload{{
		name: "vacuum-dry-run", what: "open, and find what VACUUM would delete among 101,000 files in 1,000 partitions",
		prepare: prepareVacuum,
		fresh:   func(dir, _ string) (string, error) { return filepath.Join(dir, "vacuum100k"), nil },
		run:     runVacuum, peer: "vacuum-dry-run",
	}}
}

func prepareVacuum(ctx context.Context, dir string) error {
	place := filepath.Join(dir, "vacuum100k")
	if _, err := os.Stat(filepath.Join(place, "done")); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(place, "_delta_log"), 0o777); err != nil {
		return err
	}
	old := time.Now().Add(-30 * 24 * time.Hour)
	log := []byte(`{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}` + "\n" +
		`{"metaData":{"id":"vacuum","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},` +
		`{\"name\":\"p\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["p"],"configuration":{},"createdTime":1}}` + "\n")
	for p := range vacuumPartitions {
		folder := filepath.Join(place, fmt.Sprintf("p=%d", p))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
		for i := range vacuumFiles/vacuumPartitions + 1 {
			name := fmt.Sprintf("part-%05d-6f1d2c3b-%04d-4c5d-8e9f-%012d.c000.snappy.parquet", i, p, i)
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte("x"), 0o666); err != nil {
				return err
			}
			if err := os.Chtimes(path, old, old); err != nil {
				return err
			}
			if i < vacuumFiles/vacuumPartitions {
				log = fmt.Appendf(log, `{"add":{"path":"p=%d/%s","partitionValues":{"p":"%d"},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":1}"}}`+"\n", p, name, p)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(place, "_delta_log", "00000000000000000000.json"), log, 0o666); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(place, "done"), nil, 0o666)
}

func runVacuum(ctx context.Context, place string) (Line, error) {
	b, err := storage.Open(ctx, place)
	if err != nil {
		return Line{}, err
	}
	start := time.Now()
	t, err := sluice.Open(ctx, place, sluice.WithBucket(b))
	if err != nil {
		return Line{}, err
	}
	r, err := t.Vacuum(ctx, sluice.VacuumOptions{DryRun: true})
	if err != nil {
		return Line{}, err
	}
	if r.Found != vacuumPartitions {
		return Line{}, fmt.Errorf("%d files found, want %d", r.Found, vacuumPartitions)
	}
	return counted(Line{WallS: time.Since(start).Seconds(), Extra: map[string]float64{"found": float64(r.Found), "listed": float64(r.Listed)}}, b), nil
}
