package vacuum_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
)

// TestStoppedAtEveryCall: a call to the store that fails, or a store that is gone
// from some call on, leaves a table whose rows are the same, and a second run
// deletes the rest.
func TestStoppedAtEveryCall(t *testing.T) {
	ctx := t.Context()
	for _, lite := range []bool{false, true} {
		for _, trouble := range []faultstore.Fault{faultstore.Fail(), faultstore.Lost()} {
			for _, gone := range []bool{false, true} {
				for call, hit := 1, true; hit; call++ {
					hit = stopAt(ctx, t, vacuum.Spec{Lite: lite}, call, gone, trouble)
				}
			}
		}
	}
}

func stopAt(ctx context.Context, t *testing.T, spec vacuum.Spec, call int, gone bool, trouble faultstore.Fault) (hit bool) {
	t.Helper()
	w, err := newWorld(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT", Properties: tablekit.WithoutVectors(), Files: [][]string{{rowsOfA}, {rowsOfB}}})
	if err == nil {
		err = w.change("DELETE FROM t WHERE k = 1")
	}
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.now.Pass(1000 * time.Hour)
	w.Env.Workers = 1
	w.Env.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	store := faultstore.New(w.Bucket.Driver(), nil)
	l := txn.NewLog(w.Env, storage.NewBucket(store), txn.Policy{NoChecksum: true, NoCheckpoint: true})
	plan := faultstore.Nth(call, faultstore.OpsAll, "", trouble)
	if gone {
		plan = faultstore.From(call, faultstore.OpsAll, trouble)
	}
	store.SetPlan(plan)
	_, err = vacuum.Run(ctx, l, spec, vacuum.Options{})
	l.Close(ctx)
	hit = len(store.Hits()) > 0
	if hit && gone && err == nil {
		t.Errorf("call %d fails for good, and nobody is told", call)
	}
	s, err := w.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		t.Fatalf("after call %d: %v", call, err)
	}
	rows, err := tablekit.Rows(ctx, s)
	if err != nil || !slices.Equal(rows, []string{rowsOfB}) {
		t.Errorf("after call %d: %v, %v", call, rows, err)
	}
	if _, err := vacuum.Run(ctx, w.Log, spec, vacuum.Options{}); err != nil {
		t.Errorf("again after call %d: %v", call, err)
	}
	if left := w.DataFiles(t); len(left) != 1 {
		t.Errorf("after call %d there is left %v", call, left)
	}
	w.Log.Close(ctx)
	return hit
}
