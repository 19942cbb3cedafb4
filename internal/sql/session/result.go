package session

import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// rows is a result of rows that are known; values are as in columns.Value.
func rows(operation string, schema *types.Struct, list ...[]any) (*Result, error) {
	as, err := columns.ArrowSchema(schema)
	if err != nil {
		return nil, err
	}
	cols := make([]arrow.Array, len(schema.Fields))
	for i, f := range schema.Fields {
		values := make([]any, len(list))
		for r, row := range list {
			values[r] = row[i]
		}
		if cols[i], err = columns.FromValues(f.Type, values...); err != nil {
			return nil, err
		}
	}
	out := none(operation)
	out.Schema, out.Rows = schema, single(array.NewRecordBatch(as, cols, int64(len(list))))
	return out, nil
}

func single(b arrow.RecordBatch) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		if b.NumRows() > 0 {
			yield(b, nil)
		}
	}
}

// counted adds counts as a row to a result.
func counted(r *Result, names []string, counts ...int64) (*Result, error) {
	schema, row := &types.Struct{}, []any{}
	for i, name := range names {
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: types.Long, Nullable: true})
		row = append(row, counts[i])
	}
	with, err := rows(r.Operation, schema, row)
	if err != nil {
		return nil, err
	}
	r.Schema, r.Rows = with.Schema, with.Rows
	return r, nil
}

func field(name string, t types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}
