package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParseError says where text is not an expression. Line and Column count from
// one; Column counts characters.
type ParseError struct {
	Class    string // Spark's error class, PARSE_SYNTAX_ERROR unless a literal is at fault
	SQLState string
	Line     int
	Column   int
	Near     string // the token that was found
	Msg      string
	Text     string // the line that is at fault
}

// Error shows the line with a caret under the place.
func (e *ParseError) Error() string {
	return fmt.Sprintf("[%s] %s (line %d, column %d)\n  %s\n  %s^",
		e.Class, e.Msg, e.Line, e.Column, e.Text, strings.Repeat(" ", max(0, e.Column-1)))
}

func newParseError(src string, pos int, near, class, state, msg string) *ParseError {
	pos = min(pos, len(src))
	start := strings.LastIndexByte(src[:pos], '\n') + 1
	end := strings.IndexByte(src[pos:], '\n')
	if end < 0 {
		end = len(src)
	} else {
		end += pos
	}
	return &ParseError{Class: class, SQLState: state, Msg: msg, Near: near,
		Line: strings.Count(src[:start], "\n") + 1, Column: utf8.RuneCountInString(src[start:pos]) + 1,
		Text: strings.ReplaceAll(src[start:end], "\t", " ")}
}

// BindError says why an expression has no meaning over the given columns. Class
// and SQLState are Spark's.
type BindError struct {
	Class      string
	SQLState   string
	Msg        string
	Candidates []string // names that were available, nearest first
}

func (e *BindError) Error() string {
	msg := fmt.Sprintf("[%s] %s", e.Class, e.Msg)
	if len(e.Candidates) > 0 {
		msg += "; did you mean " + strings.Join(e.Candidates, ", ") + "?"
	}
	return msg
}

// bindErrorf builds a BindError; the SQLSTATE follows from the class.
func bindErrorf(class, format string, args ...any) *BindError {
	state := sqlStates[class]
	if state == "" {
		if head, _, ok := strings.Cut(class, "."); ok {
			state = sqlStates[head]
		}
	}
	return &BindError{Class: class, SQLState: state, Msg: fmt.Sprintf(format, args...)}
}

var sqlStates = map[string]string{
	"UNRESOLVED_COLUMN": "42703", "UNRESOLVED_FIELD": "42703", "FIELD_NOT_FOUND": "42704",
	"AMBIGUOUS_REFERENCE": "42704", "INVALID_EXTRACT_BASE_FIELD_TYPE": "42000", "INVALID_EXTRACT_FIELD": "42601",
	"AMBIGUOUS_REFERENCE_TO_FIELDS": "42000", "UNRESOLVED_ROUTINE": "42883", "DATATYPE_MISMATCH": "42K09", "WRONG_NUM_ARGS": "42605",
	"UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY": "0A000", "MISSING_GROUP_BY": "42803",
	"INVALID_USAGE_OF_STAR_OR_REGEX": "42000", "INVALID_LAMBDA_FUNCTION_CALL": "42K0D",
	"UDTF_ALIAS_NUMBER_MISMATCH": "42802", "NON_FOLDABLE_ARGUMENT": "42K08", "INVALID_ESC": "42604", "INVALID_TYPED_LITERAL": "42604",
	"CANNOT_RESOLVE_STAR_EXPAND": "42704", "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION": "22003", "INTERNAL_ERROR": "XX000", "INVALID_SCHEMA": "42K07",
	"INVALID_OPTIONS": "42K06", "PARSE_SYNTAX_ERROR": "42601", "UNSUPPORTED_DATATYPE": "0A000", "UNSUPPORTED_FEATURE": "0A000", "INVALID_FORMAT": "42601",
	"INVALID_PARAMETER_VALUE": "22023", "INVALID_ESCAPE_CHAR": "42604", "NOT_A_SCALAR_FUNCTION": "42887", "UNSUPPORTED_TIME_TYPE": "0A000",
	"CAST_OVERFLOW":                 "22003",
	"INVALID_NUMERIC_LITERAL_RANGE": "22003", "UNSUPPORTED_GENERATOR": "42K0E", "INVALID_SQL_SYNTAX": "42000",
}
