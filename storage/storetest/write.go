package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluicelake/sluice/storage"
)

func create(t *testing.T, w *world) {
	ctx := t.Context()
	var want []byte
	out, err := w.Create(ctx, "p=1/q=2/file.parquet")
	w.must(t, err)
	for i := range 300 {
		part := bytes.Repeat([]byte{byte(i)}, i*7)
		want = append(want, part...)
		n, err := out.Write(part)
		w.must(t, err)
		if n != len(part) {
			t.Fatalf("Write took %d of %d bytes", n, len(part))
		}
	}
	if _, err := w.Stat(ctx, "p=1/q=2/file.parquet"); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("the object shows before Commit: %v", err)
	}
	wantKeys(t, "List before Commit", w.list(t, "", ""), nil)
	w.must(t, out.Commit())
	got, _, err := w.Get(ctx, "p=1/q=2/file.parquet")
	w.must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("read %d bytes that differ from the %d streamed", len(got), len(want))
	}
	if err := out.Abort(); err != nil {
		t.Errorf("Abort after Commit: %v", err)
	}
	if out.Commit() == nil {
		t.Error("a second Commit succeeded")
	}
	wantKeys(t, "List after Commit and Abort", w.list(t, "", ""), []string{"p=1/q=2/file.parquet"})

	empty, err := w.Create(ctx, "empty")
	w.must(t, err)
	w.must(t, empty.Commit())
	if o, err := w.Stat(ctx, "empty"); err != nil || o.Size != 0 {
		t.Errorf("an empty streamed object: %+v, %v", o, err)
	}
}

func createAbort(t *testing.T, w *world) {
	out, err := w.Create(t.Context(), "d/k")
	w.must(t, err)
	_, err = out.Write(make([]byte, 100_000))
	w.must(t, err)
	w.must(t, out.Abort())
	if _, err := out.Write([]byte("x")); err == nil {
		t.Error("Write after Abort succeeded")
	}
	if err := out.Commit(); err == nil {
		t.Error("Commit after Abort succeeded")
	}
	wantKeys(t, "List after Abort", w.list(t, "", ""), nil)
}

// race lets many writers put the same key: exactly one wins and its bytes stay.
func race(t *testing.T, w *world) { runRace(t, w, []*storage.Bucket{w.Bucket}) }

// raceOfHandles is the race between handles that share no memory of each other.
func raceOfHandles(t *testing.T, w *world) {
	if w.Again == nil {
		t.Skip("the driver cannot open one place twice")
	}
	handles := []*storage.Bucket{w.Bucket}
	for range 3 {
		d := w.Again(t, w.driver)
		t.Cleanup(func() { d.Close() })
		handles = append(handles, storage.NewBucket(d))
	}
	runRace(t, w, handles)
}

func runRace(t *testing.T, w *world, handles []*storage.Bucket) {
	ctx := t.Context()
	for round := range w.Rounds {
		key := fmt.Sprintf("_delta_log/%020d.json", round)
		var wg sync.WaitGroup
		var winners atomic.Int32
		var winner atomic.Value
		start := make(chan struct{})
		for i := range w.Writers {
			wg.Go(func() {
				data := fmt.Sprintf("writer %d of round %d", i, round)
				<-start
				switch err := handles[i%len(handles)].PutIfAbsent(ctx, key, []byte(data)); {
				case err == nil:
					winners.Add(1)
					winner.Store(data)
				case !errors.Is(err, storage.ErrExist):
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		close(start)
		wg.Wait()
		if winners.Load() != 1 {
			t.Fatalf("round %d: %d writers believe that they won", round, winners.Load())
		}
		for _, h := range handles {
			if got, _, err := h.Get(ctx, key); err != nil || string(got) != winner.Load() {
				t.Fatalf("round %d: stored %q, %v; the winner is %q", round, got, err, winner.Load())
			}
		}
	}
}

// neverPartial reads and lists while objects are created and replaced.
func neverPartial(t *testing.T, w *world) {
	ctx := t.Context()
	const size = 1 << 18
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		defer close(stop)
		for i := range 20 {
			data := bytes.Repeat([]byte{byte('a' + i)}, size)
			w.must(t, w.Put(ctx, "put", data))
			w.must(t, w.PutIfAbsent(ctx, fmt.Sprintf("new-%02d", i), data))
		}
	})
	for {
		for o, err := range w.List(ctx, "", "") {
			w.must(t, err)
			if o.Size != size {
				t.Fatalf("List shows %s with %d of %d bytes", o.Key, o.Size, size)
			}
			got, _, err := w.Get(ctx, o.Key)
			w.must(t, err)
			if len(got) != size || bytes.Count(got, got[:1]) != size {
				t.Fatalf("%s is a mixture or partial: %d bytes", o.Key, len(got))
			}
		}
		select {
		case <-stop:
			wg.Wait()
			return
		default:
		}
	}
}

// readYourWrites checks that each acknowledged change shows at once, everywhere.
func readYourWrites(t *testing.T, w *world) {
	ctx := t.Context()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				key := fmt.Sprintf("w%d/%03d", i, j)
				if err := w.PutIfAbsent(ctx, key, []byte(key)); err != nil {
					t.Error(err)
					return
				}
				n := 0
				for _, err := range w.List(ctx, fmt.Sprintf("w%d/", i), "") {
					if err == nil {
						n++
					}
				}
				if n != j+1 {
					t.Errorf("List shows %d objects after %d were put", n, j+1)
				}
				if got, _, err := w.Get(ctx, key); err != nil || string(got) != key {
					t.Errorf("Get %s after its put: %q, %v", key, got, err)
				}
			}
		})
	}
	wg.Wait()
}
