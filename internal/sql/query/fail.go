package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/expr"
)

var sqlStates = map[string]string{
	"TABLE_OR_VIEW_NOT_FOUND": "42P01", "UNRESOLVABLE_TABLE_VALUED_FUNCTION": "42883", "MISSING_AGGREGATION": "42803", "MISSING_GROUP_BY": "42803",
	"NESTED_AGGREGATE_FUNCTION": "42607", "GROUP_BY_POS_OUT_OF_RANGE": "42805", "GROUP_BY_POS_AGGREGATE": "42903", "GROUP_BY_AGGREGATE": "42903",
	"ORDER_BY_POS_OUT_OF_RANGE": "42805", "NUM_COLUMNS_MISMATCH": "42826", "INCOMPATIBLE_COLUMN_TYPE": "42825", "INVALID_INLINE_TABLE": "42000",
	"UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY": "0A000", "UNSUPPORTED_FEATURE": "0A000", "INVALID_SUBQUERY_EXPRESSION": "42823",
	"SCALAR_SUBQUERY_TOO_MANY_ROWS": "21000", "INVALID_WHERE_CONDITION": "42903", "DATATYPE_MISMATCH": "42K09", "WRONG_NUM_ARGS": "42605",
	"CANNOT_RESOLVE_STAR_EXPAND": "42704", "INVALID_LIMIT_LIKE_EXPRESSION": "42K0E", "ASSIGNMENT_ARITY_MISMATCH": "42802", "UNRESOLVED_COLUMN": "42703",
	"UNRESOLVED_USING_COLUMN_FOR_JOIN": "42703", "AMBIGUOUS_REFERENCE": "42704", "EXCEPT_OVERLAPPING_COLUMNS": "42702",
	"GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE": "42822", "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR": "42K0E", "INVALID_PARAMETER_VALUE": "22023",
	"INVALID_SQL_SYNTAX": "42000", "INVALID_USAGE_OF_STAR_OR_REGEX": "42000",
	"VIEW_EXCEED_MAX_NESTED_DEPTH": "54K00", "INVALID_AGGREGATE_FILTER": "42903", "UNRESOLVED_ROUTINE": "42883", "UNEXPECTED_INPUT_TYPE": "42K09", "INTERNAL_ERROR": "XX000", "MISSING_WINDOW_SPECIFICATION": "42P20", "UNSUPPORTED_EXPR_FOR_WINDOW": "42P20",
	"DISTINCT_WINDOW_FUNCTION_UNSUPPORTED": "0A000", "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE": "42601", "EXPRESSION_TYPE_IS_NOT_ORDERABLE": "42822", "PARSE_SYNTAX_ERROR": "42601", "_LEGACY_ERROR_TEMP_1006": "42803", "PIVOT_VALUE_DATA_TYPE_MISMATCH": "42K09", "UNPIVOT_VALUE_SIZE_MISMATCH": "428C4", "MULTI_ALIAS_WITHOUT_GENERATOR": "42K0E", "UNSUPPORTED_GENERATOR": "42K0E", "UDTF_ALIAS_NUMBER_MISMATCH": "42802", "UNSUPPORTED_GROUPING_EXPRESSION": "42K0E", "GROUPING_COLUMN_MISMATCH": "42803", "GROUPING_ID_COLUMN_MISMATCH": "42803", "GROUPING_SIZE_LIMIT_EXCEEDED": "54000", "UNSUPPORTED_EXPR_FOR_OPERATOR": "42K0E",
	"_LEGACY_ERROR_TEMP_0064": "42601", "_LEGACY_ERROR_TEMP_1011": "42P20", "_LEGACY_ERROR_TEMP_1030": "0A000", "_LEGACY_ERROR_TEMP_1034": "42601",
	"_LEGACY_ERROR_TEMP_1036": "42P20", "_LEGACY_ERROR_TEMP_1037": "42P20", "DUPLICATED_CTE_NAMES": "42602",
}

// failf is an error of binding; the SQLSTATE follows from the class.
func failf(class, format string, args ...any) *expr.BindError {
	head, _, _ := strings.Cut(class, ".")
	return &expr.BindError{Class: class, SQLState: sqlStates[head], Msg: fmt.Sprintf(format, args...)}
}

const notFound = "TABLE_OR_VIEW_NOT_FOUND"

// NotFound says that a name means no table or view, and which of the names that
// there are come nearest.
func NotFound(name, known []string) error {
	e := failf(notFound, "there is no table or view %s", expr.NewColumn(name...))
	e.Candidates = expr.Nearest(name[len(name)-1], known)
	return e
}

// unresolved reports whether an error says that no column has a name.
func unresolved(err error) bool {
	var e *expr.BindError
	return errors.As(err, &e) && strings.HasPrefix(e.Class, "UNRESOLVED_COLUMN")
}

// MemoryError says that a query would hold more than it may.
type MemoryError struct {
	What         string
	Need, Budget int64
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("[UNABLE_TO_ACQUIRE_MEMORY] %s needs %d MB in memory and %d MB are allowed: raise the memory limit, or read fewer rows or columns",
		e.What, e.Need>>20, e.Budget>>20)
}
