package expr

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/types"
)

var secondsType = types.Decimal{Precision: 16, Scale: 6}

var timeSpecials = map[string]special{
	"date_part": {2, 2, datePart}, "datepart": {2, 2, datePart},
	"hour": {1, 1, clockPart}, "minute": {1, 1, clockPart}, "second": {1, 1, clockPart},
	"unix_timestamp": {0, 2, unixTimestamp}, "to_unix_timestamp": {1, 2, unixTimestamp},
	"to_date":                {1, 2, parseTime(types.Date, false)},
	"try_to_date":            {1, 2, parseTime(types.Date, true)},
	"to_timestamp":           {1, 2, parseTime(types.Timestamp, false)},
	"to_timestamp_ltz":       {1, 2, parseTime(types.Timestamp, false)},
	"to_timestamp_ntz":       {1, 2, parseTime(types.TimestampNTZ, false)},
	"try_to_timestamp":       {1, 2, parseTime(types.Timestamp, true)},
	"make_timestamp":         {1, 7, makeTimestamp(types.Timestamp)},
	"make_timestamp_ltz":     {2, 7, makeTimestamp(types.Timestamp)},
	"make_timestamp_ntz":     {2, 6, makeTimestamp(types.TimestampNTZ)},
	"try_make_timestamp":     {1, 7, makeTimestamp(types.Timestamp)},
	"try_make_timestamp_ltz": {2, 7, makeTimestamp(types.Timestamp)},
	"try_make_timestamp_ntz": {2, 6, makeTimestamp(types.TimestampNTZ)},
	"window_time": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		return nil, bindErrorf("_LEGACY_ERROR_TEMP_3101", "window_time reads the column of a window, which no statement here makes: %s", a[0])
	}},
	"convert_timezone":  {2, 3, convertTimezone},
	"timestamp_seconds": {1, 1, timestampSeconds},
	"make_interval":     {0, 7, makeCalendar},
	"try_make_interval": {0, 7, makeCalendar},
	"make_dt_interval":  {0, 4, makeInterval(types.DayTime)},
	"make_ym_interval":  {0, 2, makeInterval(types.YearMonth)},
}

// partFunctions maps the field names of EXTRACT to functions.
var partFunctions = map[string]string{
	"YEAR": "year", "Y": "year", "YEARS": "year", "YR": "year", "YRS": "year", "YEAROFWEEK": "yearofweek",
	"QUARTER": "quarter", "QTR": "quarter", "MONTH": "month", "MON": "month", "MONS": "month", "MONTHS": "month",
	"WEEK": "weekofyear", "W": "weekofyear", "WEEKS": "weekofyear", "DAY": "day", "D": "day", "DAYS": "day",
	"DAYOFWEEK": "dayofweek", "DOW": "dayofweek", "DAYOFWEEK_ISO": "dayofweek_iso", "DOW_ISO": "dayofweek_iso", "DOY": "dayofyear",
	"HOUR": "hour", "H": "hour", "HOURS": "hour", "HR": "hour", "HRS": "hour",
	"MINUTE": "minute", "M": "minute", "MIN": "minute", "MINS": "minute", "MINUTES": "minute",
	"SECOND": "second_fraction", "S": "second_fraction", "SEC": "second_fraction", "SECONDS": "second_fraction", "SECS": "second_fraction",
}

func datePart(in *binder, _ string, a []Expr) (Expr, error) {
	lit, ok := a[0].(*Literal)
	if !ok || lit.T != types.String && lit.Value != nil {
		return nil, bindErrorf("NON_FOLDABLE_ARGUMENT", "the field of date_part is a constant string, not %s", a[0])
	}
	if lit.Value == nil {
		return &Literal{T: types.Double}, nil
	}
	field, _ := literalText(a[0])
	fn := partFunctions[field]
	if fn == "" || anyInterval(a[1].Type()) && !intervalPart(fn, a[1].Type()) {
		return nil, bindErrorf("INVALID_EXTRACT_FIELD", "cannot extract %s from %s", strings.ToLower(field), a[1])
	}
	src := a[1]
	if anyInterval(src.Type()) {
		return partCall(in, "interval_"+fn, src)
	}
	switch fn {
	case "hour", "minute", "second_fraction":
		to := in.argType('U', src.Type())
		if to == nil {
			return nil, unexpectedInput("date_part", 1, src)
		}
		src = in.convert(src, to)
	default:
		if in.implicitArg(src.Type(), types.Date) == nil {
			return nil, unexpectedInput("date_part", 1, src)
		}
		src = in.convert(src, types.Date)
	}
	return partCall(in, fn, src)
}

var partUnits = map[string]types.Unit{"year": types.Year, "month": types.Month, "day": types.Day, "hour": types.Hour, "minute": types.Minute, "second_fraction": types.Second}

// intervalPart reports whether an interval has the part among its units.
func intervalPart(fn string, t types.Type) bool {
	u, ok := partUnits[fn]
	iv, ansi := t.(types.Interval)
	return ok && (!ansi || iv.From <= u && u <= iv.To)
}

func partCall(in *binder, fn string, src Expr) (Expr, error) {
	t := types.Type(types.Integer)
	switch {
	case strings.HasSuffix(fn, "second_fraction"):
		t = types.Decimal{Precision: 8, Scale: 6}
	case fn == "interval_month" || fn == "interval_hour" || fn == "interval_minute":
		t = types.Byte
	}
	return in.operator(fn, t, src), nil
}

func clockPart(in *binder, fn string, a []Expr) (Expr, error) {
	to := in.argType('U', a[0].Type())
	if a[0].Type().Kind() == types.KindTime {
		to = a[0].Type()
	}
	if to == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	return in.operator(fn, types.Integer, in.convert(a[0], to)), nil
}

func unixTimestamp(in *binder, _ string, a []Expr) (Expr, error) {
	if len(a) == 2 && in.argType('e', a[1].Type()) == nil {
		return nil, unexpectedInput("to_unix_timestamp", 1, a[1])
	}
	t := a[0].Type()
	if t == types.Void {
		a[0], t = in.convert(a[0], types.Timestamp), types.Timestamp
	}
	if t == types.String {
		if len(a) == 1 {
			a = append(a, &Literal{Value: "yyyy-MM-dd HH:mm:ss", T: types.String})
		}
		return &Call{Fn: "to_unix_timestamp", Args: []Expr{a[0], in.convert(a[1], types.String)}, T: types.Long, Null: true}, nil
	}
	if !isDatetime(t) {
		return nil, unexpectedInput("unix_timestamp", 0, a[0])
	}
	return &Call{Fn: "unix_timestamp", Args: []Expr{in.convert(a[0], types.Timestamp)}, T: types.Long, Null: true}, nil
}

// parseTime binds to_date, to_timestamp and their kin: a cast, or parsing by a pattern.
func parseTime(to types.Type, try bool) func(*binder, string, []Expr) (Expr, error) {
	return func(in *binder, fn string, a []Expr) (Expr, error) {
		from := a[0].Type()
		if len(a) == 2 && !types.IsNested(from) && (!anyInterval(from) || try) && !isDatetime(from) && (to != types.Timestamp || !types.IsNumeric(from)) {
			a[0], from = in.convert(a[0], types.String), types.String
		}
		ok := from == types.String || isDatetime(from) || from == types.Void || (to == types.Timestamp && types.IsNumeric(from))
		if !ok && try && !types.IsNested(from) {
			return &Literal{T: to}, nil
		}
		if !ok {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		if len(a) == 1 || from != types.String {
			if from == to {
				return a[0], nil
			}
			return &Cast{Arg: a[0], To: to, Try: try}, nil
		}
		if in.implicitArg(a[1].Type(), types.String) == nil {
			return nil, unexpectedInput(fn, 1, a[1])
		}
		e := Expr(&Call{Fn: "parse_time", Args: []Expr{a[0], in.convert(a[1], types.String)}, T: to, Null: true})
		if try {
			e = &Call{Fn: "try", Args: []Expr{e}, T: to, Null: true}
		}
		return e, nil
	}
}

// fromDate binds make_timestamp of a date, a time of day and a zone.
func (in *binder) fromDate(fn string, to types.Type, a []Expr) (Expr, error) {
	if in.implicitArg(a[0].Type(), types.Date) == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	a[0] = in.convert(a[0], types.Date)
	if len(a) > 1 {
		if k := a[1].Type().Kind(); k != types.KindTime && k != types.KindVoid {
			return nil, unexpectedInput(fn, 1, a[1])
		}
	}
	if len(a) > 2 {
		if in.implicitArg(a[2].Type(), types.String) == nil {
			return nil, unexpectedInput(fn, 2, a[2])
		}
		a[2] = in.convert(a[2], types.String)
	}
	e := Expr(&Call{Fn: "make_timestamp", Args: a, T: to, Null: true})
	if strings.HasPrefix(fn, "try_") {
		e = &Call{Fn: "try", Args: []Expr{e}, T: to, Null: true}
	}
	return e, nil
}

func makeTimestamp(to types.Type) func(*binder, string, []Expr) (Expr, error) {
	return func(in *binder, fn string, a []Expr) (Expr, error) {
		if len(a) <= 3 && !(to == types.TimestampNTZ && len(a) == 3) {
			return in.fromDate(fn, to, a)
		}
		if len(a) < 6 {
			return nil, wrongArgs(fn, "another number of", len(a))
		}
		for i := range a {
			want := types.Type(types.Integer)
			if i == 5 {
				want = secondsType
			} else if i == 6 {
				want = types.String
			}
			if in.implicitArg(a[i].Type(), want) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], want)
		}
		if slices.ContainsFunc(a, alwaysNull) {
			return &Literal{T: to}, nil
		}
		e := Expr(&Call{Fn: "make_timestamp", Args: a, T: to, Null: true})
		if strings.HasPrefix(fn, "try_") {
			e = &Call{Fn: "try", Args: []Expr{e}, T: to, Null: true}
		}
		return e, nil
	}
}

// convertTimezone is convert_timezone([from,] to, time): from_utc_timestamp after
// to_utc_timestamp; without from the zone of the session.
func convertTimezone(in *binder, fn string, a []Expr) (Expr, error) {
	if len(a) == 2 {
		a = append([]Expr{&Literal{Value: in.scope.Options.zoneName(), T: types.String}}, a...)
	}
	for i, want := range []types.Type{types.String, types.String, types.TimestampNTZ} {
		if in.implicitArg(a[i].Type(), want) == nil {
			return nil, unexpectedInput(fn, i, a[i])
		}
		a[i] = in.convert(a[i], want)
	}
	return &Call{Fn: fn, Args: a, T: types.TimestampNTZ, Null: true}, nil
}

func timestampSeconds(in *binder, fn string, a []Expr) (Expr, error) {
	t := a[0].Type()
	switch {
	case types.IsIntegral(t), t == types.Void:
		a[0] = in.convert(a[0], types.Long)
	case t == types.Float:
		a[0] = in.convert(a[0], types.Double)
	case !types.IsNumeric(t):
		return nil, unexpectedInput(fn, 0, a[0])
	}
	return &Call{Fn: fn, Args: a, T: types.Timestamp, Null: true}, nil
}

func makeInterval(to types.Interval) func(*binder, string, []Expr) (Expr, error) {
	return func(in *binder, fn string, a []Expr) (Expr, error) {
		for i := range a {
			want := types.Type(types.Integer)
			if i == 3 {
				want = types.Decimal{Precision: 18, Scale: 6}
			}
			if in.implicitArg(a[i].Type(), want) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], want)
		}
		return &Call{Fn: fn, Args: a, T: to, Null: true}, nil
	}
}
