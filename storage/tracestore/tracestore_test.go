package tracestore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/storage/storetest"
	"github.com/sluicelake/sluice/storage/tracestore"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Subject{New: func(*testing.T) storage.Driver { return tracestore.New(memory.New()) }})
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
GET-RANGE     part-<id1>.parquet [3+2]
STAT          x: object does not exist
DELETE        x
`
	if got := s.Dump(); got != want {
		t.Errorf("dump:\n%s\nwant:\n%s", got, want)
	}
	if s.Count("") != 11 || s.Count("put-if-absent") != 2 || notes != 11 {
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
