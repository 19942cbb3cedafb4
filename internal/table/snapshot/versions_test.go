package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

func TestVersionsShareAndStay(t *testing.T) {
	w := newTable(t)
	w.start("a", "b")
	s0 := w.load(snapshot.Latest())
	w.commit(1, removeLine("a"), addLine("c"))
	w.commit(2, removeLine("b"), dvLine("b", 2))
	w.commit(3, addLine("a"))
	s3, err := s0.Refresh(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s            *snapshot.Snapshot
		version      int64
		paths        string
		bytes, rows  int64
		tombs        int
		dvs, deleted int64
	}{
		{s0, 0, "a b", 20, 10, 0, 0, 0},
		{w.load(snapshot.Version(1)), 1, "b c", 20, 10, 1, 0, 0},
		{w.load(snapshot.Version(2)), 2, "c b+iv2", 20, 8, 2, 1, 2},
		{s3, 3, "c b+iv2 a", 30, 13, 1, 1, 2},
	} {
		rows, ok := c.s.NumRecords()
		if c.s.Version() != c.version || paths(c.s) != c.paths || c.s.SizeInBytes() != c.bytes || rows != c.rows || !ok ||
			c.s.NumTombstones() != c.tombs || int64(c.s.NumDeletionVectors()) != c.dvs || c.s.NumDeletedRows() != c.deleted || c.s.NumFiles() != len(strings.Fields(c.paths)) {
			t.Errorf("version %d: %s, %d bytes, %d rows, %d tombstones", c.s.Version(), paths(c.s), c.s.SizeInBytes(), rows, c.s.NumTombstones())
		}
	}
	if v, null := s3.Files().Partition(mustFind(t, s3, "c", ""), 0); v != "x" || null {
		t.Errorf("partition value %q, %v", v, null)
	}
	if _, ok := s3.Files().Find("b", ""); ok {
		t.Error("the file without its deletion vector is still there")
	}
	if again, err := s3.Refresh(context.Background()); err != nil || again != s3 {
		t.Errorf("nothing is new, but refresh gives %v, %v", again, err)
	}
	if again, err := s0.Refresh(context.Background()); err != nil || again != s3 {
		t.Errorf("the second refresh of version 0 gives %v, %v, want the same snapshot", again, err)
	}
}

func mustFind(t *testing.T, s *snapshot.Snapshot, path, dv string) int {
	t.Helper()
	i, ok := s.Files().Find(path, dv)
	if !ok {
		t.Fatalf("%s is not there", path)
	}
	return i
}

// model is the plain way to keep the state.
type model struct {
	files map[string]bool
	tombs map[string]bool
}

// TestReplayAgainstModel drives random histories through Apply, Refresh, Load
// and checkpoints and compares every version with a map of keys.
func TestReplayAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ctx := context.Background()
		b := storage.NewBucket(memory.New())
		defer b.Close()
		e := env.New()
		m := model{map[string]bool{}, map[string]bool{}}
		var history []map[string]bool
		var held []*snapshot.Snapshot
		var cur *snapshot.Snapshot
		versions := rapid.IntRange(1, 25).Draw(rt, "versions")
		for v := range versions {
			lines := []string{}
			if v == 0 {
				lines = append(lines, protocolLine, metadataLine)
			}
			touched := map[string]bool{}
			for range rapid.IntRange(0, 12).Draw(rt, "actions") {
				name := fmt.Sprintf("f%d", rapid.IntRange(0, 15).Draw(rt, "file"))
				dv := rapid.IntRange(0, 2).Draw(rt, "dv")
				key := fmt.Sprintf("%s/%d", name, dv)
				if touched[key] {
					continue
				}
				touched[key] = true
				line := addLine(name)
				if dv > 0 {
					line = dvLine(name, dv)
				}
				if rapid.Bool().Draw(rt, "remove") {
					line = strings.Replace(line, `{"add":`, `{"remove":`, 1)
					line = strings.Replace(line, `"modificationTime":1`, fmt.Sprintf(`"deletionTimestamp":%d`, e.Now().UnixMilli()), 1)
					delete(m.files, key)
					m.tombs[key] = true
				} else {
					m.files[key] = true
					delete(m.tombs, key)
				}
				lines = append(lines, line)
			}
			lines = append(lines, fmt.Sprintf(`{"txn":{"appId":"a","version":%d}}`, v))
			data := []byte(strings.Join(lines, "\n"))
			if err := b.Put(ctx, commitPath(int64(v)), data); err != nil {
				rt.Fatal(err)
			}
			var err error
			switch how := rapid.SampledFrom([]string{"apply", "refresh", "load"}).Draw(rt, "how"); {
			case cur == nil || how == "load":
				cur, err = snapshot.Load(ctx, e, b, snapshot.Latest())
			case how == "apply":
				cur, err = cur.Apply(int64(v), nil, data, storage.Object{})
			default:
				cur, err = cur.Refresh(ctx)
			}
			if err != nil {
				rt.Fatal(err)
			}
			if rapid.IntRange(0, 5).Draw(rt, "checkpoint") == 0 {
				if err := snapshot.WriteCheckpoint(ctx, cur); err != nil {
					rt.Fatal(err)
				}
			}
			if cur.NumTombstones() != len(m.tombs) {
				rt.Fatalf("version %d: %d tombstones, want %d", v, cur.NumTombstones(), len(m.tombs))
			}
			want := map[string]bool{}
			for k := range m.files {
				want[k] = true
			}
			history, held = append(history, want), append(held, cur)
		}
		for v, want := range history {
			fresh, err := snapshot.Load(ctx, e, b, snapshot.Version(int64(v)))
			if err != nil {
				rt.Fatal(err)
			}
			for _, s := range []*snapshot.Snapshot{held[v], fresh} {
				if s.Version() != int64(v) || s.NumFiles() != len(want) || s.SizeInBytes() != 10*int64(len(want)) {
					rt.Fatalf("version %d: %d files, want %d", v, s.NumFiles(), len(want))
				}
				n := 0
				for i := range s.Files().All() {
					n++
					a := s.Files().Add(i)
					dv := int64(0)
					if a.DeletionVector != nil {
						dv = a.DeletionVector.Cardinality
					}
					if !want[fmt.Sprintf("%s/%d", a.Path, dv)] || a.Stats != `{"numRecords":5}` || a.PartitionValues["p"] == nil {
						rt.Fatalf("version %d: unexpected %+v", v, a)
					}
					if j, ok := s.Files().Find(a.Path, a.DeletionVector.ID()); !ok || i != j {
						rt.Fatalf("version %d: Find(%s) = %d, %v, want %d", v, a.Path, j, ok, i)
					}
				}
				if n != len(want) {
					rt.Fatalf("version %d: %d files yielded, want %d", v, n, len(want))
				}
				if app, _ := s.AppVersion("a"); app != int64(v) {
					rt.Fatalf("version %d: transaction version %d", v, app)
				}
			}
		}
	})
}

// TestManySmallCommits keeps one handle over many appends and removals, with
// readers on old versions meanwhile (for the race detector), and past the point
// where dead rows are thrown out.
func TestManySmallCommits(t *testing.T) {
	w := newTable(t)
	w.start()
	s := w.load(snapshot.Latest())
	first := s
	var wg sync.WaitGroup
	for v := int64(1); v <= 6_000; v++ {
		lines := []string{addLine(fmt.Sprintf("f%d", v))}
		if v > 3 {
			lines = append(lines, removeLine(fmt.Sprintf("f%d", v-3)))
		}
		next, err := s.Apply(v, acts(t, lines...), nil, storage.Object{})
		if err != nil {
			t.Fatal(err)
		}
		if v%1000 == 0 {
			wg.Add(1)
			go func(s *snapshot.Snapshot) {
				defer wg.Done()
				for range 20 {
					if got, want := len(strings.Fields(paths(s))), s.NumFiles(); got != want {
						t.Errorf("version %d shows %d files, want %d", s.Version(), got, want)
					}
					if _, ok := s.Files().Find(fmt.Sprintf("f%d", s.Version()), ""); !ok {
						t.Errorf("version %d does not find its own file", s.Version())
					}
				}
			}(next)
		}
		s = next
	}
	wg.Wait()
	if s.NumFiles() != 3 || paths(s) != "f5998 f5999 f6000" || first.NumFiles() != 0 || s.NumTombstones() != 5_997 {
		t.Errorf("%v: %s, %d tombstones", s, paths(s), s.NumTombstones())
	}
}

func TestApplyWantsTheNextVersion(t *testing.T) {
	w := newTable(t)
	w.start("a")
	s := w.load(snapshot.Latest())
	if _, err := s.Apply(2, acts(t, addLine("b")), nil, storage.Object{}); err == nil {
		t.Error("version 2 was applied to version 0")
	}
	// A commit that cannot be read leaves the snapshot as it was.
	if _, err := s.Apply(1, nil, []byte(`{"add":`), storage.Object{}); err == nil {
		t.Error("a damaged commit was applied")
	}
	bad := `{"protocol":{"minReaderVersion":9,"minWriterVersion":9}}`
	if _, err := s.Apply(1, nil, []byte(addLine("x")+"\n"+removeLine("a")+"\n"+bad), storage.Object{}); err == nil {
		t.Error("a protocol that cannot be read was applied")
	}
	next, err := s.Apply(1, acts(t, addLine("b")), nil, storage.Object{})
	if err != nil || paths(next) != "a b" || paths(s) != "a" {
		t.Errorf("%v: %q, before it %q", err, paths(next), paths(s))
	}
}

func TestRefreshFarBehind(t *testing.T) {
	w := newTable(t)
	w.start("a")
	s := w.load(snapshot.Latest())
	for v := int64(1); v <= 40; v++ {
		w.commit(v, addLine(fmt.Sprint("f", v)))
	}
	before := w.b.Stats()
	got, err := s.Refresh(context.Background())
	if err != nil || got.Version() != 40 || got.NumFiles() != 41 {
		t.Fatalf("%v, %v", got, err)
	}
	if lists := w.b.Stats().Lists - before.Lists; lists != 1 {
		t.Errorf("%d listings, want 1", lists)
	}
	before = w.b.Stats()
	if _, err := got.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	after := w.b.Stats()
	if after.Lists != before.Lists || after.Gets != before.Gets+1 {
		t.Errorf("a refresh of the newest version took %d listings and %d reads", after.Lists-before.Lists, after.Gets-before.Gets)
	}
	if one, err := got.Apply(41, acts(t, addLine("z")), nil, storage.Object{}); err != nil || one.NumFiles() != 42 {
		t.Errorf("%v, %v", one, err)
	}
}

// flaky fails reads of one key.
type flaky struct {
	storage.Driver
	key string
	err error
}

func (f *flaky) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	if key == f.key {
		return nil, storage.Object{}, f.err
	}
	return f.Driver.Get(ctx, key)
}

func TestReadErrorIsNotTheEnd(t *testing.T) {
	driver := &flaky{Driver: memory.New(), key: commitPath(1), err: errors.New("connection reset")}
	w := &table{t: t, b: storage.NewBucket(driver), env: env.New()}
	w.start("a")
	s := w.load(snapshot.Latest())
	w.commit(1, addLine("b"))
	if got, err := s.Refresh(context.Background()); err == nil || !errors.Is(err, driver.err) {
		t.Errorf("refresh gives %v, %v: a failed read is not the end of the log", got, err)
	}
	if got, err := snapshot.Load(context.Background(), w.env, w.b, snapshot.Latest()); !errors.Is(err, driver.err) {
		t.Errorf("load gives %v, %v", got, err)
	}
	driver.err = storage.ErrPermission
	if _, err := s.Refresh(context.Background()); !errors.Is(err, storage.ErrPermission) {
		t.Errorf("refresh: %v", err)
	}
	driver.key = ""
	if got, err := s.Refresh(context.Background()); err != nil || got.Version() != 1 {
		t.Errorf("refresh gives %v, %v", got, err)
	}
}

func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			w := newTable(b)
			var lines []string
			for i := range n {
				lines = append(lines, addLine(fmt.Sprintf("old%d", i)))
			}
			w.commit(0, append([]string{protocolLine, metadataLine}, lines...)...)
			s := w.load(snapshot.Latest())
			v := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				v++
				var err error
				if s, err = s.Apply(v, nil, []byte(addLine(fmt.Sprintf("f%d", v))), storage.Object{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
