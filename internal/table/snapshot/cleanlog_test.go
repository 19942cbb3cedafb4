package snapshot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
	"github.com/sluicelake/sluice/storage/memory"
)

var cleanWorlds atomic.Int64

// history is a table with one version each step of hours; those of checkpoints
// have one. Its driver may be wrapped later.
func history(ctx context.Context, hours []int, checkpoints map[int64]bool, props map[string]string) (k *tablekit.Kit, driver storage.Driver, times []time.Time, now *tablekit.Clock, err error) {
	at := tablekit.NewClock(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
	clock := at.Now
	e := env.New()
	e.Now, e.Workers = clock, 1
	driver = memory.New(memory.WithURL(fmt.Sprintf("memory://clean-%d", cleanWorlds.Add(1))), memory.WithClock(clock))
	k, err = tablekit.Make(ctx, tablekit.Spec{DDL: "k INT", Driver: driver, Env: e, Properties: props, Policy: txn.Policy{NoCheckpoint: true}})
	if err != nil {
		return
	}
	times = append(times, at.Now())
	for i, h := range hours {
		at.Pass(time.Duration(h)*time.Hour + time.Second)
		if err = k.Append(ctx, fmt.Sprintf(`{"k":%d}`, i)); err != nil {
			return
		}
		times = append(times, at.Now())
		var s *snapshot.Snapshot
		if s, err = k.Snapshot(ctx, snapshot.Latest()); err != nil {
			return
		}
		if checkpoints[s.Version()] {
			if err = snapshot.WriteCheckpoint(ctx, s); err != nil {
				return
			}
		}
	}
	k.Log.Close(ctx)
	return k, driver, times, at, err
}

// TestRetainedVersionsStay: whatever the times and checkpoints, every version since
// the cutoff reads as before, and nothing goes that the rule does not name.
func TestRetainedVersionsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		hours := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 20, 24, 100, 300}), 1, 12).Draw(t, "hours")
		checkpoints := map[int64]bool{}
		for v := range hours {
			checkpoints[int64(v)+1] = rapid.IntRange(0, 2).Draw(t, "checkpoint") == 0
		}
		props := map[string]string{"delta.logRetentionDuration": "interval 5 days"}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 1:
			props["delta.enableInCommitTimestamps"] = "true"
		case 2:
			props["delta.checkpointPolicy"] = "v2"
		}
		k, _, times, now, err := history(ctx, hours, checkpoints, props)
		if err != nil {
			t.Fatal(err)
		}
		now.Pass(time.Duration(rapid.IntRange(0, 200).Draw(t, "later")) * time.Hour)
		s, err := k.Snapshot(ctx, snapshot.Latest())
		if err != nil {
			t.Fatal(err)
		}
		r, err := snapshot.CleanLog(ctx, s, snapshot.CleanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		cutoff := now.Now().Add(-5 * 24 * time.Hour).Truncate(24 * time.Hour)
		last, want := int64(-1), int64(-1) // the newest version at the cutoff, the checkpoint that stays
		for v, at := range times {
			if !at.After(cutoff) {
				last = int64(v)
			}
		}
		for v := range last + 1 {
			if checkpoints[v] {
				want = v
			}
		}
		if r.Checkpoint != want || r.Deleted != len(r.Files) {
			t.Fatalf("cleaned before %d, want %d (%s)", r.Checkpoint, want, r.Why)
		}
		for v := max(last, 0); v <= s.Version(); v++ {
			at, err := k.Snapshot(ctx, snapshot.Version(v))
			if err != nil || int64(at.NumFiles()) != v {
				t.Fatalf("version %d, which is retained: %v", v, err)
			}
		}
		keys, err := k.Objects(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if f := deltalog.Classify(storage.Object{Key: key}); f.Kind != deltalog.Other && f.Kind != deltalog.Hint && f.Version < want {
				t.Fatalf("%s is left", key)
			}
		}
		if again, err := snapshot.CleanLog(ctx, s, snapshot.CleanOptions{}); err != nil || again.Deleted != 0 {
			t.Fatalf("a second time: %+v, %v", again, err)
		}
	})
}

func clean(t *testing.T, k *tablekit.Kit, o snapshot.CleanOptions) *snapshot.CleanResult {
	t.Helper()
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	r, err := snapshot.CleanLog(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCleanLogRules(t *testing.T) {
	ctx := t.Context()
	steps := []int{1, 1, 1, 1, 2000}
	k, _, _, _, err := history(ctx, steps, map[int64]bool{2: true, 4: true}, map[string]string{"delta.enableExpiredLogCleanup": "false"})
	if err != nil {
		t.Fatal(err)
	}
	if r := clean(t, k, snapshot.CleanOptions{}); r.Deleted != 0 || !strings.Contains(r.Why, "enableExpiredLogCleanup") {
		t.Errorf("%+v", r)
	}
	for key, data := range map[string]string{deltalog.CompactedPath(0, 1): "x", deltalog.CompactedPath(4, 5): "x", "_delta_log/_staged_commits/00000000000000000001.x.json": "x", "_delta_log/note.txt": "x"} {
		if err := k.Bucket.Put(ctx, key, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	r := clean(t, k, snapshot.CleanOptions{Force: true, DryRun: true})
	if r.Checkpoint != 4 || r.Deleted != 0 || !slices.Contains(r.Files, deltalog.CompactedPath(4, 5)) || !slices.Contains(r.Files, deltalog.CheckpointPath(2)) || slices.Contains(r.Files, "_delta_log/note.txt") {
		t.Errorf("%+v", r)
	}
	long := 10000 * time.Hour
	if r := clean(t, k, snapshot.CleanOptions{Force: true, Retention: &long}); r.Deleted != 0 {
		t.Errorf("%+v", r)
	}
	// A checkpoint that cannot be read is none, and what the hint names stays.
	if err := k.Bucket.Put(ctx, deltalog.CheckpointPath(4), []byte("PAR1 is not all")); err != nil {
		t.Fatal(err)
	}
	if r := clean(t, k, snapshot.CleanOptions{Force: true}); r.Checkpoint != 2 {
		t.Errorf("%+v", r)
	}
	if s, err := k.Snapshot(ctx, snapshot.Latest()); err != nil || s.NumFiles() != 5 {
		t.Error(err)
	}
}

func TestCheckpointProtection(t *testing.T) {
	for before, want := range map[string]int64{"0": 4, "4": 4, "5": 4, "6": 4} {
		k, _, _, _, err := history(t.Context(), []int{1, 1, 1, 1, 2000, 1}, map[int64]bool{4: true},
			map[string]string{"delta.feature.checkpointProtection": "supported", "delta.requireCheckpointProtectionBeforeVersion": before})
		if err != nil {
			t.Skip(err) // the property cannot be set from outside
		}
		if r := clean(t, k, snapshot.CleanOptions{}); r.Checkpoint != want {
			t.Errorf("protected before %s: %+v", before, r)
		}
	}
}

// TestCleanLogStopped: a call that fails, or a store that is gone from some call
// on, leaves a log that reads, and the next run removes the rest.
func TestCleanLogStopped(t *testing.T) {
	ctx := t.Context()
	for _, gone := range []bool{false, true} {
		for call, hit := 1, true; hit; call++ {
			k, driver, _, _, err := history(ctx, []int{1, 1, 1, 1, 2000, 1}, map[int64]bool{2: true, 4: true}, map[string]string{"delta.checkpointPolicy": "v2"})
			if err != nil {
				t.Fatal(err)
			}
			store := faultstore.New(driver, nil)
			s, err := snapshot.Load(ctx, k.Env, storage.NewBucket(store), snapshot.Latest())
			if err != nil {
				t.Fatal(err)
			}
			plan := faultstore.Nth(call, faultstore.OpsAll, "", faultstore.Fail())
			if gone {
				plan = faultstore.From(call, faultstore.OpsAll, faultstore.Fail())
			}
			store.SetPlan(plan)
			_, err = snapshot.CleanLog(ctx, s, snapshot.CleanOptions{})
			hit = len(store.Hits()) > 0
			if err == nil && hit && gone {
				t.Errorf("call %d fails, and nobody is told", call)
			}
			for v := int64(4); v <= 6; v++ {
				if at, err := k.Snapshot(ctx, snapshot.Version(v)); err != nil || int64(at.NumFiles()) != v {
					t.Fatalf("after call %d version %d: %v", call, v, err)
				}
			}
			clean(t, k, snapshot.CleanOptions{})
			if r := clean(t, k, snapshot.CleanOptions{DryRun: true}); len(r.Files) != 0 {
				t.Errorf("after call %d there is left %v", call, r.Files)
			}
		}
	}
}
