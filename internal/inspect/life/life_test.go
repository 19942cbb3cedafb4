package life_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/inspect/life"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// story is a table whose one file is marked twice, removed and restored.
type story struct {
	*tablekit.Kit
	path   string
	vector string // key of the second vector's file
}

var removedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func tell(t testing.TB, versions int) *story {
	t.Helper()
	ctx := t.Context()
	k := tablekit.New(t, tablekit.Spec{DDL: "id INT, p STRING", PartitionBy: []string{"p"}, Policy: txn.Policy{NoCheckpoint: true},
		Files: [][]string{{`{"id":1,"p":"x y"}`, `{"id":2,"p":"x y"}`, `{"id":3,"p":"x y"}`}}})
	s := &story{Kit: k}
	var original *action.Add
	for n := range versions {
		now, err := k.Snapshot(ctx, snapshot.Latest())
		if err != nil {
			t.Fatal(err)
		}
		var a *action.Add
		files := now.Files()
		for i := range files.All() {
			a = files.Add(i)
		}
		var acts []action.Action
		switch n {
		case 0, 1:
			if n == 0 {
				original = a
				s.path = a.Path
			}
			acts, err = tablekit.Mark(ctx, now, a, int64(n))
			at, _ := dv.Locate(acts[1].(*action.Add).DeletionVector, k.Bucket.URL())
			s.vector = at.Key
		case 2:
			acts = []action.Action{rewrite.RemoveOf(a, removedAt.UnixMilli())}
		case 3:
			acts = []action.Action{original}
		}
		if err == nil {
			err = tablekit.Publish(ctx, k.Bucket, now.Version()+1, "STEP", acts...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func whats(l *life.Life) (out []string) {
	for _, e := range l.Events {
		out = append(out, e.What)
	}
	return out
}

func of(t testing.TB, s *story, path string) *life.Life {
	t.Helper()
	l, err := life.Tell(t.Context(), env.New(), s.Bucket, path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLife(t *testing.T) {
	s := tell(t, 4)
	if !strings.Contains(s.path, "%20") {
		t.Fatalf("the path %s is not escaped", s.path)
	}
	key := strings.ReplaceAll(s.path, "%20", " ")
	for _, path := range []string{s.path, key, "./" + s.path, s.Bucket.URL() + "/" + s.path} {
		l := of(t, s, path)
		if want := []string{life.Added, life.Marked, life.Marked, life.Removed, life.Readded}; !slices.Equal(whats(l), want) || !l.Live || l.Path != s.path || l.Key != key {
			t.Errorf("%s: %v of %s (live: %t)", path, whats(l), l.Path, l.Live)
		}
		if l.Store == nil || !l.Store.Exists || l.Store.Agrees == nil || !*l.Store.Agrees || l.Vacuum != nil {
			t.Errorf("%s: %+v, %+v", path, l.Store, l.Vacuum)
		}
		if v := l.Events[2].Vector; v == nil || v.Cardinality != 2 || v.Before != 1 {
			t.Errorf("%s: second vector %+v", path, v)
		}
	}
	vector := of(t, s, s.vector)
	if want := []string{life.Added, life.Removed}; vector.Kind != life.KindVector || !slices.Equal(whats(vector), want) || vector.Live || vector.Events[0].Data != key {
		t.Errorf("vector: %s %v %+v", vector.Kind, whats(vector), vector.Events)
	}
}

// A file that is no part of the table may go when both its removal and its
// writing are longer ago than the retention.
func TestVacuum(t *testing.T) {
	s := tell(t, 3)
	l := of(t, s, s.path)
	if l.Live || l.Vacuum == nil {
		t.Fatalf("live: %t, %+v", l.Live, l.Vacuum)
	}
	if want := l.Store.Modified.Add(7 * 24 * time.Hour); !l.Vacuum.Since.Equal(want) || l.Vacuum.Now {
		t.Errorf("%+v, want from %s on", l.Vacuum, want)
	}
	e := env.New()
	e.Now = func() time.Time { return l.Vacuum.Since }
	if again, err := life.Tell(t.Context(), e, s.Bucket, s.path); err != nil || !again.Vacuum.Now {
		t.Errorf("%+v, %v", again.Vacuum, err)
	}
}

// When the log has been cleaned up, a checkpoint tells what it knows.
func TestCleanedUp(t *testing.T) {
	s := tell(t, 3)
	now, err := s.Snapshot(t.Context(), snapshot.Version(2))
	if err == nil {
		err = snapshot.WriteCheckpoint(t.Context(), now)
	}
	for v := range int64(3) {
		if err == nil {
			err = s.Bucket.Delete(t.Context(), deltalog.CommitPath(v))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	l := of(t, s, s.path)
	if !slices.Contains(whats(l), life.Known) || whats(l)[len(l.Events)-1] != life.Removed || l.FirstCommit != 3 || l.Checkpoint != 2 {
		t.Errorf("%v, log from %d, checkpoint %d", whats(l), l.FirstCommit, l.Checkpoint)
	}
}

func TestUnknown(t *testing.T) {
	s := tell(t, 1)
	base := s.path[strings.LastIndex(s.path, "/")+1:]
	l := of(t, s, base)
	if len(l.Events) > 0 || len(l.Near) == 0 || !strings.HasSuffix(l.Near[0], base) {
		t.Errorf("%v, near %v", whats(l), l.Near)
	}
	if err := s.Bucket.Put(t.Context(), "left over.parquet", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if l := of(t, s, "left over.parquet"); len(l.Events) > 0 || l.Store == nil || !l.Store.Exists || len(l.Notes) == 0 {
		t.Errorf("%+v", l)
	}
}

// A commit that is damaged hides what stands behind the damage, and says so.
func TestDamagedCommit(t *testing.T) {
	s := tell(t, 3)
	if err := s.Bucket.Put(t.Context(), deltalog.CommitPath(3), []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	l := of(t, s, s.path)
	if want := []string{life.Added, life.Marked, life.Removed}; !slices.Equal(whats(l), []string{life.Added, life.Marked, life.Removed}) {
		t.Errorf("%v, want %v", whats(l), want)
	}
	if len(l.Notes) == 0 || !strings.Contains(l.Notes[0], "version 3 cannot be read") {
		t.Errorf("%v", l.Notes)
	}
}
