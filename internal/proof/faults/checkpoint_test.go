package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/checkpoint"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
)

// TestCheckpointSweep: whichever call goes wrong while a checkpoint or a log
// compaction is written, every version is what it was, and a second run does the
// work, sidecars of the first try in the way or not.
func TestCheckpointSweep(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx context.Context, l *txn.Log) error
	}{
		{"classic", checkpointOf(snapshot.CheckpointOptions{Kind: snapshot.Classic})},
		{"v2", checkpointOf(snapshot.CheckpointOptions{Kind: snapshot.V2})},
		{"v2, Parquet", checkpointOf(snapshot.CheckpointOptions{Kind: snapshot.V2, ParquetTop: true, Sidecar: 2})},
		{"compaction", func(ctx context.Context, l *txn.Log) error {
			from, to := int64(0), int64(2)
			_, err := checkpoint.Compact(ctx, l, checkpoint.CompactSpec{From: &from, To: &to})
			return err
		}},
	} {
		for _, tr := range troubles {
			t.Run(c.name+"/"+tr.name, func(t *testing.T) {
				for k := 1; k < 400; k += 1 + k/10 { // the later ones are pages of the same few files
					plan := faultstore.Nth(k, faultstore.OpsAll, "", tr.fault)
					if tr.gone {
						plan = faultstore.From(k, faultstore.OpsAll, tr.fault)
					}
					if calls := checkpointOnce(t, c.run, plan); calls < k || t.Failed() {
						return
					}
				}
				t.Error("it never ends")
			})
		}
	}
}

func checkpointOf(o snapshot.CheckpointOptions) func(ctx context.Context, l *txn.Log) error {
	return func(ctx context.Context, l *txn.Log) error {
		_, err := checkpoint.Run(ctx, l, checkpoint.Spec{Options: o})
		return err
	}
}

func checkpointOnce(t *testing.T, run func(context.Context, *txn.Log) error, plan faultstore.Plan) (calls int) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	driver := inMemory(t)
	kit, err := tablekit.Make(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT", Driver: driver, Env: impatient(),
		Properties: map[string]string{"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "1000"},
		Files:      [][]string{{`{"k":1,"p":"a","v":10}`}, {`{"k":3,"p":"b","v":30}`}}})
	if err != nil {
		t.Fatal(err)
	}
	quiet := txn.Policy{NoCheckpoint: true, NoChecksum: true}
	// A checkpoint whose sidecars can be used again, and something new behind it.
	if _, err := checkpoint.Run(ctx, kit.Log, checkpoint.Spec{Options: snapshot.CheckpointOptions{Kind: snapshot.V2}}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := kit.Append(ctx, fmt.Sprintf(`{"k":%d,"p":"c","v":1}`, 20+i)); err != nil {
			t.Fatal(err)
		}
	}
	kit.Log.Close(ctx)
	rows := func(s *snapshot.Snapshot) []string {
		got, err := tablekit.Rows(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	last, err := snapshot.Load(ctx, kit.Env, kit.Bucket, snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	want := rows(last)
	store := faultstore.New(driver, plan)
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	store.SetSleep(func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() })
	l := txn.NewLog(impatient(), storage.NewBucket(store), quiet)
	_ = run(cancelled, l)
	l.Close(ctx)
	calls = store.Calls()
	look := func(when string) {
		for v := range last.Version() + 1 {
			s, err := snapshot.Load(ctx, kit.Env, kit.Bucket, snapshot.Version(v))
			if err != nil {
				t.Fatalf("%s: version %d: %v", when, v, err)
			}
			if v == last.Version() && !slices.Equal(rows(s), want) {
				t.Errorf("%s: %v, want %v", when, rows(s), want)
			}
		}
	}
	look("after the fault")
	again := txn.NewLog(impatient(), kit.Bucket, quiet)
	if err := run(ctx, again); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the second run: %v", err)
	}
	again.Close(ctx)
	look("after the second run")
	return calls
}
