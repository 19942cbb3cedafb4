package repair

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

func TestRepair(t *testing.T) {
	ctx := t.Context()
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{{`{"k":1}`, `{"k":2}`}, {`{"k":3}`}, {`{"k":4}`, `{"k":5}`}, {`{"k":6}`}}})
	s, err := k.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	var adds []*action.Add
	for i := range s.Files().All() {
		adds = append(adds, s.Files().Add(i))
	}
	acts, err := tablekit.Mark(ctx, s, adds[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := tablekit.Publish(ctx, k.Bucket, 5, "DELETE", acts...); err != nil {
		t.Fatal(err)
	}
	vector := tablekit.Needs(k.Bucket, acts[1].(*action.Add))[1]
	if r, err := Run(ctx, k.Log, Spec{}, Options{}); err != nil || len(r.Missing) != 0 || r.Commit.Committed || r.Scanned != 4 {
		t.Fatalf("a whole table: %+v, %v", r, err)
	}
	for _, key := range []string{vector, adds[1].Path, adds[3].Path} {
		if err := k.Bucket.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Run(ctx, k.Log, Spec{DryRun: true}, Options{})
	if err != nil || len(r.Missing) != 3 || r.Commit.Committed {
		t.Fatalf("%+v, %v", r, err)
	}
	var bad *VectorError
	if r, err = Run(ctx, k.Log, Spec{}, Options{}); !errors.As(err, &bad) || len(bad.Files) != 1 || bad.Files[0].Vector != vector || *bad.Files[0].Rows != 1 {
		t.Fatalf("a vector is gone: %v", err)
	}
	winner := func(ctx context.Context) error { // removes one of them first
		return tablekit.Publish(ctx, k.Bucket, 6, "DELETE", &action.Remove{Path: adds[3].Path, DataChange: true})
	}
	r, err = Run(ctx, k.Log, Spec{RemoveUnmarked: true}, Options{BeforePublish: winner})
	if err != nil || r.Removed != 2 || r.Commit.Version != 7 {
		t.Fatalf("%+v, %v", r, err)
	}
	if rows := k.Rows(t); strings.Join(rows, "") != `{"k":4}{"k":5}` {
		t.Error(rows)
	}
	data, _, err := deltalog.ReadCommit(ctx, k.Bucket, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"operation":"FSCK"`, `"dryRun":false`, `"numMissingFiles":"1"`, `"numMissingDVs":"1"`, `"numFilesScanned":"4"`, `"numRemovedFiles":"2"`, `"dataChange":false`, `"dataChange":true`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("no %s in %s", part, data)
		}
	}
}

func TestWhatMayNotBeLookedAtStays(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{{`{"k":1}`}}})
	add := &action.Add{Path: "file:///elsewhere/x.parquet", PartitionValues: action.PartitionValues{}, DataChange: true}
	tx, err := k.Log.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context(), []action.Action{add}, txn.Operation{Name: "WRITE"}, txn.Options{}); err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), k.Log, Spec{}, Options{})
	if err != nil || r.Unknown != 1 || len(r.Missing) != 0 || r.Commit.Committed {
		t.Errorf("%+v, %v", r, err)
	}
}
