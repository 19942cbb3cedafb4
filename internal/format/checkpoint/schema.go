package checkpoint

import "github.com/apache/arrow-go/v18/arrow"

// The schema of a classic checkpoint (PROTOCOL.md, Checkpoint Schema). Every
// field is nullable, as in the files of the reference.
var (
	textType = arrow.BinaryTypes.String
	longType = arrow.PrimitiveTypes.Int64
	intType  = arrow.PrimitiveTypes.Int32
	flagType = arrow.FixedWidthTypes.Boolean
	mapType  = arrow.MapOf(textType, textType)
	listType = arrow.ListOfField(arrow.Field{Name: "element", Type: textType, Nullable: true})
)

func fields(pairs ...any) []arrow.Field {
	out := make([]arrow.Field, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, arrow.Field{Name: pairs[i].(string), Type: pairs[i+1].(arrow.DataType), Nullable: true})
	}
	return out
}

func structOf(pairs ...any) *arrow.StructType { return arrow.StructOf(fields(pairs...)...) }

func dvType() *arrow.StructType {
	return structOf("storageType", textType, "pathOrInlineDv", textType, "offset", intType, "sizeInBytes", intType,
		"cardinality", longType, "maxRowIndex", longType)
}

func addType(stats bool, typed *Typed) *arrow.StructType {
	f := fields("path", textType, "partitionValues", mapType, "size", longType, "modificationTime", longType, "dataChange", flagType,
		"tags", mapType, "deletionVector", dvType(), "baseRowId", longType, "defaultRowCommitVersion", longType, "clusteringProvider", textType)
	if stats {
		f = append(f, fields("stats", textType)...)
	}
	if typed != nil {
		if typed.partitionType != nil {
			f = append(f, fields("partitionValues_parsed", typed.partitionType)...)
		}
		f = append(f, fields("stats_parsed", typed.statsType)...)
	}
	return arrow.StructOf(f...)
}

func removeType() *arrow.StructType {
	return structOf("path", textType, "deletionTimestamp", longType, "dataChange", flagType, "extendedFileMetadata", flagType,
		"partitionValues", mapType, "size", longType, "tags", mapType, "deletionVector", dvType(), "baseRowId", longType,
		"defaultRowCommitVersion", longType)
}

var (
	txnType      = structOf("appId", textType, "version", longType, "lastUpdated", longType)
	metadataType = structOf("id", textType, "name", textType, "description", textType,
		"format", structOf("provider", textType, "options", mapType),
		"schemaString", textType, "partitionColumns", listType, "configuration", mapType, "createdTime", longType)
	protocolType = structOf("minReaderVersion", intType, "minWriterVersion", intType, "readerFeatures", listType, "writerFeatures", listType)
	domainType   = structOf("domain", textType, "configuration", textType, "removed", flagType)
	headType     = structOf("version", longType)
	sidecarType  = structOf("path", textType, "sizeInBytes", longType, "modificationTime", longType, "tags", mapType)
)

// classicSchema is that of a checkpoint in one file.
func classicSchema(stats bool, typed *Typed) *arrow.Schema {
	return arrow.NewSchema(fields("txn", txnType, "add", addType(stats, typed), "remove", removeType(), "metaData", metadataType,
		"protocol", protocolType, "domainMetadata", domainType), nil)
}

// sidecarSchema is that of a sidecar, topSchema that of the file which names
// the sidecars (PROTOCOL.md, V2 Spec).
func sidecarSchema(stats bool, typed *Typed) *arrow.Schema {
	return arrow.NewSchema(fields("add", addType(stats, typed), "remove", removeType()), nil)
}

func topSchema() *arrow.Schema {
	return arrow.NewSchema(fields("checkpointMetadata", headType, "txn", txnType, "metaData", metadataType, "protocol", protocolType,
		"domainMetadata", domainType, "sidecar", sidecarType), nil)
}
