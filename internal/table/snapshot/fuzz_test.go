package snapshot_test

import (
	"context"
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// FuzzCommit: whatever a commit holds, it is refused, or everything in the
// version can be looked at.
func FuzzCommit(f *testing.F) {
	f.Add([]byte(addLine("a") + "\n" + removeLine("b") + "\n" + dvLine("c", 1)))
	f.Add([]byte(`{"add":{"path":"a","partitionValues":{"p":{}},"size":1}}`))
	f.Add([]byte(`{"add":{"path":"a%zz%20","tags":{"a":[1]},"stats":{"numRecords":"x"},"baseRowId":"7","x":{"y":null}}}`))
	f.Add([]byte(`{"remove":{"path":"file:///a","tags":null,"size":"-1","deletionVector":{"storageType":"u"}}}` + "\n" + `{"txn":{"appId":"","version":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newTable(t)
		w.start("a", "b")
		s, err := w.load(snapshot.Latest()).Apply(1, nil, data, storage.Object{})
		if err != nil {
			return
		}
		n := 0
		for i := range s.Files().All() {
			a := s.Files().Add(i)
			if j, ok := s.Files().Find(a.Path, a.DeletionVector.ID()); !ok || i != j {
				t.Fatalf("%q: Find gives %d, %v, want %d", a.Path, j, ok, i)
			}
			n++
		}
		for r := range s.Tombstones() {
			_ = r.Path
		}
		if n != s.NumFiles() {
			t.Fatalf("%d files yielded, want %d", n, s.NumFiles())
		}
		if err := snapshot.WriteCheckpoint(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		if err := w.b.Put(context.Background(), commitPath(1), data); err != nil {
			t.Fatal(err)
		}
		again := w.load(snapshot.Latest())
		if again.NumFiles() != n || again.SizeInBytes() != s.SizeInBytes() {
			t.Fatalf("from its checkpoint: %v, want %v", again, s)
		}
	})
}

// FuzzChecksum: whatever a version checksum holds, the head that it gives is
// that of a table, and the files are those of the log.
func FuzzChecksum(f *testing.F) {
	w := &table{t: f, b: storage.NewBucket(memory.New()), env: env.New()}
	w.start("a")
	w.commit(1, protocolLine, metadataLine, addLine("b"))
	if err := w.load(snapshot.Latest()).WriteChecksum(context.Background(), "id"); err != nil {
		f.Fatal(err)
	}
	data, _, err := w.b.Get(context.Background(), "_delta_log/00000000000000000001.crc")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"numFiles":1,"numMetadata":1,"numProtocol":1,"setTransactions":[{}],"domainMetadata":[null],"metadata":null,"protocol":7}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newTable(t)
		w.start("a")
		w.commit(1, protocolLine, metadataLine, addLine("b"))
		w.put("_delta_log/00000000000000000001.crc", string(data))
		if s := w.load(snapshot.Latest()); paths(s) != "a b" {
			t.Fatal(paths(s))
		}
		h, err := snapshot.LoadHead(context.Background(), w.env, w.b, snapshot.Latest())
		if err != nil {
			t.Fatal(err)
		}
		// The commit has protocol and metadata, so no checksum can change them.
		if h.Metadata().ID != "t" || len(h.Schema().Fields) != 2 {
			t.Fatalf("%+v", h.Metadata())
		}
	})
}
