// Package action is the vocabulary of the Delta log: every action of the
// protocol as a Go value, read from and written to its JSON line
// (PROTOCOL.md, Actions).
//
// Reading is a byte scanner that recognises an action by its first key and
// copies nothing it need not; fields that this version does not know are kept
// in Extra and written back, so a rewritten action loses nothing.
package action

import "encoding/json"

// Action is one action of a commit: *Add, *Remove, *Metadata, *Protocol, *Txn,
// *AddCDC, *CommitInfo, *DomainMetadata, *CheckpointMetadata, *Sidecar or *Unknown.
type Action interface {
	// Key is the action's name in the log, for example "add".
	Key() string
}

// PartitionValues maps the physical name of each partition column to its
// serialised value; a nil pointer is NULL.
type PartitionValues map[string]*string

// Extra keeps the fields of an action that this version does not know.
type Extra map[string]json.RawMessage

// Add makes a data file part of the table.
type Add struct {
	Path                    string // as in the log: URL-encoded, relative to the table root or absolute
	PartitionValues         PartitionValues
	Size                    int64
	ModificationTime        int64 // milliseconds since the epoch
	DataChange              bool
	Stats                   string // JSON text, "" when absent
	Tags                    map[string]string
	DeletionVector          *DeletionVector
	BaseRowID               *int64
	DefaultRowCommitVersion *int64
	ClusteringProvider      *string
	Extra                   Extra
}

// Remove takes a data file (with a given deletion vector) out of the table.
type Remove struct {
	Path                    string
	DeletionTimestamp       *int64
	DataChange              bool
	ExtendedFileMetadata    *bool
	PartitionValues         PartitionValues
	Size                    *int64
	Stats                   string
	Tags                    map[string]string
	DeletionVector          *DeletionVector
	BaseRowID               *int64
	DefaultRowCommitVersion *int64
	Extra                   Extra
}

// DeletionVector describes the rows of a data file that are deleted
// (PROTOCOL.md, Deletion Vectors).
type DeletionVector struct {
	StorageType    string // "u" relative by UUID, "i" inline, "p" absolute path
	PathOrInlineDv string
	Offset         *int32
	SizeInBytes    int32
	Cardinality    int64
	MaxRowIndex    *int64
}

// Metadata is the table's schema, partitioning and configuration.
type Metadata struct {
	ID               string
	Name             *string
	Description      *string
	Format           Format
	SchemaString     string
	PartitionColumns []string
	Configuration    map[string]string
	CreatedTime      *int64
	Extra            Extra
}

// Format is the encoding of the data files; the provider is always parquet.
type Format struct {
	Provider string
	Options  map[string]string
}

// Protocol says what a client must support. Feature lists are nil when the
// action has none.
type Protocol struct {
	MinReaderVersion int32
	MinWriterVersion int32
	ReaderFeatures   []string
	WriterFeatures   []string
	Extra            Extra
}

// Txn records the last version that an application has committed.
type Txn struct {
	AppID       string
	Version     int64
	LastUpdated *int64
	Extra       Extra
}

// AddCDC adds a change data file.
type AddCDC struct {
	Path            string
	PartitionValues PartitionValues
	Size            int64
	DataChange      bool
	Tags            map[string]string
	Extra           Extra
}

// CommitInfo is provenance. Parameters and everything else that has no field
// here keep their JSON text; OperationParameters keeps the raw JSON of each value.
type CommitInfo struct {
	InCommitTimestamp   *int64
	Timestamp           *int64
	UserID              *string
	UserName            *string
	Operation           string
	OperationParameters map[string]json.RawMessage
	ReadVersion         *int64
	IsolationLevel      *string
	IsBlindAppend       *bool
	DataChange          *bool
	OperationMetrics    map[string]string
	UserMetadata        *string
	Tags                map[string]string
	EngineInfo          *string
	TxnID               *string
	Extra               Extra // job, notebook, clusterId, ...
}

// DomainMetadata is configuration of a named domain.
type DomainMetadata struct {
	Domain        string
	Configuration string
	Removed       bool
	Extra         Extra
}

// CheckpointMetadata heads a V2 checkpoint.
type CheckpointMetadata struct {
	Version int64
	Tags    map[string]string
	Extra   Extra
}

// Sidecar names a sidecar file of a V2 checkpoint.
type Sidecar struct {
	Path             string
	SizeInBytes      int64
	ModificationTime int64
	Tags             map[string]string
	Extra            Extra
}

// Unknown is an action that this version does not know; Raw is its value.
type Unknown struct {
	Name string
	Raw  json.RawMessage
}

func (*Add) Key() string                { return "add" }
func (*Remove) Key() string             { return "remove" }
func (*Metadata) Key() string           { return "metaData" }
func (*Protocol) Key() string           { return "protocol" }
func (*Txn) Key() string                { return "txn" }
func (*AddCDC) Key() string             { return "cdc" }
func (*CommitInfo) Key() string         { return "commitInfo" }
func (*DomainMetadata) Key() string     { return "domainMetadata" }
func (*CheckpointMetadata) Key() string { return "checkpointMetadata" }
func (*Sidecar) Key() string            { return "sidecar" }
func (u *Unknown) Key() string          { return u.Name }

// ID identifies a deletion vector within a file: storage type, path or inline
// data, and "@offset" when there is one. The ID of no vector is "".
func (d *DeletionVector) ID() string {
	if d == nil {
		return ""
	}
	id := d.StorageType + d.PathOrInlineDv
	if d.Offset != nil {
		id += "@" + itoa(int64(*d.Offset))
	}
	return id
}
