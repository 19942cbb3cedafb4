package snapshot

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
)

// A light snapshot is one whose files were not read: who only adds rows needs the
// schema, properties, applications and domains of a table, and none of its files.
// It is followed by light ones. NumFiles and the other totals are those of the
// version checksum, carried on from commit to commit, as long as Counted says so.
type light struct{ counted bool }

// WholeLog is the size of a log, in bytes, up to which LoadLight reads all of it:
// that costs hardly more than its head.
const WholeLog = 1 << 20

// LoadLight opens the newest version as Load does, but leaves the files out when the
// checkpoint and the commits behind it have more than so many bytes (WholeLog unless
// there is a reason) and the rest can be had for much less: from the version checksum,
// which is believed under the conditions of LoadHead, or from a checkpoint that is
// larger than what follows it. A size below 0 leaves them out in any case.
func LoadLight(ctx context.Context, e *env.Env, b *storage.Bucket, wholeLog int64) (*Snapshot, error) {
	whole := loadWhole(ctx, e, b)
	return open(ctx, e, b, Latest(), func(dir *logDirectory, want int64) (*Snapshot, error) {
		base, behind := dir.weight(want)
		if base+behind <= wholeLog {
			return whole(dir, want)
		}
		s, c, err := dir.fromChecksum(ctx, e, b, want)
		if err != nil {
			return nil, err
		}
		if s != nil {
			s.light = &light{counted: true}
			s.files.live, s.files.bytes = int(c.NumFiles), c.TableSizeBytes
			if c.NumDeletionVectors != nil && c.NumDeletedRecords != nil {
				s.files.vectors, s.files.deleted = int(*c.NumDeletionVectors), *c.NumDeletedRecords
			} else {
				s.light.counted = !feature.Supports(s.protocol, "deletionVectors")
			}
			s.lineage = newLineage()
			s.lineage.head = want
			if done := dir.checkpointsUpTo(want); len(done) > 0 {
				s.lineage.checkpoint.Store(done[0].version)
			}
			return s, nil
		}
		if base <= behind && wholeLog >= 0 {
			return whole(dir, want)
		}
		if s, err = load(ctx, e, b, dir, want, headOnly); err != nil {
			return nil, err
		}
		s.light = &light{}
		return s, nil
	})
}

// weight is how many bytes the newest checkpoint of a version has, as far as the
// listing tells, and how many the commits behind it.
func (d *logDirectory) weight(version int64) (base, behind int64) {
	from := int64(0)
	if done := d.checkpointsUpTo(version); len(done) > 0 {
		from = done[0].version + 1
		for _, p := range done[0].parts {
			base += p.Size
		}
	}
	for v := from; v <= version; v++ {
		behind += d.commits[v].Size
	}
	return base, behind
}

// Light reports whether the files were not read. Whoever wants them asks Whole first.
func (s *Snapshot) Light() bool { return s.light != nil }

// Counted reports whether NumFiles, SizeInBytes, NumDeletionVectors and NumDeletedRows
// are known.
func (s *Snapshot) Counted() bool { return s.light == nil || s.light.counted }

// Whole is the same version with its files.
func (s *Snapshot) Whole(ctx context.Context) (*Snapshot, error) {
	if s.light == nil {
		return s, nil
	}
	return Load(ctx, s.env, s.bucket, Version(s.version))
}

// needFiles stops a program that looks for the files of a light snapshot: it would
// take the table for empty.
func (s *Snapshot) needFiles() {
	if s.light != nil {
		panic(fmt.Sprintf("snapshot: the files of %s at version %d were not read: ask Whole first", s.bucket.URL(), s.version))
	}
}

// newFiles are the operations whose adds without a remove are files that the table
// did not have: others may add a file again, for other statistics or row ids.
var newFiles = map[string]bool{"WRITE": true, "STREAMING UPDATE": true, "MERGE": true, "UPDATE": true, "DELETE": true, "OPTIMIZE": true, "REORG": true}

// follow puts the batches of a commit on top of a light draft.
func (s *Snapshot) follow(batches []*batch) error {
	counted := s.light.counted && s.info != nil && s.info.Operation != "" && newFiles[s.info.Operation]
	for _, b := range batches {
		s.replayTable(b)
		for k, c := 0, b.adds.chunk; k < c.len(); k++ {
			s.files.count(c, k)
		}
		for k, c := 0, b.removes.chunk; k < c.len(); k++ {
			size, ok, err := sizeOfRemoved(c, k)
			if err != nil {
				return err
			}
			counted = counted && ok
			s.files.live--
			s.files.bytes -= size
			if dv := c.vector(k); dv != nil {
				s.files.vectors--
				s.files.deleted -= dv.Cardinality
			}
		}
	}
	s.light = &light{counted: counted}
	return nil
}

// sizeOfRemoved is the size in a remove action, which need not have one.
func sizeOfRemoved(c *chunk, k int) (size int64, ok bool, err error) {
	_, rest, err := c.cold.record(k)
	if err != nil || len(rest) == 0 {
		return 0, false, err
	}
	var f action.File
	if err := f.Parse(append(append([]byte{'{'}, rest...), '}'), true); err != nil {
		return 0, false, err
	}
	return f.Size, f.Has&action.HasSize != 0, nil
}

var errLight = errors.New("its files were not read")
