package vacuum

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// lastInfoPath is where the reference notes how far VACUUM has come.
const lastInfoPath = deltalog.Dir + "/_last_vacuum_info"

// lastInfo is its content: up to which version the files that commits removed are
// gone.
type lastInfo struct {
	Version *int64 `json:"latestCommitVersionOutsideOfRetentionWindow,omitempty"`
}

// readLast is the version up to which the table was vacuumed, -1 when nobody says.
// A file that cannot be understood says nothing.
func readLast(ctx context.Context, b *storage.Bucket) (int64, error) {
	data, _, err := b.Get(ctx, lastInfoPath)
	if errors.Is(err, storage.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	var i lastInfo
	if json.Unmarshal(data, &i) != nil || i.Version == nil || *i.Version < 0 {
		return -1, nil
	}
	return *i.Version, nil
}

func writeLast(ctx context.Context, b *storage.Bucket, version int64) error {
	var i lastInfo
	if version >= 0 {
		i.Version = &version
	}
	data, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return b.Put(ctx, lastInfoPath, append(data, '\n'))
}

// outsideWindow is the newest version committed at or before the cutoff, -1 for
// none.
func (f *finder) outsideWindow() (int64, error) {
	v, err := snapshot.VersionAt(f.ctx, f.env, f.bucket, f.cutoff)
	var at *snapshot.VersionError
	if errors.As(err, &at) {
		if at.Class == "DELTA_TIMESTAMP_GREATER_THAN_COMMIT" {
			return f.snap.Version(), nil
		}
		return -1, nil
	}
	return min(v, f.snap.Version()), err
}

// fromLog takes what commits removed that left the window since the last VACUUM.
func (f *finder) fromLog(end int64) error {
	f.res.FirstRead, f.res.LastRead, f.res.Directories = -1, -1, 1
	if end < 0 {
		return nil
	}
	earliest := int64(-1)
	for c, err := range deltalog.List(f.ctx, f.bucket, 0) {
		if err != nil {
			return err
		}
		if c.Kind == deltalog.Commit {
			earliest = c.Version
			break
		}
	}
	last, err := readLast(f.ctx, f.bucket)
	if err != nil {
		return err
	}
	if earliest != 0 && last < earliest {
		return &Error{Class: ClassLite, Table: f.bucket.URL(), Msg: fmt.Sprintf("VACUUM LITE cannot delete all eligible files as some files are not referenced by the Delta log: "+
			"the commits before version %d were cleaned up, and none of them is known to have been vacuumed. Run VACUUM FULL, which lists the table", earliest)}
	}
	first := max(last+1, earliest)
	if first > end {
		return nil
	}
	f.res.FirstRead, f.res.LastRead = first, end
	seen := newHashes(0)
	for v := first; v <= end; v++ {
		keys, err := f.removedBy(v, seen)
		if err != nil {
			return err
		}
		if err := f.check(keys); err != nil {
			return err
		}
	}
	return nil
}

// removedBy lists the keys that a commit made superfluous and that may go.
func (f *finder) removedBy(version int64, seen *hashes) (keys []string, err error) {
	data, _, err := deltalog.ReadCommit(f.ctx, f.bucket, version)
	if errors.Is(err, storage.ErrNotExist) {
		return nil, &Error{Class: ClassLite, Table: f.bucket.URL(), Msg: fmt.Sprintf("the commit of version %d is not in the log any more. Run VACUUM FULL, which lists the table", version)}
	}
	if err != nil {
		return nil, err
	}
	p := &place{root: f.bucket.URL(), src: scan.Source{Bucket: f.bucket}, home: true}
	offer := func(key string) {
		if seen.has(key) {
			return
		}
		seen.add(key)
		f.res.Listed++
		f.tell()
		switch {
		case f.names.hiddenKey(key):
			f.res.Outside++
		case !f.needed(key):
			keys = append(keys, key)
		}
	}
	one := func(path string) {
		if key, err := p.src.Locate(path); err == nil {
			offer(key)
		} else {
			f.res.Outside++
		}
	}
	err = action.Scan(data, deltalog.CommitPath(version), &action.Handler{
		Remove: func(file *action.File) error {
			r, err := file.Remove()
			if err != nil {
				return err
			}
			if removedAt(r) < f.cutoff.UnixMilli() {
				one(r.Path)
				p.vector(r.DeletionVector, offer)
			}
			return nil
		},
		CDC: func(c *action.AddCDC) error {
			one(c.Path)
			return nil
		},
	})
	return keys, err
}

// check looks which of the keys are there, and how old they are, many at a time.
func (f *finder) check(keys []string) error {
	objs := make([]storage.Object, len(keys))
	errs := make([]error, len(keys))
	turns := make(chan struct{}, 4*max(f.env.Workers, 1))
	var wg sync.WaitGroup
	w, real := f.bucket.Walker()
	for i, key := range keys {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			if real {
				objs[i], errs[i] = w.Look(f.ctx, key)
			} else {
				objs[i], errs[i] = f.bucket.Stat(f.ctx, key)
			}
		})
	}
	wg.Wait()
	for i, key := range keys {
		if errors.Is(errs[i], storage.ErrNotExist) {
			continue
		}
		if errs[i] != nil {
			return errs[i]
		}
		ok, err := f.expired(storage.Object{Key: key, Size: objs[i].Size, ModTime: objs[i].ModTime})
		if err != nil {
			return err
		}
		if ok {
			f.take(key, objs[i].Size)
		}
	}
	return nil
}

// millis is a time of an inventory.
func millis(n int64) time.Time { return time.UnixMilli(n) }
