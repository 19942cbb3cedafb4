// Package repair takes files out of a table that the store does not have any
// more, so that what is left can be read: FSCK REPAIR TABLE.
//
// A file whose data is gone has lost its rows whatever is done; naming it no
// longer only says so. A file whose deletion vector is gone is another matter:
// without it rows would come back that were deleted, so it is told apart, and
// nothing happens to it unless that is asked for.
package repair

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/storage"
)

// Spec is a FSCK REPAIR TABLE statement.
type Spec struct {
	DryRun bool
	// RemoveUnmarked takes files out of the table too whose deletion vector is gone:
	// their rows, of which nobody can tell any more which were deleted, are lost.
	RemoveUnmarked bool
}

// Options say how it is carried out.
type Options struct {
	UserMetadata  string
	BeforePublish func(ctx context.Context) error
}

// Missing is a live file of which something is gone.
type Missing struct {
	Path          string `json:"path"` // as in the log
	DataMissing   bool   `json:"dataFileMissing"`
	Vector        string `json:"deletionVectorPath,omitempty"`
	VectorMissing bool   `json:"deletionVectorFileMissing"`
	Size          int64  `json:"size"`           // by the log
	Rows          *int64 `json:"rows,omitempty"` // those that were live, by the log
	Remove        bool   `json:"remove"`         // the repair takes it out of the table

	id conflict.FileID
}

// Result is what was found and done.
type Result struct {
	Table   string
	Version int64 // that was looked at
	Scanned int64 // live files
	Missing []Missing
	Removed int64 // files that the commit removed
	// Unknown counts files outside of the table's folder that may not be looked at.
	Unknown int64
	Commit  txn.Result
}

// VectorError refuses a repair that would have to decide about deleted rows.
type VectorError struct {
	Table string
	Files []Missing
}

func (e *VectorError) Error() string {
	return fmt.Sprintf("[DELTA_FILE_NOT_FOUND] FSCK of %s: the deletion vector %s of the file %s is gone%s: nobody can tell which of its rows were deleted. "+
		"Bring the vector back (from a backup, or by RESTORE to a version before it), or give all rows of the file up (--remove-unmarked); nothing was committed",
		e.Table, e.Files[0].Vector, e.Files[0].Path, more(len(e.Files)-1))
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and those of %d more files", n)
}

// Run looks for every live file and vector, and commits the removal of files that
// are gone.
func Run(ctx context.Context, l *txn.Log, spec Spec, o Options) (*Result, error) {
	for range maxRuns {
		r, err := once(ctx, l, spec, o)
		if err != nil || !r.Commit.Again {
			return r, err
		}
		o.BeforePublish = nil
	}
	return nil, fmt.Errorf("[DELTA_METADATA_CHANGED] the metadata of %s changed %d times during FSCK; nothing was committed", l.Bucket().URL(), maxRuns)
}

// maxRuns bounds how often a repair looks anew: each time, the table's metadata has
// changed in between.
const maxRuns = 50

func once(ctx context.Context, l *txn.Log, spec Spec, o Options) (*Result, error) {
	began := l.Env().Now()
	t, err := l.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer t.Abandon()
	r := &Result{Table: l.Bucket().URL(), Version: t.ReadVersion(), Scanned: int64(t.Snapshot().NumFiles()), Commit: txn.Result{Version: t.ReadVersion(), Snapshot: t.Snapshot()}}
	if err := r.look(ctx, t.Snapshot()); err != nil {
		return nil, err
	}
	var unmarked []Missing
	for i := range r.Missing {
		m := &r.Missing[i]
		m.Remove = m.DataMissing || spec.RemoveUnmarked
		if !m.Remove {
			unmarked = append(unmarked, *m)
		}
	}
	switch {
	case spec.DryRun || len(r.Missing) == 0:
		return r, nil
	case len(unmarked) > 0:
		return r, &VectorError{r.Table, unmarked}
	}
	w := &work{res: r, at: t.Snapshot(), now: began.UnixMilli(), note: o.UserMetadata, elapsed: func() int64 { return l.Env().Now().Sub(began).Milliseconds() }}
	if r.Commit, err = t.CommitWork(ctx, w, txn.Options{BeforePublish: o.BeforePublish}); err != nil {
		return r, err
	}
	r.Removed = int64(w.removed)
	return r, nil
}

// present is the set of keys that a listing shows, by their hashes. Whatever is not
// in it is asked for by itself before it is called missing.
func present(ctx context.Context, b *storage.Bucket) (map[uint64]struct{}, error) {
	out := map[uint64]struct{}{}
	after := ""
	for {
		again := false
		for obj, err := range b.List(ctx, "", after) {
			if errors.Is(err, storage.ErrNotExist) {
				break
			}
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(obj.Key, deltalog.Dir+"/") {
				after, again = deltalog.Dir+"0", true // the first name behind the folder's
				break
			}
			out[xxh3.HashString(obj.Key)] = struct{}{}
		}
		if !again {
			return out, ctx.Err()
		}
	}
}

func (r *Result) look(ctx context.Context, s *snapshot.Snapshot) error {
	there, err := present(ctx, s.Bucket())
	if err != nil {
		return err
	}
	gone := func(key string) (bool, error) {
		if _, ok := there[xxh3.HashString(key)]; ok {
			return false, nil
		}
		return missing(ctx, s.Bucket(), key)
	}
	src := scan.Source{Bucket: s.Bucket()}
	files := s.Files()
	for i := range files.All() {
		path := files.Path(i)
		m := Missing{Path: strings.Clone(path), Size: files.Size(i)}
		if key, err := src.Locate(path); err == nil {
			if m.DataMissing, err = gone(key); err != nil {
				return err
			}
		} else if m.DataMissing, err = r.outside(ctx, s, path); err != nil {
			return err
		}
		if d := files.DV(i); d != nil && d.StorageType != dv.Inline {
			at, err := dv.Locate(d, s.Bucket().URL())
			var away *dv.OutsideError
			switch {
			case errors.As(err, &away):
				m.Vector = away.Path
				m.VectorMissing, err = r.outside(ctx, s, away.Path)
			case err == nil:
				m.Vector = at.Key
				m.VectorMissing, err = gone(at.Key)
			}
			if err != nil {
				return err
			}
		}
		if m.DataMissing || m.VectorMissing {
			m.id = conflict.IDOf(files.Bare(i))
			if n, ok := files.NumRecords(i); ok {
				if d := files.DV(i); d != nil {
					n -= d.Cardinality
				}
				m.Rows = &n
			}
			r.Missing = append(r.Missing, m)
		}
	}
	return nil
}

func missing(ctx context.Context, b *storage.Bucket, key string) (bool, error) {
	_, err := b.Stat(ctx, key)
	if errors.Is(err, storage.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// outside looks for a file outside of the table's folder, where that is allowed.
func (r *Result) outside(ctx context.Context, s *snapshot.Snapshot, path string) (bool, error) {
	allowed := s.Env().Outside
	if allowed == nil || !address.Absolute(path) {
		r.Unknown++
		return false, nil
	}
	b, key, err := allowed.Find(ctx, path)
	if errors.Is(err, address.ErrNotAllowed) {
		r.Unknown++
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return missing(ctx, b, key)
}

// work is the commit: it removes what is gone and still live.
type work struct {
	res     *Result
	at      *snapshot.Snapshot
	now     int64
	note    string
	elapsed func() int64
	removed int
}

func (w *work) Depends() txn.Dependencies {
	return txn.Dependencies{Repairable: true, Rebindable: true}
}

func (w *work) Effects(context.Context) (txn.Effects, error) {
	var acts []action.Action
	var data, vectors int64
	for _, m := range w.res.Missing {
		i, ok := w.at.Files().Find(m.Path, m.id.DV)
		if !ok || !m.Remove {
			continue
		}
		rm := rewrite.RemoveOf(w.at.Files().Add(i), w.now)
		rm.DataChange = !m.DataMissing // rows that could be read are given up only here
		acts = append(acts, rm)
		if m.DataMissing {
			data++
		}
		if m.VectorMissing {
			vectors++
		}
	}
	w.removed = len(acts)
	return txn.Effects{Actions: acts, Operation: txn.Operation{Name: "FSCK", UserMetadata: w.note, Parameters: map[string]json.RawMessage{"dryRun": json.RawMessage("false")},
		Metrics: map[string]string{"numFilesScanned": text(w.res.Scanned), "numMissingFiles": text(data), "numMissingDVs": text(vectors), "numRemovedFiles": text(int64(len(acts))), "executionTimeMs": text(w.elapsed())}}}, nil
}

// Repair follows a winner: what it removed needs no removal.
func (w *work) Repair(_ context.Context, _ conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	w.at = at
	return txn.Repaired{}, nil
}

func text(n int64) string { return strconv.FormatInt(n, 10) }
