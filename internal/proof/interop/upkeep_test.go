package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/checkpoint"
	"github.com/sluicelake/sluice/internal/verbs/clone"
	"github.com/sluicelake/sluice/internal/verbs/convert"
	"github.com/sluicelake/sluice/internal/verbs/manifest"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/internal/verbs/repair"
	"github.com/sluicelake/sluice/internal/verbs/restore"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
)

// upkept is a table that verbs of upkeep have worked on.
type upkept struct {
	t   *testing.T
	k   *tablekit.Kit
	dir string
	now *atomic.Int64
}

func (u *upkept) must(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

func (u *upkept) newest() *snapshot.Snapshot {
	u.t.Helper()
	s, err := u.k.Snapshot(u.t.Context(), snapshot.Latest())
	u.must(err)
	return s
}

func (u *upkept) optimize(spec optimize.Spec) {
	u.t.Helper()
	res, err := optimize.Run(u.t.Context(), u.k.Log, spec, optimize.Options{})
	u.must(err)
	if len(res.Commits) == 0 {
		u.t.Error("OPTIMIZE found nothing to do")
	}
}

func (u *upkept) alter(c alter.Change) {
	u.t.Helper()
	_, err := alter.Run(u.t.Context(), u.k.Log, c, alter.Options{})
	u.must(err)
}

func (u *upkept) checkpoint(o snapshot.CheckpointOptions) *checkpoint.Result {
	u.t.Helper()
	r, err := checkpoint.Run(u.t.Context(), u.k.Log, checkpoint.Spec{Options: o})
	u.must(err)
	return r
}

func (u *upkept) change(text string) {
	u.t.Helper()
	change(u.t, u.k.Log, text)
}

func (u *upkept) restore(to int64) {
	u.t.Helper()
	_, err := restore.Run(u.t.Context(), u.k.Log, restore.Spec{To: snapshot.Version(to)}, txn.Options{})
	u.must(err)
}

// copied goes on with a clone of the table beside it.
func (u *upkept) copied(deep bool) {
	u.t.Helper()
	from := u.newest()
	dir := filepath.Join(u.t.TempDir(), "a copy")
	d, err := local.New(dir, local.WithoutSync())
	u.must(err)
	u.t.Cleanup(func() { d.Close() })
	e := env.New()
	e.Outside, err = address.Allow([]address.Place{{Prefix: "file://" + u.dir}}, func(ctx context.Context, at string) (*storage.Bucket, error) { return storage.Open(ctx, at) })
	u.must(err)
	l := txn.NewLog(e, storage.NewBucket(d), txn.Policy{})
	u.t.Cleanup(func() { l.Close(context.Background()) })
	_, err = clone.Run(u.t.Context(), l, clone.Spec{Source: from, Deep: deep}, txn.Options{})
	u.must(err)
	u.k, u.dir = &tablekit.Kit{Log: l, Bucket: l.Bucket(), Env: e, Schema: u.k.Schema}, dir
}

var vectorsMade = "UPDATE target SET v = v + 100 WHERE k IN (2, 7)"

// upkeeps are tables as the verbs leave them.
var upkeeps = []struct {
	name string
	spec tablekit.Spec
	do   func(u *upkept)
	// alone says why deltalake is not asked.
	alone string
}{
	{"optimize", tablekit.Spec{PartitionBy: []string{"p"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.optimize(optimize.Spec{DeletedRatio: -1, CommitBytes: 1})
	}, ""},
	{"optimize, mapped, change feed, row ids", tablekit.Spec{PartitionBy: []string{"p"}, Properties: map[string]string{"delta.columnMapping.mode": "name", "delta.enableChangeDataFeed": "true",
		"delta.enableRowTracking": "true"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.optimize(optimize.Spec{DeletedRatio: -1})
		u.change("DELETE FROM target WHERE k = 3")
	}, ""},
	{"zorder, row ids", tablekit.Spec{Properties: map[string]string{"delta.enableRowTracking": "true"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.optimize(optimize.Spec{ZOrderBy: []string{"v", "k"}})
	}, ""},
	{"clustered", tablekit.Spec{Properties: map[string]string{"delta.enableRowTracking": "true"}}, func(u *upkept) {
		u.alter(alter.ClusterBy{Columns: [][]string{{"k"}, {"p"}}})
		u.change(vectorsMade)
		u.optimize(optimize.Spec{})
		u.must(u.k.Append(u.t.Context(), `{"k":50,"p":"z","v":1}`))
		u.alter(alter.ClusterBy{Columns: [][]string{{"v"}}})
		u.optimize(optimize.Spec{Full: true})
	}, ""},
	{"purge", tablekit.Spec{PartitionBy: []string{"p"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.change("DELETE FROM target WHERE k = 1")
		u.optimize(optimize.Spec{Purge: true})
		if n := u.newest().NumDeletionVectors(); n > 0 {
			u.t.Errorf("%d deletion vectors are left", n)
		}
	}, ""},
	{"vacuum", tablekit.Spec{PartitionBy: []string{"p"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.optimize(optimize.Spec{DeletedRatio: -1})
		none := time.Duration(0)
		for _, lite := range []bool{false, true} {
			_, err := vacuum.Run(u.t.Context(), u.k.Log, vacuum.Spec{Retain: &none, Lite: lite}, vacuum.Options{NoRetentionCheck: true})
			u.must(err)
		}
	}, ""},
	{"V2 checkpoint, sidecars used again, log cleaned", tablekit.Spec{Properties: map[string]string{"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "1000"}}, func(u *upkept) {
		u.checkpoint(snapshot.CheckpointOptions{Sidecar: 2})
		u.change("DELETE FROM target WHERE k = 9")
		u.must(u.k.Append(u.t.Context(), `{"k":50,"p":"z","v":1}`))
		if r := u.checkpoint(snapshot.CheckpointOptions{Sidecar: 2}); r.Plan.Kept == 0 {
			u.t.Errorf("no sidecar is used again: %+v", r.Plan)
		}
		u.now.Add(int64(60 * 24 * time.Hour))
		u.must(u.k.Append(u.t.Context(), `{"k":51,"p":"z","v":2}`))
		r, err := u.k.Log.CleanLog(u.t.Context(), u.newest(), snapshot.CleanOptions{})
		u.must(err)
		if r.Deleted == 0 {
			u.t.Errorf("nothing of the log was cleaned up: %+v", r)
		}
	}, ""},
	{"multi-part checkpoint, log compacted", tablekit.Spec{Properties: map[string]string{"delta.checkpointInterval": "1000"}}, func(u *upkept) {
		u.checkpoint(snapshot.CheckpointOptions{Kind: snapshot.MultiPart, Parts: 2})
		u.change(vectorsMade)
		u.must(u.k.Append(u.t.Context(), `{"k":50,"p":"z","v":1}`))
		_, err := checkpoint.Compact(u.t.Context(), u.k.Log, checkpoint.CompactSpec{})
		u.must(err)
	}, ""},
	{"restore", tablekit.Spec{PartitionBy: []string{"p"}, Properties: map[string]string{"delta.enableRowTracking": "true"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.change("DELETE FROM target WHERE p = 'a'")
		u.optimize(optimize.Spec{DeletedRatio: -1})
		u.restore(4)
		u.restore(2)
		u.must(u.k.Append(u.t.Context(), `{"k":50,"p":"z","v":1}`))
	}, ""},
	{"shallow clone", tablekit.Spec{PartitionBy: []string{"p"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.copied(false)
		u.change("DELETE FROM target WHERE k = 4")
	}, "it does not read files outside of the table"},
	{"deep clone", tablekit.Spec{PartitionBy: []string{"p"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.copied(true)
		u.change("DELETE FROM target WHERE k = 4")
	}, ""},
	{"convert", tablekit.Spec{PartitionBy: []string{"p"}, Properties: map[string]string{"delta.enableDeletionVectors": "false"}}, func(u *upkept) {
		u.must(u.k.Log.Close(u.t.Context()))
		u.must(os.RemoveAll(filepath.Join(u.dir, "_delta_log")))
		l := open(u.t, u.dir)
		_, err := convert.Run(u.t.Context(), l, convert.Spec{InferPartitions: true}, txn.Options{})
		u.must(err)
		u.k = &tablekit.Kit{Log: l, Bucket: l.Bucket(), Env: l.Env(), Schema: u.k.Schema}
		u.k.Schema = u.newest().Schema()
		u.change("DELETE FROM target WHERE k = 4")
	}, ""},
	{"deletion vectors dropped", tablekit.Spec{}, func(u *upkept) {
		u.change(vectorsMade)
		u.alter(alter.DropFeature{Name: "deletionVectors"})
		u.change("DELETE FROM target WHERE k = 4")
	}, ""},
	{"row ids for old files, and dropped", tablekit.Spec{}, func(u *upkept) {
		u.alter(alter.SetProperties{Properties: map[string]string{"delta.enableRowTracking": "true"}})
		u.change(vectorsMade)
		u.alter(alter.DropFeature{Name: "rowTracking"})
		u.change("DELETE FROM target WHERE k = 4")
	}, ""},
	{"row ids for old files", tablekit.Spec{}, func(u *upkept) {
		u.change("DELETE FROM target WHERE k = 4")
		u.alter(alter.SetProperties{Properties: map[string]string{"delta.enableRowTracking": "true"}})
		u.change(vectorsMade)
	}, ""},
	{"column mapping dropped", tablekit.Spec{PartitionBy: []string{"p"}, Properties: map[string]string{"delta.columnMapping.mode": "name"}}, func(u *upkept) {
		u.change(vectorsMade)
		u.alter(alter.DropFeature{Name: "columnMapping"})
		u.change("DELETE FROM target WHERE k = 4")
	}, ""},
	{"repair", tablekit.Spec{}, func(u *upkept) {
		s := u.newest()
		u.must(u.k.Bucket.Delete(u.t.Context(), s.Files().Path(0)))
		_, err := repair.Run(u.t.Context(), u.k.Log, repair.Spec{}, repair.Options{})
		u.must(err)
		_, err = manifest.Generate(u.t.Context(), u.newest())
		u.must(err)
	}, ""},
}

// TestTheyReadUpkeep: the other engines read what upkeep verbs leave, and Spark
// tells their history as sluice does, and goes on with the table.
func TestTheyReadUpkeep(t *testing.T) {
	var rs, sp *spark
	if os.Getenv("SLUICE_SPARK_PYTHON") != "" {
		sp = startSpark(t)
		if os.Getenv("SLUICE_PYTHON") == "" {
			t.Setenv("SLUICE_PYTHON", os.Getenv("SLUICE_SPARK_PYTHON"))
		}
	}
	rs = serving(t)
	for _, c := range upkeeps {
		t.Run(c.name, func(t *testing.T) {
			u := &upkept{t: t, now: &atomic.Int64{}}
			u.now.Store(time.Now().UnixNano())
			e := env.New()
			e.Now = func() time.Time { return time.Unix(0, u.now.Load()) }
			spec := c.spec
			spec.Env, spec.DDL = e, "k BIGINT, p STRING, v INT"
			for i := range 3 {
				var rows []string
				for j := range 4 {
					rows = append(rows, fmt.Sprintf(`{"k":%d,"p":%q,"v":%d}`, i*4+j, []string{"a", "b c", "ü/x=1%"}[j%3], j))
				}
				spec.Files = append(spec.Files, rows)
			}
			u.k, u.dir = build(t, spec)
			c.do(u)
			ours := func() []string { return u.k.Rows(t) }
			if c.alone == "" {
				equalRows(t, "read by deltalake", ours(), rs.rows(t, u.k.Schema, map[string]any{"rows": u.dir}))
			}
			if sp == nil {
				return
			}
			equalRows(t, "read by Spark", ours(), sp.rows(t, u.k.Schema, map[string]any{"rows": u.dir}))
			history(t, u, sp)
			if u.newest().Metadata().Configuration["delta.enableRowTracking"] == "true" {
				ids, schema := idsOf(t, u.k)
				equalRows(t, "row ids", ids, sp.rows(t, schema, map[string]any{"rows": u.dir, "columns": []string{"k", "_metadata.row_id AS id", "_metadata.row_commit_version AS at"}}))
			}
			sp.sql(t, "UPDATE delta.`"+u.dir+"` SET v = v + 1 WHERE k > 5")
			sp.sql(t, "OPTIMIZE delta.`"+u.dir+"`")
			sp.sql(t, "DELETE FROM delta.`"+u.dir+"` WHERE k = 11")
			equalRows(t, "after Spark", ours(), sp.rows(t, u.k.Schema, map[string]any{"rows": u.dir}))
		})
	}
}

// history compares what both engines tell of the commits.
func history(t *testing.T, u *upkept, sp *spark) {
	t.Helper()
	list, err := read.History(t.Context(), u.k.Bucket, -1)
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, c := range list {
		ours = append(ours, fmt.Sprintf("%d %s", c.Version, c.Info.Operation))
	}
	r := sp.ask(t, map[string]any{"query": "DESCRIBE HISTORY delta.`" + u.dir + "`"})
	if r.Error != "" {
		t.Fatal(r.Error)
	}
	var theirs []string
	for _, row := range r.Rows {
		var x struct {
			Version   int64
			Operation string
		}
		if err := json.Unmarshal(row, &x); err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, fmt.Sprintf("%d %s", x.Version, x.Operation))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		t.Errorf("the history is\n  %s\nand Spark tells\n  %s", strings.Join(ours, "\n  "), strings.Join(theirs, "\n  "))
	}
}
