package snapshot_test

import (
	"context"
	"iter"
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// torn lists a folder while others create files in it: one is missed, later ones
// are seen.
type torn struct {
	storage.Driver
	missed string
}

func (d *torn) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for o, err := range d.Driver.List(ctx, prefix, after) {
			if o.Key != d.missed && !yield(o, err) {
				return
			}
		}
	}
}

func TestListingMissesACommit(t *testing.T) {
	store := tablekit.Place()
	tablekit.New(t, tablekit.Spec{DDL: "v INT", Driver: store, Files: [][]string{{`{"v":1}`}, {`{"v":2}`}, {`{"v":3}`}}})
	for v := range int64(3) {
		s, err := snapshot.Load(t.Context(), env.New(), storage.NewBucket(&torn{store, deltalog.CommitPath(v)}), snapshot.Latest())
		if err != nil || s.Version() != 3 || s.Files().Len() != 3 {
			t.Errorf("version %d is missed: %v", v, err)
		}
	}
}
