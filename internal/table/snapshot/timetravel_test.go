package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// timed is a table on disk whose commit files have given times, in seconds.
func timed(t *testing.T, commits []string, seconds []int64) *table {
	dir := t.TempDir()
	w := &table{t: t, b: openBucket(t, dir), env: env.New()}
	for v, text := range commits {
		w.put(commitPath(int64(v)), text)
		at := time.Unix(seconds[v], 0)
		if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(commitPath(int64(v)))), at, at); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func TestVersionByFileTime(t *testing.T) {
	first := protocolLine + "\n" + metadataLine
	// The times of versions 2 and 3 do not rise: they count as 200.001 and 200.002.
	w := timed(t, []string{first, addLine("a"), addLine("b"), addLine("c"), addLine("d")}, []int64{100, 200, 150, 200, 300})
	for _, c := range []struct {
		millis int64
		want   int64
		class  string
	}{
		{99_999, 0, "EARLIER"}, {100_000, 0, ""}, {199_999, 0, ""}, {200_000, 1, ""}, {200_001, 2, ""},
		{200_002, 3, ""}, {299_999, 3, ""}, {300_000, 4, ""}, {300_001, 0, "GREATER"},
	} {
		s, err := snapshot.Load(context.Background(), w.env, w.b, snapshot.Time(time.UnixMilli(c.millis)))
		switch {
		case c.class != "":
			if !errors.Is(err, snapshot.ErrVersionNotFound) || !strings.Contains(err.Error(), c.class) {
				t.Errorf("%d: %v, %v, want %s", c.millis, s, err, c.class)
			}
		case err != nil || s.Version() != c.want:
			t.Errorf("%d: %v, %v, want version %d", c.millis, s, err, c.want)
		}
	}
	if s := w.load(snapshot.Version(3)); s.Timestamp().UnixMilli() != 200_002 {
		t.Errorf("version 3 has the time %v", s.Timestamp())
	}
}

func TestVersionByCommitTime(t *testing.T) {
	info := func(ms int64) string {
		return fmt.Sprintf(`{"commitInfo":{"inCommitTimestamp":%d,"operation":"W"}}`, ms) + "\n"
	}
	on := strings.Replace(metadataLine, `"configuration":{}`, `"configuration":{"delta.enableInCommitTimestamps":"true"}`, 1)
	since2 := strings.Replace(metadataLine, `"configuration":{}`,
		`"configuration":{"delta.enableInCommitTimestamps":"true","delta.inCommitTimestampEnablementVersion":"2","delta.inCommitTimestampEnablementTimestamp":"5000"}`, 1)
	fromStart := timed(t, []string{info(1000) + protocolLine + "\n" + on, info(2000) + addLine("a"), info(3000) + addLine("b")}, []int64{900, 800, 700})
	later := timed(t, []string{protocolLine + "\n" + metadataLine, addLine("a"), info(5000) + since2, info(6000) + addLine("b")}, []int64{1, 2, 900, 800})
	for _, c := range []struct {
		w      *table
		millis int64
		want   int64 // -1 for an error
	}{
		{fromStart, 999, -1}, {fromStart, 1000, 0}, {fromStart, 2999, 1}, {fromStart, 3000, 2}, {fromStart, 3001, -1},
		{later, 999, -1}, {later, 1000, 0}, {later, 4999, 1}, {later, 5000, 2}, {later, 5999, 2}, {later, 6000, 3}, {later, 6001, -1},
	} {
		s, err := snapshot.Load(context.Background(), c.w.env, c.w.b, snapshot.Time(time.UnixMilli(c.millis)))
		if c.want < 0 {
			if !errors.Is(err, snapshot.ErrVersionNotFound) {
				t.Errorf("%d: %v, %v, want an error", c.millis, s, err)
			}
		} else if err != nil || s.Version() != c.want {
			t.Errorf("%d: %v, %v, want version %d", c.millis, s, err, c.want)
		}
	}
	s := later.load(snapshot.Latest())
	if s.Timestamp().UnixMilli() != 6000 {
		t.Errorf("the newest version has the time %v", s.Timestamp())
	}
	if err := snapshot.WriteCheckpoint(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if s = later.load(snapshot.Latest()); s.Timestamp().UnixMilli() != 6000 {
		t.Errorf("from its checkpoint the newest version has the time %v", s.Timestamp())
	}
}
