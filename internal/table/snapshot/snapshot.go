package snapshot

import (
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// Snapshot is a table at one version. It never changes and is safe for
// concurrent use.
type Snapshot struct {
	env     *env.Env
	bucket  *storage.Bucket
	lineage *lineage
	version int64

	files, tombs view
	fileSet      FileSet
	light        *light // nil when the files were read

	protocol *action.Protocol
	metadata *action.Metadata
	columns  *feature.Columns
	txns     overlay[action.Txn]
	domains  overlay[action.DomainMetadata]

	info   *action.CommitInfo // of the version's commit, when it was read
	time   time.Time          // of the version's commit file
	probed time.Time          // when the log was last listed

	nextMu sync.Mutex
	next   *Snapshot // the version after this one, once it is known
}

// lineage is what the versions of one opened table share.
type lineage struct {
	mu         sync.Mutex // held while a version is made
	head       int64      // the newest version in the columns
	files      *columns
	tombs      *columns
	checkpoint *atomic.Int64 // newest version known to have a checkpoint, -1 for none
	sidecars   sidecarBox    // of the newest V2 checkpoint that is known
}

// Version is the snapshot's version.
func (s *Snapshot) Version() int64 { return s.version }

// Protocol is shared: do not change it.
func (s *Snapshot) Protocol() *action.Protocol { return s.protocol }

// Metadata is shared: do not change it.
func (s *Snapshot) Metadata() *action.Metadata { return s.metadata }

// Schema is the table's schema with logical names.
func (s *Snapshot) Schema() *types.Struct { return s.columns.Logical }

// Columns is the schema under its logical and its physical names.
func (s *Snapshot) Columns() *feature.Columns { return s.columns }

// PartitionColumns are the logical names of the partition columns, in order.
func (s *Snapshot) PartitionColumns() []string { return s.columns.Partition }

// PartitionSchema is the schema of the partition columns, with logical names.
func (s *Snapshot) PartitionSchema() *types.Struct {
	out := &types.Struct{}
	for _, i := range s.columns.PartitionOrdinals {
		out.Fields = append(out.Fields, s.columns.Logical.Fields[i])
	}
	return out
}

// Timestamp is the time of the version's commit: the one in the commit when
// the table keeps in-commit timestamps, otherwise that of the commit file.
func (s *Snapshot) Timestamp() time.Time {
	if t, ok := s.InCommitTimestamp(); ok && feature.InCommitTimestamps(s.metadata) {
		return time.UnixMilli(t).UTC()
	}
	return s.time
}

// InCommitTimestamp is the time in the version's commit, in milliseconds.
func (s *Snapshot) InCommitTimestamp() (millis int64, ok bool) {
	if s.info == nil || s.info.InCommitTimestamp == nil {
		return 0, false
	}
	return *s.info.InCommitTimestamp, true
}

// CommitInfo is the provenance of the version's commit; nil when there is none
// or when the snapshot came from a checkpoint alone.
func (s *Snapshot) CommitInfo() *action.CommitInfo { return s.info }

// AppVersion is the last version that an application has committed.
func (s *Snapshot) AppVersion(appID string) (int64, bool) {
	t, ok := s.txns.get(appID)
	return t.Version, ok
}

// Txns holds the last commit of each application by its id.
func (s *Snapshot) Txns() map[string]action.Txn { return s.txns.all() }

// Domain is the configuration of a metadata domain.
func (s *Snapshot) Domain(name string) (configuration string, ok bool) {
	d, ok := s.domains.get(name)
	return d.Configuration, ok
}

// Domains holds the domain metadata by name, without removed domains.
func (s *Snapshot) Domains() map[string]action.DomainMetadata { return s.domains.all() }

// NumFiles is the number of live files.
func (s *Snapshot) NumFiles() int { return s.files.live }

// SizeInBytes is the size of the live files together.
func (s *Snapshot) SizeInBytes() int64 { return s.files.bytes }

// NumDeletionVectors is the number of live files that have a deletion vector.
func (s *Snapshot) NumDeletionVectors() int { return s.files.vectors }

// NumDeletedRows is the number of rows under deletion vectors.
func (s *Snapshot) NumDeletedRows() int64 { return s.files.deleted }

// NumRecords is the number of rows by the files' statistics; ok is false when
// a file does not say.
func (s *Snapshot) NumRecords() (n int64, ok bool) {
	if s.light != nil {
		return 0, false
	}
	ok = s.files.all(func(r ref) bool {
		k := s.files.chunks[r.chunk()].numRecords(r.row())
		n += k
		return k >= 0
	})
	return n - s.files.deleted, ok
}

// Files is the set of live files. A light snapshot has none to show.
func (s *Snapshot) Files() *FileSet {
	s.needFiles()
	return &s.fileSet
}

// Tombstones yields the files that were removed, as far as the log still knows
// them. DataChange is false, as in a checkpoint. It may yield some whose
// retention has run out.
func (s *Snapshot) Tombstones() iter.Seq[*action.Remove] {
	s.needFiles()
	return func(yield func(*action.Remove) bool) {
		var f action.File
		s.tombs.all(func(r ref) bool {
			s.tombs.file(s.tombs.chunks[r.chunk()], r.row(), &f, true)
			rm, err := f.Remove()
			if err != nil { // what was parsed once parses again
				panic("snapshot: " + err.Error())
			}
			return yield(rm)
		})
	}
}

// NumTombstones is how many files Tombstones yields.
func (s *Snapshot) NumTombstones() int { return s.tombs.live }

// Bucket is the table's root.
func (s *Snapshot) Bucket() *storage.Bucket { return s.bucket }

// Env is the environment that the table was opened with.
func (s *Snapshot) Env() *env.Env { return s.env }

func (s *Snapshot) String() string {
	return fmt.Sprintf("%s at version %d (%d files)", s.bucket.URL(), s.version, s.files.live)
}
