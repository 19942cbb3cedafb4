package expr

import (
	"strings"

	"github.com/sluicelake/sluice/types"
)

// tried spells the function that gives NULL where an operator fails.
var tried = map[string]string{"+": "try_add", "-": "try_subtract", "*": "try_multiply", "/": "try_divide", "%": "try_mod",
	"date_add": "try_add", "date_sub": "try_subtract", "make_timestamp": "try_make_timestamp"}

// fieldNames spells the parts of a date that only EXTRACT has.
var fieldNames = map[string]string{"second_fraction": "SECOND", "dayofweek_iso": "DAYOFWEEK_ISO", "yearofweek": "YEAROFWEEK",
	"interval_year": "YEAR", "interval_month": "MONTH", "interval_day": "DAY", "interval_hour": "HOUR", "interval_minute": "MINUTE",
	"interval_second_fraction": "SECOND"}

// sqlCall gives a call that only the binder makes the form that binds to it again.
func sqlCall(x *Call) *Call {
	switch x.Fn {
	case "try", "try_eval":
		inner, ok := x.Args[0].(*Call)
		if !ok { // folded to a literal
			return &Call{Fn: "coalesce", Args: x.Args}
		}
		if inner.Fn == "parse_time" {
			return &Call{Fn: "try_" + parserName(inner.T), Args: inner.Args}
		}
		if tried[inner.Fn] == "" { // an implicit conversion around it
			return inner
		}
		return &Call{Fn: tried[inner.Fn], Args: inner.Args}
	case "timestampadd", "timestampdiff":
		if lit, ok := x.Args[0].(*Literal); ok && lit.T == types.String {
			unit, _ := lit.Value.(string)
			return &Call{Fn: x.Fn, Args: append([]Expr{NewColumn(unit)}, x.Args[1:]...)}
		}
	case "parse_time":
		return &Call{Fn: parserName(x.T), Args: x.Args}
	case "make_timestamp":
		if x.T == types.TimestampNTZ {
			return &Call{Fn: "make_timestamp_ntz", Args: x.Args}
		}
	}
	if field, ok := fieldNames[x.Fn]; ok {
		return &Call{Fn: "date_part", Args: append([]Expr{&Literal{Value: field, T: types.String}}, x.Args...)}
	}
	return x
}

func parserName(t types.Type) string {
	return "to_" + strings.ToLower(t.String())
}
