package scan_test

import (
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// remote hides that a driver can read at random, as an object store cannot.
type remote struct{ storage.Driver }

func (remote) URL() string { return "s3://bucket/table" }

// TestRequests: what a read costs an object store.
func TestRequests(t *testing.T) {
	tb := newTable(t)
	tb.bucket = storage.NewBucket(remote{memory.New()})
	tb.src.Bucket = tb.bucket
	small, large := tb.add(t, "small", "small", 1000), tb.add(t, "large", "large", 1_000_000)
	if large.Size < 8<<20 {
		t.Fatalf("the large file has only %d bytes", large.Size)
	}
	for _, c := range []struct {
		name string
		add  *action.Add
		o    scan.Options
		gets int64
	}{
		{"a small file", small, scan.Options{}, 1},
		{"a few rows of a large file", large, scan.Options{Columns: []int{1}, Rows: []scan.Range{{Start: 500_000, End: 500_010}}}, 5},
	} {
		before := tb.bucket.Stats()
		for _, err := range scan.File(t.Context(), env.New(), tb.src, c.add, c.o) {
			if err != nil {
				t.Fatal(err)
			}
		}
		after := tb.bucket.Stats()
		if got := after.Gets - before.Gets; got > c.gets || after.Stats != before.Stats {
			t.Errorf("%s: %d GETs and %d HEADs, want %d and none", c.name, got, after.Stats-before.Stats, c.gets)
		}
		t.Logf("%s: %d of %d bytes", c.name, after.BytesRead-before.BytesRead, c.add.Size)
	}
}
