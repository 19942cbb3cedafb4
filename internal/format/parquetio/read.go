package parquetio

import (
	"context"
	"errors"
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
	Window    int64      // bytes of a row group to hold at once, default 64 MiB; needs a page index
	Bytes     int64      // about the most bytes of a batch, default 64 MiB
	Limit     int64      // of the rows that may match, only so many first ones; 0: all

	// Choose, when set, picks rows of a batch by the columns of First, which are
	// decoded before the others; of these only what was picked is decoded, and
	// pages without a picked row are not read. cols are by ordinal of the schema and
	// must not be kept; first is the physical index of the first row. sel is ascending,
	// relative to first, and must not be changed afterwards; all stands for every row.
	// A column of First comes back in the batch when it is one of Columns.
	First  []int
	Choose func(cols []arrow.Array, first int64, rows int) (sel []int32, all bool, err error)
}

// RowRange is rows [Start, End) of a file.
type RowRange struct{ Start, End int64 }

// Batch is a run of rows of a file.
type Batch struct {
	Columns []arrow.Array // by ordinal of the schema; nil when not asked for
	First   int64         // physical index of the first row in the file
	Rows    int
	Picked  []int32 // where the rows lie, relative to First, when Choose has left some out
}

const (
	defaultBatch  = 1 << 16
	defaultWindow = 64 << 20
	defaultBytes  = 64 << 20 // batches of wide rows are shorter
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
	leaves  []int  // leaf columns to decode, ascending
	wanted  []bool // by ordinal: a column of the batches
	early   side   // what Choose wants
	late    side   // the rest; all of it without Choose
	hints   map[int]*convertible
	win     window
	pq      *file.Reader
	left    int64                             // rows up to the limit
	text    bool                              // some columns have values of any length
	rows    int64                             // most rows of a batch, since one with more was too large; 0: not yet
	perRow  int64                             // bytes of a row of the last batch, 0 before the first
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
		if q.Limit > 0 && r.left == 0 {
			return nil
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
	if r.q.Limit > 0 {
		ranges, r.left = limited(ranges, r.left)
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
	if q.Bytes <= 0 {
		q.Bytes = defaultBytes
	}
	if q.Columns == nil {
		for i := range q.Schema.Fields {
			q.Columns = append(q.Columns, i)
		}
	}
	if q.Choose == nil {
		q.First = nil
	}
	if q.ByID && !f.meta.ids && len(f.meta.leaves) > 0 && len(q.Columns) > 0 {
		return nil, errNoIDs
	}
	r = &reading{f: f, q: q, left: q.Limit, columns: make([]*column, len(q.Schema.Fields)), pages: map[int][]pageLocation{},
		win: window{src: &f.src, memo: map[int64][]byte{}},
		res: &resolver{byID: q.ByID, leaves: map[int]bool{}, kept: map[int]bool{}}}
	r.wanted = make([]bool, len(q.Schema.Fields))
	for _, o := range q.Columns {
		if o >= 0 && o < len(r.wanted) {
			r.wanted[o] = true
		}
	}
	for _, o := range q.First {
		if err := r.want(o, &r.early); err != nil {
			return nil, err
		}
	}
	for _, o := range q.Columns {
		if err := r.want(o, &r.late); err != nil {
			return nil, err
		}
	}
	for l := range r.res.leaves {
		r.leaves = append(r.leaves, l)
	}
	slices.Sort(r.leaves)
	r.text = slices.ContainsFunc(r.leaves, func(l int) bool { return vectorWidth(f.meta.leaves[l].physical) == 0 || f.meta.leaves[l].rep > 0 })
	r.planPredicate()
	props := parquet.NewReaderProperties(nil)
	props.BufferedStreamEnabled = true
	page := f.meta.pageLimit(len(r.leaves))
	props.MaxCompressedPageSize, props.MaxUncompressedPageSize = page, page
	r.pq, err = file.NewParquetReader(&r.win, file.WithMetadata(f.md), file.WithReadProps(props))
	return r, err
}

// want plans a column, once, on one of the two sides.
func (r *reading) want(o int, to *side) error {
	if o < 0 || o >= len(r.q.Schema.Fields) {
		return fmt.Errorf("column ordinal %d of a schema of %d", o, len(r.q.Schema.Fields))
	}
	if r.columns[o] != nil {
		return nil
	}
	fd := r.q.Schema.Fields[o]
	own := &resolver{byID: r.res.byID, leaves: map[int]bool{}, kept: r.res.kept}
	in, err := own.member(r.f.meta.root, fd)
	if err != nil {
		return err
	}
	c, err := own.column(fd.Name, fd.Type, in, true)
	if err != nil {
		return err
	}
	r.columns[o] = c
	to.columns = append(to.columns, o)
	for l := range own.leaves {
		r.res.leaves[l] = true
		if !slices.Contains(to.leaves, l) {
			to.leaves = append(to.leaves, l)
		}
	}
	slices.Sort(to.leaves)
	return nil
}

// firstRows is the most rows of the first batch, which tells how wide rows are:
// the footer does not know it of text from a dictionary.
const firstRows = 1 << 12

// batchLimit is how many bytes of text or levels a batch of several rows may have
// in one column. A dictionary, or a long list of nothing, can make more out of a
// small file: then fewer rows are read at a time.
const batchLimit = 256 << 20

// step is how many rows the next batch of a row group has at most.
func (r *reading) step(g *rowGroup) int64 {
	step := int64(r.q.Batch)
	if r.rows > 0 {
		step = min(step, r.rows)
	}
	each := g.bytes(r.leaves)*4/max(g.rows, 1) + 8*int64(len(r.leaves))
	if r.perRow == 0 && r.text {
		step = min(step, firstRows)
	}
	return max(1, min(step, r.q.Bytes/max(each, r.perRow, 1)))
}

// group reads ranges of rows of one row group; false when the caller has enough.
func (r *reading) group(ctx context.Context, g *rowGroup, first int64, ranges []rowRange, yield func(Batch) bool) (bool, error) {
	if r.q.Choose != nil {
		return r.choosing(ctx, g, first, ranges, yield)
	}
	readers, err := r.open(g, &r.late, ranges)
	if err != nil {
		return false, err
	}
	for _, rng := range ranges {
		for from := rng.from; from < rng.to; {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			n := int(min(r.step(g), rng.to-from))
			cols := make([]arrow.Array, len(r.columns))
			if err := r.batch(cols, &r.late, readers, from, n); errors.Is(err, errTooMuchText) && n > 1 {
				r.rows = max(1, int64(n)/16)
				return r.group(ctx, g, first, intersect(ranges, []rowRange{{from, g.rows}}), yield)
			} else if err != nil {
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

// side is columns that are read together.
type side struct {
	columns []int // ordinals
	leaves  []int // ascending
	fetch   fetcher
}

// passing reports whether the values of a leaf are only looked at by Choose, so
// that their memory can be used again.
func (s *side) passing(r *reading, leaf int) bool {
	return s == &r.early && !slices.ContainsFunc(s.columns, func(o int) bool {
		c := r.columns[o]
		return c.pq != nil && (!c.flat || c.pq.leaf == leaf && r.wanted[o])
	})
}

// open fetches what the ranges need of one side and starts its columns.
func (r *reading) open(g *rowGroup, s *side, ranges []rowRange) (map[int]*columnReader, error) {
	if err := r.get(g, &s.fetch, s.leaves, ranges); err != nil {
		return nil, err
	}
	return r.start(g, s)
}

// get brings the bytes of leaves that the ranges need into the window.
func (r *reading) get(g *rowGroup, f *fetcher, leaves []int, ranges []rowRange) (err error) {
	defer r.f.guard(&err)
	if whole := len(ranges) == 1 && ranges[0] == (rowRange{0, g.rows}); !whole || r.q.Choose != nil {
		for _, l := range leaves {
			r.locate(g, l)
		}
	} else {
		clear(r.pages)
	}
	spans, err := f.load(&r.f.src, g, leaves, r.pages, ranges)
	if err != nil {
		return err
	}
	chunks := make([][2]int64, 0, len(leaves))
	for _, l := range leaves {
		from, to, err := g.chunks[l].bytes(r.f.src.size)
		if err != nil {
			return err
		}
		chunks = append(chunks, [2]int64{from, to})
	}
	r.win.open(spans, chunks)
	return nil
}

// start begins to read the columns of a side, whose bytes are in the window.
func (r *reading) start(g *rowGroup, s *side) (readers map[int]*columnReader, err error) {
	defer r.f.guard(&err)
	rg := r.pq.RowGroup(g.ordinal)
	readers = make(map[int]*columnReader, len(s.leaves))
	for _, l := range s.leaves {
		in, err := r.column(rg, l)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", r.f.meta.leaves[l].path, err)
		}
		readers[l] = &columnReader{leaf: r.f.meta.leaves[l], in: in, pages: r.pages[l], keep: r.res.kept[l], hasDict: g.chunks[l].dictAt > 0, passing: s.passing(r, l)}
	}
	return readers, nil
}

func (r *reading) column(rg *file.RowGroupReader, l int) (file.ColumnChunkReader, error) {
	if r.f.meta.leaves[l].physical != parquet.Types.FixedLenByteArray {
		return rg.Column(l)
	}
	pages, err := rg.GetColumnPageReader(l)
	if err != nil {
		return nil, err
	}
	return fixedReader(r.f.md.Schema.Column(l), pages), nil
}

// batch decodes n rows of the columns of a side.
func (r *reading) batch(cols []arrow.Array, s *side, readers map[int]*columnReader, from int64, n int) (err error) {
	defer r.f.guard(&err)
	rows := make(map[int]*leafRows, len(readers))
	for _, l := range s.leaves {
		switch readers[l].most = 0; {
		case r.q.Choose != nil: // its rows cannot be read again, fewer at a time
			readers[l].levels = 4 * batchLimit
		case n > 1:
			readers[l].most = batchLimit
		}
		if rows[l], err = readers[l].read(from, n); err != nil {
			return r.leafError(l, err)
		}
	}
	if s == &r.late || len(r.late.leaves) == 0 {
		r.weigh(rows, n)
	}
	for _, o := range s.columns {
		if cols[o], err = r.columns[o].assemble(rows, n); err != nil {
			return r.columnError(o, err)
		}
	}
	return nil
}

// weigh notes how wide rows are.
func (r *reading) weigh(rows map[int]*leafRows, n int) {
	var bytes int64
	for _, l := range rows {
		bytes += int64(len(l.vec.fixed) + 4*len(l.vec.offsets) + len(l.vec.data) + 2*len(l.defs) + 2*len(l.reps))
	}
	r.perRow = bytes/int64(max(n, 1)) + 1
}

func (r *reading) leafError(l int, err error) error {
	if r.win.err != nil { // what the library makes of a failed read says less
		err = r.win.err
	}
	return fmt.Errorf("column %s: %w", r.f.meta.leaves[l].path, err)
}

func (r *reading) columnError(o int, err error) error {
	return fmt.Errorf("column %s: %w", types.QuoteIdentifier(r.q.Schema.Fields[o].Name), err)
}
