package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/storage/memory"
)

const (
	commitLine   = `{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}`
	protocolLine = `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`
	metadataLine = `{"metaData":{"id":"i","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":[],"configuration":{}}}`
)

// inspected puts bytes under a key of an empty table and inspects them.
func inspected(t testing.TB, key string, data []byte, o Options) *File {
	t.Helper()
	b := storage.NewBucket(memory.New())
	if err := b.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	f, err := Inspect(t.Context(), env.New(), &Place{Bucket: b, Key: key, Table: true}, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRecognise(t *testing.T) {
	v, err := dv.Encode(roaring64.BitmapOf(1))
	if err != nil {
		t.Fatal(err)
	}
	vectors := append([]byte{1, 0, 0, 0, byte(len(v))}, v...)
	for _, c := range []struct {
		key, data, kind string
		problem         string
	}{
		{deltalog.CommitPath(3), commitLine, KindCommit, ""},
		{"_delta_log/_staged_commits/00000000000000000003.uuid.json", commitLine, KindStaged, ""},
		{deltalog.CompactedPath(1, 3), commitLine, KindCompacted, ""},
		{deltalog.CheckpointV2Path(3, "u", true), `{"checkpointMetadata":{"version":3}}`, KindV2, ""},
		{deltalog.LastCheckpointPath, `{"version":3,"size":1}`, KindHint, "no checkpoint of version 3"},
		{deltalog.ChecksumPath(3), `{"tableSizeBytes":0,"numFiles":0,"numMetadata":1,"numProtocol":1,"metadata":null,"protocol":null}`, KindChecksum, ""},
		{"copy-of-a-commit", commitLine + "\n", KindCommit, ""},
		{"copy-of-a-checksum", `{"tableSizeBytes":0,"numFiles":0}`, KindChecksum, "numMetadata is missing"},
		{"copy-of-a-hint", `{"version":1,"size":2}`, KindHint, "no checkpoint"},
		{"vectors", string(vectors), KindVectors, "no vector: it claims"},
		{"deletion_vector_x.bin", "", KindVectors, "empty"},
		{"a.parquet", "PAR1....", KindData, "footer"},
		{"_change_data/a.parquet", "xxxxxxxxxxxx", KindChange, "its content is nothing"},
		{deltalog.CommitPath(3), "PAR1xxxxPAR1", KindCommit, "its name says commit, its content is Parquet"},
		{deltalog.CommitPath(3), "", KindCommit, "empty"},
		{deltalog.CommitPath(3), "\n\n", KindCommit, "no action"},
		{deltalog.CommitPath(3), commitLine + "\n{\"add\":{}}\n" + commitLine, KindCommit, "line 2"},
		{"case.json", "{\n \"a\": 1\n}", KindUnknown, "neither its name nor its content"},
		{"copy-of-a-cut-commit", commitLine[1:] + "\n" + commitLine, KindUnknown, "neither"},
		{"copy-of-a-commit-with-more", "{\"add\":\n" + commitLine, KindUnknown, "line 1"},
		{"readme.txt", "hello", KindUnknown, "neither its name nor its content"},
	} {
		f := inspected(t, c.key, []byte(c.data), Options{})
		text, err := json.Marshal(f.Problems)
		if err != nil || f.Kind != c.kind || (c.problem == "") != (len(f.Problems) == 0) || !strings.Contains(string(text), c.problem) {
			t.Errorf("%s: %s with %s, want %s with %q", c.key, f.Kind, text, c.kind, c.problem)
		}
	}
}

// A damaged line hides no other line, and long lists end where they are told to.
func TestLinesAndLimit(t *testing.T) {
	lines := []string{protocolLine, metadataLine, "nonsense", commitLine, strings.ReplaceAll(commitLine, "a.parquet", "b.parquet"), commitLine[:40]}
	f := inspected(t, deltalog.CommitPath(0), []byte(strings.Join(lines, "\n")), Options{})
	if a := f.Actions; a.Counts["add"] != 2 || a.Counts["protocol"] != 1 || len(a.List) != 4 || a.More != 0 {
		t.Errorf("%+v", a)
	}
	if len(f.Problems) != 2 || f.Problems[0].Where != "line 3, column 1" || !strings.Contains(f.Problems[1].What, "may be cut") {
		t.Errorf("%+v", f.Problems)
	}
	f = inspected(t, deltalog.CommitPath(0), []byte(strings.Repeat(commitLine+"\n", 50)), Options{Limit: 3})
	if a := f.Actions; a.Counts["add"] != 50 || len(a.List) != 3 || a.More != 47 {
		t.Errorf("limit: %d listed, %d more", len(a.List), a.More)
	}
	text, err := json.Marshal(f)
	if err != nil || bytes.Count(text, []byte(`"add":{"path"`)) != 3 {
		t.Errorf("JSON: %s, %v", text, err)
	}
}

func TestEachLine(t *testing.T) {
	for _, text := range []string{"", "a", "a\n", "a\nb", "\n\n", strings.Repeat("x", lineWindow+10) + "\ny\n", strings.Repeat("x", lineWindow-1) + "\n" + strings.Repeat("z", 3*lineWindow)} {
		var got []string
		err := eachLine(strings.NewReader(text), int64(len(text)), func(line []byte, n int, ended bool) error {
			s := string(line)
			if ended {
				s += "\n"
			}
			got = append(got, s)
			if n != len(got) {
				t.Errorf("line %d is told as %d", len(got), n)
			}
			return nil
		})
		if err != nil || strings.Join(got, "") != text {
			t.Errorf("%d bytes: %d lines, %v", len(text), len(got), err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"t/_delta_log/00000000000000000000.json", "t/p=1/q=2/a%20b.parquet", "alone/x.parquet"} {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(commitLine), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	url := "file://" + filepath.ToSlash(dir)
	for _, c := range []struct {
		location, root, key string
		table               bool
	}{
		{filepath.Join(dir, "t", "_delta_log", "00000000000000000000.json"), "t", "_delta_log/00000000000000000000.json", true},
		{filepath.Join(dir, "t", "p=1", "q=2", "a%20b.parquet"), "t", "p=1/q=2/a%20b.parquet", true},
		{url + "/t/p=1/q=2/a%2520b.parquet", "t", "p=1/q=2/a%20b.parquet", true},
		{url + "/t/p=1/q=2/a%2520b.parquet?sync=false", "t", "p=1/q=2/a%20b.parquet", true},
		{filepath.Join(dir, "alone", "x.parquet"), "alone", "x.parquet", false},
	} {
		p, err := Find(t.Context(), c.location, func(ctx context.Context, at string) (*storage.Bucket, error) { return storage.Open(ctx, at) })
		if err != nil {
			t.Errorf("%s: %v", c.location, err)
			continue
		}
		if p.Key != c.key || p.Table != c.table || !strings.HasSuffix(p.Bucket.URL(), "/"+c.root) {
			t.Errorf("%s: %s in %s (table: %t)", c.location, p.Key, p.Bucket.URL(), p.Table)
		}
		if _, err := p.Bucket.Stat(t.Context(), p.Key); err != nil {
			t.Error(err)
		}
	}
	if _, err := Find(t.Context(), dir+"/t/", nil); err == nil || !strings.Contains(err.Error(), "names a folder") {
		t.Error(err)
	}
	if _, err := local.New(dir); err != nil {
		t.Error(err)
	}
}

func FuzzInspect(f *testing.F) {
	names := []string{deltalog.CommitPath(1), deltalog.CompactedPath(1, 2), deltalog.CheckpointPath(1), deltalog.CheckpointV2Path(1, "u", true),
		"_delta_log/_sidecars/s.parquet", deltalog.LastCheckpointPath, deltalog.ChecksumPath(1), "deletion_vector_x.bin", "a.parquet", "_change_data/c.parquet", "x"}
	for i := range names {
		f.Add(uint8(i), []byte(commitLine+"\n"+protocolLine))
		f.Add(uint8(i), []byte(`{"version":1,"size":1,"numFiles":1,"setTransactions":[{"appId":"a","version":1}],"metadata":{"id":"x"},"checksum":"1"}`))
		f.Add(uint8(i), []byte("PAR1\x15\x02\x19\x1cH\x01xPAR1"))
		f.Add(uint8(i), []byte{1, 0, 0, 0, 20, 0xd1, 0xd3, 0x39, 0x64, 0, 0, 0, 0, 0, 0, 0, 0})
	}
	for _, pattern := range []string{"../format/parquetio/testdata/*.parquet", "../format/checkpoint/testdata/*.parquet"} {
		paths, _ := filepath.Glob(pattern)
		for _, p := range paths {
			if data, err := os.ReadFile(p); err == nil && len(data) < 40<<10 {
				f.Add(uint8(8), data)
				f.Add(uint8(2), data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, name uint8, data []byte) {
		file := inspected(t, names[int(name)%len(names)], data, Options{Limit: 20})
		if _, err := json.Marshal(file); err != nil {
			t.Fatal(err)
		}
	})
}
