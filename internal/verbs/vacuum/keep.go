package vacuum

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/clones"
	"github.com/sluicelake/sluice/internal/table/feature"
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

// ofClones is the set of what the table's registered shallow clones need. A clone
// that cannot be read may need anything, so it stops the VACUUM.
func ofClones(ctx context.Context, e *env.Env, b *storage.Bucket, now time.Time, o Options) (*hashes, []clones.Entry, error) {
	list, err := clones.List(ctx, b)
	if err != nil || len(list) == 0 {
		return nil, nil, err
	}
	forget := map[string]bool{}
	for _, url := range o.ForgetClones {
		forget[clones.Key(url)] = true
	}
	list = slices.DeleteFunc(list, func(c clones.Entry) bool { return forget[clones.Key(c.Clone)] })
	out := newHashes(0)
	for _, c := range list {
		if err := ofClone(ctx, e, b, c, now, o, out); err != nil {
			if ctx.Err() != nil {
				return nil, nil, err
			}
			return nil, nil, &Error{Class: ClassClone, Table: b.URL(), Msg: fmt.Sprintf("its shallow clone %s, made of version %d, cannot be read, and may need files of this table: %v. "+
				"When the clone is gone for good, forget it (--forget-clone)", c.Clone, c.Source, err)}
		}
	}
	return out, list, nil
}

func ofClone(ctx context.Context, e *env.Env, b *storage.Bucket, c clones.Entry, now time.Time, o Options, out *hashes) (err error) {
	if o.Open == nil {
		return errors.New("nothing was given to open it with")
	}
	cb, err := o.Open(ctx, c.Clone)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cb.Close()) }()
	s, err := snapshot.Load(ctx, e, cb, snapshot.Latest())
	if err != nil {
		return err
	}
	cutoff := now.Add(-feature.DeletedFileRetention(s.Metadata()))
	needs(s, &place{root: b.URL(), src: scan.Source{Bucket: cb}}, cutoff, out.add)
	return nil
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
