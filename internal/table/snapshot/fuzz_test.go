package snapshot_test

import (
	"context"
	"testing"

	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
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
