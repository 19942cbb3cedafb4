package changes

import "fmt"

// Error is a range of versions whose changes cannot be told.
type Error struct {
	Class    string // Delta's error class
	Table    string
	From, To int64 // the range
	Version  int64 // the version that stands in the way
	Why      string
	Cause    error // may be nil
}

func (e *Error) Error() string {
	return fmt.Sprintf("[%s] the changes of %s from version %d to %d cannot be read: %s", e.Class, e.Table, e.From, e.To, e.Why)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// The classes of refusals, which are delta-spark's.
const (
	classNotRecorded  = "DELTA_MISSING_CHANGE_DATA"
	classRange        = "DELTA_INVALID_CDC_RANGE"
	classAfterLatest  = "DELTA_CDC_START_VERSION_AFTER_LATEST"
	classSchemaChange = "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE"
	classDataSchema   = "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA"
	classMissingFile  = "DELTA_CHANGE_DATA_FILE_NOT_FOUND"
	classNoValues     = "DELTA_REMOVE_FILE_CDC_MISSING_EXTENDED_METADATA"
	classReservedName = "DELTA_TABLE_ALREADY_CONTAINS_CDC_COLUMNS"
)
