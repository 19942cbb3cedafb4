package source

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// adapter turns batches of another writer's Arrow schema into those of a Delta
// schema: columns by name, types cast where no value can change.
type adapter struct {
	schema *types.Struct
	arrow  *arrow.Schema
	from   []int // column of the batch, -1 = none
}

func newAdapter(schema *types.Struct, have *arrow.Schema) (*adapter, error) {
	as, err := columns.ArrowSchema(schema)
	if err != nil {
		return nil, err
	}
	a := &adapter{schema: schema, arrow: as}
	for _, f := range schema.Fields {
		found := -1
		for i, h := range have.Fields() {
			if h.Name == f.Name {
				found = i
				break
			}
			if found < 0 && strings.EqualFold(h.Name, f.Name) {
				found = i
			}
		}
		a.from = append(a.from, found)
	}
	return a, nil
}

func (a *adapter) batch(ctx context.Context, b arrow.RecordBatch) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, len(a.from))
	for i, from := range a.from {
		want := a.arrow.Field(i).Type
		if from < 0 {
			cols[i] = columns.Nulls(want, int(b.NumRows()))
			continue
		}
		var err error
		if cols[i], err = convertArray(ctx, b.Column(from), want); err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(a.schema.Fields[i].Name), err)
		}
	}
	return array.NewRecordBatch(a.arrow, cols, b.NumRows()), nil
}

// convertArray gives an array the type want, through its children if it is nested.
func convertArray(ctx context.Context, a arrow.Array, want arrow.DataType) (arrow.Array, error) {
	if arrow.TypeEqual(a.DataType(), want) {
		return a, nil
	}
	switch x := a.(type) {
	case array.ExtensionArray:
		return convertArray(ctx, x.Storage(), want)
	case *array.Struct:
		if w, ok := want.(*arrow.StructType); ok {
			return convertStruct(ctx, x, w)
		}
	case *array.Map:
		if w, ok := want.(*arrow.MapType); ok {
			keys, err := convertArray(ctx, x.Keys(), w.KeyType())
			if err != nil {
				return nil, fmt.Errorf("map key: %w", err)
			}
			items, err := convertArray(ctx, x.Items(), w.ItemType())
			if err != nil {
				return nil, fmt.Errorf("map value: %w", err)
			}
			entries := array.NewData(w.Elem(), keys.Len(), oneNil, []arrow.ArrayData{keys.Data(), items.Data()}, 0, 0)
			return rewrap(a, want, entries), nil
		}
	case *array.List:
		if w, ok := want.(*arrow.ListType); ok {
			el, err := convertArray(ctx, x.ListValues(), w.Elem())
			if err != nil {
				return nil, fmt.Errorf("element: %w", err)
			}
			return rewrap(a, want, el.Data()), nil
		}
	}
	out, err := compute.CastArray(ctx, a, compute.SafeCastOptions(want))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read as %s: %w", a.DataType(), want, err)
	}
	return out, nil
}

// convertStruct takes the fields by name; one that is not there is NULL.
func convertStruct(ctx context.Context, x *array.Struct, want *arrow.StructType) (arrow.Array, error) {
	have := x.DataType().(*arrow.StructType)
	children := make([]arrow.ArrayData, want.NumFields())
	for i, f := range want.Fields() {
		at := -1
		for j, h := range have.Fields() {
			if h.Name == f.Name || (at < 0 && strings.EqualFold(h.Name, f.Name)) {
				at = j
			}
		}
		if at < 0 {
			children[i] = columns.Nulls(f.Type, x.Len()).Data()
			continue
		}
		c, err := convertArray(ctx, x.Field(at), f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		children[i] = c.Data()
	}
	return array.MakeFromData(array.NewData(want, x.Len(), bitmapFromZero(x), children, x.NullN(), 0)), nil
}
