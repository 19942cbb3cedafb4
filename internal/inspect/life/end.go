package life

import (
	"errors"
	"strings"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// matchesVector reports whether a vector lies in the file that is asked for.
func (t *teller) matchesVector(d *action.DeletionVector) bool {
	if d == nil || d.StorageType == dv.Inline {
		return false
	}
	at, err := dv.Locate(d, t.bucket.URL())
	if at.Key != "" {
		return t.want[at.Key]
	}
	var outside *dv.OutsideError
	return errors.As(err, &outside) && (t.want[outside.Path] || t.want[at.URL])
}

// end says what became of the file: whether the newest version needs it, whether
// the store has it, and when it may go.
func (t *teller) end() {
	l := t.life
	l.Live = len(t.live) > 0
	if len(l.Events) == 0 {
		l.Near = t.near.list()
		l.Kind = ""
	}
	if l.Kind == KindVector {
		for key := range t.want {
			if strings.HasSuffix(key, ".bin") {
				l.Path = key
			}
		}
	}
	t.store()
	if len(l.Events) == 0 {
		if l.Store != nil && l.Store.Exists {
			l.Near = nil
			t.note("no version that the log still has names it: VACUUM removes it once it is older than the retention")
		}
		return
	}
	if !l.Live {
		t.vacuum()
	}
}

func (t *teller) store() {
	key, err := t.src.Locate(t.life.Path)
	if err != nil {
		t.life.Store = &Store{Problem: "it lies outside of the table's folder, where this does not look"}
		return
	}
	obj, err := t.bucket.Stat(t.ctx, key)
	if err != nil && len(t.life.Events) == 0 { // a plain name with a percent sign
		if plain, err2 := t.bucket.Stat(t.ctx, t.life.Path); err2 == nil {
			key, obj, err = t.life.Path, plain, nil
		}
	}
	t.life.Key = key
	switch {
	case errors.Is(err, storage.ErrNotExist):
		t.life.Store = &Store{}
		return
	case err != nil:
		t.life.Store = &Store{Problem: err.Error()}
		return
	}
	at := obj.ModTime.UTC()
	t.life.Store = &Store{Exists: true, Size: obj.Size, Modified: &at}
	if t.size != nil && t.life.Kind != KindVector {
		same := *t.size == obj.Size
		t.life.Store.Agrees = &same
	}
}

// vacuum applies the retention rule: the file must have been removed, and
// written, longer ago than the retention (PROTOCOL.md, Add File and Remove File).
func (t *teller) vacuum() {
	retention := 7 * 24 * time.Hour
	if s, err := snapshot.Load(t.ctx, t.env, t.bucket, snapshot.Latest()); err == nil {
		retention = feature.DeletedFileRetention(s.Metadata())
	} else {
		t.note("the newest version cannot be read, so the default retention is taken: %v", err)
	}
	since := t.removedAt
	if st := t.life.Store; st != nil && st.Modified != nil && st.Modified.After(since) {
		since = *st.Modified
	}
	since = since.Add(retention)
	t.life.Vacuum = &Vacuum{Since: since, Now: !t.env.Now().Before(since), Retention: retention.String()}
}
