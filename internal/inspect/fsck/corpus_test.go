package fsck_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/inspect/fsck"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
)

// Tables that Spark wrote and that Spark can read have no errors and no warnings.
// What transactions left behind that Spark refused is worth a note.
func TestSparkTablesAreHealthy(t *testing.T) {
	dir := testkit.Corpus(t, "SLUICE_SPARK_CORPUS")
	for _, archive := range testkit.Archives(t, filepath.Join(dir, "tables")) {
		t.Run(testkit.ArchiveName(dir, archive), func(t *testing.T) {
			t.Parallel()
			for _, f := range findingsOf(t, filepath.Join(testkit.Unpack(t, archive), "table")) {
				if f.Severity != fsck.Info {
					t.Error(f)
				}
			}
		})
	}
}

// quiet are the errors that do not keep this reader from the rows of the newest version.
var quiet = []fsck.Code{fsck.ChecksumWrong, fsck.TimestampOrder, fsck.TimestampMissing, fsck.StatsLoseRows, fsck.RowCount, fsck.NullValue,
	fsck.DuplicateAction, fsck.Contradiction, fsck.CheckpointBad, fsck.CheckpointWrong, fsck.CompactedBad, fsck.CompactedWrong, fsck.SidecarMissing}

// A table whose newest version can be read has no error that says otherwise, and
// one that cannot be read has an error that says why.
func TestConformanceTables(t *testing.T) {
	dir := testkit.Corpus(t, "SLUICE_CONFORMANCE")
	for _, archive := range testkit.Archives(t, filepath.Join(dir, "tables")) {
		t.Run(testkit.ArchiveName(dir, archive), func(t *testing.T) {
			t.Parallel()
			unpacked := testkit.Unpack(t, archive)
			expect, known := newest(t, unpacked)
			if !known {
				return
			}
			var loud []fsck.Finding
			for _, f := range findingsOf(t, filepath.Join(unpacked, "table")) {
				if f.Severity == fsck.Error && !(expect == "rows" && slices.Contains(quiet, f.Code)) {
					loud = append(loud, f)
				}
			}
			if readable := expect == "rows"; readable != (len(loud) == 0) {
				t.Errorf("the newest version gives: %s; found: %v", expect, loud)
			}
		})
	}
}

// newest is what reading the newest version must give: rows, or an error.
func newest(t *testing.T, dir string) (expect string, known bool) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "case.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Reads []struct {
			Op, Expect, Error, Timestamp, MayRefuse string
			Version                                 *int64
		}
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Reads {
		if r.Op == "" && r.Version == nil && r.Timestamp == "" && r.MayRefuse == "" && r.Error != "no-table" {
			return r.Expect, true
		}
	}
	return "", false
}

// findingsOf checks a folder; one without a table has no findings.
func findingsOf(t *testing.T, dir string) (out []fsck.Finding) {
	t.Helper()
	d, err := local.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := storage.NewBucket(d)
	defer b.Close()
	for f, err := range fsck.New(env.New(), b, fsck.Options{Deep: true}).Findings(t.Context()) {
		if err != nil {
			if strings.Contains(err.Error(), "is not a Delta table") {
				return nil
			}
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}
