package snapshot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

const (
	probes     = 8         // commits that are looked for by name before the log is listed
	trustProbe = time.Hour // how long a missing next commit means that there is none
)

// Refresh returns the newest version: this snapshot itself when there is
// nothing new. It asks for the next commits by name and reads only those. Only
// a commit that does not exist ends the search; any other failure is an error.
func (s *Snapshot) Refresh(ctx context.Context) (*Snapshot, error) {
	at := s
	for range probes {
		next, err := at.probe(ctx)
		if err != nil {
			return nil, err
		}
		if next == nil {
			return at.settle(ctx)
		}
		at = next
	}
	dir, err := listLog(ctx, s.bucket, at.version+1)
	if err != nil {
		return nil, err
	}
	to := dir.latest()
	if to <= at.version {
		return at, nil
	}
	if dir.gap(at.version+1, to) >= 0 {
		return Load(ctx, s.env, s.bucket, Latest())
	}
	r := newReader(ctx, s.env, s.bucket, everything)
	defer r.stop()
	for v := at.version + 1; v <= to; v++ {
		r.commit(v, dir.commits[v])
	}
	var batches []*batch
	for b, v := range r.batches() {
		if v != at.version+1 {
			if at, err = at.step(batches, dir.commits[v-1]); err != nil {
				return nil, err
			}
			batches = nil
		}
		batches = append(batches, b)
	}
	if err := r.err(); err != nil {
		if errors.Is(err, storage.ErrNotExist) && ctx.Err() == nil { // cleaned up since the log was listed
			return Load(ctx, s.env, s.bucket, Latest())
		}
		return nil, err
	}
	return at.step(batches, dir.commits[to])
}

// probe reads the next commit; nil when there is none.
func (s *Snapshot) probe(ctx context.Context) (*Snapshot, error) {
	if next := s.known(); next != nil {
		return next, nil
	}
	data, obj, err := deltalog.ReadCommit(ctx, s.bucket, s.version+1)
	if errors.Is(err, storage.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.Apply(s.version+1, nil, data, obj)
}

// settle is the end of a refresh that found no next commit. A handle that
// slept for long looks at the log as well: its next commit may be missing
// because it was cleaned up.
func (s *Snapshot) settle(ctx context.Context) (*Snapshot, error) {
	now := s.env.Now()
	s.nextMu.Lock()
	old := now.Sub(s.probed) > trustProbe
	s.nextMu.Unlock()
	if old {
		dir, err := listLog(ctx, s.bucket, s.version+1)
		if err != nil {
			return nil, err
		}
		if dir.latest() > s.version {
			return Load(ctx, s.env, s.bucket, Latest())
		}
	}
	s.nextMu.Lock()
	s.probed = now
	s.nextMu.Unlock()
	return s, nil
}

func (s *Snapshot) known() *Snapshot {
	s.nextMu.Lock()
	defer s.nextMu.Unlock()
	return s.next
}

// Apply is the snapshot after one more commit, which must be the next one. Its
// cost follows the size of the commit, not of the table. data is the commit
// file, or nil to use acts; obj describes the file, as far as the caller knows.
func (s *Snapshot) Apply(version int64, acts []action.Action, data []byte, obj storage.Object) (*Snapshot, error) {
	if version != s.version+1 {
		return nil, fmt.Errorf("snapshot: version %d cannot be applied to version %d of %s", version, s.version, s.bucket.URL())
	}
	if next := s.known(); next != nil {
		return next, nil
	}
	if data == nil {
		var err error
		if data, err = action.Marshal(acts); err != nil {
			return nil, err
		}
	}
	key := deltalog.CommitPath(version)
	w := newWorker(everything)
	batches, err := w.scan(data, key, 1, true)
	if err != nil {
		return nil, damaged(s.bucket, key, version, err)
	}
	return s.step(batches, obj)
}

// step makes the next version from the batches of its commit.
func (s *Snapshot) step(batches []*batch, obj storage.Object) (*Snapshot, error) {
	l := s.lineage
	l.mu.Lock()
	defer l.mu.Unlock()
	if next := s.known(); next != nil { // somebody else was here
		return next, nil
	}
	next := &Snapshot{
		env: s.env, bucket: s.bucket, lineage: l, version: s.version + 1,
		files: s.files, tombs: s.tombs, light: s.light, protocol: s.protocol, metadata: s.metadata, columns: s.columns,
		txns: s.txns, domains: s.domains, probed: s.env.Now(),
	}
	// An attempt that failed half-way has spoilt the place of this version.
	spoilt := l.head != s.version
	if s.light != nil {
		next.lineage = s.lineage
	} else if spoilt || l.files.garbage > 4096+s.files.live || l.tombs.garbage > 4096+s.tombs.live {
		next.lineage = s.rebuild(next)
	}
	next.files.state++
	next.tombs.state++
	next.lineage.head = -2 // until this attempt is known to be good
	for _, b := range batches {
		if b.info != nil {
			next.info = b.info
		}
		if next.light != nil {
			continue
		}
		if err := next.replay(b); err != nil {
			return nil, err
		}
	}
	if next.light != nil {
		if err := next.follow(batches); err != nil {
			return nil, err
		}
	}
	if err := next.finish(); err != nil {
		return nil, err
	}
	next.time = next.commitFileTime(s, obj)
	next.lineage.head = next.version
	s.nextMu.Lock()
	s.next = next
	s.nextMu.Unlock()
	return next, nil
}

// commitFileTime is the time of the file, or of the writer when the file's is
// unknown, and later than that of the version before.
func (s *Snapshot) commitFileTime(before *Snapshot, obj storage.Object) time.Time {
	t := obj.ModTime
	if t.IsZero() && s.info != nil && s.info.Timestamp != nil {
		t = time.UnixMilli(*s.info.Timestamp)
	}
	if t.IsZero() {
		t = s.env.Now()
	}
	t = t.UTC().Truncate(time.Millisecond)
	if !t.After(before.time) {
		t = before.time.Add(time.Millisecond)
	}
	return t
}

// rebuild gives a draft columns of its own that hold only what is alive.
func (s *Snapshot) rebuild(draft *Snapshot) *lineage {
	l := newLineage()
	l.head = s.version
	l.checkpoint = s.lineage.checkpoint
	files, tombs := &owners{}, &owners{}
	var list []*sidecar
	set := s.lineage.sidecars.p.Load()
	if set != nil {
		for _, c := range set.list {
			if s.unchanged(c) {
				files.add(c.adds, len(list))
				tombs.add(c.removes, len(list))
				list = append(list, c)
			}
		}
	}
	draft.files = s.files.compact(l.files, files)
	draft.tombs = s.tombs.compact(l.tombs, tombs)
	if set != nil {
		moved := &sidecarSet{version: set.version, made: set.made}
		for i, c := range list {
			moved.list = append(moved.list, &sidecar{Sidecar: c.Sidecar, adds: files.at[i], removes: tombs.at[i], liveAdds: c.liveAdds, liveRemoves: c.liveRemoves})
		}
		l.sidecars.put(moved)
	}
	return l
}
