package feature

import (
	"maps"
	"strconv"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// maxColumnID is the property that holds the highest id that a column has had.
const maxColumnID = "delta.columnMapping.maxColumnId"

// AssignMapping gives every field that lacks them an id and a physical name
// (PROTOCOL.md, Column Mapping, Writer Requirements) and returns the schema and
// the properties with the new highest id. newID makes physical names; nil takes
// the logical name, which is how columns of existing files are found.
func AssignMapping(schema *types.Struct, config map[string]string, newID func() string) (*types.Struct, map[string]string) {
	top, _ := strconv.ParseInt(config[maxColumnID], 10, 64)
	anyField(schema, func(f types.Field) bool {
		if id, ok := f.Metadata.Int(KeyFieldID); ok {
			top = max(top, id)
		}
		top = max(top, highestNested(f.Metadata))
		return false
	})
	var fields func(t types.Type) types.Type
	fields = func(t types.Type) types.Type {
		switch x := t.(type) {
		case *types.Struct:
			out := make([]types.Field, len(x.Fields))
			for i, f := range x.Fields {
				if _, ok := f.Metadata.Int(KeyFieldID); !ok {
					top++
					f.Metadata = f.Metadata.With(KeyFieldID, top)
				}
				if _, ok := f.Metadata.Text(KeyPhysicalName); !ok {
					name := f.Name
					if newID != nil {
						name = "col-" + newID()
					}
					f.Metadata = f.Metadata.With(KeyPhysicalName, name)
				}
				f.Type = fields(f.Type)
				out[i] = f
			}
			return types.NewStruct(out...)
		case *types.Array:
			return &types.Array{Element: fields(x.Element), ContainsNull: x.ContainsNull}
		case *types.Map:
			return &types.Map{Key: fields(x.Key), Value: fields(x.Value), ValueContainsNull: x.ValueContainsNull}
		}
		return t
	}
	out := fields(schema).(*types.Struct)
	if IcebergCompat(&action.Metadata{Configuration: config}) >= 2 {
		out, top = withNestedIDs(out, top)
	}
	config = maps.Clone(config)
	if config == nil {
		config = map[string]string{}
	}
	config[maxColumnID] = strconv.FormatInt(top, 10)
	return out, config
}
