package scan_test

import (
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/types"
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

// TestRequestsOfConditions: what few rows of a large file with one row group cost
// an object store.
func TestRequestsOfConditions(t *testing.T) {
	tb, add, _ := large(t, remote{memory.New()})
	id := func(op string, v int64) expr.Expr {
		return &expr.Call{Fn: op, T: types.Boolean, Args: []expr.Expr{&expr.Column{Ref: 1, T: types.Long}, &expr.Literal{Value: v, T: types.Long}}}
	}
	odd := &expr.Call{Fn: "=", T: types.Boolean, Args: []expr.Expr{&expr.Call{Fn: "&", T: types.Long, Args: []expr.Expr{&expr.Column{Ref: 1, T: types.Long}, &expr.Literal{Value: int64(1 << 17), T: types.Long}}}, &expr.Literal{Value: int64(0), T: types.Long}}}
	for _, c := range []struct {
		name  string
		o     scan.Options
		rows  int
		gets  int64
		bytes int64
	}{
		{"a row by its key", scan.Options{Filter: id("=", 250_000)}, 1, 3, 4 << 20},
		{"the first rows", scan.Options{Limit: 10}, 10, 3, 4 << 20},
		{"a count", scan.Options{Columns: []int{}, Filter: odd}, 262_144, 2, 5 << 20},
		{"stretches of rows that statistics do not tell", scan.Options{Filter: expr.And(odd, id("<", 300_000))}, 168_928, 5, 30 << 20},
		{"no row", scan.Options{Filter: id("=", -5)}, 0, 1, 128 << 10},
	} {
		before := tb.bucket.Stats()
		rows := 0
		for b, err := range scan.File(t.Context(), env.New(), tb.src, add, c.o) {
			if err != nil {
				t.Fatal(err)
			}
			rows += b.Rows
		}
		after := tb.bucket.Stats()
		gets, read := after.Gets-before.Gets, after.BytesRead-before.BytesRead
		if rows != c.rows || gets > c.gets || read > c.bytes || after.Stats != before.Stats {
			t.Errorf("%s: %d rows, %d GETs of %d bytes; want %d rows, %d GETs of %d bytes", c.name, rows, gets, read, c.rows, c.gets, c.bytes)
		}
		t.Logf("%s: %d GETs, %d of %d bytes", c.name, gets, read, add.Size)
	}
}
