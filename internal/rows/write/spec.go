package write

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// Spec says how files of a table are written.
type Spec struct {
	Schema           *types.Struct // logical names; nil: Metadata's
	PartitionColumns []string      // logical names; nil: Metadata's
	Metadata         *action.Metadata
	Protocol         *action.Protocol
	// TargetSize is the size at which a file is full; 0 takes the table's
	// delta.targetFileSize, or 128 MiB.
	TargetSize int64
	// Rearranged marks files that hold no new data (OPTIMIZE): their adds say
	// dataChange false, and constraints, which the rows passed before, are not
	// checked again.
	Rearranged bool
	// RowIDs gives the files two more columns, which follow those of the table in
	// what is written: stored row ids and row commit versions (PROTOCOL.md, Row
	// Tracking). Rows that are written without them are new.
	RowIDs bool
	// Optimized says that the writer is the only one of its statement
	// (delta.autoOptimize.optimizeWrite): each partition has one open file, and the
	// writer may hold the memory that several would share.
	Optimized bool
	// Changes makes files of change data: they lie in _change_data and have a
	// column _change_type after those of the table, but no statistics (PROTOCOL.md,
	// Add CDC File). Their rows must satisfy the constraints, those that are
	// deleted included: so does the reference have it.
	Changes bool
}

// SpecOf is how files of a snapshot's table are written.
func SpecOf(s *snapshot.Snapshot) Spec {
	return Spec{Schema: s.Schema(), PartitionColumns: s.PartitionColumns(), Metadata: s.Metadata(), Protocol: s.Protocol(),
		RowIDs: feature.KeepsRowIDs(s.Protocol(), s.Metadata()), Optimized: feature.OptimizesWrites(s.Metadata())}
}

const (
	defaultTarget = 128 << 20
	pieceBytes    = 4 << 20  // rows that wait to be encoded together
	smallFile     = 8 << 20  // bytes that are sent in one request
	stepRows      = 64 << 10 // rows between two looks at the size of a file
	longestFolder = 200      // bytes; file systems stop at 255
)

// layout is a Spec worked out.
type layout struct {
	logical, physical *types.Struct
	optional          int           // columns at the end that need not be given
	data              []int         // ordinals of the columns that files hold
	file              *types.Struct // their schema, with physical names
	partitions        []partitionColumn
	leaves            []colstats.Leaf
	statsPrefix       int
	tightBounds       bool
	dataChange        bool
	checks            []check
	notNull           []notNull
	target            int64
	budget            int64 // bytes that may be held
	small             int   // bytes that are sent in one request
	options           parquetio.WriterOptions
	suffix            string // of file names
	randomPrefix      int    // length of the random folder; 0 for folders by partition
	folder            string // in which files and their folders lie; "" or ends in a slash
	name              string // the beginning of file names
}

type partitionColumn struct {
	ordinal  int
	logical  string
	physical string
	t        types.Type
}

func newLayout(e *env.Env, s Spec) (*layout, error) {
	if s.Metadata == nil {
		return nil, fmt.Errorf("write: the metadata of the table is missing")
	}
	names, err := feature.Mapping(s.Metadata, s.Schema)
	if err != nil {
		return nil, err
	}
	partitioning := s.PartitionColumns
	if partitioning == nil {
		partitioning = names.Partition
	}
	l := &layout{logical: names.Logical, physical: names.Physical, file: &types.Struct{}, dataChange: !s.Rearranged,
		statsPrefix: feature.StatsPrefixLength(s.Metadata), tightBounds: s.Protocol != nil && feature.Supports(s.Protocol, "deletionVectors")}
	isPartition := map[int]bool{}
	for _, name := range partitioning {
		i := l.logical.Index(name)
		if i < 0 {
			return nil, fmt.Errorf("write: partition column %s is not in the schema %s", types.QuoteIdentifier(name), l.logical)
		}
		isPartition[i] = true
		l.partitions = append(l.partitions, partitionColumn{i, l.logical.Fields[i].Name, l.physical.Fields[i].Name, l.logical.Fields[i].Type})
	}
	if s.Changes {
		kind := types.Field{Name: "_change_type", Type: types.String, Nullable: true}
		l.logical = types.NewStruct(append(slices.Clip(l.logical.Fields), kind)...)
		l.physical = types.NewStruct(append(slices.Clip(l.physical.Fields), kind)...)
	}
	if s.RowIDs && !s.Changes {
		extended := names.WithRowColumns(s.Metadata)
		l.logical, l.physical, l.optional = extended.Logical, extended.Physical, 2
	}
	whole := !s.Changes && feature.MaterializesPartitions(s.Metadata)
	for i, f := range l.physical.Fields {
		if !isPartition[i] || whole {
			l.data = append(l.data, i)
			l.file.Fields = append(l.file.Fields, f)
		}
	}
	if !s.Changes {
		if l.leaves, err = colstats.Select(names.Logical, names.Physical, partitioning, s.Metadata.Configuration); err != nil {
			return nil, err
		}
	}
	l.sizes(e, s)
	l.naming(names, s)
	if !s.Rearranged {
		l.notNull = notNulls(names.Logical, nil, "")
		l.checks, err = compileChecks(s.Metadata, names.Logical)
	}
	return l, err
}

// sizes sets the limits: a writer takes a share of the memory of its operation,
// which runs several.
func (l *layout) sizes(e *env.Env, s Spec) {
	l.target = s.TargetSize
	if l.target <= 0 {
		l.target = feature.TargetFileSize(s.Metadata)
	}
	if l.target <= 0 {
		l.target = defaultTarget
	}
	memory := e.Memory
	if memory <= 0 {
		memory = 2 << 30
	}
	writers := max(1, e.Workers)
	if s.Optimized {
		writers = 1
	}
	l.budget = max(16<<20, memory/int64(4*writers))
	l.small = smallFile
	l.options.RowGroupBytes = min(128<<20, max(8<<20, l.budget/2))
}

// naming chooses codec and names of files as the reference does: tables with
// column mapping have random folders, since names of columns may change.
func (l *layout) naming(names *feature.Columns, s Spec) {
	l.suffix = ".c000.snappy.parquet"
	switch strings.ToLower(s.Metadata.Configuration["delta.parquet.compression.codec"]) {
	case "zstd":
		l.options.Codec, l.suffix = parquetio.Zstd, ".c000.zstd.parquet"
	case "uncompressed", "none":
		l.options.Codec, l.suffix = parquetio.Uncompressed, ".c000.parquet"
	}
	l.name = "part-"
	if s.Changes {
		l.folder, l.name = "_change_data/", "cdc-"
	}
	l.randomPrefix = feature.RandomPrefix(s.Metadata)
	if l.randomPrefix == 0 && names.Mode != feature.MappingNone {
		l.randomPrefix = 2
	}
}
