package sluice

import (
	"errors"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/write"
)

// SQLState returns the five characters of the SQL standard that Delta and Spark
// give an error's class, and "" when there are none.
func SQLState(err error) string {
	var (
		b *expr.BindError
		p *expr.ParseError
		v *eval.Error
		w *write.ConstraintError
	)
	state := ""
	switch {
	case errors.As(err, &w):
		state = w.SQLState
	case errors.As(err, &b):
		state = b.SQLState
	case errors.As(err, &p):
		state = p.SQLState
	case errors.As(err, &v):
		state = v.SQLState
	}
	if state != "" {
		return state
	}
	class, _, _ := strings.Cut(ErrorClass(err), ".")
	if strings.HasPrefix(class, "DELTA_CONCURRENT") {
		return concurrent
	}
	return sqlStates[class]
}

// concurrent is the state of every class of conflict.
const concurrent = "2D521"

// sqlStates are the states of Delta's error classes.
var sqlStates = map[string]string{
	"DELTA_CDC_START_VERSION_AFTER_LATEST":                   "22003",
	"DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA":        "0AKDC",
	"DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE":      "0AKDC",
	"DELTA_CHANGE_DATA_FILE_NOT_FOUND":                       "42K03",
	"DELTA_INVALID_CDC_RANGE":                                "22003",
	"DELTA_MISSING_CHANGE_DATA":                              "KD002",
	"DELTA_REMOVE_FILE_CDC_MISSING_EXTENDED_METADATA":        "XXKDS",
	"DELTA_TABLE_ALREADY_CONTAINS_CDC_COLUMNS":               "42711",
	"DELTA_ACTIVE_TRANSACTION_ALREADY_SET":                   "0B000",
	"DELTA_CANNOT_MODIFY_APPEND_ONLY":                        "42809",
	"DELTA_CANNOT_USE_ALL_COLUMNS_FOR_PARTITION":             "428FT",
	"DELTA_COLUMN_NOT_FOUND_IN_SCHEMA":                       "42703",
	"DELTA_CONFLICT_SET_COLUMN":                              "42701",
	"DELTA_DUPLICATE_ACTIONS_FOUND":                          concurrent,
	"DELTA_DUPLICATE_COLUMNS_FOUND":                          "42711",
	"DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES":               "42K05",
	"DELTA_INVALID_COLUMN_NAMES":                             "42K05",
	"DELTA_INVALID_PARTITION_COLUMN_TYPE":                    "42996",
	"DELTA_INVALID_PROTOCOL_VERSION":                         "KD004",
	"DELTA_MAX_COMMIT_RETRIES_EXCEEDED":                      "40000",
	"DELTA_MERGE_MISSING_WHEN":                               "42601",
	"DELTA_MERGE_UNRESOLVED_EXPRESSION":                      "42601",
	"DELTA_METADATA_ABSENT":                                  "XXKDS",
	"DELTA_METADATA_CHANGED":                                 concurrent,
	"DELTA_METADATA_MISMATCH":                                "42KDG",
	"DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE": "21506",
	"DELTA_NON_DETERMINISTIC_FUNCTION_NOT_SUPPORTED":         "0AKDC",
	"NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION":                 "42613",
	"NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION":   "42613",
	"NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION":   "42613",
	"DELTA_NOT_NULL_CONSTRAINT_VIOLATED":                     "23502",
	"DELTA_PARTITION_COLUMNS_MISMATCH":                       "42P10",
	"DELTA_PROTOCOL_CHANGED":                                 concurrent,
	"DELTA_REPLACE_WHERE_MISMATCH":                           "44000",
	"DELTA_STATE_RECOVER_ERROR":                              "XXKDS",
	"DELTA_TABLE_ALREADY_EXISTS":                             "42P07",
	"DELTA_TABLE_NOT_FOUND":                                  "42P01",
	"DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION":          "42816",
	"DELTA_TIMESTAMP_GREATER_THAN_COMMIT":                    "42816",
	"DELTA_TRUNCATED_TRANSACTION_LOG":                        "42K03",
	"DELTA_TXN_LOG_FAILED_INTEGRITY":                         "XXKDS",
	"DELTA_UNKNOWN_CONFIGURATION":                            "F0000",
	"DELTA_UNSUPPORTED_DATA_TYPES":                           "0AKDC",
	"DELTA_UNSUPPORTED_FEATURES_FOR_READ":                    "56038",
	"DELTA_UNSUPPORTED_FEATURES_FOR_WRITE":                   "56038",
	"DELTA_UNSUPPORTED_FEATURES_IN_CONFIG":                   "56038",
	"DELTA_UNSUPPORTED_FEATURE_STATUS":                       "0AKDE",
	"DELTA_UNSUPPORTED_NESTED_FIELD_IN_OPERATION":            "0AKDC",
	"DELTA_VERSION_NOT_FOUND":                                "22003",
	"DELTA_VERSIONS_NOT_CONTIGUOUS":                          "KD00C",
	"DELTA_VIOLATE_CONSTRAINT_WITH_VALUES":                   "23001",
	"FAILED_READ_FILE":                                       "KD001",
}
