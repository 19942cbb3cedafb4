package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// smallFiles is how many data files lineitem has when it waits for OPTIMIZE.
const smallFiles = 200

var optimizeWorkloads = []workload{
	{name: "compact-200", what: "OPTIMIZE lineitem in 200 files", prepare: prepareSmallFiles, fresh: linked("lineitem-200"),
		run: runOptimize(sluice.OptimizeOptions{}), peer: "compact"},
	{name: "compact-200-deltalake", what: "OPTIMIZE lineitem in 200 files that deltalake wrote, with dictionaries (needs its Python)", prepare: prepareForeign,
		fresh: linked("lineitem-200-deltalake"), run: runOptimize(sluice.OptimizeOptions{}), peer: "compact"},
	{name: "zorder-200", what: "OPTIMIZE lineitem in 200 files, ZORDER BY two columns", prepare: prepareSmallFiles, fresh: linked("lineitem-200"),
		run: runOptimize(sluice.OptimizeOptions{ZOrderBy: []string{"l_partkey", "l_shipdate"}}), peer: "zorder"},
}

// prepareSmallFiles makes lineitem in one small file a commit.
func prepareSmallFiles(ctx context.Context, dir string) error {
	place := filepath.Join(dir, "lineitem-200")
	if done(place) {
		return nil
	}
	if err := again(place); err != nil {
		return err
	}
	schema, err := types.ParseDDL(lineitemDDL)
	if err != nil {
		return err
	}
	t, err := sluice.Create(ctx, place, schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableDeletionVectors": "false"}})
	if err != nil {
		return err
	}
	for i := range int64(smallFiles) {
		from, to := lineitemRows*i/smallFiles, lineitemRows*(i+1)/smallFiles
		src := batches(schema, func() iter.Seq[arrow.RecordBatch] { return lineitems(uint64(i), lineKeys(from, to), 1<<16) })
		if _, err := t.Append(ctx, src, sluice.AppendOptions{}); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return markDone(place)
}

// prepareForeign has deltalake write the same rows.
func prepareForeign(ctx context.Context, dir string) error {
	if err := prepareSmallFiles(ctx, dir); err != nil {
		return err
	}
	from := filepath.Join(dir, "lineitem-200")
	place := from + "-deltalake"
	if done(place) {
		return nil
	}
	if err := os.RemoveAll(place); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, python, filepath.Join("bench", "peer.py"), "resave", from)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("writing the table with deltalake: %w", err)
	}
	return markDone(place)
}

func runOptimize(o sluice.OptimizeOptions) func(ctx context.Context, place string) (Line, error) {
	return func(ctx context.Context, place string) (Line, error) {
		start := time.Now()
		t, b, err := open(ctx, place, true)
		if err != nil {
			return Line{}, err
		}
		defer t.Close()
		res, err := t.Optimize(ctx, o)
		if err != nil {
			return Line{}, err
		}
		if res.Removed.Files != smallFiles {
			return Line{}, fmt.Errorf("%d files were written again: %w", res.Removed.Files, errWrong)
		}
		return counted(Line{WallS: time.Since(start).Seconds(), Extra: map[string]float64{"files_added": float64(res.Added.Files), "mb_added": float64(res.Added.Bytes) / 1e6}}, b), nil
	}
}
