package write

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/storage"
)

// Output is a data file. Its identity is stable from the first row on; Add and
// Bytes are set when the file is complete.
type Output struct {
	Add   *action.Add
	Path  string // key in the table's bucket
	Bytes int64
	Rows  int64
}

// openFile is an Output that is being written. Rows arrive on the caller's side;
// encoding happens in one job at a time.
type openFile struct {
	*Output
	w       *Writer
	values  action.PartitionValues
	waiting []piece
	bytes   int64         // of waiting
	taken   int64         // bytes of all rows so far, in memory
	job     chan struct{} // closed when the running job ends; nil when none ran
	sealed  bool          // gets no more rows

	// of the job
	parquet *parquetio.FileWriter
	stats   *colstats.Collector
	sink    *sink

	// what the jobs report
	raw     atomic.Int64 // bytes of rows that were encoded
	encoded atomic.Int64 // bytes that they take in the file
	sent    atomic.Int64 // bytes of those that are out of memory
}

// piece is a part of the columns, by table ordinal.
type piece struct {
	cols []arrow.Array
	rows int
}

// estimate is about how large the file will be.
func (f *openFile) estimate() int64 {
	raw, encoded := f.raw.Load(), f.encoded.Load()
	ratio := 0.5
	if raw > pieceBytes/4 {
		ratio = float64(encoded) / float64(raw)
	}
	return encoded + int64(float64(f.bytes)*ratio)
}

// held is about how much memory the file takes.
func (f *openFile) held() int64 { return f.bytes + f.encoded.Load() - f.sent.Load() }

// manyPieces is how many small pieces are kept apart.
const manyPieces = 64

// add takes in rows. Many small pieces become one, because each array has its
// own price.
func (f *openFile) add(p piece) {
	f.waiting = append(f.waiting, p)
	n := size(p.cols, p.rows)
	f.bytes, f.taken = f.bytes+n, f.taken+n
	f.Rows += int64(p.rows)
	if len(f.waiting) < manyPieces {
		return
	}
	whole := piece{cols: make([]arrow.Array, len(p.cols))}
	parts := make([]arrow.Array, len(f.waiting))
	for _, ordinal := range f.w.layout.data {
		for i, x := range f.waiting {
			parts[i] = x.cols[ordinal]
		}
		joined, err := columns.Concat(parts)
		if err != nil {
			return // they stay apart
		}
		whole.cols[ordinal] = joined
	}
	for _, x := range f.waiting {
		whole.rows += x.rows
	}
	f.waiting = append(f.waiting[:0], whole)
	f.bytes = size(whole.cols, whole.rows)
}

// encode writes pieces; it runs in a job.
func (f *openFile) encode(pieces []piece) error {
	l := f.w.layout
	if f.parquet == nil {
		inflight.Wrote(f.w.bucket.URL(), f.Path)
		f.sink = &sink{ctx: f.w.ctx, b: f.w.bucket, key: f.Path, small: l.small}
		f.stats = colstats.NewCollector(l.leaves, l.statsPrefix)
		var err error
		if f.parquet, err = parquetio.NewFileWriter(f.sink, l.file, l.options); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	data := make([]arrow.Array, len(l.data))
	for _, p := range pieces {
		if err := f.w.ctx.Err(); err != nil {
			return err
		}
		f.stats.Add(p.cols, p.rows)
		for i, ordinal := range l.data {
			data[i] = p.cols[ordinal]
		}
		if err := f.parquet.WriteColumns(data, p.rows); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
		f.raw.Add(size(p.cols, p.rows))
	}
	f.encoded.Store(f.parquet.Size())
	f.sent.Store(f.sink.sent)
	return nil
}

// complete ends the file and makes it visible; it runs in a job.
func (f *openFile) complete() error {
	info, err := f.parquet.Close()
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	if err := f.sink.commit(); err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	l := f.w.layout
	f.Bytes = info.Bytes
	values := f.values
	if values == nil {
		values = action.PartitionValues{}
	}
	f.Add = &action.Add{
		Path:             partition.EscapePath(f.Path),
		PartitionValues:  values,
		Size:             info.Bytes,
		ModificationTime: f.w.env.Now().UnixMilli(),
		DataChange:       l.dataChange,
		Stats:            f.stats.JSON(l.tightBounds),
	}
	f.parquet, f.stats = nil, nil
	f.encoded.Store(0)
	f.sent.Store(0)
	return nil
}

// sink sends a file to the store: a small one in one request, a larger one as
// a stream.
type sink struct {
	ctx   context.Context
	b     *storage.Bucket
	key   string
	buf   []byte
	w     storage.Writer
	small int
	sent  int64
	put   bool // the object may exist
}

func (s *sink) Write(p []byte) (int, error) {
	if s.w == nil {
		if len(s.buf)+len(p) <= s.small {
			s.buf = append(s.buf, p...)
			return len(p), nil
		}
		w, err := s.b.Create(s.ctx, s.key)
		if err != nil {
			return 0, err
		}
		s.w = w
		if _, err := w.Write(s.buf); err != nil {
			return 0, err
		}
		s.sent, s.buf = int64(len(s.buf)), nil
	}
	n, err := s.w.Write(p)
	s.sent += int64(n)
	return n, err
}

func (s *sink) commit() error {
	s.put = true
	if s.w != nil {
		return s.w.Commit()
	}
	err := s.b.Put(s.ctx, s.key, s.buf)
	s.buf = nil
	return err
}

// abort gives up; what may be visible is deleted by the Writer.
func (s *sink) abort() {
	if s.w != nil {
		s.w.Abort()
	}
	s.buf = nil
}

// Discard deletes data files that no commit will mention. It does what it can;
// what remains is left to VACUUM.
func Discard(ctx context.Context, b *storage.Bucket, outs ...*Output) {
	for _, o := range outs {
		if o != nil && o.Path != "" {
			b.Delete(ctx, o.Path)
		}
	}
}
