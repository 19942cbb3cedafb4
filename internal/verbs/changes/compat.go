package changes

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// readable reports whether rows that were written under an older schema can be
// told under the schema of the reading (delta-spark's CDCReader,
// checkBatchCdfReadSchemaIncompatibility): columns may have been added since, but
// none dropped, renamed or given another type.
func readable(old, read *feature.Columns) bool {
	return sameMapping(old, read) && holds(old.Logical, read.Logical)
}

// sameMapping reports that no column was renamed or dropped under column mapping
// (delta-spark, DeltaColumnMapping.hasNoColumnMappingSchemaChanges).
func sameMapping(old, read *feature.Columns) bool {
	switch {
	case old.Mode == feature.MappingNone && read.Mode == feature.MappingNone:
		return true
	case read.Mode == feature.MappingNone: // column mapping was taken away
		return false
	case old.Mode != feature.MappingNone && old.Mode != read.Mode:
		return false
	}
	now := map[string]string{}
	names(now, "", read.Logical, read.Physical)
	before := map[string]string{}
	names(before, "", old.Logical, old.Physical) // without mapping both names are one
	for path, name := range before {
		if now[path] != name {
			return false
		}
	}
	return slices.Equal(old.Partition, read.Partition)
}

// names maps the physical path of each field, at every depth, to its logical name.
func names(out map[string]string, path string, logical, physical types.Type) {
	switch l := logical.(type) {
	case *types.Struct:
		p := physical.(*types.Struct)
		for i, f := range l.Fields {
			at := path + "\x00" + p.Fields[i].Name
			out[at] = f.Name
			names(out, at, f.Type, p.Fields[i].Type)
		}
	case *types.Array:
		names(out, path+"\x00element", l.Element, physical.(*types.Array).Element)
	case *types.Map:
		names(out, path+"\x00key", l.Key, physical.(*types.Map).Key)
		names(out, path+"\x00value", l.Value, physical.(*types.Map).Value)
	}
}

// holds reports whether every value of the old type is one of the new type
// without a conversion (delta-spark, SchemaUtils.isReadCompatible with
// forbidTightenNullability).
func holds(old, read types.Type) bool {
	switch o := old.(type) {
	case *types.Struct:
		r, ok := read.(*types.Struct)
		if !ok {
			return false
		}
		for _, f := range o.Fields {
			i := slices.IndexFunc(r.Fields, func(g types.Field) bool { return strings.EqualFold(g.Name, f.Name) })
			if i < 0 || r.Fields[i].Name != f.Name || f.Nullable && !r.Fields[i].Nullable || !holds(f.Type, r.Fields[i].Type) {
				return false
			}
		}
		return true
	case *types.Array:
		r, ok := read.(*types.Array)
		return ok && (r.ContainsNull || !o.ContainsNull) && holds(o.Element, r.Element)
	case *types.Map:
		r, ok := read.(*types.Map)
		return ok && (r.ValueContainsNull || !o.ValueContainsNull) && holds(o.Key, r.Key) && holds(o.Value, r.Value)
	}
	return types.Equal(old, read)
}
