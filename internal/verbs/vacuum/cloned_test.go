package vacuum_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/clones"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/clone"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage"
)

// lake is some places, by their addresses.
type lake map[string]storage.Driver

func (l lake) open(_ context.Context, url string) (*storage.Bucket, error) {
	if d := l[strings.TrimRight(url, "/")]; d != nil {
		return storage.NewBucket(d), nil
	}
	return nil, fmt.Errorf("there is no %s", url)
}

// deletedLongAgo is a table whose version 2 has a file that went long ago.
func deletedLongAgo(t *testing.T) *world {
	t.Helper()
	w, err := newWorld(t.Context(), tablekit.Spec{DDL: "k INT, p STRING, v INT", Properties: tablekit.WithoutVectors(), Files: [][]string{{rowsOfA}, {rowsOfB}}})
	if err == nil {
		err = w.change("DELETE FROM t WHERE k = 1")
	}
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.now.Pass(1000 * time.Hour)
	return w
}

// shallow clones a version of the table at one place to another.
func (w *world) shallow(ctx context.Context, l lake, from storage.Driver, version int64, to storage.Driver) error {
	e := *w.Env
	var prefixes []address.Place
	for url := range l {
		prefixes = append(prefixes, address.Place{Prefix: url})
	}
	var err error
	if e.Outside, err = address.Allow(prefixes, l.open); err != nil {
		return err
	}
	s, err := snapshot.Load(ctx, &e, storage.NewBucket(from), snapshot.Version(version))
	if err != nil {
		return err
	}
	log := txn.NewLog(&e, storage.NewBucket(to), txn.Policy{NoChecksum: true, NoCheckpoint: true})
	defer log.Close(ctx)
	_, err = clone.Run(ctx, log, clone.Spec{Source: s}, txn.Options{})
	return err
}

// rowsOf reads a clone.
func (w *world) rowsOf(ctx context.Context, l lake, at storage.Driver) ([]string, error) {
	e := *w.Env
	var prefixes []address.Place
	for url := range l {
		prefixes = append(prefixes, address.Place{Prefix: url})
	}
	var err error
	if e.Outside, err = address.Allow(prefixes, l.open); err != nil {
		return nil, err
	}
	s, err := snapshot.Load(ctx, &e, storage.NewBucket(at), snapshot.Latest())
	if err != nil {
		return nil, err
	}
	return tablekit.Rows(ctx, s)
}

func newLake(places ...storage.Driver) lake {
	l := lake{}
	for _, p := range places {
		l[strings.TrimRight(storage.NewBucket(p).URL(), "/")] = p
	}
	return l
}

// TestUnfinishedClones: a clone that was entered and is not there keeps the files of
// the version that it is made of for as long as any writer may take, and no longer.
func TestUnfinishedClones(t *testing.T) {
	ctx := t.Context()
	w := deletedLongAgo(t)
	place := tablekit.Place()
	o := vacuum.Options{Open: newLake(place).open}
	e := clones.Entry{Clone: storage.NewBucket(place).URL(), TableID: "x", Source: 2, Created: w.now.Now().UnixMilli(), Pending: true}
	if err := clones.Register(ctx, w.Bucket, e); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []vacuum.Spec{{DryRun: true}, {}} {
		if res, err := vacuum.Run(ctx, w.Log, spec, o); err != nil || res.Found != 0 || res.Cloned != 1 {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	w.now.Pass(8 * 24 * time.Hour)
	for _, spec := range []vacuum.Spec{{DryRun: true}, {}} {
		res, err := vacuum.Run(ctx, w.Log, spec, o)
		if err != nil || res.Found != 1 || len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "never finished") {
			t.Fatalf("%+v, %v", res, err)
		}
		if list, err := clones.List(ctx, w.Bucket); err != nil || (len(list) == 1) != spec.DryRun {
			t.Errorf("%v, %v", list, err)
		}
	}
	// A clone that was finished and is not there may be somewhere that is away.
	e.Pending = false
	if err := clones.Register(ctx, w.Bucket, e); err != nil {
		t.Fatal(err)
	}
	w.now.Pass(8 * 24 * time.Hour)
	if _, err := vacuum.Run(ctx, w.Log, vacuum.Spec{}, o); classOf(err) != vacuum.ClassClone {
		t.Error(err)
	}
}

// TestClonesOfClones keep the files of the first table too.
func TestClonesOfClones(t *testing.T) {
	ctx := t.Context()
	w := deletedLongAgo(t)
	one, two := tablekit.Place(), tablekit.Place()
	l := newLake(w.Bucket.Driver(), one, two)
	for _, step := range []func() error{
		func() error { return w.shallow(ctx, l, w.Bucket.Driver(), 2, one) },
		func() error { return w.shallow(ctx, l, one, 0, two) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	// The first clone gives its files up: only the second reads them.
	e := *w.Env
	first := txn.NewLog(&e, storage.NewBucket(one), txn.Policy{NoChecksum: true, NoCheckpoint: true})
	defer first.Close(ctx)
	k := *w
	kit := *w.Kit
	kit.Log, kit.Bucket = first, first.Bucket()
	k.Kit = &kit
	if err := k.change("DELETE FROM t"); err != nil {
		t.Fatal(err)
	}
	w.now.Pass(1000 * time.Hour)
	res, err := vacuum.Run(ctx, w.Log, vacuum.Spec{}, vacuum.Options{Open: l.open})
	if err != nil || res.Found != 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	if rows, err := w.rowsOf(ctx, l, two); err != nil || !slices.Equal(rows, []string{rowsOfA, rowsOfB}) {
		t.Errorf("%v, %v", rows, err)
	}
}

// TestCloneOfAnotherProcess: a clone of an old version, at every call of a VACUUM,
// has all its files or is refused.
func TestCloneOfAnotherProcess(t *testing.T) {
	ctx := t.Context()
	done, refused := 0, 0
	for call, more := 1, true; more; call++ {
		w := deletedLongAgo(t)
		place := tablekit.Place()
		l := newLake(w.Bucket.Driver(), place)
		var made, one error
		more, one, _ = between(w, call, func(log *txn.Log) error {
			_, err := vacuum.Run(ctx, log, vacuum.Spec{}, vacuum.Options{Open: l.open})
			return err
		}, func(*txn.Log) error {
			made = w.shallow(ctx, l, w.Bucket.Driver(), 2, place)
			return nil
		})
		if one != nil {
			t.Errorf("call %d: %v", call, one)
		}
		if !more {
			break
		}
		if made != nil {
			refused++
			if text := made.Error(); !strings.Contains(text, "SLUICE_CLONE_DURING_VACUUM") && !strings.Contains(text, "SLUICE_CLONE_MISSING_FILES") {
				t.Errorf("call %d: %v", call, made)
			}
			continue
		}
		done++
		if rows, err := w.rowsOf(ctx, l, place); err != nil || !slices.Equal(rows, []string{rowsOfA, rowsOfB}) {
			t.Errorf("call %d: %v, %v", call, rows, err)
		}
	}
	if t.Logf("%d cloned, %d refused", done, refused); done == 0 || refused == 0 {
		t.Error("not both happen")
	}
}
