package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

func TestDamagedLogs(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(w *table)
		want  string
		line  int
	}{
		{"gap", func(w *table) { w.start("a"); w.commit(2, addLine("b")) }, "DELTA_VERSIONS_NOT_CONTIGUOUS", 0},
		{"no beginning", func(w *table) { w.commit(1, addLine("b")) }, "DELTA_TRUNCATED_TRANSACTION_LOG", 0},
		{"cut-off commit", func(w *table) { w.start("a"); w.put(commitPath(1), addLine("b")+"\n"+addLine("c")[:40]) }, "line 2", 2},
		{"empty commit", func(w *table) { w.start("a"); w.put(commitPath(1), "") }, "empty", 0},
		{"blank commit", func(w *table) { w.start("a"); w.put(commitPath(1), "\n\n") }, "empty", 0},
		{"nested partition value", func(w *table) {
			w.start("a")
			w.commit(1, addLine("b"), strings.Replace(addLine("c"), `{"p":"x"}`, `{"p":{"q":1}}`, 1))
		}, "00001.json: line 2, column 6: partitionValues", 2},
		{"no protocol", func(w *table) { w.commit(0, metadataLine) }, "no protocol", 0},
		{"no metadata", func(w *table) { w.commit(0, protocolLine, addLine("a")) }, "no metaData", 0},
		{"bad schema", func(w *table) {
			w.commit(0, protocolLine, strings.Replace(metadataLine, `\"long\"`, `\"longish\"`, 1))
		}, "longish", 0},
		{"partition column without a field", func(w *table) {
			w.commit(0, protocolLine, strings.Replace(metadataLine, `["p"]`, `["q"]`, 1))
		}, "partition column q", 0},
		{"half a checkpoint", func(w *table) {
			w.put("_delta_log/00000000000000000003.checkpoint.0000000001.0000000002.parquet", "x")
		}, "parts of a checkpoint", 0},
		{"only a broken checkpoint", func(w *table) {
			w.put("_delta_log/00000000000000000003.checkpoint.parquet", "no parquet")
			w.commit(3, addLine("x"))
		}, "checkpoint", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTable(t)
			c.build(w)
			s, err := snapshot.Load(context.Background(), w.env, w.b, snapshot.Latest())
			var corrupt *snapshot.CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), c.want) || corrupt.Line != c.line {
				t.Errorf("%v, %v: want a CorruptError with %q at line %d", s, err, c.want, c.line)
			}
		})
	}
}

func TestNotATable(t *testing.T) {
	w := newTable(t)
	for _, key := range []string{"", "readme.txt", "_delta_log/notes.txt", "_delta_log/_commits/x.json"} {
		if key != "" {
			w.put(key, "x")
		}
		if s, err := snapshot.Load(context.Background(), w.env, w.b, snapshot.Latest()); !errors.Is(err, snapshot.ErrNotTable) {
			t.Errorf("with %q: %v, %v", key, s, err)
		}
	}
}

func TestVersionNotFound(t *testing.T) {
	w := newTable(t)
	w.start("a")
	for _, v := range []int64{-1, 1, 99} {
		if s, err := snapshot.Load(context.Background(), w.env, w.b, snapshot.Version(v)); !errors.Is(err, snapshot.ErrVersionNotFound) {
			t.Errorf("version %d: %v, %v", v, s, err)
		}
	}
}

func TestNewerProtocolIsRefused(t *testing.T) {
	w := newTable(t)
	w.commit(0, strings.Replace(protocolLine, `["deletionVectors"],"w`, `["deletionVectors","teleport"],"w`, 1), metadataLine)
	_, err := snapshot.Load(context.Background(), w.env, w.b, snapshot.Latest())
	var f *feature.Error
	if !errors.As(err, &f) || f.Feature != "teleport" || f.Class != "DELTA_UNSUPPORTED_FEATURES_FOR_READ" {
		t.Errorf("%v", err)
	}
}

// TestFallBack: whatever is wrong with checkpoints or the pointer to them, the
// commits tell the same.
func TestFallBack(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		spoil func(w *table)
	}{
		{"nothing", func(*table) {}},
		{"no hint", func(w *table) { _ = w.b.Delete(ctx, "_delta_log/_last_checkpoint") }},
		{"corrupt hint", func(w *table) { w.put("_delta_log/_last_checkpoint", `{"vers`) }},
		{"empty hint", func(w *table) { w.put("_delta_log/_last_checkpoint", "") }},
		{"hint without a version", func(w *table) { w.put("_delta_log/_last_checkpoint", "{}") }},
		{"hint beyond the end", func(w *table) { w.put("_delta_log/_last_checkpoint", `{"version":99,"size":1}`) }},
		{"hint at a commit", func(w *table) { w.put("_delta_log/_last_checkpoint", `{"version":7,"size":1}`) }},
		{"broken checkpoint", func(w *table) { w.put("_delta_log/00000000000000000006.checkpoint.parquet", "not parquet") }},
		{"both broken", func(w *table) {
			w.put("_delta_log/00000000000000000006.checkpoint.parquet", "not parquet")
			w.put("_delta_log/00000000000000000003.checkpoint.parquet", "PAR1xxxxPAR1")
		}},
		{"empty checkpoint", func(w *table) { w.put("_delta_log/00000000000000000006.checkpoint.parquet", "") }},
		{"incomplete parts", func(w *table) {
			w.put("_delta_log/00000000000000000008.checkpoint.0000000001.0000000002.parquet", "half")
		}},
		{"V2 that names a missing sidecar", func(w *table) {
			w.put("_delta_log/00000000000000000008.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
				`{"checkpointMetadata":{"version":8}}`+"\n"+protocolLine+"\n"+metadataLine+"\n"+`{"sidecar":{"path":"gone.parquet","sizeInBytes":10,"modificationTime":1}}`+"\n")
		}},
		{"V2 that names a sidecar elsewhere", func(w *table) {
			w.put("_delta_log/00000000000000000008.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
				`{"checkpointMetadata":{"version":8}}`+"\n"+`{"sidecar":{"path":"../../etc/passwd","sizeInBytes":10,"modificationTime":1}}`+"\n")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTable(t)
			w.start("a")
			for v := int64(1); v <= 9; v++ {
				w.commit(v, addLine(fmt.Sprint("f", v)), removeLine(fmt.Sprint("f", v-1)))
			}
			for _, v := range []int64{3, 6} {
				if err := snapshot.WriteCheckpoint(ctx, w.load(snapshot.Version(v))); err != nil {
					t.Fatal(err)
				}
			}
			c.spoil(w)
			if s := w.load(snapshot.Latest()); s.Version() != 9 || paths(s) != "a f9" {
				t.Errorf("%v: %s", s, paths(s))
			}
			if s := w.load(snapshot.Version(2)); paths(s) != "a f2" {
				t.Errorf("%v: %s", s, paths(s))
			}
		})
	}
}

func TestCleanedUpLog(t *testing.T) {
	ctx := context.Background()
	w := newTable(t)
	w.start("a")
	for v := int64(1); v <= 5; v++ {
		w.commit(v, addLine(fmt.Sprint("f", v)))
	}
	old := w.load(snapshot.Version(1))
	if err := snapshot.WriteCheckpoint(ctx, w.load(snapshot.Version(4))); err != nil {
		t.Fatal(err)
	}
	for v := int64(0); v <= 3; v++ {
		if err := w.b.Delete(ctx, commitPath(v)); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.load(snapshot.Latest()); s.Version() != 5 || s.NumFiles() != 6 {
		t.Errorf("%v", s)
	}
	if s := w.load(snapshot.Version(4)); s.NumFiles() != 5 {
		t.Errorf("%v", s)
	}
	_, err := snapshot.Load(ctx, w.env, w.b, snapshot.Version(2))
	if !errors.Is(err, snapshot.ErrVersionNotFound) || !strings.Contains(err.Error(), "versions 4 to 5") {
		t.Errorf("version 2: %v", err)
	}
	// A handle that slept while its next commits were cleaned up finds its way.
	now := w.env.Now()
	w.env.Now = func() time.Time { return now.Add(2 * time.Hour) }
	if s, err := old.Refresh(ctx); err != nil || s.Version() != 5 || s.NumFiles() != 6 {
		t.Errorf("%v, %v", s, err)
	}
}
