package clones

import (
	"testing"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

func TestEntries(t *testing.T) {
	ctx, b := t.Context(), storage.NewBucket(memory.New())
	if list, err := List(ctx, b); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
	for _, url := range []string{"file:///b/c", "s3://x/y", "file:///a"} {
		if err := Register(ctx, b, Entry{Clone: url, TableID: "id", Source: 3, Created: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := Register(ctx, b, Entry{Clone: "/b/c/", TableID: "again", Source: 4, Created: 2}); err != nil {
		t.Fatal(err)
	}
	list, err := List(ctx, b)
	if err != nil || len(list) != 3 || list[0].TableID != "again" || list[1].Clone != "file:///a" || list[0].At().UnixMilli() != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for f, err := range deltalog.List(ctx, b, 0) {
		t.Errorf("the log lists %v, %v", f, err)
	}
	for range 2 {
		if err := Forget(ctx, b, "file:/b/c"); err != nil {
			t.Fatal(err)
		}
	}
	if list, err = List(ctx, b); err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	if err := b.Put(ctx, Dir+"/x.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := List(ctx, b); err == nil {
		t.Error("a damaged entry is passed over: its clone would lose files")
	}
	if Register(ctx, b, Entry{Clone: "x"}) == nil {
		t.Error("an entry without a time")
	}
}
