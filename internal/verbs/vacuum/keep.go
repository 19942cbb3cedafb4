package vacuum

import (
	"context"
	"errors"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// place tells which key below the root of the table being vacuumed an address in
// some log means.
type place struct {
	root string      // of the table being vacuumed
	src  scan.Source // of the table whose log it is
	home bool        // both are the same table
}

// of gives the keys that a path of the log may mean: one that is written without
// escapes, against the protocol, stands for itself too.
func (p *place) of(path string, keep func(key string)) {
	if p.home {
		if key, err := p.src.Locate(path); err == nil {
			keep(key)
			if key != path {
				if plain, ok := address.Key(path); ok {
					keep(plain)
				}
			}
		}
		return
	}
	if rest, ok := address.Below(path, p.root); ok && address.Absolute(path) {
		if key, ok := address.Key(rest); ok {
			keep(key)
		}
	}
}

func (p *place) vector(d *action.DeletionVector, keep func(key string)) {
	if d == nil || d.StorageType == dv.Inline {
		return
	}
	at, err := dv.Locate(d, p.src.Bucket.URL())
	if p.home {
		if at.Key != "" {
			keep(at.Key)
		}
		return
	}
	var outside *dv.OutsideError
	if errors.As(err, &outside) {
		p.of(outside.Path, keep)
	}
}

// needs gives the keys that a version needs: live files, files removed at or after
// the cutoff, and their deletion vectors.
func needs(s *snapshot.Snapshot, p *place, cutoff time.Time, keep func(key string)) {
	files := s.Files()
	for i := range files.All() {
		p.of(files.Path(i), keep)
		p.vector(files.DV(i), keep)
	}
	limit := cutoff.UnixMilli()
	for r := range s.Tombstones() {
		if removedAt(r) >= limit {
			p.of(r.Path, keep)
			p.vector(r.DeletionVector, keep)
		}
	}
}

// removedAt is the time of a tombstone; without one it has run out.
func removedAt(r *action.Remove) int64 {
	if r.DeletionTimestamp == nil {
		return 0
	}
	return *r.DeletionTimestamp
}

// home is the set of what the table itself needs.
func home(s *snapshot.Snapshot, cutoff time.Time) *hashes {
	out := newHashes(s.NumFiles() + s.NumDeletionVectors() + s.NumTombstones())
	needs(s, &place{root: s.Bucket().URL(), src: scan.Source{Bucket: s.Bucket()}, home: true}, cutoff, out.add)
	return out
}

// window is what the commits at or after the cutoff name: files that they removed
// and change data.
type window struct{ removed, changes *hashes }

// readWindow reads these commits. It is needed where the newest version does not
// know enough: of change data it knows nothing, and checkpoints drop tombstones
// that are older than the table's own retention.
func readWindow(ctx context.Context, s *snapshot.Snapshot, cutoff time.Time) (*window, error) {
	b := s.Bucket()
	w := &window{newHashes(0), newHashes(0)}
	p := &place{root: b.URL(), src: scan.Source{Bucket: b}, home: true}
	limit := cutoff.UnixMilli()
	var versions []int64
	for f, err := range deltalog.List(ctx, b, 0) {
		if err != nil {
			return nil, err
		}
		if f.Kind == deltalog.Commit && f.Version <= s.Version() && (len(versions) > 0 || !f.Object.ModTime.Before(cutoff)) {
			versions = append(versions, f.Version)
		}
	}
	for _, v := range versions {
		data, _, err := deltalog.ReadCommit(ctx, b, v)
		if errors.Is(err, storage.ErrNotExist) {
			continue // cleaned up meanwhile
		}
		if err != nil {
			return nil, err
		}
		err = action.Scan(data, deltalog.CommitPath(v), &action.Handler{
			Remove: func(f *action.File) error {
				r, err := f.Remove()
				if err == nil && removedAt(r) >= limit {
					p.of(r.Path, w.removed.add)
					p.vector(r.DeletionVector, w.removed.add)
				}
				return err
			},
			CDC: func(c *action.AddCDC) error {
				p.of(c.Path, w.changes.add)
				return nil
			},
		})
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}
