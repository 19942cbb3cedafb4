package snapshot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// largeStats is a table whose statistics do not compress, so that a checkpoint
// keeps them; every seventh file has none, every tenth was removed later.
func largeStats(t *testing.T, b *storage.Bucket) (w *table, want map[string]string) {
	w = &table{t: t, b: b, env: env.New()}
	rnd := rand.New(rand.NewPCG(1, 2))
	lines, want := []string{protocolLine, metadataLine}, map[string]string{}
	for i := range 3000 {
		path := fmt.Sprint("f", i)
		text := make([]byte, 1200)
		for k := range text {
			text[k] = byte('a' + rnd.IntN(26))
		}
		stats := fmt.Sprintf(`{"numRecords":%d,"minValues":{"id":%d},"maxValues":{"id":%d,"x":"%s"},"nullCount":{"id":0}}`, i, i*10, i*10+9, text)
		if i%7 == 0 {
			stats = ""
		}
		want[path] = stats
		lines = append(lines, fmt.Sprintf(`{"add":{"path":"%s","partitionValues":{"p":"%d"},"size":%d,"modificationTime":1,"dataChange":true,"stats":%q,"tags":{"n":"%d"}}}`, path, i%3, i, stats, i))
	}
	w.commit(0, lines...)
	ctx := context.Background()
	if err := snapshot.WriteCheckpoint(ctx, w.load(snapshot.Latest())); err != nil {
		t.Fatal(err)
	}
	var gone []string
	for i := 0; i < 3000; i += 10 {
		gone = append(gone, removeLine(fmt.Sprint("f", i)))
		delete(want, fmt.Sprint("f", i))
	}
	w.commit(1, gone...)
	return w, want
}

// buckets are one whose files can be kept open, and one where they cannot.
func buckets(t *testing.T, run func(t *testing.T, b *storage.Bucket)) {
	t.Run("local", func(t *testing.T) { run(t, openBucket(t, filepath.Join(t.TempDir(), "table"))) })
	t.Run("remote", func(t *testing.T) {
		b := storage.NewBucket(noHandles{memory.New()})
		t.Cleanup(func() { b.Close() })
		run(t, b)
	})
}

// noHandles is a store that reads whole objects and ranges only.
type noHandles struct{ storage.Driver }

func pruner(t *testing.T, s *snapshot.Snapshot, where string) *prune.Pruner {
	t.Helper()
	e, err := expr.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	if e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: s.Schema()}}}); err != nil {
		t.Fatal(err)
	}
	return prune.New(e, s.Schema(), s.PartitionColumns())
}

// TestStatisticsLeftBehind: statistics that loading left in a checkpoint say
// the same as those of commits, also when the checkpoint is gone by then.
func TestStatisticsLeftBehind(t *testing.T) {
	buckets(t, func(t *testing.T, b *storage.Bucket) {
		w, want := largeStats(t, b)
		s := w.load(snapshot.Latest())
		if err := w.b.Delete(context.Background(), "_delta_log/00000000000000000000.checkpoint.parquet"); err != nil {
			t.Fatal(err)
		}
		for _, where := range []string{"id >= 10000 AND id < 10100", "p = '1'", "p = '1' AND id < 500", "p = '9'", "id IS NULL", "p = '1' OR id < 100"} {
			p := pruner(t, s, where)
			var fast, slow []int
			for i := range s.Files().Select(p) {
				fast = append(fast, i)
			}
			again := w.loadAll()
			for i := range again.Files().All() {
				if p.Keep(again.Files().Ref(i)).Keep {
					j, ok := s.Files().Find(again.Files().Path(i), "")
					if !ok {
						t.Fatal("lost", again.Files().Path(i))
					}
					slow = append(slow, j)
				}
			}
			slices.Sort(slow)
			if !slices.Equal(fast, slow) {
				t.Errorf("%s keeps %d files, want %d", where, len(fast), len(slow))
			}
		}
		if s.NumFiles() != len(want) {
			t.Fatalf("%d files, want %d", s.NumFiles(), len(want))
		}
		for i := range s.Files().All() {
			bare, full := s.Files().Bare(i), s.Files().Add(i)
			var n int
			fmt.Sscanf(full.Path, "f%d", &n)
			if full.Stats != want[full.Path] || string(s.Files().StatsJSON(i)) != want[full.Path] || bare.Stats != "" || full.Tags["n"] != fmt.Sprint(n) || bare.Tags["n"] != fmt.Sprint(n) {
				t.Fatalf("%s: %.80s, want %.80s", full.Path, full.Stats, want[full.Path])
			}
			if rows, ok := s.Files().NumRecords(i); ok != (n%7 != 0) || ok && int(rows) != n {
				t.Fatalf("%s: %d rows, %v", full.Path, rows, ok)
			}
		}
	})
}

// loadAll loads from the commits alone.
func (w *table) loadAll() *snapshot.Snapshot {
	w.t.Helper()
	_ = w.b.Delete(context.Background(), "_delta_log/_last_checkpoint")
	_ = w.b.Delete(context.Background(), "_delta_log/00000000000000000000.checkpoint.parquet")
	return w.load(snapshot.Latest())
}

// TestDamagedStatistics: a checkpoint whose statistics cannot be decoded gives
// its files without them, and says so.
func TestDamagedStatistics(t *testing.T) {
	buckets(t, func(t *testing.T, b *storage.Bucket) {
		w, want := largeStats(t, b)
		key := "_delta_log/00000000000000000000.checkpoint.parquet"
		data, _, err := w.b.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for i := len(data) / 2; i < len(data)/2+200_000; i++ {
			data[i] = 0xff
		}
		if err := w.b.Put(t.Context(), key, data); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		w.env.Log = slog.New(slog.NewTextHandler(&log, nil))
		s := w.load(snapshot.Latest())
		p, n := pruner(t, s, "id >= 10000 AND id < 10100"), 0
		for range s.Files().Select(p) {
			n++
		}
		if n < 10 || s.NumFiles() != len(want) || !strings.Contains(log.String(), "statistics of a checkpoint are damaged") {
			t.Errorf("%d of %d files are kept; log: %s", n, s.NumFiles(), log.String())
		}
		good, none := 0, 0
		for i := range s.Files().All() {
			switch a := s.Files().Add(i); a.Stats {
			case want[a.Path]:
				good++
			case "":
				none++
			default:
				t.Fatalf("%s has the statistics of another file", a.Path)
			}
		}
		if err := snapshot.WriteCheckpoint(t.Context(), s); err == nil || !strings.Contains(err.Error(), "lose statistics") {
			t.Errorf("a checkpoint without statistics was written: %v", err)
		}
		if good == 0 || none == 0 {
			t.Errorf("%d with statistics, %d without", good, none)
		}
	})
}
