package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// TestOddCommits: what commits may look like without being damaged.
func TestOddCommits(t *testing.T) {
	add := func(path string) string { return addLine(path) + "\n" }
	start := protocolLine + "\n" + metadataLine + "\n"
	for _, c := range []struct{ name, zero, one, want string }{
		{"carriage returns", strings.ReplaceAll(start+add("a"), "\n", "\r\n"), strings.ReplaceAll(add("b"), "\n", "\r\n"), "a b"},
		{"a byte order mark", "\ufeff" + start + add("a"), "\ufeff" + add("b"), "a b"},
		{"blank lines", "\n\n" + start + "\n \t\n" + add("a"), "\n" + add("b") + "\n\n", "a b"},
		{"no line end", start + addLine("a"), addLine("b"), "a b"},
		{"commitInfo last", start + add("a") + `{"commitInfo":{"operation":"X"}}` + "\n", add("b") + `{"commitInfo":{}}`, "a b"},
		{"the same add twice", start + add("a") + add("a"), add("b") + add("b"), "a b"},
		{"add and remove, then add", start + add("a"), removeLine("a") + "\n" + add("a"), "a"},
		{"add, then remove", start + add("a"), add("b") + removeLine("b"), "a"},
		{"protocol and metadata twice", start + start + add("a"), start + add("b"), "a b"},
		{"remove of a file that never was", start + add("a"), removeLine("x"), "a"},
		{"unknown actions and fields", start + `{"novelty":{"x":[{}]}}` + "\n" + strings.Replace(add("a"), `"size"`, `"later":{"deep":[[]]},"size"`, 1), `{"novelty":1}` + "\n" + add("b"), "a b"},
		{"nothing but provenance", start + add("a"), `{"commitInfo":{"operation":"OPTIMIZE"}}`, "a"},
		{"sidecars in a commit", start + add("a"), `{"sidecar":{"path":"gone.parquet","sizeInBytes":1,"modificationTime":1}}` + "\n" + `{"checkpointMetadata":{"version":1}}` + "\n" + add("b"), "a b"},
		{"a long line", start + add("a"), strings.Replace(add("b"), `"size"`, `"tags":{"t":"`+strings.Repeat("x", 5<<20)+`"},"size"`, 1) + add("c"), "a b c"},
		{"lines longer than a piece", start + add("a"), add("b") + `{"novelty":"` + strings.Repeat("y", 21<<20) + `"}` + "\n" + add("c"), "a b c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTable(t)
			w.put(commitPath(0), c.zero)
			w.put(commitPath(1), c.one)
			if s := w.load(snapshot.Latest()); s.Version() != 1 || paths(s) != c.want {
				t.Errorf("%v: %s, want %s", s, paths(s), c.want)
			}
		})
	}
}

// TestBadLines: an error names the file and the line.
func TestBadLines(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"trailing garbage", addLine("b") + "}", "text behind the end"},
		{"a number that does not fit", strings.Replace(addLine("b"), `"size":10`, `"size":99999999999999999999`, 1), "too large"},
		{"a path that is too large to be one", `{"add":{"path":"b","tags":{"t":"` + strings.Repeat("x", 9<<20) + `"},"size":1,"modificationTime":1}}`, "are more than"},
		{"deep nesting", `{"add":{"path":"b","x":` + strings.Repeat("[", 100_000), "too deep"},
		{"a line of zeros", strings.Repeat("\x00", 100), "missing"},
		{"two objects", addLine("b") + addLine("c"), "text behind the end"},
		{"half a line", addLine("b")[:50], ""},
		{"a deletion vector without a type", `{"add":{"path":"b","size":1,"modificationTime":1,"deletionVector":{"cardinality":1}}}`, "storageType"},
		{"an enormous cardinality", `{"add":{"path":"b","size":1,"modificationTime":1,"deletionVector":{"storageType":"i","cardinality":1e300}}}`, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTable(t)
			w.start("a")
			w.put(commitPath(1), addLine("x")+"\n\n"+c.line+"\n"+addLine("y"))
			_, err := snapshot.Load(t.Context(), w.env, w.b, snapshot.Latest())
			var corrupt *snapshot.CorruptError
			if !errors.As(err, &corrupt) || corrupt.File != commitPath(1) || corrupt.Line != 3 || corrupt.Version != 1 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.300v", err)
			}
			if s := w.load(snapshot.Version(0)); paths(s) != "a" {
				t.Errorf("version 0: %s", paths(s))
			}
		})
	}
}

// v2 writes a V2 checkpoint of a version with two files a sidecar.
func (w *table) v2(version int64, asJSON bool) {
	w.t.Helper()
	s := w.load(snapshot.Version(version))
	state := &checkpoint.State{Version: version, Protocol: s.Protocol(), Metadata: s.Metadata(), NumAdds: s.NumFiles(), StatsJSON: true,
		Adds: filesOf(s), Removes: func(func(*action.File) bool) {}}
	n := 0
	id := func() string { n++; return fmt.Sprintf("00000000-0000-4000-8000-%04d%08d", version, n) }
	if _, err := checkpoint.WriteV2(context.Background(), w.b, state, checkpoint.V2{JSON: asJSON, SidecarFiles: 2, NewID: id}); err != nil {
		w.t.Fatal(err)
	}
}

func filesOf(s *snapshot.Snapshot) iter.Seq[*action.File] {
	return func(yield func(*action.File) bool) {
		for i := range s.Files().All() {
			line, err := action.Append(nil, s.Files().Add(i))
			if err != nil {
				panic(err)
			}
			more := true
			if err := action.Scan(line, "", &action.Handler{Add: func(f *action.File) error { more = yield(f); return nil }}); err != nil {
				panic(err)
			}
			if !more {
				return
			}
		}
	}
}

// TestV2FallBack: a V2 checkpoint of which anything is wrong is not used.
func TestV2FallBack(t *testing.T) {
	ctx := context.Background()
	top := func(w *table, version int64) string {
		for f, err := range deltalog.List(ctx, w.b, version) {
			if err != nil {
				w.t.Fatal(err)
			}
			if f.Kind == deltalog.CheckpointV2 {
				return f.Object.Key
			}
		}
		w.t.Fatal("no checkpoint")
		return ""
	}
	side := func(version, n int) string {
		return fmt.Sprintf("_delta_log/_sidecars/00000000-0000-4000-8000-%04d%08d.parquet", version, n)
	}
	for _, c := range []struct {
		name   string
		spoil  func(w *table)
		usable bool
		json   bool // lines can be appended to JSON only
	}{
		{"nothing", func(*table) {}, true, false},
		{"a sidecar is missing", func(w *table) { _ = w.b.Delete(ctx, side(8, 2)) }, false, false},
		{"a sidecar is empty", func(w *table) { w.put(side(8, 2), "") }, false, false},
		{"a sidecar is damaged", func(w *table) {
			data, _, _ := w.b.Get(ctx, side(8, 1))
			w.put(side(8, 1), string(data[:len(data)/3])+string(data[len(data)/2:]))
		}, false, false},
		{"the top level is cut off", func(w *table) {
			data, _, _ := w.b.Get(ctx, top(w, 8))
			w.put(top(w, 8), string(data[:len(data)-10]))
		}, false, false},
		{"the top level is empty", func(w *table) { w.put(top(w, 8), "") }, false, false},
		{"a sidecar climbs out", func(w *table) {
			w.append(top(w, 8), `{"sidecar":{"path":"../../x.parquet","sizeInBytes":1,"modificationTime":1}}`)
		}, false, true},
		{"a sidecar elsewhere", func(w *table) {
			w.append(top(w, 8), `{"sidecar":{"path":"s3://b/x.parquet","sizeInBytes":1,"modificationTime":1}}`)
		}, false, true},
		{"a sidecar that climbs out in escapes", func(w *table) {
			w.append(top(w, 8), `{"sidecar":{"path":"..%2f..%2fx.parquet","sizeInBytes":1,"modificationTime":1}}`)
		}, false, true},
		{"a sidecar that is the top level", func(w *table) {
			w.append(top(w, 8), `{"sidecar":{"path":"../`+strings.TrimPrefix(top(w, 8), "_delta_log/")+`","sizeInBytes":1,"modificationTime":1}}`)
		}, false, true},
	} {
		for _, asJSON := range []bool{true, false} {
			if c.json && !asJSON {
				continue
			}
			t.Run(fmt.Sprint(c.name, "/json=", asJSON), func(t *testing.T) {
				w := newTable(t)
				w.start("a")
				for v := int64(1); v <= 9; v++ {
					w.commit(v, addLine(fmt.Sprint("f", v)))
				}
				w.v2(4, asJSON)
				w.v2(8, asJSON)
				c.spoil(w)
				s := w.load(snapshot.Latest())
				if paths(s) != "a f1 f2 f3 f4 f5 f6 f7 f8 f9" {
					t.Errorf("%v: %s", s, paths(s))
				}
				if want := map[bool]int64{true: 8, false: 4}[c.usable]; s.LastCheckpoint() != want {
					t.Errorf("from checkpoint %d, want %d", s.LastCheckpoint(), want)
				}
			})
		}
	}
}

func (w *table) append(key, line string) {
	data, _, err := w.b.Get(context.Background(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(key, string(data)+line+"\n")
}

// TestSidecarsDoNotNest: a sidecar that names itself is read once.
func TestSidecarsDoNotNest(t *testing.T) {
	w := newTable(t)
	w.start("a")
	line := `{"sidecar":{"path":"loop.json","sizeInBytes":1,"modificationTime":1}}` + "\n"
	w.put("_delta_log/_sidecars/loop.json", line+addLine("b"))
	w.put("_delta_log/00000000000000000000.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
		`{"checkpointMetadata":{"version":0}}`+"\n"+protocolLine+"\n"+metadataLine+"\n"+line)
	if s := w.load(snapshot.Latest()); paths(s) != "b" {
		t.Errorf("%s", paths(s))
	}
}

// TestHints: whatever the hint says, the newest version is found.
func TestHints(t *testing.T) {
	good := func(h deltalog.LastCheckpoint) string {
		data, err := h.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for name, hint := range map[string]string{
		"right":               good(deltalog.LastCheckpoint{Version: 6, Size: 9}),
		"a wrong checksum":    strings.Replace(good(deltalog.LastCheckpoint{Version: 6, Size: 9}), `"size":9`, `"size":8`, 1),
		"stale":               good(deltalog.LastCheckpoint{Version: 3}),
		"of a deleted file":   good(deltalog.LastCheckpoint{Version: 2}),
		"beyond the end":      good(deltalog.LastCheckpoint{Version: 1 << 60}),
		"too large a version": `{"version":99999999999999999999,"size":1}`,
		"a fraction":          `{"version":6.5,"size":1}`,
		"negative":            `{"version":-6,"size":1}`,
		"oversized":           `{"version":6,"size":1,"tags":{"x":"` + strings.Repeat("y", 5<<20) + `"}}`,
		"deep":                `{"version":6,"size":1,"v2Checkpoint":` + strings.Repeat("[", 20_000),
		"an array":            `[6]`,
		"not UTF-8":           "\xff\xfe{",
		"many parts":          `{"version":6,"size":1,"parts":1000000000}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newTable(t)
			w.start("a")
			for v := int64(1); v <= 9; v++ {
				w.commit(v, addLine(fmt.Sprint("f", v)))
			}
			for _, v := range []int64{3, 6} {
				if err := snapshot.WriteCheckpoint(t.Context(), w.load(snapshot.Version(v))); err != nil {
					t.Fatal(err)
				}
			}
			w.put("_delta_log/_last_checkpoint", hint)
			if s := w.load(snapshot.Latest()); s.Version() != 9 || s.NumFiles() != 10 {
				t.Errorf("%v", s)
			}
		})
	}
}

// TestChecksums: whatever the version checksum says, the log is believed.
func TestChecksums(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "garbage": "{{{", "wrong": `{"tableSizeBytes":1,"numFiles":99,"numMetadata":1,"numProtocol":1}`,
		"too large": `{"numFiles":1e400}`, "oversized": strings.Repeat(" ", 33<<20), "deep": strings.Repeat("[", 20_000), "no object": `"x"`,
		"of another table": `{"tableSizeBytes":10,"numFiles":1,"metadata":{"id":"other"},"protocol":{"minReaderVersion":9}}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newTable(t)
			w.start("a")
			w.put(deltalog.ChecksumPath(0), text)
			if s := w.load(snapshot.Latest()); paths(s) != "a" || s.Metadata().ID != "t" {
				t.Errorf("%v", s)
			}
		})
	}
}

// forbidding is a store that does not give some objects away.
type forbidding struct {
	storage.Driver
	part string // of the key
	err  error
}

func (d *forbidding) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	if strings.Contains(key, d.part) {
		return nil, storage.Object{}, d.err
	}
	return d.Driver.Get(ctx, key)
}

func (d *forbidding) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	if strings.Contains(key, d.part) {
		return nil, d.err
	}
	return d.Driver.GetRange(ctx, key, offset, length)
}

// TestForbiddenCheckpoint: a checkpoint or hint that may not be read is done
// without; a store that fails is an error.
func TestForbiddenCheckpoint(t *testing.T) {
	for _, part := range []string{"6.checkpoint.parquet", "_last_checkpoint"} {
		d := &forbidding{Driver: memory.New(), part: "nothing"}
		w := newTable(t)
		w.b = storage.NewBucket(d)
		defer w.b.Close()
		w.start("a")
		for v := int64(1); v <= 9; v++ {
			w.commit(v, addLine(fmt.Sprint("f", v)))
		}
		for _, v := range []int64{3, 6} {
			if err := snapshot.WriteCheckpoint(t.Context(), w.load(snapshot.Version(v))); err != nil {
				t.Fatal(err)
			}
		}
		d.part, d.err = part, storage.ErrPermission
		if s := w.load(snapshot.Latest()); s.Version() != 9 || s.NumFiles() != 10 {
			t.Errorf("%s: %v", part, s)
		}
		d.err = errors.New("broken pipe")
		if s, err := snapshot.Load(t.Context(), w.env, w.b, snapshot.Latest()); err == nil || !strings.Contains(err.Error(), "broken pipe") {
			t.Errorf("%s: %v, %v", part, s, err)
		}
	}
}

// cleaner is a store whose log is cleaned up just after it was listed.
type cleaner struct {
	storage.Driver
	clean func()
}

func (c *cleaner) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for o, err := range c.Driver.List(ctx, prefix, after) {
			if !yield(o, err) {
				return
			}
		}
		if clean := c.clean; clean != nil {
			c.clean = nil
			clean()
		}
	}
}

// TestCleanUpWhileOpening: commits that vanish between listing and reading are
// looked for once more, and a newer checkpoint takes their place.
func TestCleanUpWhileOpening(t *testing.T) {
	d := &cleaner{Driver: memory.New()}
	b := storage.NewBucket(d)
	defer b.Close()
	w := newTable(t)
	w.b = b
	w.start("a")
	for v := int64(1); v <= 5; v++ {
		w.commit(v, addLine(fmt.Sprint("f", v)))
	}
	last := w.load(snapshot.Latest())
	d.clean = func() {
		if err := snapshot.WriteCheckpoint(t.Context(), last); err != nil {
			t.Error(err)
		}
		for v := int64(0); v < 5; v++ {
			_ = b.Delete(t.Context(), commitPath(v))
		}
	}
	if s := w.load(snapshot.Latest()); s.Version() != 5 || s.NumFiles() != 6 {
		t.Errorf("%v", s)
	}
}
