package eval

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

var sqlStates = map[string]string{
	"DIVIDE_BY_ZERO": "22012", "REMAINDER_BY_ZERO": "22012", "INTERVAL_DIVIDED_BY_ZERO": "22012",
	"ARITHMETIC_OVERFLOW": "22003", "BINARY_ARITHMETIC_OVERFLOW": "22003", "CAST_OVERFLOW": "22003", "INTERVAL_ARITHMETIC_OVERFLOW": "22015",
	"CAST_OVERFLOW_IN_TABLE_INSERT": "22003", "DELTA_CAST_OVERFLOW_IN_TABLE_WRITE": "22003", "NUMERIC_VALUE_OUT_OF_RANGE": "22003", "CAST_INVALID_INPUT": "22018",
	"INVALID_ARRAY_INDEX": "22003", "INVALID_ARRAY_INDEX_IN_ELEMENT_AT": "22003", "INVALID_INDEX_OF_ZERO": "22003",
	"NULL_MAP_KEY": "2200E", "DUPLICATED_MAP_KEY": "23505", "USER_RAISED_EXCEPTION": "P0001",
	"INVALID_FORMAT": "42601", "INVALID_PARAMETER_VALUE": "22023", "CANNOT_PARSE_TIMESTAMP": "22007",
	"DATETIME_FIELD_OUT_OF_BOUNDS": "22023", "INVALID_DATETIME_PATTERN": "22007", "INCONSISTENT_BEHAVIOR_CROSS_VERSION": "42K0B",
	"INVALID_INTERVAL_FORMAT": "22006", "INVALID_FRACTION_OF_SECOND": "22023", "DATETIME_OVERFLOW": "22008", "ILLEGAL_DAY_OF_WEEK": "22009",
	"CANNOT_DECODE_URL": "22546", "CONVERSION_INVALID_INPUT": "22018", "MALFORMED_RECORD_IN_PARSING": "22023", "INVALID_VARIANT_CAST": "22023",
	"COLLECTION_SIZE_LIMIT_EXCEEDED": "54000", "INVALID_CONVERSION": "22018", "MALFORMED_CHARACTER_CODING": "22000",
	"INVALID_TIMEZONE": "22009", "INVALID_URL": "22P02", "INVALID_VARIANT_GET_PATH": "22023", "UNSUPPORTED_FEATURE": "0A000", "INVALID_UTF8_STRING": "22029",
	"INTERNAL_ERROR": "XX000", "INVALID_REGEXP_REPLACE": "22023", "INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION": "22006",
}

// failf is a failure of a row; the SQLSTATE follows from the class.
func failf(class, format string, args ...any) *Error {
	head, _, _ := strings.Cut(class, ".")
	return &Error{Class: class, SQLState: sqlStates[head], Message: fmt.Sprintf(format, args...)}
}

// neverFail are calls that give a value for every row, whatever it holds.
var neverFail = map[string]bool{
	"and": true, "or": true, "not": true, "=": true, "<=>": true, "<>": true, "<": true, "<=": true, ">": true, ">=": true,
	"in": true, "isnull": true, "isnotnull": true, "istrue": true, "isfalse": true, "&": true, "|": true, "^": true, "~": true,
	"<<": true, ">>": true, ">>>": true, "coalesce": true, "try": true, "greatest": true, "least": true, "isnan": true, "nanvl": true,
	"upper": true, "lower": true, "length": true, "trim": true, "ltrim": true, "rtrim": true, "concat": true, "substring": true, "startswith": true,
	"endswith": true, "contains": true, "year": true, "month": true, "day": true, "hour": true, "minute": true, "second": true, "named_struct": true,
	"array": true, "date_add": true, "date_sub": true, "datediff": true, "size": true, "replace": true, "signum": true, "initcap": true, "reverse": true,
	"translate": true, "instr": true, "ascii": true, "sqrt": true, "levenshtein": true, "last_day": true, "quarter": true, "dayofweek": true,
}

// CanFail reports whether a bound expression can give an error for some row. One
// that cannot may be computed for rows whose result nobody wants.
func CanFail(e expr.Expr) bool { return canFail(e) }

// canFail reports whether a bound node can give an error for some row.
func canFail(e expr.Expr) bool {
	fails := false
	expr.Walk(e, func(e expr.Expr) bool {
		switch x := e.(type) {
		case *expr.Cast:
			fails = fails || (!x.Try && !safeCast(x.Arg.Type(), x.To))
		case *expr.Call:
			if x.Fn == "try_eval" {
				return false
			}
			if x.Fn == "try" {
				if inner, ok := x.Args[0].(*expr.Call); ok {
					for _, a := range inner.Args {
						fails = fails || canFail(a)
					}
				}
				return false
			}
			fails = fails || !(neverFail[x.Fn] || floating(x) || constantPattern(x))
		}
		return !fails
	})
	return fails
}

// floating is arithmetic in which nothing overflows.
func floating(x *expr.Call) bool {
	switch x.Fn {
	case "+", "-", "*", "neg", "abs":
		return x.T == types.Float || x.T == types.Double
	}
	return false
}

// constantPattern is a LIKE whose pattern has no escape that could be wrong.
func constantPattern(x *expr.Call) bool {
	if x.Fn != "like" && x.Fn != "ilike" || len(x.Args) != 2 {
		return false
	}
	lit, ok := x.Args[1].(*expr.Literal)
	if !ok {
		return false
	}
	s, ok := lit.Value.(string)
	return ok && !strings.Contains(s, `\`)
}

// safeCast is a cast that has a value for every input.
func safeCast(from, to types.Type) bool {
	if from == types.Void || types.SameIgnoringNullability(from, to) {
		return true
	}
	f, t := from.Kind(), to.Kind()
	switch {
	case t == types.KindString:
		return from != types.Variant
	case types.IsNested(from) || types.IsNested(to) || from == types.Variant || to == types.Variant:
		return false
	case types.IsIntegral(from) && types.IsIntegral(to):
		return t >= f
	case t == types.KindFloat || t == types.KindDouble:
		return f != types.KindString
	case t == types.KindDecimal:
		d := to.(types.Decimal)
		whole := map[types.Kind]int{types.KindByte: 3, types.KindShort: 5, types.KindInteger: 10, types.KindLong: 19, types.KindBoolean: 1}[f]
		if s, ok := from.(types.Decimal); ok {
			return d.Precision-d.Scale >= s.Precision-s.Scale && d.Scale >= s.Scale
		}
		return whole > 0 && d.Precision-d.Scale >= whole
	case t == types.KindBoolean:
		return types.IsNumeric(from)
	case t == types.KindDate, t == types.KindTimestamp, t == types.KindTimestampNTZ:
		return f == types.KindDate || f == types.KindTimestamp || f == types.KindTimestampNTZ
	case t == types.KindBinary:
		return f == types.KindString
	case f == types.KindBoolean:
		return types.IsNumeric(to)
	}
	return false
}
