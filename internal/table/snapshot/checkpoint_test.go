package snapshot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

func adds(s *snapshot.Snapshot) []*action.Add {
	var out []*action.Add
	for i := range s.Files().All() {
		out = append(out, s.Files().Add(i))
	}
	slices.SortFunc(out, func(a, b *action.Add) int {
		return strings.Compare(a.Path+a.DeletionVector.ID(), b.Path+b.DeletionVector.ID())
	})
	return out
}

// TestCheckpointKeepsEverything loads a table with every optional field from
// its commits and from its checkpoint alone.
func TestCheckpointKeepsEverything(t *testing.T) {
	ctx := context.Background()
	w := newTable(t)
	now := w.env.Now().UnixMilli()
	w.commit(0, `{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors","domainMetadata"]}}`,
		`{"metaData":{"id":"t","name":"n","description":"d","format":{"provider":"parquet","options":{"o":"p"}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["p"],"configuration":{"delta.setTransactionRetentionDuration":"interval 1 hour","own":"é\"\\"},"createdTime":7}}`,
		addLine("a"), `{"add":{"path":"b%20c","partitionValues":{"p":null},"size":3,"modificationTime":4,"dataChange":true}}`,
		`{"add":{"path":"full","partitionValues":{"p":"q\"\\é\n"},"size":5,"modificationTime":6,"dataChange":true,"stats":"{\"numRecords\":2,\"minValues\":{\"x\":\"\\u0001\"}}","tags":{"k":"v","e":""},"deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":1,"sizeInBytes":36,"cardinality":2,"maxRowIndex":9},"baseRowId":0,"defaultRowCommitVersion":1,"clusteringProvider":"liquid"}}`,
		addLine("gone"), addLine("gone-long-ago"),
		fmt.Sprintf(`{"txn":{"appId":"new","version":3,"lastUpdated":%d}}`, now), `{"txn":{"appId":"old","version":4,"lastUpdated":5}}`, `{"txn":{"appId":"timeless","version":5}}`,
		`{"domainMetadata":{"domain":"d","configuration":"{}","removed":false}}`, `{"domainMetadata":{"domain":"e","configuration":"x","removed":false}}`)
	w.commit(1, `{"domainMetadata":{"domain":"e","configuration":"x","removed":true}}`,
		fmt.Sprintf(`{"remove":{"path":"gone","deletionTimestamp":%d,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{"p":"x"},"size":10,"tags":{"a":"b"}}}`, now),
		`{"remove":{"path":"gone-long-ago","deletionTimestamp":1000,"dataChange":true}}`,
		fmt.Sprintf(`{"remove":{"path":"never-seen","deletionTimestamp":%d,"dataChange":true,"deletionVector":{"storageType":"i","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}}`, now))
	want := w.load(snapshot.Latest())
	if err := snapshot.WriteCheckpoint(ctx, want); err != nil {
		t.Fatal(err)
	}
	if want.LastCheckpoint() != 1 {
		t.Errorf("the last checkpoint is %d", want.LastCheckpoint())
	}
	for v := range int64(2) {
		if err := w.b.Delete(ctx, commitPath(v)); err != nil {
			t.Fatal(err)
		}
	}
	got := w.load(snapshot.Latest())
	for _, d := range []string{
		cmp.Diff(adds(want), adds(got)), cmp.Diff(want.Protocol(), got.Protocol()), cmp.Diff(want.Metadata(), got.Metadata()), cmp.Diff(want.Domains(), got.Domains()),
	} {
		if d != "" {
			t.Errorf("(-commits +checkpoint)\n%s", d)
		}
	}
	if v, ok := got.AppVersion("new"); v != 3 || !ok || len(got.Txns()) != 2 {
		t.Errorf("transactions %v: the expired one should be gone", got.Txns())
	}
	var tombs []string
	for r := range got.Tombstones() {
		tombs = append(tombs, r.Path+r.DeletionVector.ID())
		if r.Path == "gone" && (*r.DeletionTimestamp != now || *r.Size != 10 || r.Tags["a"] != "b" || !*r.ExtendedFileMetadata || *r.PartitionValues["p"] != "x") {
			t.Errorf("tombstone %+v", r)
		}
	}
	if slices.Sort(tombs); !slices.Equal(tombs, []string{"gone", "never-seenix"}) {
		t.Errorf("tombstones %v", tombs)
	}
	data, _, err := w.b.Get(ctx, "_delta_log/_last_checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	var hint struct{ Version, Size, NumOfAddFiles int64 }
	if err := json.Unmarshal(data, &hint); err != nil || hint.Version != 1 || hint.NumOfAddFiles != 3 || hint.Size != 10 {
		t.Errorf("%s, %v", data, err)
	}
}

func TestOlderCheckpointDoesNotMoveThePointer(t *testing.T) {
	ctx := context.Background()
	w := newTable(t)
	w.start("a")
	w.commit(1, addLine("b"))
	for _, v := range []int64{1, 0, 1} {
		if err := snapshot.WriteCheckpoint(ctx, w.load(snapshot.Version(v))); err != nil {
			t.Fatal(err)
		}
		data, _, err := w.b.Get(ctx, "_delta_log/_last_checkpoint")
		if err != nil || !strings.Contains(string(data), `"version":1`) {
			t.Errorf("after version %d: %s, %v", v, data, err)
		}
	}
}

func TestCheckpointDue(t *testing.T) {
	for _, c := range []struct {
		property string
		files    int
		due      int64
	}{
		{"", 0, 10}, {"", 640, 10}, {"", 3200, 50}, {"", 20_000, 100}, {"3", 0, 3}, {"200", 0, 200}, {"nonsense", 0, 10},
	} {
		w := newTable(t)
		md := metadataLine
		if c.property != "" {
			md = strings.Replace(md, `"configuration":{}`, `"configuration":{"delta.checkpointInterval":"`+c.property+`"}`, 1)
		}
		lines := []string{protocolLine, md}
		for i := range c.files {
			lines = append(lines, addLine(fmt.Sprint("f", i)))
		}
		w.commit(0, lines...)
		s := w.load(snapshot.Latest())
		for v := int64(0); v <= 2*c.due; v++ {
			if want := v > 0 && v%c.due == 0; s.CheckpointDue() != want {
				t.Errorf("interval %q, %d files, version %d: due is %v, want %v", c.property, c.files, v, !want, want)
			}
			next, err := s.Apply(v+1, acts(t, `{"commitInfo":{}}`), nil, storage.Object{})
			if err != nil {
				t.Fatal(err)
			}
			s = next
		}
	}
}

func TestChecksum(t *testing.T) {
	ctx := context.Background()
	w := newTable(t)
	w.start("a", "b")
	w.commit(1, removeLine("a"), dvLine("a", 2), `{"txn":{"appId":"x","version":4}}`)
	s := w.load(snapshot.Latest())
	if found, err := s.VerifyChecksum(ctx); found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	if err := s.WriteChecksum(ctx, "id"); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteChecksum(ctx, "another"); err != nil {
		t.Errorf("a second checksum: %v", err)
	}
	data, _, err := w.b.Get(ctx, "_delta_log/00000000000000000001.crc")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"txnId":"id","tableSizeBytes":20,"numFiles":2,"numDeletedRecordsOpt":2,"numDeletionVectorsOpt":1,"numMetadata":1,"numProtocol":1,"setTransactions":[{"appId":"x","version":4}],"domainMetadata":[],"metadata":{"id":"t",`
	if !strings.HasPrefix(string(data), want) || !json.Valid(data) || !strings.Contains(string(data), `"protocol":{"minReaderVersion":3,`) {
		t.Errorf("%s", data)
	}
	if found, err := s.VerifyChecksum(ctx); !found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	w.put("_delta_log/00000000000000000001.crc", strings.Replace(string(data), `"numFiles":2`, `"numFiles":3`, 1))
	if found, err := s.VerifyChecksum(ctx); !found || err == nil || !strings.Contains(err.Error(), "numFiles is 3 there and 2") {
		t.Errorf("%v, %v", found, err)
	}
}

// TestLargeCommits reads commits that are longer than a piece, with checkpoints
// of several batches.
func TestLargeCommits(t *testing.T) {
	dir := t.TempDir()
	writeLargeTable(t, dir, 40_000, 2)
	w := &table{t: t, b: openBucket(t, dir), env: newTable(t).env}
	s := w.load(snapshot.Latest())
	if err := snapshot.WriteCheckpoint(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	again := w.load(snapshot.Latest())
	if s.NumFiles() != 40_000 || again.NumFiles() != 40_000 || s.SizeInBytes() != again.SizeInBytes() {
		t.Fatalf("%v, %v", s, again)
	}
	for i := range s.Files().All() {
		a := s.Files().Add(i)
		j, ok := again.Files().Find(a.Path, "")
		if !ok {
			t.Fatalf("%s is not in the checkpoint", a.Path)
		}
		if i%101 == 0 {
			if d := cmp.Diff(a, again.Files().Add(j)); d != "" {
				t.Fatal(d)
			}
		}
	}
}
