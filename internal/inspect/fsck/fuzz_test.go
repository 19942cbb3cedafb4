package fsck_test

import (
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/inspect/fsck"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// Whatever stands in the log, a check ends with findings, not with a panic.
func FuzzCheck(f *testing.F) {
	first := `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"i","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"p\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["p"],"configuration":{"delta.enableInCommitTimestamps":"true"}}}
`
	f.Add([]byte(first), []byte(`{"add":{"path":"a%2","partitionValues":{"p":"x"},"size":-1,"modificationTime":1,"dataChange":true,"stats":"{","deletionVector":{"storageType":"i","pathOrInlineDv":"x","sizeInBytes":3,"cardinality":1}}}`),
		[]byte(`{"numFiles":1,"protocol":{},"metadata":7}`))
	f.Add([]byte(first), []byte(`{"remove":{"path":"file:///../x"}}`), []byte(`{"version":1,"size":3}`))
	f.Add([]byte(`{"checkpointMetadata":{"version":1}}`), []byte(`{"sidecar":{"path":"../x","sizeInBytes":1,"modificationTime":1}}`), []byte("PAR1"))
	f.Fuzz(func(t *testing.T, zero, one, other []byte) {
		b := storage.NewBucket(memory.New())
		for key, data := range map[string][]byte{deltalog.CommitPath(0): zero, deltalog.CommitPath(1): one, deltalog.ChecksumPath(0): other, deltalog.LastCheckpointPath: other,
			deltalog.CompactedPath(0, 1): other, deltalog.CheckpointV2Path(1, "u", true): one, deltalog.CheckpointPath(0): other, "a%2": other} {
			if err := b.Put(t.Context(), key, data); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range fsck.New(env.New(), b, fsck.Options{Deep: true}).Findings(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
