package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// v2Protocol has what the histories here use.
const v2Protocol = `{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors","v2Checkpoint"],"writerFeatures":["deletionVectors","v2Checkpoint","domainMetadata"%s]}}`

// alone copies one checkpoint, with the sidecars that it names and the commit of
// its version, into a log that has nothing else.
func alone(t testing.TB, b *storage.Bucket, version int64, files []string) *storage.Bucket {
	t.Helper()
	ctx := context.Background()
	out := storage.NewBucket(memory.New())
	t.Cleanup(func() { out.Close() })
	copyOf := func(key string) {
		data, _, err := b.Get(ctx, key)
		if err == nil {
			err = out.Put(ctx, key, data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	copyOf(commitPath(version))
	for _, key := range files {
		if strings.Contains(key, "_sidecars") {
			continue
		}
		copyOf(key)
		obj, err := b.Stat(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkpoint.Read(ctx, b, obj, &action.Handler{Sidecar: func(c *action.Sidecar) error {
			at, err := checkpoint.SidecarKey(c)
			copyOf(at)
			return err
		}}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func sameState(t testing.TB, what string, want, got *snapshot.Snapshot) {
	t.Helper()
	for _, d := range []string{
		cmp.Diff(factsOf(want), factsOf(got)), cmp.Diff(adds(want), adds(got)), cmp.Diff(want.Protocol(), got.Protocol()),
		cmp.Diff(want.Metadata(), got.Metadata()), cmp.Diff(want.Txns(), got.Txns()), cmp.Diff(want.Domains(), got.Domains()),
	} {
		if d != "" {
			t.Fatalf("%s (-log +checkpoint)\n%s", what, d)
		}
	}
	if want.NumFiles() != got.NumFiles() || want.SizeInBytes() != got.SizeInBytes() || want.NumDeletedRows() != got.NumDeletedRows() {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// TestCheckpointIsReplay: a checkpoint of any kind says what all commits up to
// its version say, also after a chain of V2 checkpoints that use the sidecars of
// each other, whether the handle has lived through them or is opened anew.
func TestCheckpointIsReplay(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		b := storage.NewBucket(memory.New())
		defer b.Close()
		commits := storage.NewBucket(memory.New())
		defer commits.Close()
		e := env.New()
		live, vector := map[string]string{}, 0 // path to deletion vector
		var at *snapshot.Snapshot
		for v := range int64(rapid.IntRange(2, 14).Draw(rt, "versions")) {
			var lines []string
			if v == 0 || rapid.IntRange(0, 9).Draw(rt, "metadata") == 0 {
				lines = append(lines, strings.Replace(metadataLine, `"configuration":{}`, fmt.Sprintf(`"configuration":{"v":"%d"%s}`, v,
					rapid.SampledFrom([]string{"", "", `,"delta.checkpoint.writeStatsAsStruct":"true"`}).Draw(rt, "struct")), 1))
			}
			if v == 0 || rapid.IntRange(0, 19).Draw(rt, "protocol") == 0 {
				lines = append(lines, fmt.Sprintf(v2Protocol, rapid.SampledFrom([]string{"", `,"rowTracking"`}).Draw(rt, "feature")))
			}
			used := map[string]bool{}
			for range rapid.IntRange(0, 12).Draw(rt, "actions") {
				path := fmt.Sprint("f", rapid.IntRange(0, 25).Draw(rt, "path"))
				if used[path] {
					continue
				}
				used[path] = true
				dv, there := live[path]
				gone := strings.Replace(removeLine(path), `"size":10`, `"size":10`+dv, 1)
				switch kind := rapid.IntRange(0, 5).Draw(rt, "kind"); {
				case kind == 0 && there:
					delete(live, path)
					lines = append(lines, gone)
				case kind == 1 && there: // rows are deleted
					vector++
					live[path] = fmt.Sprintf(`,"deletionVector":{"storageType":"i","pathOrInlineDv":"v%d","sizeInBytes":1,"cardinality":%d}`, vector, vector)
					lines = append(lines, gone, strings.Replace(addLine(path), `"size":10`, `"size":10`+live[path], 1))
				case kind == 2:
					lines = append(lines, fmt.Sprintf(`{"txn":{"appId":"%s","version":%d}}`, path, v))
				case kind == 3:
					lines = append(lines, fmt.Sprintf(`{"domainMetadata":{"domain":"%s","configuration":"%d","removed":%v}}`, path, v, v%3 == 0))
				default: // new, or again with other tags
					lines = append(lines, strings.Replace(addLine(path), `"size":10`, fmt.Sprintf(`"size":10,"tags":{"v":"%d"},"baseRowId":%d,"defaultRowCommitVersion":1`, v, v)+dv, 1))
					live[path] = dv
				}
			}
			data := []byte(strings.Join(append(lines, `{"commitInfo":{"operation":"X"}}`), "\n") + "\n")
			for _, to := range []*storage.Bucket{b, commits} {
				if err := to.Put(ctx, commitPath(v), data); err != nil {
					rt.Fatal(err)
				}
			}
			var err error
			if at == nil || rapid.IntRange(0, 4).Draw(rt, "open") == 0 {
				at, err = snapshot.Load(ctx, e, b, snapshot.Latest())
			} else {
				at, err = at.Refresh(ctx)
			}
			if err != nil || at.Version() != v {
				rt.Fatal(at, err)
			}
			if rapid.IntRange(0, 2).Draw(rt, "checkpoint") == 0 {
				continue
			}
			o := rapid.SampledFrom([]snapshot.CheckpointOptions{{}, {Kind: snapshot.Classic}, {Kind: snapshot.V2, Sidecar: 3}, {Kind: snapshot.V2, Sidecar: 5},
				{Kind: snapshot.V2, ParquetTop: true}, {Kind: snapshot.V2}}).Draw(rt, "kind")
			p, err := at.PlanCheckpoint(o)
			if err != nil {
				rt.Fatal(err)
			}
			w, err := p.Write(ctx)
			if err != nil {
				rt.Fatal(err)
			}
			if p.Kind == snapshot.V2 && p.KeptFiles+p.NewFiles < at.NumFiles() {
				rt.Fatalf("%+v", p)
			}
			want, err := snapshot.Load(ctx, e, commits, snapshot.Latest())
			if err != nil {
				rt.Fatal(err)
			}
			got, err := snapshot.Load(ctx, e, alone(t, b, v, w.Files), snapshot.Latest())
			if err != nil {
				rt.Fatal(err)
			}
			sameState(t, fmt.Sprintf("version %d, %+v", v, o), want, got)
			sameState(t, fmt.Sprintf("version %d, beside the log", v), want, at)
		}
	})
}

// TestPartsFitTogether: parts by two writers, who know the files in another
// order, make one checkpoint.
func TestPartsFitTogether(t *testing.T) {
	ctx := context.Background()
	w := newTable(t)
	var lines []string
	for i := range 200 {
		lines = append(lines, addLine(fmt.Sprint("f", i)))
	}
	w.commit(0, append([]string{protocolLine, metadataLine}, lines[:100]...)...)
	w.commit(1, append(lines[100:], removeLine("f5"), removeLine("f150"))...)
	grown := w.load(snapshot.Version(0))
	grown, err := grown.Refresh(ctx)
	if err != nil {
		t.Fatal(err)
	}
	write := func(s *snapshot.Snapshot) []string {
		p, err := s.PlanCheckpoint(snapshot.CheckpointOptions{Parts: 3})
		if err != nil || p.Kind != snapshot.MultiPart {
			t.Fatal(p, err)
		}
		out, err := p.Write(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return out.Files
	}
	files := write(grown)
	if err := w.b.Delete(ctx, files[1]); err != nil {
		t.Fatal(err)
	}
	if s := w.load(snapshot.Latest()); s.LastCheckpoint() != -1 || s.NumFiles() != 198 {
		t.Errorf("with a part missing: %v from %d", s, s.LastCheckpoint())
	}
	write(w.load(snapshot.Latest()))
	got, err := snapshot.Load(ctx, w.env, alone(t, w.b, 1, files), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	sameState(t, "three parts", grown, got)
}

// TestSidecarsAreUsedAgain: a V2 checkpoint writes what has changed, small
// sidecars come together, and what lives through a compaction of memory stays.
func TestSidecarsAreUsedAgain(t *testing.T) {
	ctx := context.Background()
	w := newTable(t)
	lines := []string{fmt.Sprintf(v2Protocol, ""), metadataLine}
	for i := range 6000 {
		lines = append(lines, addLine(fmt.Sprint("f", i)))
	}
	w.commit(0, lines...)
	s := w.load(snapshot.Latest())
	o := snapshot.CheckpointOptions{Kind: snapshot.V2, Sidecar: 1000}
	step := func(kept, fresh, written int, lines ...string) []string {
		t.Helper()
		if len(lines) > 0 {
			w.commit(s.Version()+1, lines...)
			var err error
			if s, err = s.Refresh(ctx); err != nil {
				t.Fatal(err)
			}
		}
		p, err := s.PlanCheckpoint(o)
		if err != nil {
			t.Fatal(err)
		}
		if p.Kept != kept || p.New != fresh || p.NewFiles != written {
			t.Errorf("version %d: %d sidecars stay, %d with %d files are written; want %d, %d, %d", s.Version(), p.Kept, p.New, p.NewFiles, kept, fresh, written)
		}
		out, err := p.Write(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := snapshot.Load(ctx, w.env, alone(t, w.b, s.Version(), out.Files), snapshot.Latest())
		if err != nil {
			t.Fatal(err)
		}
		sameState(t, fmt.Sprint("version ", s.Version()), s, got)
		return out.Files
	}
	step(0, 6, 6000)
	step(6, 0, 0)                         // nothing is new
	step(6, 1, 1, addLine("g0"))          // one more
	step(6, 1, 2, addLine("g1"))          // the small one comes along
	step(7, 1, 1, addLine("g2"))          // 2, 1
	step(6, 1, 4, addLine("g3"))          // 4
	step(5, 3, 1004, removeLine("f10"))   // its sidecar anew without it, the small one with it, and a tombstone
	step(6, 2, 1001, removeLine("f1500")) // the next one, and both tombstones
	s = w.load(snapshot.Latest())
	if p, err := s.PlanCheckpoint(o); err != nil || p.New != 0 {
		t.Errorf("after opening: %+v, %v", p, err)
	}
	lines = nil
	for i := 1000; i < 6000; i++ {
		if i != 1500 {
			lines = append(lines, fmt.Sprintf(`{"remove":{"path":"f%d","deletionTimestamp":5,"dataChange":true}}`, i))
		}
	}
	w.commit(s.Version()+1, lines...) // most rows die, and memory is compacted at the next step
	var err error
	if s, err = s.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	p, err := s.PlanCheckpoint(o)
	if err != nil {
		t.Fatal(err)
	}
	w.commit(s.Version()+1, addLine("h"))
	next, err := s.Refresh(ctx)
	if err != nil {
		t.Fatal(err)
	}
	after, err := next.PlanCheckpoint(o)
	if err != nil || after.Kept != p.Kept || after.KeptFiles != p.KeptFiles {
		t.Errorf("before the compaction %+v, behind it %+v, %v", p, after, err)
	}
}

// TestSidecarIsGone: a checkpoint never names a sidecar that a cleaner took away.
func TestSidecarIsGone(t *testing.T) {
	ctx := context.Background()
	w := newTable(t)
	w.commit(0, fmt.Sprintf(v2Protocol, ""), metadataLine, addLine("a"), addLine("b"))
	s := w.load(snapshot.Latest())
	o := snapshot.CheckpointOptions{Kind: snapshot.V2}
	p, err := s.PlanCheckpoint(o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Write(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.commit(1, addLine("c"))
	if s, err = s.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if p, err = s.PlanCheckpoint(o); err != nil || p.Kept != 1 {
		t.Fatal(p, err)
	}
	if err := w.b.Delete(ctx, out.Files[0]); err != nil {
		t.Fatal(err)
	}
	if out, err = p.Write(ctx); err != nil || len(out.Files) != 2 {
		t.Fatal(out, err)
	}
	got, err := snapshot.Load(ctx, w.env, alone(t, w.b, 1, out.Files), snapshot.Latest())
	if err != nil || got.NumFiles() != 3 {
		t.Fatal(got, err)
	}
	// The damaged checkpoint of version 0 makes no difference to the log behind it.
	if s := w.load(snapshot.Version(0)); s.NumFiles() != 2 {
		t.Errorf("%v", s)
	}
	w.b.Delete(ctx, commitPath(0))
	var corrupt *snapshot.CorruptError
	if _, err := snapshot.Load(ctx, w.env, w.b, snapshot.Version(0)); !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "_sidecars") {
		t.Errorf("%v", err)
	}
}

// TestCheckpointRefusals: what the protocol forbids is refused with a reason.
func TestCheckpointRefusals(t *testing.T) {
	w := newTable(t)
	w.start("a")
	old := w.load(snapshot.Latest())
	w = newTable(t)
	w.commit(0, fmt.Sprintf(v2Protocol, ""), metadataLine, addLine("a"))
	v2 := w.load(snapshot.Latest())
	for _, c := range []struct {
		s    *snapshot.Snapshot
		o    snapshot.CheckpointOptions
		want string
	}{
		{old, snapshot.CheckpointOptions{Kind: snapshot.V2}, "lacks the feature v2Checkpoint"},
		{v2, snapshot.CheckpointOptions{Kind: snapshot.V2, Parts: 2}, "parts belong to classic"},
		{v2, snapshot.CheckpointOptions{Parts: 2}, "forbids checkpoints in parts"},
		{old, snapshot.CheckpointOptions{Parts: -1}, "-1 parts"},
	} {
		var refused *snapshot.CheckpointError
		if _, err := c.s.PlanCheckpoint(c.o); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}

// TestCompactLog: the file says what its commits say, tombstones of any age and
// removed domains included, line by line as it was.
func TestCompactLog(t *testing.T) {
	ctx := context.Background()
	w := newTable(t)
	w.start("a", "b")
	w.commit(1, addLine("c"), `{"domainMetadata":{"domain":"d","configuration":"1","removed":false}}`, `{"txn":{"appId":"x","version":1}}`, `{"commitInfo":{"operation":"X"}}`)
	w.commit(2, `{"remove":{"path":"a","deletionTimestamp":1,"dataChange":true}}`, removeLine("c"), `{"domainMetadata":{"domain":"d","configuration":"1","removed":true}}`,
		`{"txn":{"appId":"x","version":2}}`, `{"add":{"path":"e","partitionValues":{"p":"x"},"size":1,"modificationTime":1,"dataChange":true,"new":{"field":[1]}}}`)
	want := w.load(snapshot.Latest())
	c, err := snapshot.CompactLog(ctx, w.b, 1, 2, false)
	if err != nil || !c.Written || c.Before != 9 || c.Actions != 5 {
		t.Fatalf("%+v, %v", c, err)
	}
	data, obj, err := w.b.Get(ctx, deltalog.CompactedPath(1, 2))
	if err != nil || obj.Size != c.Bytes || !strings.Contains(string(data), `"new":{"field":[1]}`) || strings.Contains(string(data), "commitInfo") {
		t.Errorf("%s, %v", data, err)
	}
	before := w.b.Stats().Gets
	sameState(t, "with the compaction", want, w.load(snapshot.Latest()))
	if n := w.b.Stats().Gets - before; n > 3 { // the hint, version 0, the compaction
		t.Errorf("%d requests", n)
	}
	if c, err = snapshot.CompactLog(ctx, w.b, 1, 2, false); err != nil || !c.Existed || c.Written {
		t.Errorf("again: %+v, %v", c, err)
	}
	if _, err = snapshot.CompactLog(ctx, w.b, 1, 3, false); err == nil || !strings.Contains(err.Error(), "version 3") {
		t.Errorf("beyond the end: %v", err)
	}
	if _, err := w.b.Stat(ctx, deltalog.CompactedPath(1, 3)); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("a file is left: %v", err)
	}
}
