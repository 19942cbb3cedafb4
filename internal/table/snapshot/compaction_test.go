package snapshot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// compacted is what a log compaction file of some commits says: the last word
// on each file, application and domain (PROTOCOL.md, Action Reconciliation).
func compacted(t rapid.TB, commits []string) string {
	t.Helper()
	last := map[string]string{}
	var order []string
	for _, c := range commits {
		for line := range strings.Lines(c) {
			acts, err := action.ParseCommit([]byte(line), "")
			if err != nil {
				t.Fatal(err)
			}
			key := ""
			switch a := acts[0].(type) {
			case *action.Add:
				key = "file " + a.Path + a.DeletionVector.ID()
			case *action.Remove:
				key = "file " + a.Path + a.DeletionVector.ID()
			case *action.Txn:
				key = "txn " + a.AppID
			case *action.DomainMetadata:
				key = "domain " + a.Domain
			case *action.CommitInfo:
				continue
			default:
				key = acts[0].Key()
			}
			if i := slices.Index(order, key); i >= 0 {
				order = slices.Delete(order, i, i+1)
			}
			order, last[key] = append(order, key), line
		}
	}
	out := ""
	for _, key := range order {
		out += last[key]
	}
	return out
}

func compactionPath(from, to int) string {
	return fmt.Sprintf("_delta_log/%020d.%020d.compacted.json", from, to)
}

func factsOf(s *snapshot.Snapshot) string {
	var lines []string
	for i := range s.Files().All() {
		lines = append(lines, "file "+s.Files().Path(i)+" "+s.Files().DV(i).ID())
	}
	for r := range s.Tombstones() {
		lines = append(lines, "tombstone "+r.Path+" "+r.DeletionVector.ID())
	}
	for id, x := range s.Txns() {
		lines = append(lines, fmt.Sprint("txn ", id, x.Version))
	}
	for id, d := range s.Domains() {
		lines = append(lines, fmt.Sprint("domain ", id, d.Configuration))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestCompactions: whichever compactions lie around, whole or damaged,
// overlapping or beside a checkpoint, every version is what its commits say.
func TestCompactions(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		b := storage.NewBucket(memory.New())
		defer b.Close()
		e := env.New()
		put := func(key, data string) {
			if err := b.Put(ctx, key, []byte(data)); err != nil {
				t.Fatal(err)
			}
		}
		load := func(v int) *snapshot.Snapshot {
			s, err := snapshot.Load(ctx, e, b, snapshot.Version(int64(v)))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		n := rapid.IntRange(3, 10).Draw(t, "versions")
		var commits []string
		for v := range n {
			text := `{"commitInfo":{"operation":"X"}}` + "\n"
			if v == 0 {
				text += protocolLine + "\n" + metadataLine + "\n"
			}
			used := map[string]bool{}
			for range rapid.IntRange(0, 4).Draw(t, "actions") {
				path := string(rune('a' + rapid.IntRange(0, 5).Draw(t, "path")))
				if used[path] {
					continue
				}
				used[path] = true
				text += rapid.SampledFrom([]string{addLine(path), removeLine(path), dvLine(path, 1),
					fmt.Sprintf(`{"txn":{"appId":"%s","version":%d}}`, path, v),
					fmt.Sprintf(`{"domainMetadata":{"domain":"%s","configuration":"%d","removed":%v}}`, path, v, v%3 == 0)}).Draw(t, "action") + "\n"
			}
			commits = append(commits, text)
			put(commitPath(int64(v)), text)
		}
		var want []string
		for v := range n {
			want = append(want, factsOf(load(v)))
		}
		if rapid.Bool().Draw(t, "checkpoint") {
			if err := snapshot.WriteCheckpoint(ctx, load(rapid.IntRange(0, n-1).Draw(t, "at"))); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 4).Draw(t, "compactions") {
			from := rapid.IntRange(0, n-2).Draw(t, "from")
			to := rapid.IntRange(from+1, n-1).Draw(t, "to")
			data := compacted(t, commits[from:to+1])
			switch rapid.IntRange(0, 5).Draw(t, "damage") {
			case 0:
				data = strings.TrimRight(data, "}\n") // cut off
			case 1:
				data = "no JSON"
			case 2:
				data = "\n"
			}
			put(compactionPath(from, to), data)
		}
		for v := range n {
			if got := factsOf(load(v)); got != want[v] {
				t.Fatalf("version %d is\n%s\nwant\n%s", v, got, want[v])
			}
		}
	})
}

// TestCompactionsSaveRequests: a compaction is read in place of its commits, and
// a damaged one is reported.
func TestCompactionsSaveRequests(t *testing.T) {
	w := newTable(t)
	var commits []string
	for v := range 40 {
		c := addLine(fmt.Sprint("f", v)) + "\n"
		if v == 0 {
			c = protocolLine + "\n" + metadataLine + "\n" + c
		}
		commits = append(commits, c)
		w.put(commitPath(int64(v)), c)
	}
	w.put(compactionPath(0, 9), compacted(t, commits[:10]))
	w.put(compactionPath(5, 30), compacted(t, commits[5:31]))
	w.put(compactionPath(10, 19), compacted(t, commits[10:20]))
	w.put(compactionPath(50, 60), addLine("never"))
	w.put(compactionPath(30, 45), addLine("never"))
	before := w.b.Stats().Gets
	if s := w.load(snapshot.Latest()); s.NumFiles() != 40 {
		t.Errorf("%v", s)
	}
	if n := w.b.Stats().Gets - before; n != 1+5+1+9 { // the hint, five commits, 5..30, the rest
		t.Errorf("%d requests", n)
	}
	var log bytes.Buffer
	w.env.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.put(compactionPath(5, 30), addLine("x")[:30])
	if s := w.load(snapshot.Latest()); s.NumFiles() != 40 || !strings.Contains(log.String(), "compaction") {
		t.Errorf("%v; %s", s, log.String())
	}
}

// TestCompactionKeepsTime: the time of a version that a compaction covers is
// the one in its commit.
func TestCompactionKeepsTime(t *testing.T) {
	w := newTable(t)
	metadata := strings.Replace(metadataLine, `"configuration":{}`, `"configuration":{"delta.enableInCommitTimestamps":"true"}`, 1)
	var commits []string
	for v := range 30 {
		c := fmt.Sprintf(`{"commitInfo":{"inCommitTimestamp":%d}}`, 1000+v) + "\n" + addLine(fmt.Sprint("f", v)) + "\n"
		if v == 0 {
			c += protocolLine + "\n" + metadata + "\n"
		}
		commits = append(commits, c)
		w.put(commitPath(int64(v)), c)
	}
	w.put(compactionPath(0, 29), compacted(t, commits))
	if s := w.load(snapshot.Latest()); s.Timestamp().UnixMilli() != 1029 || s.NumFiles() != 30 {
		t.Errorf("%v at %v", s, s.Timestamp())
	}
}
