package feature

import (
	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// Feature is one entry of the registry.
type Feature struct {
	Name     string
	Reader   bool // readers must know it too
	Readable bool
	Writable bool

	// MinReader and MinWriter are the protocol versions that imply a legacy
	// feature; 0 for a feature that must be listed by name.
	MinReader, MinWriter int32

	// Requires names the features that must stand beside this one.
	Requires []string

	// active tells whether a table that supports the feature makes use of it;
	// nil means always. A writer need not know a feature that is not in use.
	active func(md *action.Metadata, schema *types.Struct) bool

	advice string // what to do when it stands in the way of a write
}

// registry lists the features of the protocol. Reading asks for what the row
// layer can decode, writing for what every writing verb keeps true.
var registry = []Feature{
	{Name: "appendOnly", Readable: true, Writable: true, MinWriter: 2},
	{Name: "invariants", Readable: true, Writable: true, MinWriter: 2},
	{Name: "checkConstraints", Readable: true, Writable: true, MinWriter: 3},
	{Name: "changeDataFeed", Readable: true, Writable: true, MinWriter: 4},
	{Name: "generatedColumns", Readable: true, Writable: true, MinWriter: 4},
	{Name: "columnMapping", Reader: true, Readable: true, Writable: true, MinReader: 2, MinWriter: 5},
	{Name: "identityColumns", Readable: true, Writable: true, MinWriter: 6},

	{Name: "deletionVectors", Reader: true, Readable: true, Writable: true},
	{Name: "timestampNtz", Reader: true, Readable: true, Writable: true},
	{Name: "v2Checkpoint", Reader: true, Readable: true, Writable: true},
	{Name: "vacuumProtocolCheck", Reader: true, Readable: true, Writable: true},
	{Name: "domainMetadata", Readable: true, Writable: true},
	{Name: "inCommitTimestamp", Readable: true, Writable: true},
	// The files a clustered table gets may be unclustered until the next
	// OPTIMIZE (PROTOCOL.md, Clustered Table).
	{Name: "clustering", Readable: true, Writable: true, Requires: []string{"domainMetadata"}},
	// It restrains only the removal of old log files.
	{Name: "checkpointProtection", Readable: true, Writable: true},

	// Files get the columns' present types; no verb changes a type.
	{Name: "typeWidening", Reader: true, Readable: true, Writable: true},
	{Name: "typeWidening-preview", Reader: true, Readable: true, Writable: true},
	{Name: "variantType", Reader: true, Readable: true, Writable: true},
	{Name: "variantType-preview", Reader: true, Readable: true, Writable: true},
	// Writers may shred, and need not: a file of whole variants is one of them
	// (PROTOCOL.md, Variant Shredding).
	{Name: "variantShredding", Reader: true, Readable: true, Writable: true},
	{Name: "variantShredding-preview", Reader: true, Readable: true, Writable: true},
	{Name: "rowTracking", Readable: true, Writable: true, Requires: []string{"domainMetadata"}},
	{Name: "allowColumnDefaults", Readable: true, Writable: true},
	{Name: "icebergCompatV1", Readable: true, Writable: true, Requires: []string{"columnMapping"}},
	{Name: "icebergCompatV2", Readable: true, Writable: true, Requires: []string{"columnMapping"}},
	{Name: "icebergCompatV3", Readable: true, Writable: true, Requires: []string{"columnMapping", "rowTracking"}},
	{Name: "icebergWriterCompatV1", Readable: true, active: ifTrue("delta.enableIcebergWriterCompatV1")},
	{Name: "materializePartitionColumns", Readable: true, Writable: true},
	{Name: "catalogManaged", Reader: true, advice: "reach the table through its catalog"},
	{Name: "catalogOwned-preview", Reader: true, advice: "reach the table through its catalog"},
	{Name: "catalogOwned", Reader: true, advice: "reach the table through its catalog"},
	{Name: "redirectReaderWriter-preview", Reader: true, advice: "open the table that it redirects to"},
	{Name: "redirectWriterOnly-preview", Readable: true, advice: "write to the table that it redirects to"},
	{Name: "coordinatedCommits-preview", Readable: true, advice: "commit through the table's commit coordinator"},
	{Name: "collations", Readable: true, advice: "write with an engine that knows collations"},
	{Name: "collations-preview", Readable: true, advice: "write with an engine that knows collations"},
}

// Lookup finds a feature by its name.
func Lookup(name string) (Feature, bool) {
	for _, f := range registry {
		if f.Name == name {
			return f, true
		}
	}
	return Feature{}, false
}

func ifTrue(key string) func(*action.Metadata, *types.Struct) bool {
	return func(md *action.Metadata, _ *types.Struct) bool { return flag(md, key, false) }
}

// ifField is active when a field at any depth has the metadata key.
func ifField(key string) func(*action.Metadata, *types.Struct) bool {
	return func(_ *action.Metadata, s *types.Struct) bool {
		return anyField(s, func(f types.Field) bool {
			_, ok := f.Metadata.Raw(key)
			return ok
		})
	}
}

// anyField visits every field at every depth; a nil schema may hold anything.
func anyField(t types.Type, match func(types.Field) bool) bool {
	switch x := t.(type) {
	case *types.Struct:
		if x == nil {
			return true
		}
		for _, f := range x.Fields {
			if match(f) || anyField(f.Type, match) {
				return true
			}
		}
	case *types.Array:
		return anyField(x.Element, match)
	case *types.Map:
		return anyField(x.Key, match) || anyField(x.Value, match)
	}
	return false
}

func hasType(t types.Type, k types.Kind) bool {
	switch x := t.(type) {
	case *types.Struct:
		if x == nil {
			return true
		}
		for _, f := range x.Fields {
			if hasType(f.Type, k) {
				return true
			}
		}
		return k == types.KindStruct
	case *types.Array:
		return k == types.KindArray || hasType(x.Element, k)
	case *types.Map:
		return k == types.KindMap || hasType(x.Key, k) || hasType(x.Value, k)
	}
	return t != nil && t.Kind() == k
}
