package checkpoint

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
)

// parquetWriter writes rows in batches. All rows of a batch fill the same action
// column; the other columns of the file are nulls that are made once.
type parquetWriter struct {
	ctx    context.Context
	w      *pqarrow.FileWriter
	schema *arrow.Schema
	json   bool
	typed  *typedWriter

	column  int // that the pending rows fill
	b       *array.StructBuilder
	buf     []byte
	pending int
	total   int64
	err     error
	nulls   []arrow.Array // a full batch for each column
	path    int           // bytes in the last full batch, to reserve
	stats   int
	lastRaw []byte // partition values of the row before, and what they say
	lastKV  []pair
}

type pair struct {
	key, value string
	null       bool
}

// rowGroup is the number of rows that are held in encoded form.
const rowGroup = 1 << 16

func newParquetWriter(ctx context.Context, out io.Writer, schema *arrow.Schema, s *State) (*parquetWriter, error) {
	props := parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDictionaryDefault(false),
		parquet.WithMaxRowGroupLength(rowGroup), parquet.WithCreatedBy("sluice"),
		parquet.WithMaxStatsSize(256), parquet.WithDictionaryFor("add.partitionValues.key_value.key", true),
	)
	w, err := pqarrow.NewFileWriter(schema, out, props, pqarrow.NewArrowWriterProperties())
	if err != nil {
		return nil, err
	}
	p := &parquetWriter{ctx: ctx, w: w, schema: schema, json: s.StatsJSON, column: -1, nulls: make([]arrow.Array, schema.NumFields())}
	if s.Typed != nil {
		p.typed = s.Typed.writer()
	}
	return p, nil
}

// row starts a row of one column.
func (p *parquetWriter) row(name string) fieldsOf {
	i := p.schema.FieldIndices(name)[0]
	if i != p.column {
		p.flush()
		p.column = i
	}
	if p.b == nil {
		p.b = array.NewStructBuilder(memory.DefaultAllocator, p.schema.Field(i).Type.(*arrow.StructType))
	}
	p.pending++
	p.b.Append(true)
	return fieldsOf{b: p.b}
}

// end is called behind each file.
func (p *parquetWriter) end() error {
	if p.pending >= batchRows {
		p.flush()
	}
	return p.err
}

func (p *parquetWriter) flush() {
	if p.pending == 0 || p.err != nil {
		return
	}
	if p.err = p.ctx.Err(); p.err != nil {
		return
	}
	n := p.pending
	cols := make([]arrow.Array, p.schema.NumFields())
	for i := range cols {
		switch {
		case i == p.column:
			cols[i] = p.b.NewArray()
		case n == batchRows:
			if p.nulls[i] == nil {
				p.nulls[i] = columns.Nulls(p.schema.Field(i).Type, batchRows)
			}
			cols[i] = p.nulls[i]
		default:
			cols[i] = columns.Nulls(p.schema.Field(i).Type, n)
		}
	}
	p.total, p.pending, p.b = p.total+int64(n), 0, nil
	p.err = p.w.WriteBuffered(array.NewRecordBatch(p.schema, cols, int64(n)))
}

// writeParquet writes a file and returns how many rows it has.
func writeParquet(ctx context.Context, out io.Writer, schema *arrow.Schema, s *State, fill func(p *parquetWriter) error) (int64, error) {
	p, err := newParquetWriter(ctx, out, schema, s)
	if err != nil {
		return 0, err
	}
	err = fill(p)
	p.flush()
	if err := errors.Join(err, p.err); err != nil {
		return 0, errors.Join(err, p.w.Close())
	}
	return p.total, p.w.Close()
}

// files writes adds or removes.
func (p *parquetWriter) files(files iter.Seq[*action.File], remove bool) error {
	if files == nil {
		return nil
	}
	for f := range files {
		var err error
		if remove {
			err = p.remove(f)
		} else {
			err = p.add(f)
		}
		if err == nil {
			err = p.end()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// table writes what is not about files.
func (p *parquetWriter) table(s *State) {
	p.protocol(s.Protocol)
	p.metadata(s.Metadata)
	for _, t := range s.txns() {
		p.txn(t)
	}
	for _, d := range s.domains() {
		p.domain(d)
	}
}
