package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
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
	rows, err := writeClassic(ctx, out, s)
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

// parquetWriter writes rows in batches.
type parquetWriter struct {
	*rows
	ctx     context.Context
	w       *pqarrow.FileWriter
	pending int
	total   int64
}

func newParquetWriter(ctx context.Context, out io.Writer, schema *arrow.Schema) (*parquetWriter, error) {
	props := parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDictionaryDefault(false),
		parquet.WithMaxRowGroupLength(1<<16), parquet.WithCreatedBy("sluice"),
		parquet.WithMaxStatsSize(256), parquet.WithDictionaryFor("add.partitionValues.key_value.key", true),
	)
	w, err := pqarrow.NewFileWriter(schema, out, props, pqarrow.NewArrowWriterProperties())
	if err != nil {
		return nil, err
	}
	return &parquetWriter{ctx: ctx, w: w, rows: newRows(array.NewRecordBuilder(memory.DefaultAllocator, schema))}, nil
}

// end is called behind each row.
func (p *parquetWriter) end() error {
	if p.pending++; p.pending < batchRows {
		return nil
	}
	return p.flush()
}

func (p *parquetWriter) flush() error {
	rec := p.b.NewRecordBatch()
	p.total, p.pending = p.total+rec.NumRows(), 0
	if rec.NumRows() == 0 {
		return nil
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	return p.w.WriteBuffered(rec)
}

// writeParquet writes a file and returns how many rows it has.
func writeParquet(ctx context.Context, out io.Writer, schema *arrow.Schema, fill func(p *parquetWriter) error) (int64, error) {
	p, err := newParquetWriter(ctx, out, schema)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(fill(p), p.flush()); err != nil {
		return 0, errors.Join(err, p.w.Close())
	}
	return p.total, p.w.Close()
}

func writeClassic(ctx context.Context, out io.Writer, s *State) (rows int64, err error) {
	return writeParquet(ctx, out, classicSchema(s.StatsJSON), func(p *parquetWriter) error {
		if err := p.table(s); err != nil {
			return err
		}
		for f := range s.Removes {
			if err := errors.Join(p.remove(f), p.end()); err != nil {
				return err
			}
		}
		for f := range s.Adds {
			if err := errors.Join(p.add(f, s.StatsJSON), p.end()); err != nil {
				return err
			}
		}
		return nil
	})
}

// table writes what is not about files.
func (p *parquetWriter) table(s *State) error {
	p.protocol(s.Protocol)
	p.metadata(s.Metadata)
	p.pending += 2
	for _, t := range s.txns() {
		p.txn(t)
		if err := p.end(); err != nil {
			return err
		}
	}
	for _, d := range s.domains() {
		p.domain(d)
		if err := p.end(); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) txns() []*action.Txn {
	return slices.SortedFunc(slices.Values(s.Txns), func(x, y *action.Txn) int { return cmp.Compare(x.AppID, y.AppID) })
}

func (s *State) domains() []*action.DomainMetadata {
	return slices.SortedFunc(slices.Values(s.Domains), func(x, y *action.DomainMetadata) int { return cmp.Compare(x.Domain, y.Domain) })
}
