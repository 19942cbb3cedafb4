package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/storage"
)

// Options say what is read. The zero value is every live row, all columns.
type Options struct {
	Columns     []int     // ordinals of the table's schema; nil: all
	Predicate   expr.Expr // bound to the table's schema; skips what cannot match, filters nothing
	Filter      expr.Expr // bound likewise; only rows for which it is TRUE, a Predicate as well
	Limit       int64     // without a Filter, enough rows of each file; 0: all
	Positions   bool      // tell where in the file each row lies
	Rows        []Range   // nil: all; otherwise only these physical rows, ascending and apart
	Batch       int       // most rows of a batch; 0: as fits
	ReadDeleted bool      // rows that the deletion vector names too
}

// Range is physical rows [Start, End) of a file.
type Range struct{ Start, End int64 }

// Batch is some rows of a file. It may be kept.
type Batch struct {
	Add       *action.Add   // the file
	Columns   []arrow.Array // by ordinal of the table's schema; nil when not asked for
	Rows      int
	Positions []int64 // physical index of each row in the file, ascending, when asked for
}

// Record is the batch as an Arrow record; the schema lists the columns that were
// asked for, in table order.
func (b Batch) Record(schema *arrow.Schema) arrow.RecordBatch {
	cols := make([]arrow.Array, 0, len(b.Columns))
	for _, c := range b.Columns {
		if c != nil {
			cols = append(cols, c)
		}
	}
	return array.NewRecordBatch(schema, cols, int64(b.Rows))
}

// File yields the rows of one file in their order. An error comes once, last.
// Leaving the loop releases everything.
func File(ctx context.Context, e *env.Env, src Source, add *action.Add, o Options) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		err := readFile(ctx, budgetOf(e, e.Workers), src, add, o, func(b Batch) bool { return yield(b, nil) })
		if err != nil && err != errStop {
			yield(Batch{}, src.fileError(add, err))
		}
	}
}

// PhysicalRows counts the rows of a file from its footer, deleted ones included.
func PhysicalRows(ctx context.Context, e *env.Env, src Source, add *action.Add) (int64, error) {
	f, closer, err := open(ctx, src, add, false)
	if err != nil {
		return 0, src.fileError(add, err)
	}
	defer closer()
	return f.Rows(), nil
}

// errStop ends a scan that the caller has left.
var errStop = fmt.Errorf("the caller has stopped")

func readFile(ctx context.Context, m budget, src Source, add *action.Add, o Options, yield func(Batch) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := newPlan(src.Columns, add, o)
	if err != nil || p.empty {
		return err
	}
	in, err := openFile(ctx, src, add, o.ReadDeleted, len(p.query.Columns) == len(src.Columns.Logical.Fields))
	if err != nil {
		return err
	}
	defer in.close()
	return p.read(ctx, m, in, yield)
}

// opened is a data file and the rows of it that are deleted.
type opened struct {
	add   *action.Add
	file  *parquetio.File
	dead  *roaring64.Bitmap // nil: none
	close func() error
	users atomic.Int32 // workers that read parts of it, or will
}

func openFile(ctx context.Context, src Source, add *action.Add, readDeleted, most bool) (*opened, error) {
	in := &opened{add: add}
	var err error
	if add.DeletionVector != nil && !readDeleted {
		if in.dead, err = src.vectors().Load(ctx, add.DeletionVector); err != nil {
			return nil, err
		}
	}
	in.file, in.close, err = open(ctx, src, add, most)
	return in, err
}

// read yields the rows of a file that the plan wants.
func (p *plan) read(ctx context.Context, m budget, in *opened, yield func(Batch) bool) error {
	q := p.query
	q.Window, q.Bytes = m.window, m.batch
	if p.filter != nil || p.opts.Rows != nil || in.dead != nil {
		q.First, q.Choose = p.first, p.choose(dv.NewCursor(in.dead))
	}
	if p.opts.Limit > 0 && p.filter == nil && p.opts.Rows == nil {
		q.Limit = p.opts.Limit
		if in.dead != nil {
			q.Limit += int64(in.dead.GetCardinality())
		}
		if q.Batch == 0 {
			q.Batch = int(min(q.Limit, 1<<16))
		}
	}
	for b, err := range in.file.Read(ctx, q) {
		if err != nil {
			return err
		}
		if !yield(p.finish(in.add, b)) {
			return errStop
		}
	}
	return nil
}

// open opens the Parquet file of an add. The size in the log is not trusted:
// when the footer is not where it should be, the store is asked.
func open(ctx context.Context, src Source, add *action.Add, most bool) (*parquetio.File, func() error, error) {
	bucket, key, err := src.locate(ctx, add.Path)
	if err != nil {
		return nil, nil, err
	}
	f, closer, err := openAt(ctx, src.turns, bucket, key, add.Size, most)
	if errors.Is(err, storage.ErrInvalidKey) {
		if bucket, key, err = src.behindLink(ctx, add.Path, key, err); err == nil {
			f, closer, err = openAt(ctx, src.turns, bucket, key, add.Size, most)
		}
	}
	return f, closer, err
}

func openAt(ctx context.Context, t turns, bucket *storage.Bucket, key string, size int64, most bool) (*parquetio.File, func() error, error) {
	if size <= 0 {
		var err error
		if size, err = sizeOf(ctx, bucket, key); err != nil {
			return nil, nil, err
		}
	}
	f, closer, err := openSized(ctx, t, bucket, key, size, most)
	if err == nil {
		return f, closer, nil
	}
	actual, statErr := sizeOf(ctx, bucket, key)
	if statErr != nil || actual == size {
		return nil, nil, err
	}
	return openSized(ctx, t, bucket, key, actual, most)
}

func sizeOf(ctx context.Context, b *storage.Bucket, key string) (int64, error) {
	obj, err := b.Stat(ctx, key)
	return obj.Size, err
}

func openSized(ctx context.Context, t turns, b *storage.Bucket, key string, size int64, most bool) (*parquetio.File, func() error, error) {
	r, err := b.OpenReader(ctx, key, size)
	if err != nil {
		return nil, nil, err
	}
	var at io.ReaderAt = r
	if t != nil {
		at = &waits{ReaderAt: r, turns: t}
	}
	f, err := parquetio.Open(at, size, parquetio.OpenOptions{Name: key, Whole: wholeBelow(b.URL(), most), Cheap: near(b.URL()), Tail: tailOf(b.URL(), size)})
	if err != nil {
		r.Close()
		return nil, nil, err
	}
	return f, r.Close, nil
}

// near reports whether requests cost little: elsewhere each is a round trip.
func near(url string) bool {
	return strings.HasPrefix(url, "file:") || strings.HasPrefix(url, "memory:")
}

// tailOf is how many last bytes are read first. From afar that should hold the page
// index of large files too, which saves a request for each row group.
func tailOf(url string, size int64) int64 {
	const least, most = 64 << 10, 1 << 20
	if near(url) {
		return least
	}
	return min(max(size/512, least), most)
}

// wholeBelow is the size up to which a file is fetched with one request.
func wholeBelow(url string, most bool) int64 {
	switch {
	case !near(url):
		return 8 << 20
	case most:
		return 1 << 20
	}
	return 128 << 10
}

// Extra lists the columns that a file has and the table lacks, from its footer.
func Extra(ctx context.Context, src Source, add *action.Add) ([]string, error) {
	f, closer, err := open(ctx, src, add, false)
	if err != nil {
		return nil, src.fileError(add, err)
	}
	defer closer()
	return f.Extra(src.Columns.Physical), nil
}

// Open opens the Parquet file of an add; the function closes it.
func Open(ctx context.Context, src Source, add *action.Add) (*parquetio.File, func() error, error) {
	f, closer, err := open(ctx, src, add, true)
	return f, closer, src.fileError(add, err)
}
