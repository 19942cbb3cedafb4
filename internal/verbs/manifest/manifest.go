// Package manifest is GENERATE symlink_format_manifest: text files that list the
// data files of a table, for engines that read such lists in place of the log.
package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
)

// Dir is the folder of the manifests below a table's root.
const Dir = "_symlink_format_manifest"

// Property has every commit write the manifests again.
const Property = "delta.compatibility.symlinkFormatManifest.enabled"

// Enabled reports whether a table keeps its manifests up to date.
func Enabled(s *snapshot.Snapshot) bool {
	return strings.EqualFold(s.Metadata().Configuration[Property], "true")
}

// Follow is a txn.Hook that keeps the manifests up to date.
func Follow(ctx context.Context, _ *txn.Log, s *snapshot.Snapshot, _ string) error {
	if !Enabled(s) {
		return nil
	}
	s, err := s.Whole(ctx)
	if err != nil {
		return err
	}
	_, err = Generate(ctx, s)
	return err
}

// Result counts what was written.
type Result struct {
	Written int // manifests
	Removed int // manifests of partitions that have no files any more
	Files   int // data files that are listed
}

// Generate writes the manifests of a version: one for each partition, or one for
// a table without partitions, with the address of a data file on each line. They
// are not written together: who reads them meanwhile sees some old and some new.
func Generate(ctx context.Context, s *snapshot.Snapshot) (Result, error) {
	if err := check(s); err != nil {
		return Result{}, err
	}
	want := texts(s)
	res := Result{Files: s.NumFiles()}
	b := s.Bucket()
	for _, key := range keys(want) {
		if err := b.Put(ctx, key, want[key].Bytes()); err != nil {
			return res, fmt.Errorf("the manifest %s of %s: %w", key, b.URL(), err)
		}
		res.Written++
	}
	for o, err := range b.List(ctx, Dir+"/", "") {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return res, err
		}
		if _, keep := want[o.Key]; keep || !strings.HasSuffix(o.Key, "/manifest") {
			continue
		}
		if err := b.Delete(ctx, o.Key); err != nil {
			return res, fmt.Errorf("the manifest %s of %s, of a partition that is empty now: %w", o.Key, b.URL(), err)
		}
		res.Removed++
	}
	return res, nil
}

// check refuses tables whose rows are not those of their files.
func check(s *snapshot.Snapshot) error {
	switch {
	case s.NumDeletionVectors() > 0:
		return refuse("DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS", "%d files of %s have deletion vectors, of which engines that read manifests know nothing: REORG TABLE ... APPLY (PURGE) first", s.NumDeletionVectors(), s.Bucket().URL())
	case feature.ColumnMapping(s.Metadata()) != feature.MappingNone:
		return refuse("DELTA_UNSUPPORTED_MANIFEST_GENERATION_WITH_COLUMN_MAPPING", "the columns of %s have other names in its files, of which engines that read manifests know nothing", s.Bucket().URL())
	}
	return nil
}

// texts are the manifests by their keys.
func texts(s *snapshot.Snapshot) map[string]*bytes.Buffer {
	out := map[string]*bytes.Buffer{}
	columns := s.PartitionColumns()
	if len(columns) == 0 {
		out[Dir+"/manifest"] = &bytes.Buffer{}
	}
	root := strings.TrimRight(s.Bucket().URL(), "/")
	files := s.Files()
	for i := range files.All() {
		key := Dir
		for c, name := range columns {
			value, null := files.Partition(i, c)
			key += "/" + partition.Folder(name, value, null)
		}
		key += "/manifest"
		if out[key] == nil {
			out[key] = &bytes.Buffer{}
		}
		out[key].WriteString(at(root, files.Path(i)) + "\n")
	}
	return out
}

// at is the address of a file, decoded: manifests know no escapes.
func at(root, path string) string {
	if address.Absolute(path) {
		return address.Decode(path)
	}
	return root + "/" + address.Decode(path)
}

func keys(m map[string]*bytes.Buffer) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func refuse(class, format string, args ...any) error {
	return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}
