package snapshot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// table is a hand-made log in memory.
type table struct {
	t   testing.TB
	b   *storage.Bucket
	env *env.Env
}

func newTable(t testing.TB) *table {
	b := storage.NewBucket(memory.New())
	t.Cleanup(func() { b.Close() })
	return &table{t: t, b: b, env: env.New()}
}

const (
	protocolLine = `{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}}`
	metadataLine = `{"metaData":{"id":"t","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["p"],"configuration":{},"createdTime":1}}`
)

func addLine(path string) string {
	return fmt.Sprintf(`{"add":{"path":"%s","partitionValues":{"p":"x"},"size":10,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":5}"}}`, path)
}

func removeLine(path string) string {
	return fmt.Sprintf(`{"remove":{"path":"%s","deletionTimestamp":%d,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{"p":"x"},"size":10}}`, path, time.Now().UnixMilli())
}

func dvLine(path string, rows int) string {
	return fmt.Sprintf(`{"add":{"path":"%s","partitionValues":{"p":"x"},"size":10,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":5}","deletionVector":{"storageType":"i","pathOrInlineDv":"v%d","sizeInBytes":1,"cardinality":%d}}}`, path, rows, rows)
}

func commitPath(v int64) string { return fmt.Sprintf("_delta_log/%020d.json", v) }

func (w *table) put(key, data string) {
	w.t.Helper()
	if err := w.b.Put(context.Background(), key, []byte(data)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *table) commit(v int64, lines ...string) {
	w.t.Helper()
	w.put(commitPath(v), strings.Join(lines, "\n")+"\n")
}

// start commits version 0 with the given adds.
func (w *table) start(paths ...string) {
	lines := []string{protocolLine, metadataLine}
	for _, p := range paths {
		lines = append(lines, addLine(p))
	}
	w.commit(0, lines...)
}

func (w *table) load(at snapshot.At) *snapshot.Snapshot {
	w.t.Helper()
	s, err := snapshot.Load(context.Background(), w.env, w.b, at)
	if err != nil {
		w.t.Fatalf("%v: %v", at, err)
	}
	return s
}

func paths(s *snapshot.Snapshot) string {
	var out []string
	for i := range s.Files().All() {
		p := s.Files().Path(i)
		if id := s.Files().DV(i).ID(); id != "" {
			p += "+" + id
		}
		out = append(out, p)
	}
	return strings.Join(out, " ")
}

func acts(t testing.TB, lines ...string) []action.Action {
	t.Helper()
	out, err := action.ParseCommit([]byte(strings.Join(lines, "\n")), "")
	if err != nil {
		t.Fatal(err)
	}
	return out
}
