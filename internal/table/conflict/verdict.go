package conflict

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
)

// Kind is the answer to a winner, cheapest first.
type Kind int

// The four answers.
const (
	Independent Kind = iota
	Repair
	ReExecute
	Conflict
)

func (k Kind) String() string {
	return [...]string{"independent", "repair", "re-execute", "conflict"}[k]
}

// Strength says how sure the evidence is that rows are really shared.
type Strength string

// The strengths of evidence, weakest first.
const (
	ByPartition  Strength = "partition"  // the partition values admit it
	ByStatistics Strength = "statistics" // and the file statistics admit it
	ByRow        Strength = "row"        // a row was seen
	ByName       Strength = "name"       // the same file, application id or domain
)

// Evidence is one place where the winner meets the transaction.
type Evidence struct {
	Kind      string   `json:"kind"` // added, removed, re-marked, removed by both, metadata, protocol, application, domain
	File      string   `json:"file"`
	Partition string   `json:"partition"`
	Clause    string   `json:"clause"` // the clause or predicate that read it
	Predicate string   `json:"predicate"`
	Strength  Strength `json:"strength"`
	Detail    string   `json:"detail"`
}

func (e Evidence) String() string {
	var b strings.Builder
	b.WriteString(e.Kind)
	if e.File != "" {
		fmt.Fprintf(&b, " %s", e.File)
	}
	if e.Partition != "" {
		fmt.Fprintf(&b, " in %s", e.Partition)
	}
	if e.Clause != "" {
		fmt.Fprintf(&b, ", read by %s", e.Clause)
		if e.Predicate != "" {
			fmt.Fprintf(&b, " (%s)", e.Predicate)
		}
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	return b.String()
}

// Remark is a file whose deletion vector the winner replaced.
type Remark struct {
	Before FileID
	After  *action.Add
}

// Verdict is the answer, with its evidence.
type Verdict struct {
	Kind     Kind
	Class    string // Delta's error class when Kind is Conflict (or Reference would conflict)
	Evidence []Evidence

	// For Repair: what the statement has to look at again.
	Dropped  []FileID      // images that are gone
	Added    []*action.Add // new images that may matter
	Remarked []Remark      // images with more rows deleted

	// Adopted facts, set when the winner changed them and the transaction goes on.
	Protocol *action.Protocol
	Metadata *action.Metadata
}

// Delta's error classes for conflicts.
const (
	ClassAppend       = "DELTA_CONCURRENT_APPEND"
	ClassDeleteRead   = "DELTA_CONCURRENT_DELETE_READ"
	ClassDeleteDelete = "DELTA_CONCURRENT_DELETE_DELETE"
	ClassTransaction  = "DELTA_CONCURRENT_TRANSACTION"
	ClassMetadata     = "DELTA_METADATA_CHANGED"
	ClassProtocol     = "DELTA_PROTOCOL_CHANGED"
	ClassWrite        = "DELTA_CONCURRENT_WRITE"
	ClassDropFeature  = "DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL"
	ClassBackfill     = "DELTA_ROW_TRACKING_BACKFILL_RUNNING_CONCURRENTLY_WITH_UNBACKFILL"
)

// Exceptions maps an error class to the exception that Spark users see.
var Exceptions = map[string]string{
	ClassAppend:       "ConcurrentAppendException",
	ClassDeleteRead:   "ConcurrentDeleteReadException",
	ClassDeleteDelete: "ConcurrentDeleteDeleteException",
	ClassTransaction:  "ConcurrentTransactionException",
	ClassMetadata:     "MetadataChangedException",
	ClassProtocol:     "ProtocolChangedException",
	ClassWrite:        "ConcurrentWriteException",
}

// ClassName drops a subclass such as ".WITH_PARTITION_HINT".
func ClassName(class string) string {
	name, _, _ := strings.Cut(class, ".")
	return name
}
