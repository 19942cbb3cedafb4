package changes

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// readable reports whether rows that were written under another schema can be
// told under that of the reading (delta-spark's CDCReader,
// checkBatchCdfReadSchemaIncompatibility): from the older of the two to the newer
// one columns may have been added, but none dropped, renamed or given another type.
func readable(written, read *feature.Columns, older bool) bool {
	if older {
		return sameMapping(written, read) && holds(written.Logical, read.Logical, false)
	}
	return sameMapping(read, written) && holds(read.Logical, written.Logical, true)
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

// holds reports whether the new type has everything that the old one has, without
// a conversion (delta-spark, SchemaUtils.isReadCompatible). NULL may not get lost:
// rows of the old type are read as the new one or, in reverse, the other way round.
func holds(old, now types.Type, reverse bool) bool {
	nulls := func(o, n bool) bool {
		if reverse {
			o, n = n, o
		}
		return n || !o
	}
	switch o := old.(type) {
	case *types.Struct:
		r, ok := now.(*types.Struct)
		if !ok {
			return false
		}
		for _, f := range o.Fields {
			i := slices.IndexFunc(r.Fields, func(g types.Field) bool { return strings.EqualFold(g.Name, f.Name) })
			if i < 0 || r.Fields[i].Name != f.Name || !nulls(f.Nullable, r.Fields[i].Nullable) || !holds(f.Type, r.Fields[i].Type, reverse) {
				return false
			}
		}
		return true
	case *types.Array:
		r, ok := now.(*types.Array)
		return ok && nulls(o.ContainsNull, r.ContainsNull) && holds(o.Element, r.Element, reverse)
	case *types.Map:
		r, ok := now.(*types.Map)
		return ok && nulls(o.ValueContainsNull, r.ValueContainsNull) && holds(o.Key, r.Key, reverse) && holds(o.Value, r.Value, reverse)
	}
	return types.Equal(old, now)
}
