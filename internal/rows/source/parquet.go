package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/types"
)

// parquetSource reads a Parquet file that is not part of a table, in every
// dialect that files of tables may have.
type parquetSource struct {
	in     input
	o      Options
	schema *types.Struct
}

func openParquet(ctx context.Context, in input, o Options) (Source, error) {
	s := &parquetSource{in: in, o: o}
	err := s.visit(ctx, func(_ *parquetio.File, natural *types.Struct) error {
		if s.schema = natural; o.Schema != nil {
			s.schema = o.Schema
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *parquetSource) Schema() *types.Struct { return s.schema }
func (s *parquetSource) Rewindable() bool      { return true }

// visit opens the file for f, which also gets the types that its columns have of
// themselves; with a declared schema, those of its columns.
func (s *parquetSource) visit(ctx context.Context, f func(*parquetio.File, *types.Struct) error) error {
	err := func() error {
		at, size, closer, err := s.in.random(ctx)
		if err != nil {
			return err
		}
		defer closer.Close()
		file, err := parquetio.Open(at, size, parquetio.OpenOptions{})
		if err != nil {
			return fmt.Errorf("not a readable Parquet file: %w", bare(err))
		}
		natural, err := file.SchemaOf(func(name string) bool {
			return s.o.Schema == nil || slices.ContainsFunc(s.o.Schema.Fields, func(f types.Field) bool { return strings.EqualFold(f.Name, name) })
		})
		if err != nil {
			return bare(err)
		}
		return f(file, natural)
	}()
	if err != nil && !errors.Is(err, errStop) {
		return fmt.Errorf("%s: %w", s.o.Name, err)
	}
	return err
}

// bare takes the name of the file off an error: visit says it.
func bare(err error) error {
	var p *parquetio.Error
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (s *parquetSource) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		stopped := false
		err := s.visit(ctx, func(f *parquetio.File, natural *types.Struct) error {
			return s.read(ctx, f, natural, func(b arrow.RecordBatch) bool {
				stopped = !yield(b, nil)
				return !stopped
			})
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

func (s *parquetSource) read(ctx context.Context, f *parquetio.File, natural *types.Struct, yield func(arrow.RecordBatch) bool) error {
	wanted := &types.Struct{}
	for _, n := range natural.Fields { // as declared where the file can be read so, otherwise cast
		for _, d := range s.schema.Fields {
			as := types.Field{Name: n.Name, Type: d.Type, Nullable: true}
			if strings.EqualFold(d.Name, n.Name) && f.Reads(as) {
				n = as
			}
		}
		wanted.Fields = append(wanted.Fields, n)
	}
	as, err := columns.ArrowSchema(wanted)
	if err != nil {
		return err
	}
	adapt, err := newAdapter(s.schema, as)
	if err != nil {
		return err
	}
	for b, err := range f.Read(ctx, parquetio.Query{Schema: wanted, Batch: s.o.BatchRows}) {
		if err != nil {
			return bare(err)
		}
		rec, err := adapt.batch(ctx, array.NewRecordBatch(as, b.Columns, int64(b.Rows)))
		if err != nil {
			return err
		}
		if !yield(rec) {
			return errStop
		}
	}
	return nil
}
