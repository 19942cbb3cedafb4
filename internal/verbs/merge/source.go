package merge

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/types"
)

// Table is a source held in memory: it is read once, so every pass over it and
// every run of the statement sees the same rows.
type Table struct {
	Schema  *types.Struct
	Columns []arrow.Array
	Rows    int
}

// NoSource is the source of UPDATE and DELETE.
func NoSource() *Table { return &Table{Schema: types.NewStruct()} }

// MemoryError says that a source is larger than what an operation may hold.
type MemoryError struct {
	Rows         int // that were read until it was too much
	Need, Budget int64
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("[UNABLE_TO_ACQUIRE_MEMORY] the source of the MERGE, which is held in memory, takes %d MB after %d rows, and %d MB are allowed; nothing was committed. Raise the memory limit, "+
		"select only the columns that the MERGE uses, or merge the source in parts, each with its own range of the key", e.Need>>20, e.Rows, e.Budget>>20)
}

// Materialise reads a source into memory.
func Materialise(ctx context.Context, s source.Source, budget int64) (*Table, error) {
	t := &Table{Schema: s.Schema()}
	var parts [][]arrow.Array
	var held int64
	for rec, err := range s.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		if rec.NumRows() == 0 {
			continue
		}
		parts = append(parts, rec.Columns())
		t.Rows += int(rec.NumRows())
		for _, c := range rec.Columns() {
			held += int64(c.Data().SizeInBytes())
		}
		if budget > 0 && held > budget {
			return nil, &MemoryError{Rows: t.Rows, Need: held, Budget: budget}
		}
	}
	if len(parts) == 0 {
		for _, f := range t.Schema.Fields {
			dt, err := columns.ArrowType(f.Type)
			if err != nil {
				return nil, fmt.Errorf("source column %s: %w", f.Name, err)
			}
			t.Columns = append(t.Columns, columns.Nulls(dt, 0))
		}
		return t, nil
	}
	var err error
	t.Columns, err = columns.ConcatColumns(parts)
	return t, err
}
