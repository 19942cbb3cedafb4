package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// parquetSource reads a Parquet file that is not part of a table.
type parquetSource struct {
	in     input
	o      Options
	schema *types.Struct
}

func openParquet(ctx context.Context, in input, o Options) (Source, error) {
	s := &parquetSource{in: in, o: o}
	err := s.visit(ctx, func(r *pqarrow.FileReader) error {
		if o.Schema != nil {
			s.schema = o.Schema
			return nil
		}
		as, err := r.Schema()
		if err != nil {
			return err
		}
		s.schema, err = columns.StructFromArrow(as)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *parquetSource) Schema() *types.Struct { return s.schema }
func (s *parquetSource) Rewindable() bool      { return true }

// visit opens the file for f.
func (s *parquetSource) visit(ctx context.Context, f func(*pqarrow.FileReader) error) error {
	at, size, closer, err := s.in.random(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", s.o.Name, err)
	}
	defer closer.Close()
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled = true
	var pf *file.Reader
	err = guard(func() (err error) {
		pf, err = file.NewParquetReader(io.NewSectionReader(at, 0, size), file.WithReadProps(props))
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: not a readable Parquet file: %w", s.o.Name, err)
	}
	defer pf.Close()
	r, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{Parallel: true, BatchSize: int64(s.o.BatchRows)}, memory.DefaultAllocator)
	if err == nil {
		err = f(r)
	}
	if err != nil && !errors.Is(err, errStop) {
		return fmt.Errorf("%s: %w", s.o.Name, err)
	}
	return err
}

// guard makes an error of the panic that some damaged files cause in the
// Parquet library.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	return f()
}

func (s *parquetSource) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		stopped := false
		err := s.visit(ctx, func(r *pqarrow.FileReader) error {
			return s.read(ctx, r, func(b arrow.RecordBatch) bool {
				stopped = !yield(b, nil)
				return !stopped
			})
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

func (s *parquetSource) read(ctx context.Context, r *pqarrow.FileReader, yield func(arrow.RecordBatch) bool) error {
	rr, err := r.GetRecordReader(ctx, nil, nil)
	if err != nil {
		return err
	}
	defer rr.Release()
	adapt, err := newAdapter(s.schema, rr.Schema())
	if err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var b arrow.RecordBatch
		err := guard(func() (err error) {
			if rr.Next() {
				b, err = adapt.batch(ctx, rr.RecordBatch())
			}
			return err
		})
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if !yield(b) {
			return errStop
		}
	}
	if err := rr.Err(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
