package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

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

	NumAdds     int
	SizeInBytes int64 // of the table's files
	StatsJSON   bool  // keep statistics
}

// Write writes a classic checkpoint, which appears whole, and then the pointer
// to it unless that points to a newer one already.
func Write(ctx context.Context, b *storage.Bucket, s *State) error {
	w, err := b.Create(ctx, deltalog.CheckpointPath(s.Version))
	if err != nil {
		return err
	}
	out := &counter{w: w}
	rows, err := writeParquet(ctx, out, s)
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	if err := w.Commit(); err != nil && !errors.Is(err, storage.ErrExist) {
		return err
	}
	return writeLast(ctx, b, s, rows, out.n)
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

// writeLast points _last_checkpoint to the checkpoint, unless it points further.
// A pointer that cannot be read is replaced.
func writeLast(ctx context.Context, b *storage.Bucket, s *State, rows, size int64) error {
	have, err := deltalog.ReadLastCheckpoint(ctx, b)
	var unusable *deltalog.HintError
	switch {
	case err == nil && have.Version > s.Version:
		return nil
	case err != nil && !errors.Is(err, storage.ErrNotExist) && !errors.As(err, &unusable):
		return err
	}
	adds := int64(s.NumAdds)
	return deltalog.WriteLastCheckpoint(ctx, b, deltalog.LastCheckpoint{Version: s.Version, Size: rows, SizeInBytes: &size, NumOfAddFiles: &adds})
}

func writeParquet(ctx context.Context, out io.Writer, s *State) (rows int64, err error) {
	schema := checkpointSchema(s.StatsJSON)
	props := parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDictionaryDefault(false),
		parquet.WithMaxRowGroupLength(1<<16), parquet.WithCreatedBy("sluice"),
		parquet.WithMaxStatsSize(256), parquet.WithDictionaryFor("add.partitionValues.key_value.key", true),
	)
	w, err := pqarrow.NewFileWriter(schema, out, props, pqarrow.NewArrowWriterProperties())
	if err != nil {
		return 0, err
	}
	b := newRows(array.NewRecordBuilder(memory.DefaultAllocator, schema))
	n := 0
	flush := func(force bool) error {
		n++
		if !force && n < batchRows {
			return nil
		}
		rec := b.b.NewRecordBatch()
		rows, n = rows+rec.NumRows(), 0
		if rec.NumRows() == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.WriteBuffered(rec)
	}
	run := func() error {
		b.protocol(s.Protocol)
		b.metadata(s.Metadata)
		n = 2
		for _, t := range slices.SortedFunc(slices.Values(s.Txns), func(x, y *action.Txn) int { return cmp.Compare(x.AppID, y.AppID) }) {
			b.txn(t)
			if err := flush(false); err != nil {
				return err
			}
		}
		for _, d := range slices.SortedFunc(slices.Values(s.Domains), func(x, y *action.DomainMetadata) int { return cmp.Compare(x.Domain, y.Domain) }) {
			b.domain(d)
			if err := flush(false); err != nil {
				return err
			}
		}
		for f := range s.Removes {
			if err := b.remove(f); err != nil {
				return err
			}
			if err := flush(false); err != nil {
				return err
			}
		}
		for f := range s.Adds {
			if err := b.add(f, s.StatsJSON); err != nil {
				return err
			}
			if err := flush(false); err != nil {
				return err
			}
		}
		return flush(true)
	}
	if err := run(); err != nil {
		return 0, errors.Join(err, w.Close())
	}
	return rows, w.Close()
}
