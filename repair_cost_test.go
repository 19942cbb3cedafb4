package sluice_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// TestRepairLeavesTheOtherFilesAlone: where files are rewritten, each that is not
// small becomes one, so that a winner which replaced one of them costs no other: what
// is committed is what was written before the race, but for the winner's own files.
func TestRepairLeavesTheOtherFilesAlone(t *testing.T) {
	const files, rows = 4, 100_000
	ctx, url := t.Context(), t.TempDir()
	schema, err := types.ParseDDL("id BIGINT, a BIGINT, b BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	table, err := sluice.Create(ctx, url, schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableDeletionVectors": "false"}})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	run := func(text string, before func(context.Context) error) *sluice.SQLResult {
		t.Helper()
		s := sluice.NewSession(sluice.SessionOptions{BeforePublish: before})
		defer s.Close()
		s.Table("t", url)
		for r, err := range s.SQL(ctx, text) {
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		t.Fatal("no result")
		return nil
	}
	for i := range files {
		run(fmt.Sprintf("INSERT INTO t SELECT id + %d, id, id FROM range(%d)", i*rows, rows), nil)
	}
	var written []string
	res := run(fmt.Sprintf("MERGE INTO t USING (SELECT id * %d AS id FROM range(%d)) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = -1", rows/10, files*10),
		func(ctx context.Context) error {
			written = dataFiles(t, url)
			run("UPDATE t SET b = -1 WHERE id = 7", nil)
			return nil
		})
	if w := res.Commit.Winners; len(w) != 1 || w[0].Verdict != "repair" || w[0].Dropped != 1 {
		t.Fatalf("winners: %+v", w)
	}
	s, err := table.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for a := range s.Files() {
		if slices.Contains(written, a.Path) {
			kept++
		}
	}
	if kept != files-1 {
		t.Errorf("%d of the files written before the race are in the table, want %d", kept, files-1)
	}
	for _, c := range []struct {
		where string
		want  int64
	}{{"a = -1", files * 10}, {"b = -1", 1}, {"id >= 0", files * rows}} {
		if n, err := s.Scan(sluice.ScanOptions{Where: c.where}).Count(ctx); err != nil || n != c.want {
			t.Errorf("%s: %d rows, want %d (%v)", c.where, n, c.want, err)
		}
	}
}

// dataFiles lists the data files in a folder, wanted or not.
func dataFiles(t *testing.T, dir string) (out []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		out = append(out, filepath.Base(path))
	}
	return out
}
