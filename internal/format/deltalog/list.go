package deltalog

import (
	"context"
	"fmt"
	"iter"

	"github.com/sluicelake/sluice/storage"
)

// List yields the files of the log that carry a version of from or later, in
// order of their names, with one listing request to the store. Compacted files
// are found under their first version. Files of kind Other are left out. An
// error is yielded once, last.
func List(ctx context.Context, b *storage.Bucket, from int64) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		// Every name of a version is longer than the version alone.
		after := fmt.Sprintf("%s/%020d", Dir, max(from, 0))
		for obj, err := range b.List(ctx, Dir+"/", after) {
			if err != nil {
				yield(File{}, err)
				return
			}
			// Names of versions are digits. All that follow them (_sidecars/,
			// _staged_commits/, _last_checkpoint) are none, and may be many.
			if obj.Key > Dir+"/:" {
				return
			}
			if f := Classify(obj); f.Kind != Other && !yield(f, nil) {
				return
			}
		}
	}
}

// ReadCommit reads a version's commit; the error is storage.ErrNotExist when the
// version has not been published.
func ReadCommit(ctx context.Context, b *storage.Bucket, version int64) ([]byte, storage.Object, error) {
	return b.Get(ctx, CommitPath(version))
}
