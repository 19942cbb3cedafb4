package optimize

import (
	"fmt"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// Spec says what is to be made better. The zero value packs the small files of
// the whole table.
type Spec struct {
	Where expr.Expr // over partition columns only; nil: the whole table
	// TargetSize is the size of the files that are written; 0 takes the table's
	// delta.targetFileSize, else 1 GiB as the reference does.
	TargetSize int64
	// MinSize is the size from which a file is good as it is; 0 is three quarters
	// of the target, since no file meets its target exactly.
	MinSize int64
	// DeletedRatio is the share of deleted rows above which a file is rewritten
	// whatever its size, also when there is no other to join it. Negative: none is
	// tolerated. 0 is the rule of the reference: 5 %, in company only.
	DeletedRatio float64
	// Purge rewrites just the files with deleted rows or dropped columns, whatever
	// their size: REORG TABLE ... APPLY (PURGE).
	Purge bool
	// ZOrderBy sorts each partition along a Z-order curve over these columns.
	ZOrderBy []string
	// WithoutStats lets ZOrderBy have columns without statistics.
	WithoutStats bool
	// LeastCube is the size from which a cube of a clustered table is left alone; 0
	// is 100 GiB. LargestCube bounds one that is written; 0 is 150 GiB.
	LeastCube, LargestCube int64
	// Full clusters files again that were clustered before: OPTIMIZE ... FULL.
	Full bool
	// Auto says that nobody asked: the compaction behind a commit.
	Auto bool
	// MinFiles is how many small files a partition must have; 0 is two.
	MinFiles int
	// CommitBytes is how many bytes of input one commit covers at most; 0 is 64 GiB.
	CommitBytes int64
	// Partitions, when set, chooses partitions by their values, besides Where.
	Partitions func(values action.PartitionValues) bool

	company bool // a file with many deleted rows needs another to join it
}

// The sizes of the reference.
const (
	defaultTarget      = 1 << 30
	defaultRatio       = 0.05
	defaultCommitBytes = 64 << 30
)

// sizes works out what the spec leaves to the table.
func (s Spec) sizes(md *action.Metadata) Spec {
	if s.TargetSize <= 0 {
		s.TargetSize = feature.TargetFileSize(md)
	}
	if s.TargetSize <= 0 {
		s.TargetSize = defaultTarget
	}
	if s.MinSize <= 0 {
		s.MinSize = s.TargetSize - s.TargetSize/4
	}
	switch {
	case s.DeletedRatio == 0:
		s.DeletedRatio, s.company = defaultRatio, true
	case s.DeletedRatio < 0:
		s.DeletedRatio = 0
	}
	if s.MinFiles < 2 {
		s.MinFiles = 2
	}
	if s.LeastCube <= 0 {
		s.LeastCube = leastCube
	}
	if s.LargestCube <= 0 {
		s.LargestCube = largestCube
	}
	if s.CommitBytes <= 0 {
		s.CommitBytes = defaultCommitBytes
	}
	return s
}

func refuse(class, format string, args ...any) error {
	return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}

// Options of a run.
type Options struct {
	Expr         expr.Options
	Commit       txn.Options
	UserMetadata string
}
