package scan

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// Options say what is read. The zero value is every live row, all columns.
type Options struct {
	Columns     []int     // ordinals of the table's schema; nil: all
	Predicate   expr.Expr // bound to the table's schema; skips what cannot match, filters nothing
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
		err := readFile(ctx, src, add, o, func(b Batch) bool { return yield(b, nil) })
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

func readFile(ctx context.Context, src Source, add *action.Add, o Options, yield func(Batch) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := newPlan(src.Columns, add, o)
	if err != nil {
		return err
	}
	cursor := dv.NewCursor(nil)
	if add.DeletionVector != nil && !o.ReadDeleted {
		rows, err := src.vectors().Load(ctx, add.DeletionVector)
		if err != nil {
			return err
		}
		cursor = dv.NewCursor(rows)
	}
	f, closer, err := open(ctx, src, add, len(p.query.Columns) == len(src.Columns.Logical.Fields))
	if err != nil {
		return err
	}
	defer closer()
	var sel []int32
	var all bool
	for b, err := range f.Read(ctx, p.query) {
		if err != nil {
			return err
		}
		sel, all = p.alive(cursor, b.First, b.Rows, sel[:0])
		if !all && len(sel) == 0 {
			continue
		}
		if !yield(p.finish(add, b, sel, all)) {
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
	size := add.Size
	if size <= 0 {
		if size, err = sizeOf(ctx, bucket, key); err != nil {
			return nil, nil, err
		}
	}
	f, closer, err := openSized(ctx, bucket, key, size, most)
	if err == nil {
		return f, closer, nil
	}
	actual, statErr := sizeOf(ctx, bucket, key)
	if statErr != nil || actual == size {
		return nil, nil, err
	}
	return openSized(ctx, bucket, key, actual, most)
}

func sizeOf(ctx context.Context, b *storage.Bucket, key string) (int64, error) {
	obj, err := b.Stat(ctx, key)
	return obj.Size, err
}

func openSized(ctx context.Context, b *storage.Bucket, key string, size int64, most bool) (*parquetio.File, func() error, error) {
	r, err := b.OpenReader(ctx, key, size)
	if err != nil {
		return nil, nil, err
	}
	f, err := parquetio.Open(r, size, parquetio.OpenOptions{Name: key, Whole: wholeBelow(b.URL(), most)})
	if err != nil {
		r.Close()
		return nil, nil, err
	}
	return f, r.Close, nil
}

// wholeBelow is the size up to which a file is fetched with one request: on a
// local disk requests are cheap, elsewhere each costs a round trip.
func wholeBelow(url string, most bool) int64 {
	switch {
	case !strings.HasPrefix(url, "file:") && !strings.HasPrefix(url, "memory:"):
		return 8 << 20
	case most:
		return 1 << 20
	}
	return 128 << 10
}

// plan is how the files of a table become batches.
type plan struct {
	cols   *feature.Columns
	opts   Options
	query  parquetio.Query
	parts  map[int]arrow.Array    // constant columns by ordinal, of the longest batch so far
	values map[int]any            // their values
	retype map[int]arrow.DataType // nested columns with other names inside
}

func newPlan(c *feature.Columns, add *action.Add, o Options) (*plan, error) {
	p := &plan{cols: c, opts: o, parts: map[int]arrow.Array{}, values: map[int]any{}, retype: map[int]arrow.DataType{}}
	p.query = parquetio.Query{Schema: c.Physical, Columns: []int{}, ByID: c.Mode == feature.MappingID, Batch: o.Batch, Rows: coarse(o.Rows)}
	p.query.Predicate = dataPart(o.Predicate, c.PartitionOrdinals)
	for i, f := range c.Logical.Fields {
		if o.Columns != nil && !slices.Contains(o.Columns, i) {
			continue
		}
		if k := slices.Index(c.PartitionOrdinals, i); k >= 0 {
			v, err := partitionValue(add, c.PartitionPhysical[k], f)
			if err != nil {
				return nil, err
			}
			p.values[i] = v
			continue
		}
		p.query.Columns = append(p.query.Columns, i)
		if c.Mode != feature.MappingNone && types.IsNested(f.Type) {
			dt, err := columns.ArrowType(f.Type)
			if err != nil {
				return nil, err
			}
			p.retype[i] = dt
		}
	}
	return p, nil
}

// partitionValue parses the value of a partition column (PROTOCOL.md, Partition
// Value Serialization). A column that is not named is NULL.
func partitionValue(add *action.Add, physical string, f types.Field) (any, error) {
	text, ok := add.PartitionValues[physical]
	if !ok || text == nil {
		return nil, nil
	}
	v, err := partition.Parse(*text, f.Type)
	if err != nil {
		return nil, fmt.Errorf("partition column %s: %w", types.QuoteIdentifier(f.Name), err)
	}
	return v, nil
}

// dataPart is what of a predicate can be judged by the columns of a file.
func dataPart(e expr.Expr, partitions []int) expr.Expr {
	if e == nil || len(partitions) == 0 {
		return e
	}
	var keep []expr.Expr
	for _, c := range expr.Conjuncts(e) {
		if !slices.ContainsFunc(expr.Refs(c), func(o int) bool { return slices.Contains(partitions, o) }) {
			keep = append(keep, c)
		}
	}
	if len(keep) == 0 {
		return nil
	}
	return expr.And(keep...)
}

// coarse joins ranges that lie close together: a long batch with some rows too
// many is cheaper than many short ones.
func coarse(rows []Range) []parquetio.RowRange {
	const near = 4096
	if rows == nil {
		return nil
	}
	out := []parquetio.RowRange{}
	for _, r := range rows {
		if n := len(out); n > 0 && r.Start <= out[n-1].End+near {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, parquetio.RowRange(r))
	}
	return out
}

// alive selects the rows of a batch that are wanted and not deleted.
func (p *plan) alive(c *dv.Cursor, first int64, n int, dst []int32) (sel []int32, all bool) {
	sel, all = c.Live(first, n, dst)
	if p.opts.Rows == nil {
		return sel, all
	}
	live := sel
	var out []int32
	at, _ := slices.BinarySearchFunc(p.opts.Rows, first, func(r Range, row int64) int {
		if r.End <= row {
			return -1
		}
		return 1
	})
	for _, r := range p.opts.Rows[at:] {
		if r.Start >= first+int64(n) {
			break
		}
		from, to := int32(max(r.Start-first, 0)), int32(min(r.End-first, int64(n)))
		for i := from; i < to; i++ {
			if all {
				out = append(out, i)
				continue
			}
			for len(live) > 0 && live[0] < i {
				live = live[1:]
			}
			if len(live) > 0 && live[0] == i {
				out = append(out, i)
			}
		}
	}
	return out, false
}

// finish applies the selection and adds what the file does not hold.
func (p *plan) finish(add *action.Add, b parquetio.Batch, sel []int32, all bool) Batch {
	out := Batch{Add: add, Columns: b.Columns, Rows: b.Rows}
	if !all {
		out.Columns, out.Rows = columns.TakeColumns(b.Columns, sel), len(sel)
	}
	for i, dt := range p.retype {
		if out.Columns[i] != nil {
			out.Columns[i] = columns.Retype(out.Columns[i], dt)
		}
	}
	for i, v := range p.values {
		c := p.parts[i]
		if c == nil || c.Len() < out.Rows {
			c = columns.Constant(v, p.cols.Logical.Fields[i].Type, out.Rows)
			p.parts[i] = c
		}
		if c.Len() > out.Rows {
			c = array.NewSlice(c, 0, int64(out.Rows))
		}
		out.Columns[i] = c
	}
	if p.opts.Positions {
		out.Positions = make([]int64, out.Rows)
		for i := range out.Positions {
			out.Positions[i] = b.First + int64(i)
			if !all {
				out.Positions[i] = b.First + int64(sel[i])
			}
		}
	}
	return out
}
