package vacuum

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/storage"
)

// The reasons why a file stays or may go.
const (
	ReasonLive      = "live"
	ReasonVector    = "deletion-vector"
	ReasonRetained  = "retained"
	ReasonChanges   = "change-data"
	ReasonCloned    = "cloned"
	ReasonUnderWay  = "under-way"
	ReasonHidden    = "hidden"
	ReasonOutside   = "outside"
	ReasonYoung     = "young"
	ReasonMissing   = "missing"
	ReasonDirectory = "directory"
	ReasonRemoved   = "removed"
	ReasonOrphan    = "orphan"
)

// Verdict says why one file may be deleted or not.
type Verdict struct {
	Path      string     `json:"path"` // as it was asked for
	Key       string     `json:"key,omitempty"`
	Deletable bool       `json:"deletable"`
	Reason    string     `json:"reason"`
	Text      string     `json:"text"`
	Version   int64      `json:"version"` // that was looked at
	Cutoff    time.Time  `json:"cutoff"`
	Size      int64      `json:"size,omitempty"`
	Modified  *time.Time `json:"modified,omitempty"`
	Removed   *time.Time `json:"removed,omitempty"`
	// From is when it may go, when that is known and later than now.
	From *time.Time `json:"from,omitempty"`
}

// Explain says whether a VACUUM would delete one file, and why. The path is a key
// below the table's root, or a path of the log.
func Explain(ctx context.Context, l *txn.Log, path string, spec Spec, o Options) (*Verdict, error) {
	v, err := begin(ctx, l, spec, o)
	if err != nil {
		return nil, err
	}
	defer v.watch.Close()
	out := &Verdict{Path: path, Version: v.snap.Version(), Cutoff: v.res.Cutoff}
	if err := v.judge(out); err != nil {
		return nil, err
	}
	return out, nil
}

func (v *run) judge(out *Verdict) error {
	say := func(reason, format string, args ...any) error {
		out.Reason, out.Text = reason, fmt.Sprintf(format, args...)
		return nil
	}
	key, obj, err := v.lookUp(out.Path)
	if err != nil && !errors.Is(err, storage.ErrNotExist) {
		return err
	}
	there := err == nil
	if out.Key = key; key == "" {
		return say(ReasonOutside, "it lies outside of the table's folder, where VACUUM never deletes")
	}
	if there {
		at := obj.ModTime.UTC()
		out.Size, out.Modified = obj.Size, &at
	}
	own, tomb := v.namedBy(key)
	w := v.f.window
	if w == nil && (ofChanges(key) || v.f.deep) {
		if w, err = readWindow(v.ctx, v.snap, v.f.cutoff); err != nil {
			return err
		}
	}
	switch {
	case v.f.names.hiddenKey(key):
		return say(ReasonHidden, "VACUUM leaves names alone that begin with _ or a dot, and what is below them, but for partitions and change data; the log cleans up its own folder")
	case own == ReasonLive:
		return say(ReasonLive, "version %d, the newest, reads it", v.snap.Version())
	case own == ReasonVector:
		return say(ReasonVector, "it holds deletion vectors of files that version %d, the newest, reads", v.snap.Version())
	case tomb != nil && removedAt(tomb) >= v.res.Cutoff.UnixMilli():
		removed := time.UnixMilli(removedAt(tomb)).UTC()
		from := removed.Add(v.res.Retention)
		out.Removed, out.From = &removed, &from
		return say(ReasonRetained, "it was removed at %s, within the retention of %s: older versions that read it are kept until %s", stamp(removed), v.res.Retention, stamp(from))
	case w != nil && w.removed.has(key):
		return say(ReasonRetained, "a commit within the retention of %s removed it", v.res.Retention)
	case w != nil && w.changes.has(key):
		return say(ReasonChanges, "a commit within the retention of %s names it as change data", v.res.Retention)
	case v.f.cloned.has(key):
		return say(ReasonCloned, "a shallow clone of the table reads it")
	case v.watch.Holds(key):
		return say(ReasonUnderWay, "a transaction of this process, which is still under way, wrote it")
	case !there:
		return say(ReasonMissing, "the store does not have it")
	case v.isDirectory(key):
		return say(ReasonDirectory, "it is a directory: it goes once it is empty")
	case !obj.ModTime.Before(v.f.cutoff):
		from := obj.ModTime.UTC().Add(v.res.Retention)
		out.From = &from
		if obj.ModTime.Before(v.res.Cutoff) {
			out.From = nil
			return say(ReasonUnderWay, "a transaction of this process is under way that began before it was written")
		}
		return say(ReasonYoung, "it was written at %s, within the retention of %s: a transaction that is under way may still commit it, until %s", stamp(obj.ModTime), v.res.Retention, stamp(from))
	}
	out.Deletable = true
	if tomb != nil {
		removed := time.UnixMilli(removedAt(tomb)).UTC()
		out.Removed = &removed
		return say(ReasonRemoved, "it was removed at %s, longer ago than the retention of %s", stamp(removed), v.res.Retention)
	}
	return say(ReasonOrphan, "no version that is retained names it, and it was written at %s, longer ago than the retention of %s", stamp(obj.ModTime), v.res.Retention)
}

// lookUp finds the object that a path means: a key as it stands, or a path of the log.
func (v *run) lookUp(path string) (key string, obj storage.Object, err error) {
	b := v.log.Bucket()
	look := b.Stat
	if w, ok := b.Walker(); ok {
		look = w.Look
	}
	var candidates []string
	if k, ok := v.f.listed(path); ok {
		candidates = append(candidates, k)
	}
	if k, err := (scan.Source{Bucket: b}).Locate(path); err == nil && (len(candidates) == 0 || candidates[0] != k) {
		candidates = append(candidates, k)
	}
	err = storage.ErrNotExist
	for _, k := range candidates {
		obj, e := look(v.ctx, k)
		if e == nil || !errors.Is(e, storage.ErrNotExist) {
			return k, obj, e
		}
	}
	if len(candidates) > 0 {
		key = candidates[len(candidates)-1]
	}
	return key, obj, err
}

func (v *run) isDirectory(key string) bool {
	w, ok := v.log.Bucket().Walker()
	if !ok {
		return false
	}
	if _, err := v.log.Bucket().Stat(v.ctx, key); err == nil {
		return false
	}
	for range w.Walk(v.ctx, key, func(string) bool { return false }) {
		return true
	}
	return false
}

// namedBy says what a key is to the newest version, and which tombstone names it.
func (v *run) namedBy(key string) (what string, tomb *action.Remove) {
	p := &place{root: v.log.Bucket().URL(), src: scan.Source{Bucket: v.log.Bucket()}, home: true}
	is := func(k string) {
		if k == key {
			what = ReasonLive
		}
	}
	files := v.snap.Files()
	for i := range files.All() {
		if p.of(files.Path(i), is); what != "" {
			return what, nil
		}
		p.vector(files.DV(i), func(k string) {
			if k == key {
				what = ReasonVector
			}
		})
	}
	if what != "" {
		return what, nil
	}
	return "", newest(v.snap, p, key)
}

// newest is the youngest tombstone that names a key.
func newest(s *snapshot.Snapshot, p *place, key string) (out *action.Remove) {
	for r := range s.Tombstones() {
		found := false
		is := func(k string) { found = found || k == key }
		p.of(r.Path, is)
		p.vector(r.DeletionVector, is)
		if found && (out == nil || removedAt(r) > removedAt(out)) {
			out = r
		}
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
