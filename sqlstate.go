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
	"CANNOT_UPDATE_FIELD":                                                  "0A000",
	"CANNOT_UP_CAST_DATATYPE":                                              "42846",
	"COLUMN_ALREADY_EXISTS":                                                "42711",
	"CREATE_VIEW_COLUMN_ARITY_MISMATCH":                                    "21S01",
	"DELTA_ACTIVE_TRANSACTION_ALREADY_SET":                                 "0B000",
	"DELTA_ADD_COLUMN_PARENT_NOT_STRUCT":                                   "42KD3",
	"DELTA_ADD_CONSTRAINTS":                                                "0A000",
	"DELTA_AGGREGATION_NOT_SUPPORTED":                                      "42903",
	"DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED":        "42000",
	"DELTA_ALTER_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED":           "42000",
	"DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE":                           "0AKDE",
	"DELTA_CANNOT_MODIFY_APPEND_ONLY":                                      "42809",
	"DELTA_CANNOT_MODIFY_TABLE_PROPERTY":                                   "42939",
	"DELTA_CANNOT_REPLACE_MISSING_TABLE":                                   "42P01",
	"DELTA_CANNOT_RESTORE_TABLE_VERSION":                                   "22003",
	"DELTA_CANNOT_USE_ALL_COLUMNS_FOR_PARTITION":                           "428FT",
	"DELTA_CANNOT_VACUUM_LITE":                                             "55000",
	"DELTA_CDC_START_VERSION_AFTER_LATEST":                                 "22003",
	"DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA":                      "0AKDC",
	"DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE":                    "0AKDC",
	"DELTA_CHANGE_DATA_FILE_NOT_FOUND":                                     "42K03",
	"DELTA_CLUSTERING_COLUMN_MISSING_STATS":                                "22000",
	"DELTA_CLUSTERING_WITH_PARTITION_PREDICATE":                            "0A000",
	"DELTA_CLUSTERING_WITH_ZORDER_BY":                                      "42613",
	"DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS":                                 "54000",
	"DELTA_COLUMN_NOT_FOUND_IN_SCHEMA":                                     "42703",
	"DELTA_COLUMN_STRUCT_TYPE_MISMATCH":                                    "2200G",
	"DELTA_CONFLICT_SET_COLUMN":                                            "42701",
	"DELTA_CONSTRAINT_ALREADY_EXISTS":                                      "42710",
	"DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE":                             "42K09",
	"DELTA_CONSTRAINT_DOES_NOT_EXIST":                                      "42704",
	"DELTA_CONVERT_NON_PARQUET_TABLE":                                      "0AKDC",
	"DELTA_CREATE_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED":          "42000",
	"DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA":                             "0AKDC",
	"DELTA_DUPLICATE_ACTIONS_FOUND":                                        concurrent,
	"DELTA_DUPLICATE_COLUMNS_FOUND":                                        "42711",
	"DELTA_DUPLICATE_COLUMNS_ON_INSERT":                                    "42701",
	"DELTA_FAILED_CAST_PARTITION_VALUE":                                    "22018",
	"DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL":                        "40000",
	"DELTA_FEATURE_DROP_DEPENDENT_FEATURE":                                 "55000",
	"DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT":                               "55000",
	"DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED":                    "42000",
	"DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE":                              "0AKDC",
	"DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE":                        "0AKDC",
	"DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE":                      "42K09",
	"DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH":                           "42K09",
	"DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP":                                  "42611",
	"DELTA_IDENTITY_COLUMNS_PARTITION_NOT_SUPPORTED":                       "42601",
	"DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE":                         "428H2",
	"DELTA_IDENTITY_COLUMNS_WITH_GENERATED_EXPRESSION":                     "42613",
	"DELTA_INSERT_COLUMN_ARITY_MISMATCH":                                   "42802",
	"DELTA_INVALID_CDC_RANGE":                                              "22003",
	"DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES":                             "42K05",
	"DELTA_INVALID_COLUMN_NAMES":                                           "42K05",
	"DELTA_INVALID_GENERATED_COLUMN_REFERENCES":                            "42621",
	"DELTA_INVALID_INVENTORY_SCHEMA":                                       "42000",
	"DELTA_INVALID_PARTITION_COLUMN_TYPE":                                  "42996",
	"DELTA_INVALID_PROTOCOL_VERSION":                                       "KD004",
	"DELTA_MAX_COMMIT_RETRIES_EXCEEDED":                                    "40000",
	"DELTA_MERGE_MISSING_WHEN":                                             "42601",
	"DELTA_MERGE_UNRESOLVED_EXPRESSION":                                    "42601",
	"DELTA_METADATA_ABSENT":                                                "XXKDS",
	"DELTA_METADATA_CHANGED":                                               concurrent,
	"DELTA_METADATA_MISMATCH":                                              "42KDG",
	"DELTA_MISSING_CHANGE_DATA":                                            "KD002",
	"DELTA_MISSING_DELTA_TABLE":                                            "42P01",
	"DELTA_MODE_NOT_SUPPORTED":                                             "0AKDC",
	"DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE":               "21506",
	"DELTA_NEW_CHECK_CONSTRAINT_VIOLATION":                                 "23512",
	"DELTA_NON_BOOLEAN_CHECK_CONSTRAINT":                                   "42621",
	"DELTA_NON_DETERMINISTIC_EXPRESSION_IN_GENERATED_COLUMN":               "42621",
	"DELTA_NON_DETERMINISTIC_FUNCTION_NOT_SUPPORTED":                       "0AKDC",
	"DELTA_NON_PARTITION_COLUMN_REFERENCE":                                 "42P10",
	"DELTA_NOT_NULL_CONSTRAINT_VIOLATED":                                   "23502",
	"DELTA_ONLY_OPERATION":                                                 "0AKDD",
	"DELTA_OPERATION_NOT_ALLOWED":                                          "0AKDC",
	"DELTA_OPTIMIZE_FULL_NOT_SUPPORTED":                                    "42601",
	"DELTA_PARTITION_COLUMNS_MISMATCH":                                     "42P10",
	"DELTA_PROTOCOL_CHANGED":                                               concurrent,
	"DELTA_REMOVE_FILE_CDC_MISSING_EXTENDED_METADATA":                      "XXKDS",
	"DELTA_REPLACE_WHERE_MISMATCH":                                         "44000",
	"DELTA_STATE_RECOVER_ERROR":                                            "XXKDS",
	"DELTA_TABLE_ALREADY_CONTAINS_CDC_COLUMNS":                             "42711",
	"DELTA_TABLE_ALREADY_EXISTS":                                           "42P07",
	"DELTA_TABLE_NOT_FOUND":                                                "42P01",
	"DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION":                        "42816",
	"DELTA_TIMESTAMP_GREATER_THAN_COMMIT":                                  "42816",
	"DELTA_TIMESTAMP_INVALID":                                              "42816",
	"DELTA_TRUNCATED_TRANSACTION_LOG":                                      "42K03",
	"DELTA_TXN_LOG_FAILED_INTEGRITY":                                       "XXKDS",
	"DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME":                "KD009",
	"DELTA_UNKNOWN_CONFIGURATION":                                          "F0000",
	"DELTA_UNSET_NON_EXISTENT_PROPERTY":                                    "42616",
	"DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP":                          "0AKDC",
	"DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE":                         "0AKDC",
	"DELTA_UNSUPPORTED_COMMENT_MAP_ARRAY":                                  "0AKDC",
	"DELTA_UNSUPPORTED_DATA_TYPES":                                         "0AKDC",
	"DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN":                             "0AKDC",
	"DELTA_UNSUPPORTED_DROP_COLUMN":                                        "0AKDC",
	"DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN":                              "0AKDC",
	"DELTA_UNSUPPORTED_FEATURES_FOR_READ":                                  "56038",
	"DELTA_UNSUPPORTED_FEATURES_FOR_WRITE":                                 "56038",
	"DELTA_UNSUPPORTED_FEATURES_IN_CONFIG":                                 "56038",
	"DELTA_UNSUPPORTED_FEATURE_STATUS":                                     "0AKDE",
	"DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS":                     "0A000",
	"DELTA_UNSUPPORTED_MANIFEST_GENERATION_WITH_COLUMN_MAPPING":            "0AKDC",
	"DELTA_UNSUPPORTED_NESTED_FIELD_IN_OPERATION":                          "0AKDC",
	"DELTA_UNSUPPORTED_RENAME_COLUMN":                                      "0AKDC",
	"DELTA_UNSUPPORTED_SUBQUERY_IN_PARTITION_PREDICATES":                   "0AKDC",
	"DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION":                              "42846",
	"DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT":                              "22003",
	"DELTA_VERSIONS_NOT_CONTIGUOUS":                                        "KD00C",
	"DELTA_VERSION_NOT_FOUND":                                              "22003",
	"DELTA_VIOLATE_CONSTRAINT_WITH_VALUES":                                 "23001",
	"DELTA_VIOLATE_TABLE_PROPERTY_VALIDATION_FAILED":                       "0A000",
	"DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST":                                "42703",
	"DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS":                              "KD00D",
	"DELTA_ZORDERING_ON_PARTITION_COLUMN":                                  "42P10",
	"EXPECT_TABLE_NOT_VIEW":                                                "42809",
	"FAILED_READ_FILE":                                                     "KD001",
	"FIELD_ALREADY_EXISTS":                                                 "42710",
	"FIELD_NOT_FOUND":                                                      "42704",
	"GENERATED_COLUMN_WITH_DEFAULT_VALUE":                                  "42623",
	"IDENTITY_COLUMN_WITH_DEFAULT_VALUE":                                   "42623",
	"INSERT_COLUMN_ARITY_MISMATCH":                                         "21S01",
	"INVALID_CONF_VALUE":                                                   "22022",
	"INVALID_DEFAULT_VALUE":                                                "42623",
	"INVALID_EXTRACT_BASE_FIELD_TYPE":                                      "42000",
	"INVALID_FIELD_NAME":                                                   "42000",
	"INVALID_NON_DETERMINISTIC_EXPRESSIONS":                                "42K0E",
	"JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE":                                   "42K0E",
	"NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION":                               "42613",
	"NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION":                 "42613",
	"NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION":                 "42613",
	"NON_PARTITION_COLUMN":                                                 "42000",
	"NOT_SUPPORTED_CHANGE_COLUMN":                                          "0A000",
	"SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED":                "42908",
	"TABLE_OR_VIEW_ALREADY_EXISTS":                                         "42P07",
	"TEMP_TABLE_OR_VIEW_ALREADY_EXISTS":                                    "42P07",
	"UNABLE_TO_ACQUIRE_MEMORY":                                             "53200",
	"UNRESOLVED_COLUMN":                                                    "42703",
	"UNSUPPORTED_EXPR_FOR_OPERATOR":                                        "42K0E",
	"UNSUPPORTED_FEATURE":                                                  "0A000",
	"UNSUPPORTED_TABLE_CHANGE":                                             "0A000",
	"WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED": "0AKDC",
	"WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED":                  "0AKDE",
	"WRONG_COMMAND_FOR_OBJECT_TYPE":                                        "42809",
	"WRONG_NUM_ARGS":                                                       "42605",
}
