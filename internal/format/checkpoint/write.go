package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

// State is what a checkpoint holds.
type State struct {
	Version  int64
	Protocol *action.Protocol
	Metadata *action.Metadata
	Txns     []*action.Txn
	Domains  []*action.DomainMetadata
	Adds     iter.Seq[*action.File] // each valid until the next
	Removes  iter.Seq[*action.File] // unexpired tombstones
	Failed   func() error           // why Adds or Removes ended early; nil when they cannot

	NumAdds     int
	SizeInBytes int64  // of the table's files
	StatsJSON   bool   // keep statistics as JSON
	Typed       *Typed // statistics and partition values as typed columns; nil for none
}

// failed is the error that ended the files of a state.
func (s *State) failed() error {
	if s.Failed == nil {
		return nil
	}
	return s.Failed()
}

// Written is what a checkpoint came to.
type Written struct {
	Files    []string          // keys of the files that were written, in order
	Sidecars []*action.Sidecar // new ones, one for each portion that had files
	Actions  int64             // in the whole checkpoint
	Bytes    int64             // written
}

// Write writes a classic checkpoint, which appears whole, and then the pointer
// to it unless that points to a newer one already.
func Write(ctx context.Context, b *storage.Bucket, s *State) (*Written, error) {
	out := &Written{}
	if err := out.file(ctx, b, deltalog.CheckpointPath(s.Version), s, true); err != nil {
		return nil, err
	}
	return out, writeLast(ctx, b, s, out, nil)
}

// WriteParts writes a classic checkpoint in several files (PROTOCOL.md,
// Multi-Part Checkpoint), which is one as soon as the last of them is there.
// part gives what belongs into each. It has to be the same whoever asks: a file
// that is there already, of another writer or of an attempt that broke off, stays.
func WriteParts(ctx context.Context, b *storage.Bucket, parts int, part func(i int) *State) (*Written, error) {
	out := &Written{}
	var s *State
	for i := range parts {
		s = part(i)
		if err := out.file(ctx, b, deltalog.CheckpointPartPath(s.Version, i+1, parts), s, i == 0); err != nil {
			return nil, err
		}
	}
	return out, writeLast(ctx, b, s, out, &parts)
}

// file writes one file; table says that it holds what is not about files.
func (o *Written) file(ctx context.Context, b *storage.Bucket, key string, s *State, table bool) error {
	size, rows, err := create(ctx, b, key, func(out io.Writer) (int64, error) {
		return writeParquet(ctx, out, classicSchema(s.StatsJSON, s.Typed), s, func(p *parquetWriter) error {
			if table {
				p.table(s)
			}
			return errors.Join(p.files(s.Removes, true), p.files(s.Adds, false), s.failed())
		})
	})
	if errors.Is(err, storage.ErrExist) {
		err = nil // another writer was faster, and its file says the same
	}
	o.Files = append(o.Files, key)
	o.Actions, o.Bytes = o.Actions+rows, o.Bytes+size
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// create streams a new file and returns its size and what write says.
func create(ctx context.Context, b *storage.Bucket, key string, write func(io.Writer) (int64, error)) (size, rows int64, err error) {
	w, err := b.Create(ctx, key)
	if err != nil {
		return 0, 0, err
	}
	out := &counter{w: w}
	if rows, err = write(out); err != nil {
		return 0, 0, errors.Join(err, w.Abort())
	}
	return out.n, rows, w.Commit()
}

// writeLast points _last_checkpoint to the checkpoint, unless it points further.
// A pointer that cannot be read is replaced.
func writeLast(ctx context.Context, b *storage.Bucket, s *State, w *Written, parts *int) error {
	have, err := deltalog.ReadLastCheckpoint(ctx, b)
	var unusable *deltalog.HintError
	switch {
	case err == nil && have.Version > s.Version:
		return nil
	case err != nil && !errors.Is(err, storage.ErrNotExist) && !errors.As(err, &unusable):
		return err
	}
	adds := int64(s.NumAdds)
	return deltalog.WriteLastCheckpoint(ctx, b, deltalog.LastCheckpoint{Version: s.Version, Size: w.Actions, Parts: parts, SizeInBytes: &w.Bytes, NumOfAddFiles: &adds})
}

func (s *State) txns() []*action.Txn {
	return slices.SortedFunc(slices.Values(s.Txns), func(x, y *action.Txn) int { return cmp.Compare(x.AppID, y.AppID) })
}

func (s *State) domains() []*action.DomainMetadata {
	return slices.SortedFunc(slices.Values(s.Domains), func(x, y *action.DomainMetadata) int { return cmp.Compare(x.Domain, y.Domain) })
}
