package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/storage"
)

// largeWorkloads write to the table of a million files, whose data files need not
// exist: what they cost is what opening it and planning cost.
func largeWorkloads() (out []workload) {
	shape := logShapes[slices.IndexFunc(logShapes, func(s logShape) bool { return s.name == "ckpt1m" })]
	const day = "DATE '2019-01-01' AS day" // which no file has
	for _, c := range []struct{ name, what, text string }{
		{"append", "append one row", "INSERT INTO t SELECT -1L AS id, 'new' AS name, 0.5D AS v, " + day},
		{"merge", "MERGE one row into a partition", "MERGE INTO t USING (SELECT -1L AS id, 'new' AS name, 0.5D AS v, " + day +
			") s ON t.id = s.id AND t.day = s.day WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"},
		{"delete", "DELETE one partition", "DELETE FROM t WHERE day = DATE '2021-03-04'"},
	} {
		out = append(out, workload{name: "large-" + c.name, what: c.what + ": " + shape.what, prepare: shape.prepare, fresh: linked("log-" + shape.name),
			run: func(ctx context.Context, place string) (Line, error) { return runLarge(ctx, place, c.text) }, peer: "large-" + c.name})
	}
	return out
}

// runLarge runs one statement as a program would that has just started. No version
// of the table gets a checkpoint meanwhile.
func runLarge(ctx context.Context, place, text string) (Line, error) {
	b, err := storage.Open(ctx, place)
	if err != nil {
		return Line{}, err
	}
	start := time.Now()
	s := sluice.NewSession(sluice.SessionOptions{Options: []sluice.Option{sluice.WithBucket(b)}})
	defer s.Close()
	s.Table("t", place)
	for r, err := range s.SQL(ctx, text) {
		if err != nil {
			return Line{}, err
		}
		if !r.Commit.Committed || r.Commit.Version != 101 {
			return Line{}, fmt.Errorf("%+v: %w", r.Commit, errWrong)
		}
		return counted(Line{WallS: time.Since(start).Seconds()}, b), nil
	}
	return Line{}, errWrong
}
