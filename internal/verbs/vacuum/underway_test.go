package vacuum_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/restore"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
)

// TestRestoreUnderWay: files of long ago that a RESTORE of this process is about to
// bring back stay, with their deletion vectors.
func TestRestoreUnderWay(t *testing.T) {
	ctx := t.Context()
	for _, vectors := range []string{"true", "false"} {
		w, err := newWorld(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT", Properties: map[string]string{"delta.enableDeletionVectors": vectors},
			Files: [][]string{{rowsOfA, `{"k":3,"p":"a","v":3}`}, {rowsOfB}}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { w.Log.Close(ctx) }()
		for _, text := range []string{"DELETE FROM t WHERE k = 1", "DELETE FROM t"} {
			if err := w.change(text); err != nil {
				t.Fatal(err)
			}
		}
		w.now.Pass(1000 * time.Hour)
		res, err := restore.Run(ctx, w.Log, restore.Spec{To: snapshot.Version(3)}, txn.Options{BeforePublish: func(ctx context.Context) error {
			_, err := vacuum.Run(ctx, w.Log, vacuum.Spec{}, vacuum.Options{})
			return err
		}})
		if err != nil || !res.Commit.Committed {
			t.Fatal(res.Commit, err)
		}
		s, err := w.Snapshot(ctx, snapshot.Latest())
		if err != nil {
			t.Fatal(err)
		}
		rows, err := tablekit.Rows(ctx, s)
		if want := []string{rowsOfB, `{"k":3,"p":"a","v":3}`}; err != nil || !slices.Equal(rows, want) {
			t.Errorf("deletion vectors %s: %v, %v; want %v", vectors, rows, err, want)
		}
	}
}
