package parquetio

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// Query says what to read. Ordinals are those of Schema, whose names are the
// physical ones.
type Query struct {
	Schema    *types.Struct
	Columns   []int      // nil: all
	ByID      bool       // match by field id (PROTOCOL.md, Column Mapping) where the file has ids
	Predicate expr.Expr  // bound to Schema; row groups and pages without a match are skipped, rows are not filtered
	Rows      []RowRange // nil: all rows; otherwise ascending and apart
	Batch     int        // most rows of a batch, default 64 Ki
	Window    int64      // bytes of a row group to hold at once, default 256 MiB; needs a page index
}

// RowRange is rows [Start, End) of a file.
type RowRange struct{ Start, End int64 }

// Batch is a run of rows of a file.
type Batch struct {
	Columns []arrow.Array // by ordinal of the schema; nil when not asked for
	First   int64         // physical index of the first row in the file
	Rows    int
}

const (
	defaultBatch  = 1 << 16
	defaultWindow = 256 << 20
	batchBytes    = 64 << 20 // batches of wide rows are shorter
)

// Read yields the rows that may match the predicate, in the order of the file.
func (f *File) Read(ctx context.Context, q Query) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		stopped := false
		err := f.read(ctx, q, func(b Batch) bool {
			stopped = !yield(b, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(Batch{}, f.wrap(err))
		}
	}
}

// reading is the state of one Read.
type reading struct {
	f       *File
	q       Query
	columns []*column // by ordinal; nil when not asked for
	res     *resolver
	leaves  []int // leaf columns to decode, ascending
	hints   map[int]*convertible
	fetch   fetcher
	win     window
	pq      *file.Reader
	index   *metadata.RowGroupPageIndexReader // of the row group; nil: none
	pages   map[int][]pageLocation            // by leaf, of the row group
}

func (f *File) read(ctx context.Context, q Query, yield func(Batch) bool) error {
	r, err := f.plan(q)
	if err != nil {
		return err
	}
	first := int64(0)
	for i := range f.meta.groups {
		if err := ctx.Err(); err != nil {
			return err
		}
		g := &f.meta.groups[i]
		parts, err := r.partsOf(g, first)
		if err != nil {
			return err
		}
		for _, part := range parts {
			more, err := r.group(ctx, g, first, part, yield)
			if err != nil || !more {
				return err
			}
		}
		first += g.rows
	}
	return nil
}

// partsOf says which rows of a row group are read, by what is held in memory at once.
func (r *reading) partsOf(g *rowGroup, first int64) (parts [][]rowRange, err error) {
	defer r.f.guard(&err)
	if r.q.Rows != nil && len(within(r.q.Rows, first, g.rows)) == 0 {
		return nil, nil
	}
	r.startGroup(g)
	ranges := r.rangesOf(g)
	if r.q.Rows != nil {
		ranges = intersect(ranges, within(r.q.Rows, first, g.rows))
	}
	if len(ranges) == 0 {
		return nil, nil
	}
	return r.windows(g, ranges), nil
}

// plan matches the columns of the query with those of the file.
func (f *File) plan(q Query) (r *reading, err error) {
	defer f.guard(&err)
	if q.Batch <= 0 {
		q.Batch = defaultBatch
	}
	if q.Window <= 0 {
		q.Window = defaultWindow
	}
	if q.Columns == nil {
		for i := range q.Schema.Fields {
			q.Columns = append(q.Columns, i)
		}
	}
	r = &reading{f: f, q: q, columns: make([]*column, len(q.Schema.Fields)), pages: map[int][]pageLocation{},
		win: window{src: &f.src, memo: map[int64][]byte{}},
		res: &resolver{byID: q.ByID, leaves: map[int]bool{}, kept: map[int]bool{}}}
	for _, o := range q.Columns {
		if o < 0 || o >= len(q.Schema.Fields) {
			return nil, fmt.Errorf("column ordinal %d of a schema of %d", o, len(q.Schema.Fields))
		}
		fd := q.Schema.Fields[o]
		c, err := r.res.column(fd.Name, fd.Type, r.res.member(f.meta.root, fd), true)
		if err != nil {
			return nil, err
		}
		r.columns[o] = c
	}
	for l := range r.res.leaves {
		r.leaves = append(r.leaves, l)
	}
	slices.Sort(r.leaves)
	r.planPredicate()
	props := parquet.NewReaderProperties(nil)
	props.BufferedStreamEnabled = true
	props.MaxCompressedPageSize, props.MaxUncompressedPageSize = f.meta.page, f.meta.page
	r.pq, err = file.NewParquetReader(&r.win, file.WithMetadata(f.md), file.WithReadProps(props))
	return r, err
}

// group reads ranges of rows of one row group; false when the caller has enough.
func (r *reading) group(ctx context.Context, g *rowGroup, first int64, ranges []rowRange, yield func(Batch) bool) (bool, error) {
	readers, err := r.open(g, ranges)
	if err != nil {
		return false, err
	}
	step := r.q.Batch
	if each := r.fetch.bytes * 4 / max(g.rows, 1); each > 0 {
		step = int(max(1, min(int64(step), batchBytes/each)))
	}
	for _, rng := range ranges {
		for from := rng.from; from < rng.to; {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			n := int(min(int64(step), rng.to-from))
			cols, err := r.batch(readers, from, n)
			if err != nil {
				return false, err
			}
			if !yield(Batch{Columns: cols, First: first + from, Rows: n}) {
				return false, nil
			}
			from += int64(n)
		}
	}
	return true, nil
}

// open fetches what the ranges need and starts the columns.
func (r *reading) open(g *rowGroup, ranges []rowRange) (readers map[int]*columnReader, err error) {
	defer r.f.guard(&err)
	if whole := len(ranges) == 1 && ranges[0] == (rowRange{0, g.rows}); !whole {
		for _, l := range r.leaves {
			r.locate(g, l)
		}
	} else {
		clear(r.pages)
	}
	spans, err := r.fetch.load(&r.f.src, g, r.leaves, r.pages, ranges)
	if err != nil {
		return nil, err
	}
	chunks := make([][2]int64, 0, len(r.leaves))
	for _, l := range r.leaves {
		from, to, err := g.chunks[l].bytes(r.f.src.size)
		if err != nil {
			return nil, err
		}
		chunks = append(chunks, [2]int64{from, to})
	}
	r.win.open(spans, chunks)
	rg := r.pq.RowGroup(g.ordinal)
	readers = make(map[int]*columnReader, len(r.leaves))
	for _, l := range r.leaves {
		in, err := rg.Column(l)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", r.f.meta.leaves[l].path, err)
		}
		readers[l] = &columnReader{leaf: r.f.meta.leaves[l], in: in, pages: r.pages[l], keep: r.res.kept[l], hasDict: g.chunks[l].dictAt > 0}
	}
	return readers, nil
}

func (r *reading) batch(readers map[int]*columnReader, from int64, n int) (cols []arrow.Array, err error) {
	defer r.f.guard(&err)
	rows := make(map[int]*leafRows, len(readers))
	for _, l := range r.leaves {
		if rows[l], err = readers[l].read(from, n); err != nil {
			return nil, fmt.Errorf("column %s: %w", r.f.meta.leaves[l].path, err)
		}
	}
	cols = make([]arrow.Array, len(r.columns))
	for o, c := range r.columns {
		if c == nil {
			continue
		}
		if cols[o], err = c.assemble(rows, n); err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(r.q.Schema.Fields[o].Name), err)
		}
	}
	return cols, nil
}
