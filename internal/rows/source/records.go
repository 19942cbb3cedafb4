package source

import (
	"context"
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// records is a Source over batches in memory.
type records struct {
	schema  *types.Struct
	batches []arrow.RecordBatch
}

// FromRecords makes a Source of record batches, which must have the Arrow form of
// schema; with a nil schema that of the first batch is taken. Arrow types
// that Delta does not have (dictionaries, unsigned integers, other units of time)
// are converted.
func FromRecords(schema *types.Struct, batches ...arrow.RecordBatch) (Source, error) {
	if schema == nil {
		if len(batches) == 0 {
			return nil, fmt.Errorf("a source without batches needs a schema")
		}
		var err error
		if schema, err = columns.StructFromArrow(batches[0].Schema()); err != nil {
			return nil, err
		}
	}
	s := &records{schema: schema}
	for i, b := range batches {
		adapt, err := newAdapter(schema, b.Schema())
		if err == nil {
			b, err = adapt.batch(context.Background(), b)
		}
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", i, err)
		}
		s.batches = append(s.batches, b)
	}
	return s, nil
}

func (s *records) Schema() *types.Struct { return s.schema }
func (s *records) Rewindable() bool      { return true }

func (s *records) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for _, b := range s.batches {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}
