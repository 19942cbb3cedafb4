package vacuum_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/restore"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
)

// elsewhere is the same store as another process has it: nothing that is under way
// in this process is known to it.
type elsewhere struct{ storage.Driver }

func (e elsewhere) URL() string { return e.Driver.URL() + "-elsewhere" }

// between runs first until its call to the store, has second run then, and ends.
func between(w *world, call int, first, second func(l *txn.Log) error) (hit bool, one, two error) {
	w.Env.Workers = 1
	quiet := txn.Policy{NoChecksum: true, NoCheckpoint: true}
	other := txn.NewLog(w.Env, storage.NewBucket(elsewhere{w.Bucket.Driver()}), quiet)
	store := faultstore.New(w.Bucket.Driver(), nil)
	calls := 0
	store.SetPlan(func(faultstore.Call) faultstore.Fault {
		if calls++; calls == call && !hit {
			hit = true
			two = second(other)
		}
		return faultstore.Fault{}
	})
	l := txn.NewLog(w.Env, storage.NewBucket(store), quiet)
	one = first(l)
	l.Close(context.Background())
	other.Close(context.Background())
	return hit, one, two
}

// TestRestoreOfAnotherProcess: a RESTORE to a version beyond the retention, at every
// call of a VACUUM, and the other way round, either has all its files in the end or
// is refused, and then has committed nothing.
func TestRestoreOfAnotherProcess(t *testing.T) {
	ctx := t.Context()
	for _, outer := range []string{"vacuum", "restore"} {
		done, refused := 0, 0
		for call, more := 1, true; more; call++ {
			w, err := newWorld(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT", Properties: tablekit.WithoutVectors(), Files: [][]string{{rowsOfA}, {rowsOfB}}})
			if err == nil {
				err = w.change("DELETE FROM t WHERE k = 1")
			}
			if err != nil {
				t.Fatal(err)
			}
			w.settle()
			w.now.Pass(1000 * time.Hour)
			var restored error
			sweep := func(l *txn.Log) error {
				_, err := vacuum.Run(ctx, l, vacuum.Spec{}, vacuum.Options{})
				return err
			}
			back := func(l *txn.Log) error {
				_, restored = restore.Run(ctx, l, restore.Spec{To: snapshot.Version(2)}, txn.Options{})
				return nil
			}
			first, second := sweep, back
			if outer == "restore" {
				first, second = back, sweep
			}
			var one, two error
			more, one, two = between(w, call, first, second)
			if one != nil || two != nil {
				t.Errorf("call %d of %s: %v, %v", call, outer, one, two)
			}
			want := []string{rowsOfB}
			switch {
			case restored == nil && more:
				want = []string{rowsOfA, rowsOfB}
				done++
			case restored != nil:
				refused++
				if text := restored.Error(); !strings.Contains(text, "SLUICE_RESTORE_DURING_VACUUM") && !strings.Contains(text, "DELTA_RESTORE_MISSING_FILES") || strings.Contains(text, "was committed") {
					t.Errorf("call %d of %s: %v", call, outer, restored)
				}
			case outer == "restore": // ran alone
				want = []string{rowsOfA, rowsOfB}
			}
			s, err := w.Snapshot(ctx, snapshot.Latest())
			if err != nil {
				t.Fatal(err)
			}
			if rows, err := tablekit.Rows(ctx, s); err != nil || !slices.Equal(rows, want) {
				t.Errorf("call %d of %s: rows %v, %v; want %v (%v)", call, outer, rows, err, want, restored)
			}
			w.Log.Close(ctx)
		}
		if done == 0 || refused == 0 {
			t.Errorf("%s outside: %d restored, %d refused", outer, done, refused)
		}
		t.Logf("%s outside: %d restored, %d refused", outer, done, refused)
	}
}
