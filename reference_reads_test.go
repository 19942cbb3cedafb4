package sluice_test

import (
	"context"
	"strings"
	"testing"

	"github.com/sluicelake/sluice"
)

// TestReferenceSeesFilesByPath: what Spark would have said of a winner that removes a
// file which was read is known although another winner had marked rows of it before.
func TestReferenceSeesFilesByPath(t *testing.T) {
	ctx, url := t.Context(), t.TempDir()
	run := func(text string, before func(context.Context) error) *sluice.SQLResult {
		t.Helper()
		s := sluice.NewSession(sluice.SessionOptions{BeforePublish: before})
		defer s.Close()
		s.Table("t", url)
		var last *sluice.SQLResult
		for r, err := range s.SQL(ctx, text) {
			if err != nil {
				t.Fatal(err)
			}
			last = r
		}
		return last
	}
	run("CREATE TABLE t (id BIGINT, v BIGINT) USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true'); INSERT INTO t SELECT id, id FROM range(10); INSERT INTO t SELECT id + 10, id FROM range(10)", nil)
	res := run("MERGE INTO t USING (SELECT id * 5 AS id FROM range(4)) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 100", func(context.Context) error {
		run("UPDATE t SET v = -1 WHERE id = 1", nil)
		run("DELETE FROM t WHERE id < 10", nil)
		return nil
	})
	won := res.Commit.Winners
	if len(won) != 2 {
		t.Fatalf("%d winners: %+v", len(won), won)
	}
	for i, class := range []string{"DELTA_CONCURRENT_APPEND", "DELTA_CONCURRENT_DELETE_READ"} {
		if !strings.HasPrefix(won[i].SparkClass, class) {
			t.Errorf("winner %d, a %s: Spark's class is %q, want %s", i, won[i].Operation, won[i].SparkClass, class)
		}
	}
}
