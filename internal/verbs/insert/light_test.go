package insert_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/storage"
)

// TestLightAppends lets one writer append without ever reading the table's files,
// in a program that goes on or anew each time, while another, who has them, appends,
// updates, deletes and optimizes: before, and between its work and its commit. Rows,
// row ids, applications, checksums and checkpoints have to be right.
func TestLightAppends(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { lightAppends(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func lightAppends(t *testing.T, r *rand.Rand) {
	ctx := t.Context()
	k := tablekit.New(t, tablekit.Spec{DDL: "k BIGINT, v BIGINT", Properties: map[string]string{"delta.checkpointInterval": "5", "delta.enableRowTracking": "true",
		"delta.enableInCommitTimestamps": "true", "delta.constraints.small": "k < 100000"}, Files: [][]string{{`{"k":-1,"v":0}`}, {`{"k":-2,"v":0}`}}})
	open := func() *txn.Log { return txn.NewLog(k.Env, k.Bucket, txn.Policy{WholeLog: -1}) }
	light := open()
	defer func() { light.Close(context.Background()) }()
	want := map[int64]bool{-1: true, -2: true}
	next, app := int64(0), int64(0)
	heavy := func(ctx context.Context) error {
		cond, err := expr.Parse(fmt.Sprintf("k %% 7 = %d", r.IntN(7)))
		if err != nil {
			return err
		}
		switch r.IntN(5) {
		case 0:
			next++
			want[next] = true
			return k.Append(ctx, fmt.Sprintf(`{"k":%d,"v":0}`, next))
		case 1:
			one, err := expr.Parse("v + 1")
			if err != nil {
				return err
			}
			_, err = dml.Update(ctx, k.Log, []merge.Assignment{{Column: []string{"v"}, Value: one}}, cond, merge.Options{})
			return err
		case 2:
			n := r.Int64N(7)
			if cond, err = expr.Parse(fmt.Sprintf("k %% 7 = %d", n)); err != nil {
				return err
			}
			for key := range want {
				if key%7 == n {
					delete(want, key)
				}
			}
			_, err = dml.Delete(ctx, k.Log, cond, merge.Options{})
			return err
		case 3:
			_, err := optimize.Run(ctx, k.Log, optimize.Spec{}, optimize.Options{})
			return err
		}
		return nil
	}
	checksums := 0
	for range 25 {
		if err := heavy(ctx); err != nil {
			t.Fatal(err)
		}
		if r.IntN(3) == 0 {
			if err := light.Close(ctx); err != nil {
				t.Fatal(err)
			}
			light = open()
		}
		next++
		key := next
		src, err := tablekit.Source(k.Schema, fmt.Sprintf(`{"k":%d,"v":0}`, key))
		if err != nil {
			t.Fatal(err)
		}
		o := insert.Options{}
		if r.IntN(2) == 0 {
			app++
			o.AppID, o.AppVersion = "app", app
		}
		o.Commit.BeforePublish = heavy
		res, err := insert.Run(ctx, light, src, o)
		if err != nil {
			t.Fatal(err)
		}
		want[key] = true
		if light.Known() != nil || !res.Commit.BlindAppend {
			t.Fatalf("the files were read, or the append is not blind: %t", res.Commit.BlindAppend)
		}
		if r.IntN(3) > 0 {
			continue
		}
		if err := light.Close(ctx); err != nil { // what follows the commit is done
			t.Fatal(err)
		}
		s, err := k.Snapshot(ctx, snapshot.Version(res.Commit.Version))
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.VerifyChecksum(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if found {
			checksums++
		}
		light = open()
	}
	if err := light.Close(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := k.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tablekit.Rows(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
	if v, _ := s.AppVersion("app"); v != app {
		t.Errorf("the application is at %d, want %d", v, app)
	}
	if checksums == 0 {
		t.Error("no light append has left a checksum")
	}
	distinctRowIDs(t, s)
	for v := int64(5); v < s.Version(); v += 5 {
		if _, err := k.Bucket.Stat(ctx, deltalog.CheckpointPath(v)); errors.Is(err, storage.ErrNotExist) {
			t.Logf("version %d has no checkpoint", v) // it was overtaken
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// distinctRowIDs checks that no two files were given the same row ids.
func distinctRowIDs(t *testing.T, s *snapshot.Snapshot) {
	t.Helper()
	type span struct{ from, to int64 }
	var all []span
	files := s.Files()
	for i := range files.All() {
		a := files.Add(i)
		n, ok := colstats.NumRecords(a.Stats)
		if a.BaseRowID == nil || !ok {
			t.Fatalf("%s has no row ids", a.Path)
		}
		all = append(all, span{*a.BaseRowID, *a.BaseRowID + n})
	}
	slices.SortFunc(all, func(a, b span) int { return int(a.from - b.from) })
	for i := 1; i < len(all); i++ {
		if all[i].from < all[i-1].to {
			t.Errorf("row ids %v and %v overlap", all[i-1], all[i])
		}
	}
}
