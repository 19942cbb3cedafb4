package sluice

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// Head is what a version says of its table apart from the files.
type Head struct{ h *snapshot.Head }

// Head reads a version of the table, the newest one without At, but not its
// files: it costs little however many these are. Use it to look at the schema or
// properties; damage among the files of the log goes unnoticed. With
// WithLazyOpen nothing else is read.
func (t *Table) Head(ctx context.Context, at ...At) (*Head, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	if len(at) > 1 {
		return nil, fmt.Errorf("table %s: a head is taken at one version: several were given", t.URL())
	}
	want := snapshot.Latest()
	if len(at) == 1 {
		want = at[0].at
	}
	h, err := snapshot.LoadHead(ctx, t.config.env, t.log.Bucket(), want)
	if err != nil {
		return nil, t.fail("open", err)
	}
	return &Head{h}, nil
}

// Version is the version's number.
func (h *Head) Version() int64 { return h.h.Version() }

// Timestamp is when the version was committed, see Snapshot.Timestamp.
func (h *Head) Timestamp() time.Time { return h.h.Timestamp() }

// Schema is the table's schema, with logical names.
func (h *Head) Schema() *types.Struct { return h.h.Schema() }

// PartitionColumns are the columns by which the table is partitioned.
func (h *Head) PartitionColumns() []string { return slices.Clone(h.h.PartitionColumns()) }

// Properties are the table's properties.
func (h *Head) Properties() map[string]string { return maps.Clone(h.h.Metadata().Configuration) }

// Metadata is the table's metadata action. It must not be changed.
func (h *Head) Metadata() *action.Metadata { return h.h.Metadata() }

// Protocol is the table's protocol action. It must not be changed.
func (h *Head) Protocol() *action.Protocol { return h.h.Protocol() }

// TxnVersion returns the last version that an application committed.
func (h *Head) TxnVersion(appID string) (int64, bool) {
	t, ok := h.h.Txns()[appID]
	return t.Version, ok
}

// NumFiles is the number of live data files; ok is false when only reading the
// files can tell.
func (h *Head) NumFiles() (n int64, ok bool) { return h.h.NumFiles() }

// SizeInBytes is the size of the live data files, see NumFiles.
func (h *Head) SizeInBytes() (n int64, ok bool) { return h.h.SizeInBytes() }
