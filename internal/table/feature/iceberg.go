package feature

import (
	"encoding/json"
	"fmt"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// KeyNestedIDs is the metadata key of a field that gives the elements, keys and
// values below it column ids (PROTOCOL.md, IcebergCompatV2).
const KeyNestedIDs = "delta.columnMapping.nested.ids"

// IcebergCompat is the version of Iceberg compatibility that a table keeps; 0 is none.
func IcebergCompat(md *action.Metadata) int {
	for v := 3; v > 0; v-- {
		if flag(md, icebergKey(v), false) {
			return v
		}
	}
	return 0
}

func icebergKey(version int) string { return fmt.Sprintf("delta.enableIcebergCompatV%d", version) }

// MaterializesPartitions reports whether data files hold the partition columns, too
// (PROTOCOL.md, Materialize Partition Columns; IcebergCompatV1, Writer Requirements).
func MaterializesPartitions(md *action.Metadata) bool {
	return IcebergCompat(md) > 0 || flag(md, "delta.enableMaterializePartitionColumnsFeature", false) ||
		flag(md, "delta.writePartitionColumnsToParquet", false)
}

// withMapping gives a new table that is to be compatible with Iceberg the column
// mapping that it needs, unless it was given a mode, and the property with which the
// reference marks such a table.
func withMapping(cfg map[string]string) {
	const marks = "delta.universalFormat.iceberg.atomicConversion.supported"
	if _, given := cfg[marks]; !given && IcebergCompat(&action.Metadata{Configuration: cfg}) == 2 {
		cfg[marks] = "true"
	}
	if _, given := cfg["delta.columnMapping.mode"]; !given && IcebergCompat(&action.Metadata{Configuration: cfg}) > 0 {
		cfg["delta.columnMapping.mode"] = "name"
	}
}

// checkIceberg refuses what Iceberg readers of the table could not read
// (PROTOCOL.md, IcebergCompatV1 and V2, Writer Requirements).
func checkIceberg(p *action.Protocol, md *action.Metadata, schema *types.Struct) error {
	version := IcebergCompat(md)
	if version == 0 {
		return nil
	}
	name := fmt.Sprintf("icebergCompatV%d", version)
	violated := func(rule, format string, args ...any) error {
		return &Error{Feature: name, Names: []string{name}, Op: "write", Class: "DELTA_ICEBERG_COMPAT_VIOLATION." + rule,
			Msg: "the table is to be compatible with Iceberg (" + name + "): " + fmt.Sprintf(format, args...)}
	}
	for v := 1; v < version; v++ {
		if flag(md, icebergKey(v), false) {
			return violated("VERSION_MUTUAL_EXCLUSIVE", "%s is true as well, and one version can be on: set it to false", icebergKey(v))
		}
	}
	if ColumnMapping(md) == MappingNone {
		return violated("WRONG_REQUIRED_TABLE_PROPERTY", "delta.columnMapping.mode must be name or id")
	}
	if version < 3 && DeletionVectorsEnabled(p, md) {
		return violated("DELETION_VECTORS_SHOULD_BE_DISABLED", "delta.enableDeletionVectors must be false")
	}
	if version == 3 && !RowTracking(md) {
		return violated("WRONG_REQUIRED_TABLE_PROPERTY", "delta.enableRowTracking must be true")
	}
	var bad types.Type
	anyType(schema, func(t types.Type) bool {
		k := t.Kind()
		if k == types.KindVoid || version == 1 && (k == types.KindArray || k == types.KindMap) || version < 3 && k == types.KindVariant {
			bad = t
		}
		return bad != nil
	})
	if bad != nil {
		return violated("UNSUPPORTED_DATA_TYPE", "it cannot have a column of type %s", bad)
	}
	return nil
}

// anyType visits every type at every depth.
func anyType(t types.Type, match func(types.Type) bool) bool {
	if t == nil || match(t) {
		return t != nil
	}
	switch x := t.(type) {
	case *types.Struct:
		for _, f := range x.Fields {
			if anyType(f.Type, match) {
				return true
			}
		}
	case *types.Array:
		return anyType(x.Element, match)
	case *types.Map:
		return anyType(x.Key, match) || anyType(x.Value, match)
	}
	return false
}

// withNestedIDs gives elements, keys and values that lack them column ids, from
// top on, and returns the highest.
func withNestedIDs(s *types.Struct, top int64) (*types.Struct, int64) {
	out := &types.Struct{Fields: append([]types.Field(nil), s.Fields...)}
	for i, f := range out.Fields {
		name, _ := f.Metadata.Text(KeyPhysicalName)
		ids := nestedIDs(f.Metadata)
		have := len(ids)
		number(f.Type, name, ids, &top)
		if _, known := f.Metadata.Raw(KeyNestedIDs); !known || len(ids) > have {
			out.Fields[i].Metadata = f.Metadata.With(KeyNestedIDs, ids)
		}
		out.Fields[i].Type = numbered(f.Type, &top)
	}
	return out, top
}

// number adds the ids of what is below a field, down to the next fields.
func number(t types.Type, path string, ids map[string]int64, top *int64) {
	step := func(name string, inner types.Type) {
		at := path + "." + name
		if _, ok := ids[at]; !ok {
			*top++
			ids[at] = *top
		}
		number(inner, at, ids, top)
	}
	switch x := t.(type) {
	case *types.Array:
		step("element", x.Element)
	case *types.Map:
		step("key", x.Key)
		step("value", x.Value)
	}
}

// numbered follows a type to the structs below it.
func numbered(t types.Type, top *int64) types.Type {
	switch x := t.(type) {
	case *types.Struct:
		var out *types.Struct
		out, *top = withNestedIDs(x, *top)
		return out
	case *types.Array:
		return &types.Array{Element: numbered(x.Element, top), ContainsNull: x.ContainsNull}
	case *types.Map:
		return &types.Map{Key: numbered(x.Key, top), Value: numbered(x.Value, top), ValueContainsNull: x.ValueContainsNull}
	}
	return t
}

func nestedIDs(m types.Metadata) map[string]int64 {
	out := map[string]int64{}
	if raw, ok := m.Raw(KeyNestedIDs); ok {
		_ = json.Unmarshal(raw, &out) // what is no list of ids is replaced
	}
	return out
}

// highestNested is the highest id below fields.
func highestNested(m types.Metadata) (top int64) {
	for _, id := range nestedIDs(m) {
		top = max(top, id)
	}
	return top
}
