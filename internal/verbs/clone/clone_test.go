package clone_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/clones"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/clone"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
	"github.com/sluicelake/sluice/storage/local"
)

var rows = []string{`{"k":1,"p":"a b"}`, `{"k":2,"p":"b"}`, `{"k":3,"p":null}`, `{"k":4,"p":"b"}`}

func disk(t *testing.T, dir string) storage.Driver {
	t.Helper()
	d, err := local.New(dir, local.WithoutSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// source is a table with partitions and a deletion vector; its folder has a name
// that addresses have to escape.
func source(t *testing.T, dir string, properties map[string]string) *tablekit.Kit {
	t.Helper()
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Driver: disk(t, filepath.Join(dir, "a source")),
		Properties: properties, Files: [][]string{rows[:3], {rows[3], `{"k":5,"p":"b"}`}}})
	where, err := expr.Parse("k = 5")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dml.Delete(t.Context(), k.Log, where, merge.Options{}); err != nil {
		t.Fatal(err)
	}
	return k
}

func latest(t *testing.T, l *txn.Log) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Load(t.Context(), l.Env(), l.Bucket(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t *testing.T, l *txn.Log) []string {
	t.Helper()
	out, err := tablekit.Rows(t.Context(), latest(t, l))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// log opens the place of a clone; allowed lets it read files of other places.
func log(t *testing.T, d storage.Driver, allowed string) *txn.Log {
	t.Helper()
	e := env.New()
	if allowed != "" {
		var err error
		e.Outside, err = address.Allow([]address.Place{{Prefix: allowed}}, func(ctx context.Context, at string) (*storage.Bucket, error) {
			return storage.Open(ctx, at)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	l := txn.NewLog(e, storage.NewBucket(d), txn.Policy{})
	t.Cleanup(func() { l.Close(context.Background()) })
	return l
}

func TestClones(t *testing.T) {
	for _, properties := range []map[string]string{nil, {"delta.columnMapping.mode": "name"}, {"delta.enableRowTracking": "true"}, {"delta.enableInCommitTimestamps": "true"}} {
		for _, deep := range []bool{true, false} {
			dir := t.TempDir()
			k := source(t, dir, properties)
			l := log(t, disk(t, filepath.Join(dir, "clone")), "file://"+dir)
			res, err := clone.Run(t.Context(), l, clone.Spec{Source: latest(t, k.Log), Deep: deep, Properties: map[string]string{"own": "x"}}, txn.Options{})
			if err != nil {
				t.Fatal(properties, deep, err)
			}
			if got := read(t, l); !slices.Equal(got, rows) {
				t.Errorf("%v, deep %t: %v", properties, deep, got)
			}
			if res.Files != 4 || deep != (res.Copied == 4) || deep == res.Registered {
				t.Errorf("%+v", res)
			}
			s := latest(t, l)
			if s.Metadata().ID == k.Log.Known().Metadata().ID || s.Metadata().Configuration["own"] != "x" {
				t.Errorf("metadata %+v", s.Metadata())
			}
			list, err := clones.List(t.Context(), k.Bucket)
			if err != nil || (len(list) == 1) == deep {
				t.Errorf("registered %v, %v", list, err)
			}
			// The clone goes its own way.
			where, err := expr.Parse("p = 'b'")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := dml.Delete(t.Context(), l, where, merge.Options{}); err != nil {
				t.Fatal(err)
			}
			if got := read(t, l); !slices.Equal(got, []string{rows[0], rows[2]}) {
				t.Errorf("after a DELETE: %v", got)
			}
			if got := k.Rows(t); !slices.Equal(got, rows) {
				t.Errorf("the source has %v", got)
			}
		}
	}
}

// TestCloneOfClone copies a table whose files lie elsewhere.
func TestCloneOfClone(t *testing.T) {
	dir := t.TempDir()
	k := source(t, dir, nil)
	shallow := log(t, disk(t, filepath.Join(dir, "shallow")), "file://"+dir)
	if _, err := clone.Run(t.Context(), shallow, clone.Spec{Source: latest(t, k.Log)}, txn.Options{}); err != nil {
		t.Fatal(err)
	}
	deep := log(t, disk(t, filepath.Join(dir, "deep")), "")
	for range 2 { // the second finds everything there
		if _, err := clone.Run(t.Context(), deep, clone.Spec{Source: latest(t, shallow), Deep: true, Replace: true}, txn.Options{}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, deep); !slices.Equal(got, rows) {
			t.Errorf("%v", got)
		}
	}
	if s := latest(t, deep); s.Version() != 1 || s.CommitInfo().OperationMetrics["copiedFilesSize"] != "0" {
		t.Errorf("version %d, %v", s.Version(), s.CommitInfo().OperationMetrics)
	}
}

// TestGoesOn stops a deep clone at each of its writes and runs it again.
func TestGoesOn(t *testing.T) {
	dir := t.TempDir()
	k := source(t, dir, nil)
	lost := errors.New("the disk is gone")
	for n := 1; ; n++ {
		place := tablekit.Place()
		var writes atomic.Int64
		broken := faultstore.New(place, func(c faultstore.Call) faultstore.Fault {
			if c.Op&(faultstore.OpCommit|faultstore.OpPut|faultstore.OpPutIfAbsent) == 0 {
				return faultstore.Fault{}
			}
			if writes.Add(1) >= int64(n) {
				return faultstore.Fault{Err: lost}
			}
			return faultstore.Fault{}
		})
		_, err := clone.Run(t.Context(), log(t, broken, ""), clone.Spec{Source: latest(t, k.Log), Deep: true}, txn.Options{})
		if _, open := snapshot.Load(t.Context(), env.New(), storage.NewBucket(place), snapshot.Latest()); (err == nil) != (open == nil) {
			t.Fatalf("write %d: %v, and the table opens with %v", n, err, open)
		}
		whole := log(t, place, "")
		res, again := clone.Run(t.Context(), whole, clone.Spec{Source: latest(t, k.Log), Deep: true, IfNotExists: true}, txn.Options{})
		if again != nil {
			t.Fatal(again)
		}
		if got := read(t, whole); !slices.Equal(got, rows) {
			t.Fatalf("write %d: %v", n, got)
		}
		if err == nil {
			break
		}
		if n > 2 && res.AlreadyThere == 0 {
			t.Errorf("write %d: everything was copied again", n)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	k := source(t, dir, nil)
	s := latest(t, k.Log)
	inside := log(t, disk(t, filepath.Join(dir, "a source", "in")), "")
	if _, err := clone.Run(t.Context(), inside, clone.Spec{Source: s, Deep: true}, txn.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_CLONE_INTO_ITSELF") {
		t.Error(err)
	}
	l := log(t, tablekit.Place(), "")
	if _, err := clone.Run(t.Context(), l, clone.Spec{Source: s, Deep: true}, txn.Options{}); err != nil {
		t.Fatal(err)
	}
	var there *create.ExistsError
	if _, err := clone.Run(t.Context(), l, clone.Spec{Source: s, Deep: true}, txn.Options{}); !errors.As(err, &there) {
		t.Error(err)
	}
	if res, err := clone.Run(t.Context(), l, clone.Spec{Source: s, IfNotExists: true}, txn.Options{}); err != nil || res.Created {
		t.Error(res, err)
	}
}
