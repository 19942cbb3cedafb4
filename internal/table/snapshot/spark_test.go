package snapshot_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// TestSparkTables loads every version of the tables that Spark wrote and
// compares row counts with what Spark counted.
func TestSparkTables(t *testing.T) {
	root := filepath.Join(testkit.Corpus(t, "SLUICE_SPARK_CORPUS"), "tables")
	versions, counted, checked, refused, heads := 0, 0, 0, 0, 0
	for _, archive := range testkit.Archives(t, root) {
		name := testkit.ArchiveName(root, archive)
		t.Run(name, func(t *testing.T) {
			dir := testkit.Unpack(t, archive)
			var meta struct {
				Versions map[string]struct {
					Rows  *int64 `json:"rows"`
					Error any    `json:"error"`
				} `json:"versions"`
			}
			readJSON(t, filepath.Join(dir, "expected", "meta.json"), &meta)
			if _, err := os.Stat(filepath.Join(dir, "table")); err != nil {
				t.Skip("no table directory")
			}
			b := openBucket(t, filepath.Join(dir, "table"))
			for k, v := range meta.Versions {
				n, err := strconv.ParseInt(k, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				s, err := snapshot.Load(context.Background(), env.New(), b, snapshot.Version(n))
				switch {
				case err != nil && v.Error == nil:
					t.Errorf("version %d: %v", n, err)
				case err != nil:
					refused++
				default:
					versions++
					h := headsAgree(t, env.New(), b, snapshot.Version(n))
					if _, ok := h.NumFiles(); ok {
						heads++
					}
					if rows, ok := s.NumRecords(); ok && v.Rows != nil {
						counted++
						if rows != *v.Rows {
							t.Errorf("version %d: %d rows by statistics, Spark counted %d", n, rows, *v.Rows)
						}
					}
					found, err := s.VerifyChecksum(context.Background())
					if err != nil {
						t.Errorf("version %d: %v", n, err)
					}
					if found {
						checked++
					}
				}
			}
		})
	}
	t.Logf("spark tables: %d versions loaded, %d row counts and %d checksums agree, %d heads come from checksums, %d refused", versions, counted, checked, heads, refused)
}
