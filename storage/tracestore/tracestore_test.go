package tracestore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
	_ "github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/storage/storetest"
	"github.com/sluicelake/sluice/storage/tracestore"
)

func TestConformance(t *testing.T) {
	for name, below := range map[string]func(t *testing.T) storage.Driver{
		"memory": func(*testing.T) storage.Driver { return memory.New() },
		"local":  localStore,
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, storetest.Subject{New: func(t *testing.T) storage.Driver { return tracestore.New(below(t)) }, Rounds: 2, Writers: 8})
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

// A traced store has what the store below has, nothing more; as a far one it has nothing.
func TestOptional(t *testing.T) {
	type has struct{ walks, near bool }
	of := func(d storage.Driver) has {
		b := storage.NewBucket(d)
		_, walks := b.Walker()
		return has{walks, b.Near()}
	}
	for _, d := range []storage.Driver{memory.New(), localStore(t)} {
		if got, want := of(tracestore.New(tracestore.New(d))), of(d); got != want {
			t.Errorf("%T: %+v with the trace, %+v without", d, got, want)
		}
		if got := of(tracestore.New(d, tracestore.AsFar())); got != (has{}) {
			t.Errorf("%T as a far store: %+v", d, got)
		}
	}
	trace := tracestore.New(localStore(t))
	b := storage.NewBucket(trace)
	if err := b.PutHint(t.Context(), "d/k", []byte("12345")); err != nil {
		t.Fatal(err)
	}
	w, _ := b.Walker()
	for range w.Walk(t.Context(), "", func(string) bool { return true }) {
	}
	w.Look(t.Context(), "d/k")
	w.Remove(t.Context(), "d")
	want := "PUT-IF-ABSENT d/k (5 bytes)\nLIST          * (2 objects)\nSTAT          d/k\nDELETE        d\n"
	if got := trace.Dump(); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

func TestDump(t *testing.T) {
	ctx := t.Context()
	tick := time.Unix(0, 0)
	now := func() time.Time { tick = tick.Add(time.Millisecond); return tick }
	notes := 0
	s := tracestore.New(memory.New(), tracestore.WithClock(now), tracestore.WithNote(func(tracestore.Entry) { notes++ }))
	b := storage.NewBucket(s)
	w, _ := b.Create(ctx, "part-0b4e1f6a-1111-4222-8333-123456789abc.parquet")
	w.Write([]byte("12345"))
	w.Commit()
	w.Abort()
	w, _ = b.Create(ctx, "part-ffffffff-1111-4222-8333-123456789abc.parquet")
	w.Abort()
	b.PutIfAbsent(ctx, "_delta_log/0.json", []byte("123"))
	b.PutIfAbsent(ctx, "_delta_log/0.json", []byte("123"))
	b.Put(ctx, "_delta_log/_last_checkpoint", nil)
	for range b.List(ctx, "_delta_log/", "") {
	}
	b.Get(ctx, "_delta_log/0.json")
	b.Get(ctx, "_delta_log/1.json")
	r, _ := b.OpenReader(ctx, "part-0b4e1f6a-1111-4222-8333-123456789abc.parquet", 5)
	r.ReadAt(make([]byte, 2), 3)
	b.Stat(ctx, "x")
	b.Delete(ctx, "x")
	want := `CREATE        part-<id1>.parquet (5 bytes)
ABORT         part-<id2>.parquet (0 bytes)
PUT-IF-ABSENT _delta_log/0.json (3 bytes)
PUT-IF-ABSENT _delta_log/0.json: object already exists
PUT           _delta_log/_last_checkpoint (0 bytes)
LIST          _delta_log/* (2 objects)
GET           _delta_log/0.json (3 bytes)
GET           _delta_log/1.json: object does not exist
OPEN          part-<id1>.parquet
GET-RANGE     part-<id1>.parquet [3+2]
STAT          x: object does not exist
DELETE        x
`
	if got := s.Dump(); got != want {
		t.Errorf("dump:\n%s\nwant:\n%s", got, want)
	}
	if s.Count("") != 12 || s.Count("put-if-absent") != 2 || notes != 12 {
		t.Errorf("%d calls, %d conditional puts, %d notes", s.Count(""), s.Count("put-if-absent"), notes)
	}
	if sum := s.Summary(); !strings.Contains(sum, "put-if-absent      2 calls    1 failed            6 bytes          2ms") {
		t.Errorf("summary:\n%s", sum)
	}
	s.Reset()
	if s.Dump() != "" {
		t.Error("Reset kept entries")
	}
}
