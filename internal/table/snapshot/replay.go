package snapshot

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
)

func newLineage() *lineage {
	l := &lineage{files: &columns{}, tombs: &columns{}, head: -1, checkpoint: new(atomic.Int64)}
	l.checkpoint.Store(-1)
	return l
}

// replay puts batches, in the order of the log, on top of a draft: a snapshot
// that nobody else sees yet. The lineage's lock is held.
func (s *Snapshot) replay(b *batch) error {
	s.replayTable(b)
	return s.replayFiles(b)
}

// replayTable applies what is not about files.
func (s *Snapshot) replayTable(b *batch) {
	if b.protocol != nil {
		s.protocol = b.protocol
	}
	if b.metadata != nil {
		s.metadata, s.columns = b.metadata, nil
	}
	if len(b.txns) > 0 {
		changes := make(map[string]*action.Txn, len(b.txns))
		for _, t := range b.txns {
			changes[t.AppID] = t
		}
		s.txns = s.txns.with(changes)
	}
	if len(b.domains) > 0 {
		changes := make(map[string]*action.DomainMetadata, len(b.domains))
		for _, d := range b.domains {
			if d.Removed {
				changes[d.Domain] = nil
			} else {
				changes[d.Domain] = d
			}
		}
		s.domains = s.domains.with(changes)
	}
}

// replayFiles applies adds and removes in the order of their lines.
func (s *Snapshot) replayFiles(b *batch) error {
	files, tombs := s.lineage.files, s.lineage.tombs
	files.mu.Lock()
	defer files.mu.Unlock()
	tombs.mu.Lock()
	defer tombs.mu.Unlock()
	added, err := files.adopt(&s.files, &b.adds, b.following)
	if err != nil {
		return err
	}
	removed, err := tombs.adopt(&s.tombs, &b.removes, 0)
	if err != nil {
		return err
	}
	if b.sidecar != nil {
		b.sidecar.read(placed(added, b.adds.chunk.len()), placed(removed, b.removes.chunk.len()), b.adds.chunk.len(), b.removes.chunk.len())
	}
	adds, removes := b.adds.line, b.removes.line
	id := files.id
	for i, j := 0, 0; i < len(adds) || j < len(removes); {
		if j == len(removes) || i < len(adds) && adds[i] < removes[j] {
			r := added(i)
			c := s.files.chunks[r.chunk()]
			id = identity(id[:0], c.path(r.row()), c.vector(r.row()))
			h := hashOf(id)
			files.replace(&s.files, r, h, id)
			tombs.drop(&s.tombs, h, id)
			i++
			continue
		}
		r := removed(j)
		c := s.tombs.chunks[r.chunk()]
		id = identity(id[:0], c.path(r.row()), c.vector(r.row()))
		h := hashOf(id)
		files.drop(&s.files, h, id)
		tombs.replace(&s.tombs, r, h, id)
		j++
	}
	files.id = id
	return nil
}

var (
	errNoProtocol = errors.New("the log has no protocol action up to this version")
	errNoMetadata = errors.New("the log has no metaData action up to this version")
)

// finish checks that the draft is a table, and makes it a snapshot.
func (s *Snapshot) finish() error {
	corrupt := func(err error) error {
		return &CorruptError{Table: s.bucket.URL(), Version: s.version, Class: "DELTA_STATE_RECOVER_ERROR", Cause: err}
	}
	if s.protocol == nil {
		return corrupt(errNoProtocol)
	}
	if err := feature.CheckRead(s.protocol); err != nil {
		return fmt.Errorf("open %s at version %d: %w", s.bucket.URL(), s.version, err)
	}
	if s.metadata == nil {
		return corrupt(errNoMetadata)
	}
	if s.columns == nil {
		var err error
		if s.columns, err = feature.Mapping(s.metadata, nil); err != nil {
			return corrupt(err)
		}
	}
	s.fileSet = FileSet{v: s.files, names: s.columns.PartitionPhysical}
	return nil
}
