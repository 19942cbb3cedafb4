package snapshot

import (
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/storage"
)

// First is the snapshot of version 0, made of the commit that its writer has just
// published: nothing is read. data is the commit file, obj describes it.
func First(e *env.Env, b *storage.Bucket, data []byte, obj storage.Object) (*Snapshot, error) {
	s := &Snapshot{env: e, bucket: b, lineage: newLineage(), version: -1, probed: e.Now()}
	s.files = view{cols: s.lineage.files, state: 1}
	s.tombs = view{cols: s.lineage.tombs, state: 1}
	return s.Apply(0, nil, data, obj)
}
