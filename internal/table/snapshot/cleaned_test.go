package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
)

// TestCleanedMeanwhile: the log is cleaned up twice while a version is opened, each
// time after it was listed.
func TestCleanedMeanwhile(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Policy: txn.Policy{NoCheckpoint: true, NoChecksum: true}})
	checkpoints := map[string][]byte{}
	for v := int64(1); v < 6; v++ {
		if err := k.Append(ctx, fmt.Sprintf(`{"k":%d}`, v)); err != nil {
			t.Fatal(err)
		}
		if v%2 == 1 {
			continue
		}
		if err := snapshot.WriteCheckpoint(ctx, k.Log.Known()); err != nil {
			t.Fatal(err)
		}
		key := deltalog.CheckpointPath(v)
		data, _, err := k.Bucket.Get(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		checkpoints[key] = data
		for _, key := range []string{key, deltalog.LastCheckpointPath} {
			if err := k.Bucket.Delete(ctx, key); err != nil {
				t.Fatal(err)
			}
		}
	}
	cleaned := int64(0)
	clean := func(to int64) {
		cleaned = to
		if err := k.Bucket.Put(ctx, deltalog.CheckpointPath(to), checkpoints[deltalog.CheckpointPath(to)]); err != nil {
			t.Error(err)
		}
		for v := range to {
			_ = k.Bucket.Delete(ctx, deltalog.CommitPath(v))
			_ = k.Bucket.Delete(ctx, deltalog.CheckpointPath(v))
		}
	}
	store := faultstore.New(k.Bucket.Driver(), func(c faultstore.Call) faultstore.Fault {
		switch {
		case cleaned == 0 && strings.HasSuffix(c.Key, "0.json"):
			clean(2)
		case cleaned == 2 && strings.HasSuffix(c.Key, "2.checkpoint.parquet"), cleaned == 2 && strings.HasSuffix(c.Key, "3.json"):
			clean(4)
		}
		return faultstore.Fault{}
	})
	s, err := snapshot.Load(ctx, k.Env, storage.NewBucket(store), snapshot.Latest())
	if err != nil || s.Version() != 5 || s.NumFiles() != 5 || cleaned != 4 {
		t.Errorf("%v, cleaned to %d: %v", s, cleaned, err)
	}
}

// TestCleanedWhileSearched: the log is cleaned up while the version of a time is
// looked for among the times that commits carry.
func TestCleanedWhileSearched(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	clock := tablekit.NewClock(time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC))
	e := env.New()
	e.Now = clock.Now
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Env: e, Properties: map[string]string{"delta.enableInCommitTimestamps": "true"}, Policy: txn.Policy{NoCheckpoint: true, NoChecksum: true}})
	var times []time.Time
	for v := int64(1); v < 9; v++ {
		clock.Pass(time.Hour)
		times = append(times, clock.Now())
		if err := k.Append(ctx, fmt.Sprintf(`{"k":%d}`, v)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int64{3, 7} {
		cleaned := false
		store := faultstore.New(k.Bucket.Driver(), func(c faultstore.Call) faultstore.Fault {
			if !cleaned && c.Op == faultstore.OpGet && strings.HasSuffix(c.Key, "4.json") { // between the listing and the read
				cleaned = true
				s, err := k.Snapshot(ctx, snapshot.Version(6))
				if err == nil {
					err = snapshot.WriteCheckpoint(ctx, s)
				}
				if err != nil {
					t.Error(err)
				}
				for v := range int64(6) {
					_ = k.Bucket.Delete(ctx, deltalog.CommitPath(v))
				}
			}
			return faultstore.Fault{}
		})
		v, err := snapshot.VersionAt(ctx, k.Env, storage.NewBucket(store), times[want-1])
		var gone *snapshot.VersionError
		if want > 6 && (err != nil || v != want) || want < 6 && !errors.As(err, &gone) {
			t.Errorf("version at the time of %d: %d, %v", want, v, err)
		}
		if want < 6 && !cleaned {
			t.Error("nothing was cleaned up")
		}
	}
}
