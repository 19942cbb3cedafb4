package feature

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// A value in the log that its property does not allow reads as the default: a
// table must not become unreadable by a property.

func flag(md *action.Metadata, key string, def bool) bool {
	if v, ok := parseBool(md.Configuration[key]); ok {
		return v
	}
	return def
}

func integer(md *action.Metadata, key string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(md.Configuration[key]), 10, 64)
	return n, err == nil
}

func interval(md *action.Metadata, key string) (time.Duration, bool) {
	v, ok := md.Configuration[key]
	if !ok {
		return 0, false
	}
	d, err := ParseInterval(v)
	return d, err == nil && d >= 0
}

// DeletionVectorsEnabled reports whether writers may create deletion vectors.
func DeletionVectorsEnabled(p *action.Protocol, md *action.Metadata) bool {
	return flag(md, "delta.enableDeletionVectors", false) && Supports(p, "deletionVectors")
}

// AppendOnly reports whether rows may only be added.
func AppendOnly(md *action.Metadata) bool { return flag(md, "delta.appendOnly", false) }

// ChangeDataFeed reports whether the table records change data. The property
// had another name once, which counts where the new one is not set.
func ChangeDataFeed(md *action.Metadata) bool {
	if _, ok := md.Configuration["delta.enableChangeDataFeed"]; ok {
		return flag(md, "delta.enableChangeDataFeed", false)
	}
	return flag(md, "delta.enableChangeDataCapture", false)
}

// RowTracking reports whether stable row ids can be relied upon.
func RowTracking(md *action.Metadata) bool { return flag(md, "delta.enableRowTracking", false) }

// TypeWidening reports whether the types of columns may be widened.
func TypeWidening(md *action.Metadata) bool { return flag(md, "delta.enableTypeWidening", false) }

// InCommitTimestamps reports whether commits carry their own time.
func InCommitTimestamps(md *action.Metadata) bool {
	return flag(md, "delta.enableInCommitTimestamps", false)
}

// InCommitTimestampStart is the version from which commits carry their time, and
// that time in milliseconds; ok is false when they do so since version 0 (or never).
func InCommitTimestampStart(md *action.Metadata) (version, millis int64, ok bool) {
	version, ok1 := integer(md, "delta.inCommitTimestampEnablementVersion")
	millis, ok2 := integer(md, "delta.inCommitTimestampEnablementTimestamp")
	return version, millis, ok1 && ok2
}

// IsolationLevel is the table's own level, "Serializable" by default.
func IsolationLevel(md *action.Metadata) string {
	if v := strings.TrimSpace(md.Configuration["delta.isolationLevel"]); v != "" {
		return v
	}
	return "Serializable"
}

// CheckpointInterval is the number of commits between checkpoints; explicit
// tells whether the table says so itself.
func CheckpointInterval(md *action.Metadata) (n int64, explicit bool) {
	if n, ok := integer(md, "delta.checkpointInterval"); ok && n > 0 {
		return n, true
	}
	return 10, false
}

// CheckpointV2 reports whether checkpoints of version 2 are asked for.
func CheckpointV2(p *action.Protocol, md *action.Metadata) bool {
	return strings.EqualFold(md.Configuration["delta.checkpointPolicy"], "v2") && Supports(p, "v2Checkpoint")
}

// CheckpointStatsJSON reports whether checkpoints carry statistics as JSON.
func CheckpointStatsJSON(md *action.Metadata) bool {
	return flag(md, "delta.checkpoint.writeStatsAsJson", true)
}

// CheckpointStatsStruct reports whether checkpoints carry typed statistics;
// explicit tells whether the table says so itself.
func CheckpointStatsStruct(md *action.Metadata) (on, explicit bool) {
	const key = "delta.checkpoint.writeStatsAsStruct"
	_, explicit = md.Configuration[key]
	return flag(md, key, true), explicit
}

// CheckpointProtection is the version before which log files must not be
// removed piecemeal; 0 for none.
func CheckpointProtection(md *action.Metadata) int64 {
	n, _ := integer(md, "delta.requireCheckpointProtectionBeforeVersion")
	return n
}

// TargetFileSize is the wanted size of data files in bytes, 0 when the table does not say.
func TargetFileSize(md *action.Metadata) int64 {
	n, _ := parseSize(md.Configuration["delta.targetFileSize"])
	return n
}

// OptimizesWrites reports whether statements are to write few files for each
// partition, at the price of some parallelism.
func OptimizesWrites(md *action.Metadata) bool {
	if text, ok := md.Configuration["delta.autoOptimize.optimizeWrite"]; ok {
		return strings.EqualFold(text, "true")
	}
	return flag(md, "delta.autoOptimize", false)
}

// AutoCompacts reports whether writes are followed by a compaction of small files.
// As the reference has it, the older property that stands for both wins when it
// says yes.
func AutoCompacts(md *action.Metadata) bool {
	text := md.Configuration["delta.autoOptimize.autoCompact"]
	return flag(md, "delta.autoOptimize", false) || strings.EqualFold(text, "true") || strings.EqualFold(text, "auto")
}

// LogRetention is how long commits are kept.
func LogRetention(md *action.Metadata) time.Duration {
	if d, ok := interval(md, "delta.logRetentionDuration"); ok {
		return d
	}
	return 30 * 24 * time.Hour
}

// ExpiredLogCleanup reports whether old log files may be removed.
func ExpiredLogCleanup(md *action.Metadata) bool {
	return flag(md, "delta.enableExpiredLogCleanup", true)
}

// DeletedFileRetention is how long removed data files, and the tombstones that
// name them, are kept.
func DeletedFileRetention(md *action.Metadata) time.Duration {
	if d, ok := interval(md, "delta.deletedFileRetentionDuration"); ok {
		return d
	}
	return 7 * 24 * time.Hour
}

// TruncatedRetention is how long versions are kept that DROP FEATURE ... TRUNCATE
// HISTORY would remove.
func TruncatedRetention(md *action.Metadata) time.Duration {
	if d, ok := interval(md, "delta.dropFeatureTruncateHistory.retentionDuration"); ok {
		return d
	}
	return 24 * time.Hour
}

// TxnRetention is how long the versions of applications are kept; ok is false
// when they never expire.
func TxnRetention(md *action.Metadata) (d time.Duration, ok bool) {
	return interval(md, "delta.setTransactionRetentionDuration")
}

// IndexedColumns is how many leaf columns get statistics, -1 for all; columns is
// the explicit list (logical, dotted names) that wins over the number when present.
func IndexedColumns(md *action.Metadata) (n int, columns []string, explicit bool) {
	n = 32
	if v, ok := integer(md, "delta.dataSkippingNumIndexedCols"); ok && v >= -1 && v < 1<<31 {
		n = int(v)
	}
	list, ok := md.Configuration["delta.dataSkippingStatsColumns"]
	if !ok {
		return n, nil, false
	}
	return n, splitColumns(list), true
}

// splitColumns splits a list at commas outside backticks. A name keeps its
// backticks: they say where a dot belongs to a name.
func splitColumns(list string) []string {
	var out []string
	quoted, from := false, 0
	add := func(to int) {
		if s := strings.TrimSpace(list[from:to]); s != "" {
			out = append(out, s)
		}
	}
	for i := 0; i < len(list); i++ {
		switch {
		case list[i] == '`':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			add(i)
			from = i + 1
		}
	}
	add(len(list))
	return out
}

// StatsPrefixLength is how many characters of strings statistics keep.
func StatsPrefixLength(md *action.Metadata) int {
	if n, ok := integer(md, "delta.dataSkippingStringPrefixLength"); ok && n >= 0 && n < 1<<31 {
		return int(n)
	}
	return 32
}

// RandomPrefix is the length of random directory names for data files, 0 for none.
func RandomPrefix(md *action.Metadata) int {
	if !flag(md, "delta.randomizeFilePrefixes", false) {
		return 0
	}
	if n, ok := integer(md, "delta.randomPrefixLength"); ok && n > 0 && n < 64 {
		return int(n)
	}
	return 2
}

// Constraint is a rule that every row must keep.
type Constraint struct {
	Name   string
	Expr   string // SQL text
	Column string // dotted name of the column of an invariant, "" for a CHECK constraint
}

// Constraints lists the CHECK constraints of the table, by name, and then the
// column invariants of its schema (PROTOCOL.md, Column Invariants).
func Constraints(md *action.Metadata, schema *types.Struct) []Constraint {
	var out []Constraint
	for _, k := range slices.Sorted(maps.Keys(md.Configuration)) {
		if name, ok := strings.CutPrefix(k, "delta.constraints."); ok {
			out = append(out, Constraint{Name: name, Expr: md.Configuration[k]})
		}
	}
	return appendInvariants(out, "", schema)
}
