package faultstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
	. "github.com/sluicelake/sluice/storage/faultstore"
	_ "github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/storage/storetest"
)

func TestConformanceWithoutFaults(t *testing.T) {
	for name, below := range map[string]func(t *testing.T) storage.Driver{
		"memory": func(*testing.T) storage.Driver { return memory.New() },
		"local":  localStore,
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, storetest.Subject{New: func(t *testing.T) storage.Driver { return New(below(t), nil) }, Rounds: 2, Writers: 8})
		})
	}
}

func localStore(t *testing.T) storage.Driver {
	t.Helper()
	b, err := storage.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return b.Driver()
}

// The calls of a walk fail as others do, and only where there are directories.
func TestWalkFails(t *testing.T) {
	ctx := t.Context()
	if _, ok := storage.NewBucket(New(memory.New(), nil)).Walker(); ok {
		t.Error("a store without directories has some")
	}
	s := New(localStore(t), nil)
	b := storage.NewBucket(s)
	w, ok := b.Walker()
	if !ok {
		t.Fatal("the directories are hidden")
	}
	if err := b.Put(ctx, "d/k", nil); err != nil {
		t.Fatal(err)
	}
	s.SetPlan(func(Call) Fault { return Fault{Err: ErrInjected, Keep: 1} })
	n := 0
	var last error
	for _, err := range w.Walk(ctx, "", func(string) bool { return true }) {
		if last = err; err == nil {
			n++
		}
	}
	if n != 1 || !errors.Is(last, ErrInjected) {
		t.Errorf("Walk: %d entries, then %v", n, last)
	}
	if _, err := w.Look(ctx, "d/k"); !errors.Is(err, ErrInjected) {
		t.Errorf("Look: %v", err)
	}
	s.SetPlan(func(Call) Fault { return Fault{Err: ErrInjected, Done: true} })
	if done, err := w.Remove(ctx, "d/k"); done || !errors.Is(err, ErrInjected) {
		t.Errorf("Remove whose answer is lost: %v, %v", done, err)
	}
	s.SetPlan(nil)
	if done, err := w.Remove(ctx, "d/k"); done || err != nil {
		t.Errorf("Remove again: %v, %v", done, err)
	}
}

func world(plan Plan) (*Store, *storage.Bucket, *memory.Store) {
	m := memory.New()
	s := New(m, plan)
	return s, storage.NewBucket(s), m
}

// TestPuts tries every fault on every operation that writes an object at once.
func TestPuts(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   Fault
		unknown bool
		stored  bool
	}{
		{"fail", Fail(), false, false},
		{"lost", Lost(), true, true},
		{"not sent", NotSent(), true, false},
		{"no space", FailWith(storage.ErrNoSpace), false, false},
	} {
		for _, op := range []Op{OpPutIfAbsent, OpPut, OpCommit} {
			t.Run(c.name+"/"+op.String(), func(t *testing.T) {
				s, b, m := world(Nth(1, op, "k", c.fault))
				ctx := t.Context()
				put := func() error {
					switch op {
					case OpPut:
						return b.Put(ctx, "k", []byte("v"))
					case OpCommit:
						w, err := b.Create(ctx, "k")
						if err != nil {
							return err
						}
						w.Write([]byte("v"))
						return w.Commit()
					}
					return b.PutIfAbsent(ctx, "k", []byte("v"))
				}
				err := put()
				if !errors.Is(err, ErrInjected) || errors.Is(err, storage.ErrOutcomeUnknown) != c.unknown {
					t.Errorf("error %v", err)
				}
				if _, err := m.Stat(ctx, "k"); (err == nil) != c.stored {
					t.Errorf("stored = %v, want %v", err == nil, c.stored)
				}
				if len(s.Hits()) != 1 {
					t.Errorf("hits %v", s.Hits())
				}
				if err := put(); err != nil && !(c.stored && op == OpPutIfAbsent && errors.Is(err, storage.ErrExist)) {
					t.Errorf("the next call: %v", err)
				}
			})
		}
	}
}

func TestNthCountsMatchingCallsOnly(t *testing.T) {
	_, b, _ := world(Nth(2, OpGet, "yes", Fail()))
	ctx := t.Context()
	var got []bool
	for _, key := range []string{"yes", "no", "no", "yes", "yes"} {
		_, _, err := b.Get(ctx, key)
		got = append(got, errors.Is(err, ErrInjected))
	}
	if want := []bool{false, false, false, true, false}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("failures %v, want %v", got, want)
	}
}

func TestFromAndFirst(t *testing.T) {
	s, b, _ := world(First(Nth(1, OpPut, "", Fail()), From(3, OpsAll, FailWith(storage.ErrPermission))))
	ctx := t.Context()
	if err := b.Put(ctx, "a", nil); !errors.Is(err, ErrInjected) {
		t.Error(err)
	}
	if err := b.Put(ctx, "a", nil); err != nil {
		t.Error(err)
	}
	for range 3 {
		if _, err := b.Stat(ctx, "a"); !errors.Is(err, storage.ErrPermission) {
			t.Error(err)
		}
	}
	s.SetPlan(nil)
	if _, err := b.Stat(ctx, "a"); err != nil {
		t.Error(err)
	}
	if s.Calls() != 6 {
		t.Errorf("%d calls", s.Calls())
	}
}

func TestPartial(t *testing.T) {
	ctx := t.Context()
	s, b, m := world(Nth(1, OpWrite, "", Partial(3)))
	w, err := b.Create(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write([]byte("12345")); n != 3 || !errors.Is(err, ErrInjected) {
		t.Errorf("Write = %d, %v", n, err)
	}
	w.Abort()
	for _, k := range []string{"a", "b", "c"} {
		m.Put(ctx, k, nil)
	}
	for keep, want := range []int{0, 1, 2, 3, 3} {
		s.SetPlan(Every(OpList, "", Partial(keep)))
		n := 0
		var last error
		for _, err := range b.List(ctx, "", "") {
			if err == nil {
				n++
			}
			last = err
		}
		if n != want || !errors.Is(last, ErrInjected) {
			t.Errorf("List stopped after %d of %d, %v", n, keep, last)
		}
	}
}

func TestGate(t *testing.T) {
	g := NewGate()
	_, b, m := world(Nth(1, OpPutIfAbsent, "", Hold(g)))
	done := make(chan error)
	go func() { done <- b.PutIfAbsent(t.Context(), "k", []byte("slow")) }()
	if c := <-g.Arrived(); c.Key != "k" || c.Op != OpPutIfAbsent {
		t.Errorf("arrived: %v", c)
	}
	if err := b.PutIfAbsent(t.Context(), "k", []byte("fast")); err != nil {
		t.Error(err)
	}
	g.Open()
	g.Open()
	if err := <-done; !errors.Is(err, storage.ErrExist) {
		t.Errorf("the held call: %v", err)
	}
	if got, _, _ := m.Get(t.Context(), "k"); string(got) != "fast" {
		t.Errorf("stored %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s2, b2, _ := world(Every(OpsAll, "", Hold(NewGate())))
	go cancel()
	if err := b2.Put(ctx, "k", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call at a gate: %v", err)
	}
	_ = s2
}

func TestDelay(t *testing.T) {
	s, b, _ := world(Every(OpStat, "", Delay(time.Hour)))
	var slept time.Duration
	s.SetSleep(func(_ context.Context, d time.Duration) error { slept += d; return nil })
	b.Stat(t.Context(), "k")
	if slept != time.Hour {
		t.Errorf("slept %v", slept)
	}
	s.SetSleep(func(context.Context, time.Duration) error { return context.DeadlineExceeded })
	if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an interrupted delay: %v", err)
	}
}

// TestOneOfMany: exactly one of concurrent calls is the k-th.
func TestOneOfMany(t *testing.T) {
	s, b, _ := world(Nth(17, OpPut, "", Fail()))
	var wg sync.WaitGroup
	var failed sync.Map
	for i := range 50 {
		wg.Go(func() {
			if err := b.Put(t.Context(), fmt.Sprint(i), nil); err != nil {
				failed.Store(i, err)
			}
		})
	}
	wg.Wait()
	n := 0
	failed.Range(func(any, any) bool { n++; return true })
	if n != 1 || len(s.Hits()) != 1 || s.Hits()[0].Number != 17 {
		t.Errorf("%d failures, hits %v", n, s.Hits())
	}
}
