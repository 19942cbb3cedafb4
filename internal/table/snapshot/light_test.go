package snapshot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

func (w *table) light(wholeLog int64) *snapshot.Snapshot {
	w.t.Helper()
	s, err := snapshot.LoadLight(w.t.Context(), w.env, w.b, wholeLog)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// agree compares what a light snapshot says with the whole version.
func (w *table) agree(light *snapshot.Snapshot) {
	w.t.Helper()
	s := w.load(snapshot.Version(light.Version()))
	for what, pair := range map[string][2]any{
		"time": {s.Timestamp(), light.Timestamp()}, "protocol": {s.Protocol(), light.Protocol()}, "metadata": {s.Metadata(), light.Metadata()},
		"txns": {s.Txns(), light.Txns()}, "domains": {s.Domains(), light.Domains()}, "commit": {s.CommitInfo(), light.CommitInfo()},
	} {
		if d := cmp.Diff(pair[0], pair[1]); d != "" {
			w.t.Errorf("version %d, %s (-whole +light)\n%s", light.Version(), what, d)
		}
	}
	totals := func(s *snapshot.Snapshot) [4]int64 {
		return [4]int64{int64(s.NumFiles()), s.SizeInBytes(), int64(s.NumDeletionVectors()), s.NumDeletedRows()}
	}
	if light.Counted() && totals(s) != totals(light) {
		w.t.Errorf("version %d: files, bytes, vectors and deleted rows are %v, want %v", light.Version(), totals(light), totals(s))
	}
	whole, err := light.Whole(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if whole.Light() || whole.Version() != light.Version() || totals(whole) != totals(s) {
		w.t.Errorf("the whole of version %d: %v", light.Version(), totals(whole))
	}
}

// TestLight: a light snapshot comes from the checksum or from a checkpoint, says what
// the whole one says, and follows commits, as long as they leave no doubt how many
// files there are with the totals.
func TestLight(t *testing.T) {
	for _, checksum := range []bool{true, false} {
		t.Run(fmt.Sprintf("checksum %t", checksum), func(t *testing.T) {
			w := storied(t)
			if !checksum {
				if err := w.b.Delete(t.Context(), deltalog.ChecksumPath(11)); err != nil {
					t.Fatal(err)
				}
			}
			if s := w.light(snapshot.WholeLog); s.Light() {
				t.Error("a small log is not read whole")
			}
			s := w.light(-1)
			if !s.Light() || s.Counted() != checksum {
				t.Fatalf("light %t, counted %t", s.Light(), s.Counted())
			}
			w.agree(s)
			info := func(operation string) string { return fmt.Sprintf(`{"commitInfo":{"operation":%q}}`, operation) }
			for _, c := range []struct {
				lines   []string
				counted bool
			}{
				{[]string{info("WRITE"), addLine("n1"), `{"txn":{"appId":"new","version":9}}`}, true},
				{[]string{info("UPDATE"), removeLine("f3"), dvLine("f3", 2), addLine("n2")}, true},
				{[]string{info("DELETE"), removeLine("f4")}, true},
				{[]string{info("OPTIMIZE"), removeLine("f5"), removeLine("f6"), addLine("n3")}, true},
				{[]string{info("COMPUTE STATS"), addLine("f7")}, false},
				{[]string{info("WRITE"), addLine("n4")}, false},
			} {
				w.commit(s.Version()+1, c.lines...)
				next, err := s.Refresh(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if !next.Light() || next.Version() != s.Version()+1 || next.Counted() != (c.counted && checksum) {
					t.Fatalf("behind version %d: %v, light %t, counted %t", s.Version(), next, next.Light(), next.Counted())
				}
				s = next
				w.agree(s)
				if err := s.WriteChecksum(t.Context(), ""); (err == nil) != s.Counted() {
					t.Errorf("the checksum of version %d: %v", s.Version(), err)
				}
				if found, err := w.load(snapshot.Latest()).VerifyChecksum(t.Context()); err != nil || found != s.Counted() {
					t.Errorf("the checksum of version %d: %t, %v", s.Version(), found, err)
				}
			}
			if _, err := s.PlanCheckpoint(snapshot.CheckpointOptions{}); err == nil || !strings.Contains(err.Error(), "its files were not read") {
				t.Errorf("a checkpoint of a light snapshot: %v", err)
			}
			if err := snapshot.WriteCheckpoint(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLightDoubt: a remove without a size ends the count, and nobody takes the table
// for empty.
func TestLightDoubt(t *testing.T) {
	w := storied(t)
	s := w.light(-1)
	w.commit(12, `{"commitInfo":{"operation":"DELETE"}}`, `{"remove":{"path":"f1","deletionTimestamp":1,"dataChange":true}}`)
	s, err := s.Refresh(t.Context())
	if err != nil || s.Counted() {
		t.Fatalf("%v %v", s, err)
	}
	if _, ok := s.NumRecords(); ok {
		t.Error("a light snapshot knows no rows")
	}
	defer func() {
		if recover() == nil {
			t.Error("the files of a light snapshot are shown")
		}
	}()
	s.Files()
}
