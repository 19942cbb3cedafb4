package vacuum

import (
	"fmt"
	"math"
	"time"

	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// The error classes of the reference.
const (
	ClassTooShort  = "DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT"
	ClassNegative  = "DELTA_VACUUM_RETENTION_PERIOD_NEGATIVE"
	ClassLite      = "DELTA_CANNOT_VACUUM_LITE"
	ClassInventory = "DELTA_INVALID_INVENTORY_SCHEMA"
	ClassClone     = "SLUICE_VACUUM_CLONE_UNREADABLE"
)

// retention is what counts, and what the table says.
func retention(s *snapshot.Snapshot, spec Spec, o Options) (used, own time.Duration, err error) {
	own = feature.DeletedFileRetention(s.Metadata())
	if spec.Retain == nil {
		return own, own, nil
	}
	used = *spec.Retain
	refuse := func(class, format string, args ...any) error {
		return &Error{Class: class, Table: s.Bucket().URL(), Msg: fmt.Sprintf(format, args...)}
	}
	if used < 0 {
		return 0, own, refuse(ClassNegative, "the retention cannot be negative")
	}
	if used < own && !o.NoRetentionCheck {
		return 0, own, refuse(ClassTooShort, "a retention of %s is shorter than the table's own, of %s (delta.deletedFileRetentionDuration): "+
			"readers of older versions, and writers that are under way now, may lose files. Retain at least %g hours; or, when you are certain that nobody else uses the table, "+
			"turn the check off (spark.databricks.delta.retentionDurationCheck.enabled=false, --no-retention-check)", used, own, math.Ceil(own.Hours()))
	}
	return used, own, nil
}

// Hours is a number of hours as the reference reads it: rounded to whole ones.
func Hours(n float64) time.Duration {
	h := math.Floor(n + 0.5)
	if h >= math.MaxInt64/float64(time.Hour) {
		return math.MaxInt64
	}
	return time.Duration(h) * time.Hour
}
