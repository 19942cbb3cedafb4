package vacuum_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage/memory"
)

var worlds atomic.Int64

// world is a table on a store and in a time of its own.
type world struct {
	*tablekit.Kit
	ctx context.Context
	now *tablekit.Clock
}

func newWorld(ctx context.Context, spec tablekit.Spec) (*world, error) {
	w := &world{ctx: ctx, now: tablekit.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))}
	clock := w.now.Now
	e := env.New()
	e.Now, e.Workers = clock, 2
	spec.Env = e
	spec.Driver = memory.New(memory.WithURL(fmt.Sprintf("memory://vacuum-%d", worlds.Add(1))), memory.WithClock(clock))
	var err error
	w.Kit, err = tablekit.Make(ctx, spec)
	return w, err
}

// settle lets the work that goes on behind commits come to an end.
func (w *world) settle() {
	w.Log.Close(w.ctx)
	w.Log = txn.NewLog(w.Env, w.Bucket, txn.Policy{})
}

func (w *world) change(text string) error {
	st, err := parse.One(text)
	if err != nil {
		return err
	}
	_, err = dml.Run(w.ctx, w.Log, st.(*parse.Change).Spec, merge.Options{})
	return err
}

// version is what a version needs, as remembered when it was the newest.
type version struct {
	at    time.Time
	rows  []string
	needs []string
}

// TestWhatGoesIsWhatNobodyNeeds: any sequence of changes, orphans and steps in
// time, then VACUUM: what is gone is what a model of the reachable files says, and
// every retained version reads as it did when it was new.
func TestWhatGoesIsWhatNobodyNeeds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		props := map[string]string{"delta.enableExpiredLogCleanup": "false", "delta.checkpointInterval": "3"}
		props["delta.enableDeletionVectors"] = fmt.Sprint(rapid.Bool().Draw(t, "vectors"))
		props["delta.enableChangeDataFeed"] = fmt.Sprint(rapid.Bool().Draw(t, "feed"))
		var parts []string
		if rapid.Bool().Draw(t, "partitioned") {
			parts = []string{"p"}
		}
		w, err := newWorld(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT", PartitionBy: parts, Properties: props})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { w.Log.Close(ctx) }()
		known := map[int64]version{}
		next := 0
		for range rapid.IntRange(6, 16).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "delete", "delete", "update", "orphan", "wait", "wait"}).Draw(t, "step") {
			case "append":
				var rows []string
				for range 3 {
					rows = append(rows, fmt.Sprintf(`{"k":%d,"p":"%c","v":%d}`, next, 'a'+next%3, next))
					next++
				}
				err = w.Append(ctx, rows...)
			case "delete":
				err = w.change(fmt.Sprintf("DELETE FROM t WHERE k %% 3 = %d", rapid.IntRange(0, 2).Draw(t, "which")))
			case "update":
				err = w.change(fmt.Sprintf("UPDATE t SET v = v + 1 WHERE k %% 2 = %d", rapid.IntRange(0, 1).Draw(t, "which")))
			case "orphan":
				place := rapid.SampledFrom([]string{"part-%d.parquet", "p=a/part-%d.parquet", "_change_data/cdc-%d.parquet", "_hidden/x-%d", "p=_x/.hidden-%d"}).Draw(t, "orphan")
				err = w.Bucket.Put(ctx, fmt.Sprintf(place, next), nil)
			default:
				w.now.Pass(time.Duration(rapid.SampledFrom([]int{1, 30, 100, 200}).Draw(t, "hours")) * time.Hour)
			}
			if err != nil {
				t.Fatal(err)
			}
			w.settle()
			s, err := w.Snapshot(ctx, snapshot.Latest())
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := known[s.Version()]; !ok {
				rows, err := tablekit.Rows(ctx, s)
				if err != nil {
					t.Fatal(err)
				}
				known[s.Version()] = version{w.now.Now(), rows, tablekit.Referenced(s)}
			}
			w.now.Pass(time.Second)
		}
		spec := vacuum.Spec{Lite: rapid.Bool().Draw(t, "lite")}
		kept := 7 * 24 * time.Hour
		if hours := rapid.SampledFrom([]int{-1, 0, 5, 100, 168, 400}).Draw(t, "retain"); hours >= 0 {
			kept = time.Duration(hours) * time.Hour
			spec.Retain = &kept
		}
		check(t, w, known, spec, kept)
	})
}

func check(t *rapid.T, w *world, known map[int64]version, spec vacuum.Spec, retention time.Duration) {
	ctx := w.ctx
	cutoff := w.now.Now().Add(-retention)
	must := map[string]bool{}
	versions := slices.Sorted(maps.Keys(known))
	var retained []int64
	for i, v := range versions {
		if i == len(versions)-1 || !known[versions[i+1]].at.Before(cutoff) {
			retained = append(retained, v)
			for _, key := range known[v].needs {
				must[key] = true
			}
		}
	}
	before := map[string]bool{}
	for obj, err := range w.Bucket.List(ctx, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		hidden := false
		for part := range strings.SplitSeq(obj.Key, "/") {
			hidden = hidden || strings.HasPrefix(part, "_") && part != "_change_data" || strings.HasPrefix(part, ".")
		}
		before[obj.Key] = true
		if hidden || !obj.ModTime.Before(cutoff) {
			must[obj.Key] = true
		}
	}
	s, err := w.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	for v := range s.Version() + 1 { // change data of commits within the retention
		data, obj, err := deltalog.ReadCommit(ctx, w.Bucket, v)
		if err != nil {
			t.Fatal(err)
		}
		for key := range before {
			if !obj.ModTime.Before(cutoff) && strings.HasPrefix(key, "_change_data/") && strings.Contains(string(data), key) {
				must[key] = true
			}
		}
	}
	dry := spec
	dry.DryRun = true
	o := vacuum.Options{NoRetentionCheck: true}
	plan, err := vacuum.Run(ctx, w.Log, dry, o)
	if err != nil {
		t.Fatal(err)
	}
	planned := map[string]bool{}
	for key := range plan.Files() {
		planned[key] = true
	}
	res, err := vacuum.Run(ctx, w.Log, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	left, err := w.Objects(ctx)
	if err != nil {
		t.Fatal(err)
	}
	deleted := maps.Clone(before)
	for _, key := range left {
		delete(deleted, key)
	}
	if !maps.Equal(deleted, planned) || res.Deleted != int64(len(deleted)) {
		t.Fatalf("planned %v\ndeleted %v (%d)", slices.Sorted(maps.Keys(planned)), slices.Sorted(maps.Keys(deleted)), res.Deleted)
	}
	for key := range before {
		switch {
		case must[key] && deleted[key]:
			t.Fatalf("%s is needed, and gone", key)
		case !must[key] && !deleted[key] && !spec.Lite:
			t.Fatalf("nobody needs %s, and it is there", key)
		}
	}
	for _, v := range retained {
		s, err := w.Snapshot(ctx, snapshot.Version(v))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := tablekit.Rows(ctx, s)
		if err != nil || !slices.Equal(rows, known[v].rows) {
			t.Fatalf("version %d reads %v, not %v: %v", v, rows, known[v].rows, err)
		}
	}
	again, err := vacuum.Run(ctx, w.Log, dry, o)
	if err != nil || again.Found != 0 {
		t.Fatalf("a second VACUUM finds %d files, %v", again.Found, err)
	}
}
