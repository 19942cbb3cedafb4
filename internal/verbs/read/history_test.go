package read_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// logOf is a log with these commits, by version; "" leaves a version out. Files
// get the times of the clock, a second apart.
func logOf(t *testing.T, commits ...string) *storage.Bucket {
	t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := storage.NewBucket(memory.New(memory.WithURL("memory://history"), memory.WithClock(func() time.Time { now = now.Add(time.Second); return now })))
	for v, text := range commits {
		if text == "" {
			continue
		}
		if err := b.PutIfAbsent(t.Context(), deltalog.CommitPath(int64(v)), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func commit(op string, inCommit ...int64) string {
	if len(inCommit) > 0 {
		return fmt.Sprintf(`{"commitInfo":{"inCommitTimestamp":%d,"timestamp":1,"operation":%q}}`+"\n", inCommit[0], op)
	}
	return fmt.Sprintf(`{"commitInfo":{"timestamp":1,"operation":%q}}`+"\n", op)
}

func history(t *testing.T, b *storage.Bucket, limit int) string {
	t.Helper()
	list, err := read.History(t.Context(), b, limit)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range list {
		line := fmt.Sprintf("%d %s %s", c.Version, c.Timestamp.Format("05.000"), c.Info.Operation)
		if c.Err != nil {
			line += "!"
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

// Commits tell their time as long as all newer ones do.
func TestHistoryTimes(t *testing.T) {
	for name, c := range map[string]struct {
		commits []string
		want    string
	}{
		"none":        {[]string{commit("A"), commit("B")}, "1 02.000 B, 0 01.000 A"},
		"all":         {[]string{commit("A", 30_000), commit("B", 40_000)}, "1 40.000 B, 0 30.000 A"},
		"mid-life":    {[]string{commit("A"), commit("B", 40_000), commit("C", 50_000)}, "2 50.000 C, 1 40.000 B, 0 01.000 A"},
		"off again":   {[]string{commit("A", 30_000), commit("B", 40_000), commit("C")}, "2 03.000 C, 1 02.000 B, 0 01.000 A"},
		"on, off, on": {[]string{commit("A", 30_000), commit("B"), commit("C", 50_000)}, "2 50.000 C, 1 02.000 B, 0 01.000 A"},
		"damaged":     {[]string{commit("A", 30_000), "{", commit("C", 50_000)}, "2 50.000 C, 1 02.000 !, 0 30.000 A"},
		"no info":     {[]string{`{"txn":{"appId":"a","version":1}}` + "\n"}, "0 01.000 "},
		"a gap":       {[]string{commit("A"), "", commit("C")}, "2 02.000 C, 0 01.000 A"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := history(t, logOf(t, c.commits...), -1); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// With a limit only the end of the log is listed, and only so many commits are read.
func TestHistoryLimit(t *testing.T) {
	commits := make([]string, 1500)
	for i := range commits {
		commits[i] = commit(fmt.Sprint("op", i))
	}
	b := logOf(t, commits...)
	hint := func(version int64) {
		if err := deltalog.WriteLastCheckpoint(t.Context(), b, deltalog.LastCheckpoint{Version: version, Size: 1}); err != nil {
			t.Fatal(err)
		}
	}
	hint(1490)
	before := b.Stats()
	list, err := read.History(t.Context(), b, 5)
	if err != nil || len(list) != 5 || list[0].Version != 1499 || list[4].Info.Operation != "op1495" {
		t.Fatalf("%v, %v", list, err)
	}
	after := b.Stats()
	if gets, lists := after.Gets-before.Gets, after.Lists-before.Lists; gets != 6 || lists != 1 {
		t.Errorf("%d gets and %d lists, want 6 and 1", gets, lists)
	}
	if list, err = read.History(t.Context(), b, 1400); err != nil || len(list) != 1400 {
		t.Errorf("%d commits, %v", len(list), err)
	}
	hint(9_000_000) // a stale hint costs a listing, nothing else
	if list, err = read.History(t.Context(), b, 2); err != nil || len(list) != 2 || list[0].Version != 1499 {
		t.Errorf("%v, %v", list, err)
	}
	if list, err = read.History(t.Context(), b, 0); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestHistoryStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := read.History(ctx, logOf(t, commit("A")), -1); err == nil {
		t.Error("a cancelled history has no error")
	}
}
