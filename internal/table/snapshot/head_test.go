package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// storied is a table whose every version has a checksum.
func storied(t *testing.T) *table {
	w := newTable(t)
	protocol := strings.Replace(protocolLine, `"writerFeatures":["deletionVectors"]`, `"writerFeatures":["deletionVectors","domainMetadata"]`, 1)
	for v := range 12 {
		lines := []string{fmt.Sprintf(`{"commitInfo":{"txnId":"t%d"}}`, v), addLine(fmt.Sprint("f", v)), fmt.Sprintf(`{"txn":{"appId":"a%d","version":%d}}`, v%3, v)}
		if v == 0 {
			lines = append(lines, protocol, metadataLine)
		}
		if v == 5 {
			lines = append(lines, strings.Replace(metadataLine, `"createdTime":1`, `"createdTime":5`, 1), `{"domainMetadata":{"domain":"d","configuration":"5","removed":false}}`)
		}
		w.commit(int64(v), lines...)
		s := w.load(snapshot.Latest())
		if err := s.WriteChecksum(t.Context(), fmt.Sprint("t", v)); err != nil {
			t.Fatal(err)
		}
		if v == 7 {
			if err := snapshot.WriteCheckpoint(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	return w
}

// sameHead loads both ways and compares them.
func (w *table) sameHead(at snapshot.At) *snapshot.Head {
	w.t.Helper()
	h, err := snapshot.LoadHead(context.Background(), w.env, w.b, at)
	if err != nil {
		w.t.Fatal(err)
	}
	s := w.load(at)
	for what, pair := range map[string][2]any{
		"version": {s.Version(), h.Version()}, "time": {s.Timestamp(), h.Timestamp()}, "protocol": {s.Protocol(), h.Protocol()},
		"metadata": {s.Metadata(), h.Metadata()}, "txns": {s.Txns(), h.Txns()}, "domains": {s.Domains(), h.Domains()},
		"partition columns": {s.PartitionColumns(), h.PartitionColumns()},
	} {
		if d := cmp.Diff(pair[0], pair[1]); d != "" {
			w.t.Errorf("%v, %s (-all +head)\n%s", at, what, d)
		}
	}
	if n, ok := h.NumFiles(); ok && n != int64(s.NumFiles()) {
		w.t.Errorf("%d files, want %d", n, s.NumFiles())
	}
	if n, ok := h.SizeInBytes(); ok && n != s.SizeInBytes() {
		w.t.Errorf("%d bytes, want %d", n, s.SizeInBytes())
	}
	return h
}

func headsAgree(t *testing.T, e *env.Env, b *storage.Bucket, at snapshot.At) *snapshot.Head {
	return (&table{t: t, b: b, env: e}).sameHead(at)
}

// TestHead: a head says what the whole version says, and with a checksum it
// costs four requests.
func TestHead(t *testing.T) {
	w := storied(t)
	for v := range int64(12) {
		before := w.b.Stats()
		if _, err := snapshot.LoadHead(t.Context(), w.env, w.b, snapshot.Version(v)); err != nil {
			t.Fatal(err)
		}
		after := w.b.Stats()
		want := int64(3)
		if v == 0 {
			want = 2 // its commit says it all
		}
		if gets, lists := after.Gets-before.Gets, after.Lists-before.Lists; gets != want || lists != 1 {
			t.Errorf("version %d: %d reads and %d listings", v, gets, lists)
		}
		if _, ok := w.sameHead(snapshot.Version(v)).NumFiles(); ok != (v > 0) {
			t.Errorf("version %d: the number of files is known: %v", v, ok)
		}
	}
	w.sameHead(snapshot.Latest())
	for v := range int64(12) { // without checksums
		_ = w.b.Delete(t.Context(), deltalog.ChecksumPath(v))
	}
	for v := range int64(12) {
		if _, ok := w.sameHead(snapshot.Version(v)).NumFiles(); ok {
			t.Errorf("version %d: the number of files is known", v)
		}
	}
}

// TestHeadDoubtsChecksums: a checksum that is damaged, says too little or
// disagrees with its version's commit is not believed.
func TestHeadDoubtsChecksums(t *testing.T) {
	change := func(old, new string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatalf("%s is not in %s", old, s)
			}
			return strings.Replace(s, old, new, 1)
		}
	}
	for _, c := range []struct {
		name   string
		change func(string) string
		warns  bool
	}{
		{"empty", func(string) string { return "" }, false},
		{"cut off", func(s string) string { return s[:len(s)-5] }, false},
		{"no metadata", change(`"metadata":`, `"no":`), false},
		{"no protocol", change(`"protocol":`, `"no":`), false},
		{"two protocols", change(`"numProtocol":1`, `"numProtocol":2`), false},
		{"a protocol that is none", change(`"minReaderVersion":3`, `"minReaderVersion":"x"`), false},
		{"negative counts", change(`"numFiles":6`, `"numFiles":-6`), false},
		{"no transactions", change(`"setTransactions":`, `"no":`), false},
		{"no domains", change(`"domainMetadata":`, `"no":`), false},
		{"of another commit", change(`"txnId":"t5"`, `"txnId":"t4"`), true},
		{"older metadata", change(`"createdTime":5`, `"createdTime":1`), true},
		{"older transactions", change(`"version":5`, `"version":2`), true},
		{"another domain", change(`"configuration":"5"`, `"configuration":"4"`), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := storied(t)
			key := deltalog.ChecksumPath(5)
			data, _, err := w.b.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			w.put(key, c.change(string(data)))
			var log bytes.Buffer
			w.env.Log = slog.New(slog.NewTextHandler(&log, nil))
			h := w.sameHead(snapshot.Version(5))
			if _, ok := h.NumFiles(); ok {
				t.Error("the checksum was believed")
			}
			if warned := strings.Contains(log.String(), "is not used"); warned != c.warns {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

// TestHeadErrors: a head fails as the whole version does, except for damage
// among the files.
func TestHeadErrors(t *testing.T) {
	w := newTable(t)
	if _, err := snapshot.LoadHead(t.Context(), w.env, w.b, snapshot.Latest()); !errors.Is(err, snapshot.ErrNotTable) {
		t.Errorf("%v", err)
	}
	w = storied(t)
	if _, err := snapshot.LoadHead(t.Context(), w.env, w.b, snapshot.Version(99)); !errors.Is(err, snapshot.ErrVersionNotFound) {
		t.Errorf("%v", err)
	}
	w.put(commitPath(11), "{")
	var corrupt *snapshot.CorruptError
	if _, err := snapshot.LoadHead(t.Context(), w.env, w.b, snapshot.Latest()); !errors.As(err, &corrupt) || corrupt.File != commitPath(11) {
		t.Errorf("%v", err)
	}
}
