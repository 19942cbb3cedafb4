package life

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// Tell reads the whole log that is left, a few commits at a time, and keeps what
// concerns the file. The path is one of the log, URL-encoded or not, relative to
// the table or absolute.
func Tell(ctx context.Context, e *env.Env, b *storage.Bucket, path string) (*Life, error) {
	t := &teller{ctx: ctx, env: e, bucket: b, src: scan.Source{Bucket: b}, near: &nearest{want: path},
		life: &Life{Table: b.URL(), Path: path, Version: -1, FirstCommit: -1, Checkpoint: -1, Events: []Event{}}, live: map[string]*state{}}
	t.want = t.keysOf(path)
	commits, checkpoints, err := t.list()
	if err != nil {
		return nil, err
	}
	if len(commits) == 0 && len(checkpoints) == 0 {
		return nil, &snapshot.NotTableError{Table: b.URL(), Why: "its _delta_log holds no commit and no checkpoint, or is not there"}
	}
	if len(commits) > 0 {
		t.life.FirstCommit = commits[0].Version
	}
	if t.life.FirstCommit != 0 {
		if err := t.fromCheckpoint(checkpoints); err != nil {
			return nil, err
		}
	}
	if err := t.readCommits(commits); err != nil {
		return nil, err
	}
	t.end()
	return t.life, ctx.Err()
}

// teller follows one file through the versions.
type teller struct {
	ctx    context.Context
	env    *env.Env
	bucket *storage.Bucket
	src    scan.Source
	want   map[string]bool // keys that the path may stand for
	life   *Life
	live   map[string]*state // the identities through which the file is live
	gone   bool              // it was live before
	size   *int64
	// removedAt is the newest deletionTimestamp among what is not live any more.
	removedAt time.Time
	near      *nearest
}

// state is a live entry of the file: a deletion vector file may serve several.
type state struct{ cardinality int64 }

// keysOf lists the keys below the root that a path may mean.
func (t *teller) keysOf(path string) map[string]bool {
	out := map[string]bool{path: true}
	for _, p := range []string{path, strings.TrimPrefix(path, "./")} {
		if key, err := t.src.Locate(p); err == nil {
			out[key] = true
		}
		out[p] = true
	}
	return out
}

// key is where a path of the log leads; paths out of the table stand for themselves.
func (t *teller) key(path string) string {
	if key, err := t.src.Locate(path); err == nil {
		return key
	}
	return path
}

func (t *teller) matches(path string) bool {
	if t.want[path] {
		return true
	}
	return t.want[t.key(path)]
}

func (t *teller) list() (commits, checkpoints []deltalog.File, err error) {
	for f, err := range deltalog.List(t.ctx, t.bucket, 0) {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		switch f.Kind {
		case deltalog.Commit:
			commits = append(commits, f)
			t.life.Version = max(t.life.Version, f.Version)
		case deltalog.Checkpoint, deltalog.CheckpointPart, deltalog.CheckpointV2:
			checkpoints = append(checkpoints, f)
			t.life.Version = max(t.life.Version, f.Version)
		}
	}
	return commits, checkpoints, nil
}

// fromCheckpoint asks the oldest checkpoint that can be read what was before the
// commits that are left.
func (t *teller) fromCheckpoint(checkpoints []deltalog.File) error {
	var failed error
	last := int64(-1)
	for _, c := range checkpoints {
		if c.Version == last {
			continue
		}
		last = c.Version
		s, err := snapshot.Load(t.ctx, t.env, t.bucket, snapshot.Version(c.Version))
		if err != nil {
			if t.ctx.Err() != nil {
				return err
			}
			failed = err
			continue
		}
		t.life.Checkpoint = c.Version
		t.fromSnapshot(s)
		return nil
	}
	if failed != nil {
		t.note("no checkpoint can be read, so what was before version %d is unknown: %v", t.life.FirstCommit, failed)
	}
	return nil
}

func (t *teller) fromSnapshot(s *snapshot.Snapshot) {
	v := s.Version()
	files := s.Files()
	for i := range files.All() {
		path, d := files.Path(i), files.DV(i)
		if t.matches(path) || t.matchesVector(d) {
			t.added(Event{Version: v, What: Known}, files.Add(i), nil)
		}
		t.near.offer(path)
	}
	for r := range s.Tombstones() {
		if t.matches(r.Path) || t.matchesVector(r.DeletionVector) {
			t.removed(Event{Version: v, What: Tombstone}, r)
		}
		t.near.offer(r.Path)
	}
}

func (t *teller) note(format string, args ...any) {
	t.life.Notes = append(t.life.Notes, fmt.Sprintf(format, args...))
}

// page is what one commit says about the file.
type page struct {
	info    *action.CommitInfo
	adds    []*action.Add
	removes []*action.Remove
	changes []*action.AddCDC
	near    *nearest
	err     error
}

func (t *teller) readCommits(commits []deltalog.File) error {
	var clock deltalog.Clock
	for i, p := range inspect.Ordered(t.ctx, 2*t.env.Workers, len(commits), func(ctx context.Context, i int) *page { return t.readPage(ctx, commits[i]) }) {
		c := commits[i]
		at := clock.Next(c.Object.ModTime)
		if c.Version <= t.life.Checkpoint {
			continue
		}
		if i > 0 && commits[i-1].Version != c.Version-1 {
			t.note("the commits of versions %d to %d are missing", commits[i-1].Version+1, c.Version-1)
		}
		if p.err != nil {
			var s *action.SyntaxError
			if !errors.As(p.err, &s) {
				return p.err
			}
			t.note("version %d cannot be read to its end: %v", c.Version, p.err)
		}
		t.near.merge(p.near)
		t.tellPage(c.Version, at, p)
	}
	return t.ctx.Err()
}

func (t *teller) readPage(ctx context.Context, c deltalog.File) *page {
	p := &page{near: &nearest{want: t.near.want}}
	data, _, err := deltalog.ReadCommit(ctx, t.bucket, c.Version)
	if err != nil {
		p.err = err
		return p
	}
	p.err = action.Scan(data, deltalog.CommitPath(c.Version), &action.Handler{
		CommitInfo: func(i *action.CommitInfo) error {
			if p.info == nil {
				p.info = i
			}
			return nil
		},
		Add: func(f *action.File) error {
			path := f.Path.String()
			p.near.offer(path)
			if !t.matches(path) && f.DeletionVector == nil {
				return nil
			}
			a, err := f.Add()
			if err == nil && (t.matches(path) || t.matchesVector(a.DeletionVector)) {
				p.adds = append(p.adds, a)
			}
			return err
		},
		Remove: func(f *action.File) error {
			path := f.Path.String()
			p.near.offer(path)
			if !t.matches(path) && f.DeletionVector == nil {
				return nil
			}
			r, err := f.Remove()
			if err == nil && (t.matches(path) || t.matchesVector(r.DeletionVector)) {
				p.removes = append(p.removes, r)
			}
			return err
		},
		CDC: func(c *action.AddCDC) error {
			p.near.offer(c.Path)
			if t.matches(c.Path) {
				p.changes = append(p.changes, c)
			}
			return nil
		},
	})
	return p
}

// tellPage makes events of a commit. Its actions are a set: a remove and an add
// of one data file are one event.
func (t *teller) tellPage(version int64, at time.Time, p *page) {
	if len(p.adds)+len(p.removes)+len(p.changes) == 0 {
		return
	}
	e := Event{Version: version, Time: &at}
	if p.info != nil {
		e.Operation, e.Engine, e.User = p.info.Operation, text(p.info.EngineInfo), text(p.info.UserName)
		if ms := p.info.InCommitTimestamp; ms != nil {
			when := time.UnixMilli(*ms).UTC()
			e.Time = &when
		}
	}
	for _, a := range p.adds {
		i := slices.IndexFunc(p.removes, func(r *action.Remove) bool { return t.key(r.Path) == t.key(a.Path) })
		if i < 0 {
			e.What = Added
			t.added(e, a, nil)
			continue
		}
		r := p.removes[i]
		p.removes = slices.Delete(p.removes, i, i+1)
		e.What = Marked
		t.added(e, a, r)
	}
	for _, r := range p.removes {
		e.What = Removed
		t.removed(e, r)
	}
	for _, c := range p.changes {
		e.What = Change
		t.life.Kind, t.life.Path = KindChange, c.Path
		size := c.Size
		ev := e
		ev.Size, ev.PartitionValues, t.size = &size, c.PartitionValues, &size
		t.life.Events = append(t.life.Events, ev)
		t.gone, t.removedAt = true, *e.Time // no version needs it to be read
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// added enters an add; replaced is the remove of the same file in the same commit.
func (t *teller) added(e Event, a *action.Add, replaced *action.Remove) {
	mine := t.matches(a.Path)
	id := t.key(a.Path)
	before := t.live[id]
	if replaced != nil {
		delete(t.live, id)
	}
	e.Size, e.PartitionValues, e.BaseRowID, e.RowVersion = &a.Size, a.PartitionValues, a.BaseRowID, a.DefaultRowCommitVersion
	if e.What != Known {
		e.DataChange = &a.DataChange
	}
	if n, ok := colstats.NumRecords(a.Stats); ok {
		e.Rows = &n
	}
	if a.Stats != "" && json.Valid([]byte(a.Stats)) {
		e.Stats = json.RawMessage(a.Stats)
	}
	if d := a.DeletionVector; d != nil {
		e.Vector = vectorOf(d)
	}
	if mine {
		t.life.Kind, t.life.Path, t.size = KindData, a.Path, &a.Size
	} else {
		t.life.Kind, e.Data = KindVector, inspect.PlainPath(a.Path)
		e.Size, e.Stats, e.PartitionValues = nil, nil, nil
	}
	switch {
	case before != nil && e.Vector != nil:
		e.Vector.Before = before.cardinality
	case replaced != nil && replaced.DeletionVector != nil && e.Vector != nil:
		e.Vector.Before = replaced.DeletionVector.Cardinality
	}
	switch {
	case e.What == Marked && replaced != nil && replaced.DeletionVector.ID() == a.DeletionVector.ID():
		e.What = Restated
	case e.What == Added && before != nil:
		e.What = Restated
	case e.What == Added && t.gone && mine:
		e.What = Readded
	}
	s := &state{}
	if a.DeletionVector != nil {
		s.cardinality = a.DeletionVector.Cardinality
	}
	if mine || t.matchesVector(a.DeletionVector) {
		t.live[id] = s
	}
	if replaced != nil && !mine && t.matchesVector(replaced.DeletionVector) {
		t.sawRemoval(e, replaced)
	}
	t.life.Events = append(t.life.Events, e)
}

func (t *teller) removed(e Event, r *action.Remove) {
	delete(t.live, t.key(r.Path))
	e.Size, e.DataChange, e.PartitionValues = r.Size, &r.DataChange, r.PartitionValues
	if r.DeletionTimestamp != nil {
		at := time.UnixMilli(*r.DeletionTimestamp).UTC()
		e.Deleted = &at
	}
	if d := r.DeletionVector; d != nil {
		e.Vector = vectorOf(d)
		e.Vector.Before = d.Cardinality
	}
	if t.matches(r.Path) {
		t.life.Kind, t.life.Path = KindData, r.Path
		if r.Size != nil {
			t.size = r.Size
		}
	} else {
		t.life.Kind, e.Data = KindVector, inspect.PlainPath(r.Path)
		e.Size, e.PartitionValues = nil, nil
	}
	if e.What == Tombstone {
		e.DataChange = nil
	}
	t.sawRemoval(e, r)
	t.life.Events = append(t.life.Events, e)
}

func (t *teller) sawRemoval(e Event, r *action.Remove) {
	t.gone = true
	if r.DeletionTimestamp != nil {
		if at := time.UnixMilli(*r.DeletionTimestamp).UTC(); at.After(t.removedAt) {
			t.removedAt = at
		}
	}
}

func vectorOf(d *action.DeletionVector) *Vector {
	return &Vector{ID: d.ID(), Cardinality: d.Cardinality, Offset: d.Offset}
}
