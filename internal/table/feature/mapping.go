package feature

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// MappingMode says how columns are found in data files (PROTOCOL.md, Column Mapping).
type MappingMode int

// The modes of column mapping.
const (
	MappingNone MappingMode = iota // by their logical name
	MappingName                    // by their physical name
	MappingID                      // by field id
)

func (m MappingMode) String() string { return [...]string{"none", "name", "id"}[m] }

// Keys of field metadata that column mapping uses.
const (
	KeyPhysicalName = "delta.columnMapping.physicalName"
	KeyFieldID      = "delta.columnMapping.id"
)

// ColumnMapping is the mode that the table's properties choose.
func ColumnMapping(md *action.Metadata) MappingMode {
	switch strings.ToLower(strings.TrimSpace(md.Configuration["delta.columnMapping.mode"])) {
	case "name":
		return MappingName
	case "id":
		return MappingID
	}
	return MappingNone
}

// Columns holds a table's schema under both names. The two structs have the
// same shape: a field has the same ordinal in both.
type Columns struct {
	Mode     MappingMode
	Logical  *types.Struct
	Physical *types.Struct

	Partition         []string // logical names of the partition columns, in order
	PartitionPhysical []string // their physical names: the keys of partitionValues
	PartitionOrdinals []int    // their places in the schema
}

// Mapping crosses from logical to physical names. schema is md's own, parsed;
// nil parses it.
func Mapping(md *action.Metadata, schema *types.Struct) (*Columns, error) {
	if schema == nil {
		var err error
		if schema, err = Schema(md); err != nil {
			return nil, err
		}
	}
	c := &Columns{Mode: ColumnMapping(md), Logical: schema, Physical: schema}
	if c.Mode != MappingNone {
		t, err := physical(schema, "")
		if err != nil {
			return nil, fmt.Errorf("column mapping mode %s: %w", c.Mode, err)
		}
		c.Physical = t.(*types.Struct)
	}
	for _, name := range md.PartitionColumns {
		i := schema.Index(name)
		if i < 0 {
			return nil, fmt.Errorf("partition column %s is not in the schema %s", types.QuoteIdentifier(name), schema)
		}
		c.Partition = append(c.Partition, schema.Fields[i].Name)
		c.PartitionPhysical = append(c.PartitionPhysical, c.Physical.Fields[i].Name)
		c.PartitionOrdinals = append(c.PartitionOrdinals, i)
	}
	return c, nil
}

// physical renames the fields at every depth.
func physical(t types.Type, path string) (types.Type, error) {
	switch x := t.(type) {
	case *types.Struct:
		out := &types.Struct{Fields: make([]types.Field, len(x.Fields))}
		for i, f := range x.Fields {
			at := path + types.QuoteIdentifier(f.Name)
			name, ok := f.Metadata.Text(KeyPhysicalName)
			if !ok {
				return nil, fmt.Errorf("field %s has no %s", at, KeyPhysicalName)
			}
			inner, err := physical(f.Type, at+".")
			if err != nil {
				return nil, err
			}
			f.Name, f.Type = name, inner
			out.Fields[i] = f
		}
		return out, nil
	case *types.Array:
		el, err := physical(x.Element, path+"element.")
		return &types.Array{Element: el, ContainsNull: x.ContainsNull}, err
	case *types.Map:
		k, err := physical(x.Key, path+"key.")
		if err != nil {
			return nil, err
		}
		v, err := physical(x.Value, path+"value.")
		return &types.Map{Key: k, Value: v, ValueContainsNull: x.ValueContainsNull}, err
	}
	return t, nil
}
