package expr

import "github.com/sluicelake/sluice/types"

// This file binds what takes an interval of the calendar: months, days and
// microseconds, each for itself (Spark's CalendarIntervalType).

func anyInterval(t types.Type) bool { return isInterval(t) || t == types.CalendarInterval }

// calendarArithmetic is +, -, * and / with a calendar interval on at least one side.
func (in *binder) calendarArithmetic(fn string, a, b Expr) (Expr, error) {
	ta, tb := a.Type(), b.Type()
	calendar := types.Type(types.CalendarInterval)
	switch {
	case fn == "+" || fn == "-":
		switch {
		case isDatetime(ta):
			return in.operator(fn, ta, a, b), nil
		case ta == types.String && tb == calendar:
			return in.convert(in.operator(fn, types.Timestamp, in.convert(a, types.Timestamp), b), types.String), nil
		case ta == tb, ta == types.Void, tb == types.Void:
			return in.operator(fn, calendar, in.convert(a, calendar), in.convert(b, calendar)), nil
		}
	case fn == "*" && tb == calendar && in.implicitArg(ta, types.Double) != nil && ta != calendar:
		return in.operator(fn, calendar, b, in.convert(a, types.Double)), nil
	case (fn == "*" || fn == "/") && ta == calendar && in.implicitArg(tb, types.Double) != nil:
		return in.operator(fn, calendar, a, in.convert(b, types.Double)), nil
	}
	return nil, in.operandError(fn, []Expr{a, b})
}

// makeCalendar binds make_interval([years[, months[, weeks[, days[, hours[, minutes[, seconds]]]]]]]).
func makeCalendar(in *binder, fn string, a []Expr) (Expr, error) {
	for i := range a {
		want := types.Type(types.Integer)
		if i == 6 {
			want = types.Decimal{Precision: 18, Scale: 6}
		}
		if in.implicitArg(a[i].Type(), want) == nil {
			return nil, unexpectedInput(fn, i, a[i])
		}
		a[i] = in.convert(a[i], want)
	}
	return &Call{Fn: fn, Args: a, T: types.CalendarInterval, Null: true}, nil
}
