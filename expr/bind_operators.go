package expr

import (
	"math/big"
	"slices"

	"github.com/sluicelake/sluice/types"
)

// operators are the binders of operator calls whose operands are bound.
var operators = map[string]func(in *binder, fn string, args []Expr) (Expr, error){
	"and": logical, "or": logical, "not": logical,
	"=": comparison, "<=>": comparison, "<>": comparison, "<": comparison, "<=": comparison, ">": comparison, ">=": comparison,
	"+": arithmetic, "-": arithmetic, "*": arithmetic, "/": arithmetic, "%": arithmetic, "div": arithmetic, "pmod": arithmetic,
	"try_add": tryArithmetic, "try_subtract": tryArithmetic, "try_multiply": tryArithmetic, "try_divide": tryArithmetic, "try_mod": tryArithmetic,
	"&": bitwise, "|": bitwise, "^": bitwise, "~": bitwise,
	"<<": shift, ">>": shift, ">>>": shift,
	"||": concat, "neg": negate, "in": membership, "element": element,
	"isnull": nullTest, "isnotnull": nullTest, "isunknown": truthTest, "istrue": truthTest, "isfalse": truthTest,
}

func (in *binder) operator(fn string, t types.Type, args ...Expr) Expr {
	return &Call{Fn: fn, Args: args, T: t, Null: anyNullable(args) || in.legacy() && nulls(fn, t)}
}

// asVoidOf gives an untyped NULL the type of the other operand.
func (in *binder) asVoidOf(e, other Expr) Expr {
	if e.Type() == types.Void {
		return in.convert(e, other.Type())
	}
	return e
}

func logical(in *binder, fn string, args []Expr) (Expr, error) {
	if fn == "not" && len(args) == 1 {
		c, ok := in.asCondition(args[0])
		if !ok {
			return nil, bindErrorf("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "%s needs a boolean, not %s: %s", fn, types.SQL(args[0].Type()), args[0])
		}
		return in.operator(fn, types.Boolean, c), nil
	}
	if len(args) != 2 {
		return nil, wrongArgs(fn, "2", len(args))
	}
	text := args[0].Type() == types.String && (args[1].Type() == types.String || args[1].Type() == types.Void) ||
		args[0].Type() == types.Void && args[1].Type() == types.String
	out := make([]Expr, 2)
	for i, a := range args {
		c, ok := in.asCondition(a)
		if !ok || text {
			return nil, in.operandError(fn, []Expr{in.asVoidOf(args[0], args[1]), in.asVoidOf(args[1], args[0])})
		}
		out[i] = c
	}
	return in.operator(fn, types.Boolean, out...), nil
}

// operandError tells operands of different types from operands of one wrong type.
// A string takes the type that stands beside it before anything is said.
func (in *binder) operandError(fn string, args []Expr) *BindError {
	a, b := args[0].Type(), args[len(args)-1].Type()
	if t := stringPromotion(a, b); t != nil && !in.legacy() {
		a, b = t, t
	}
	if isDecimal(a) && b == types.Double || a == types.Double && isDecimal(b) {
		a, b = types.Double, types.Double
	}
	text := print(&Call{Fn: fn, Args: args}, precOr)
	if !types.SameIgnoringNullability(a, b) {
		return bindErrorf("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "cannot resolve %s: the operands of %s are %s and %s", text, fn, types.SQL(a), types.SQL(b))
	}
	return bindErrorf("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "cannot resolve %s: %s does not take %s", text, fn, types.SQL(a))
}

func comparison(in *binder, fn string, args []Expr) (Expr, error) {
	a, b, ok := in.comparable(fn, args[0], args[1])
	if !ok {
		return nil, in.operandError(fn, args)
	}
	if !orderable(a.Type()) {
		return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "%s cannot compare %s", fn, types.SQL(a.Type()))
	}
	c := in.operator(fn, types.Boolean, a, b).(*Call)
	c.Null = c.Null && fn != "<=>"
	return c, nil
}

// comparable casts two expressions to the type in which they are compared.
func (in *binder) comparable(fn string, a, b Expr) (Expr, Expr, bool) {
	if in.legacy() {
		if t := compared(fn, a.Type(), b.Type()); t != nil {
			return in.convert(a, t), in.convert(b, t), true
		}
	}
	if a, b, ok := in.decimalOperands(a, b); ok {
		t := types.Type(types.Double)
		if isDecimal(a.Type()) && isDecimal(b.Type()) {
			t = unionDecimal(a.Type().(types.Decimal), b.Type().(types.Decimal))
		}
		return in.convert(a, t), in.convert(b, t), true
	}
	t := in.tightest(a.Type(), b.Type())
	if t == nil && !in.legacy() {
		t = stringPromotion(a.Type(), b.Type())
	}
	if t == nil {
		return nil, nil, false
	}
	return in.convert(a, t), in.convert(b, t), true
}

// decimalOperands applies when one of two numbers is a decimal: an integer becomes
// one too (a literal the narrowest), a float or double makes both doubles.
func (in *binder) decimalOperands(a, b Expr) (Expr, Expr, bool) {
	ta, tb := a.Type(), b.Type()
	if !(isDecimal(ta) || isDecimal(tb)) || !types.IsNumeric(ta) || !types.IsNumeric(tb) {
		return a, b, false
	}
	if !isDecimal(ta) && isFraction(ta) || !isDecimal(tb) && isFraction(tb) {
		return in.convert(a, types.Double), in.convert(b, types.Double), true
	}
	return in.asDecimal(a), in.asDecimal(b), true
}

func (in *binder) asDecimal(e Expr) Expr {
	if isDecimal(e.Type()) {
		return e
	}
	t := decimalFor(e.Type())
	if lit, ok := e.(*Literal); ok && lit.Value != nil {
		d := Decimal{Unscaled: big.NewInt(lit.Value.(int64))}
		if t, ok = decimalTypeOf(d); ok {
			return &Literal{Value: d, T: t}
		}
	}
	return in.convert(e, t)
}

func orderable(t types.Type) bool {
	switch x := t.(type) {
	case *types.Array:
		return orderable(x.Element)
	case *types.Struct:
		for _, f := range x.Fields {
			if !orderable(f.Type) {
				return false
			}
		}
		return true
	case *types.Map:
		return false
	}
	return t != types.Variant && t != types.CalendarInterval
}

func arithmetic(in *binder, fn string, args []Expr) (Expr, error) {
	if len(args) != 2 {
		return nil, wrongArgs(fn, "2", len(args))
	}
	a, b := args[0], args[1]
	if e, err := in.datetimeArithmetic(fn, a, b); e != nil || err != nil {
		return e, err
	}
	if in.legacy() {
		a, b = in.asNumbers(a, b)
	} else if t := stringPromotion(a.Type(), b.Type()); t != nil && types.IsNumeric(t) && a.Type() != b.Type() {
		a, b = in.convert(a, t), in.convert(b, t)
	}
	if x, y, ok := in.decimalOperands(a, b); ok {
		if fn == "div" && !isDecimal(x.Type()) { // the decimal is a double now, the other operand is what it was
			return nil, in.operandError(fn, []Expr{asDouble(in, a), asDouble(in, b)})
		}
		return in.decimalArithmetic(fn, x, y)
	}
	t := in.tightest(a.Type(), b.Type())
	if t == types.Void {
		t = types.Double
	}
	if t == nil || !types.IsNumeric(t) {
		return nil, in.operandError(fn, args)
	}
	if isDecimal(t) {
		return in.decimalArithmetic(fn, in.convert(a, t), in.convert(b, t))
	}
	switch fn {
	case "/":
		t = types.Double
	case "div":
		if !types.IsIntegral(t) {
			if in.legacy() {
				args = []Expr{in.convert(a, t), in.convert(b, t)}
			}
			return nil, in.operandError(fn, args)
		}
		t = types.Long
	}
	return in.operator(fn, t, in.convert(a, t), in.convert(b, t)), nil
}

func asDouble(in *binder, e Expr) Expr {
	if isDecimal(e.Type()) {
		return in.convert(e, types.Double)
	}
	return e
}

func (in *binder) decimalArithmetic(fn string, a, b Expr) (Expr, error) {
	if !isDecimal(a.Type()) {
		return in.operator(fn, types.Double, a, b), nil
	}
	x, y := a.Type().(types.Decimal), b.Type().(types.Decimal)
	if fn == "div" {
		t := unionDecimal(x, y)
		return in.operator(fn, types.Long, in.convert(a, t), in.convert(b, t)), nil
	}
	return in.operator(fn, decimalResult(fn, x, y), a, b), nil
}

func tryArithmetic(in *binder, fn string, args []Expr) (Expr, error) {
	op := map[string]string{"try_add": "+", "try_subtract": "-", "try_multiply": "*", "try_divide": "/", "try_mod": "%"}[fn]
	plain := !slices.ContainsFunc(args, func(a Expr) bool { return !types.IsNumeric(a.Type()) })
	e, err := arithmetic(in, op, args)
	if err != nil {
		return nil, err
	}
	if plain {
		return &Call{Fn: "try", Args: []Expr{e}, T: e.Type(), Null: true}, nil
	}
	return &Call{Fn: "try_eval", Args: []Expr{e}, T: e.Type(), Null: true}, nil
}

// datetimeArithmetic is the arithmetic of dates, timestamps and intervals; nil when it is none.
func (in *binder) datetimeArithmetic(fn string, a, b Expr) (Expr, error) {
	ta, tb := a.Type(), b.Type()
	if fn == "+" && anyInterval(ta) && (isDatetime(tb) || tb == types.String || tb == types.Void) {
		return in.datetimeArithmetic(fn, b, a)
	}
	if ta == types.CalendarInterval || tb == types.CalendarInterval {
		return in.calendarArithmetic(fn, a, b)
	}
	switch {
	case ta == types.Void && isInterval(tb) && (fn == "+" || fn == "-"):
		return in.operator(fn, tb, in.convert(a, tb), b), nil
	case isInterval(ta) && tb == types.Void && (fn == "+" || fn == "-"):
		return in.operator(fn, ta, a, in.convert(b, ta)), nil
	case ta == types.Date && tb == types.String && fn == "+":
		return nil, unexpectedInput("date_add", 1, b)
	case ta == types.String && tb.Kind() == types.KindDayTimeInterval && (fn == "+" || fn == "-"): // a timestamp, and a string again
		return in.convert(in.operator(fn, types.Timestamp, in.convert(a, types.Timestamp), b), types.String), nil
	case isDatetime(ta) && isInterval(tb) && (fn == "+" || fn == "-"):
		iv := tb.(types.Interval)
		t := ta
		if ta == types.Date && iv.From > types.Month && (iv.To != types.Day) {
			t = types.Timestamp
		}
		return in.operator(fn, t, in.convert(a, t), b), nil
	case fn == "-" && (isTimestamp(ta) || isTimestamp(tb)):
		return in.subtractTimes(types.Timestamp, types.DayTime, a, b)
	case fn == "-" && tb == types.Date, fn == "-" && ta == types.Date && tb == types.String:
		return in.subtractTimes(types.Date, types.Interval{From: types.Day, To: types.Day}, a, b)
	case ta == types.Date && tb != types.String && (fn == "+" || fn == "-"):
		name := map[string]string{"+": "date_add", "-": "date_sub"}[fn]
		return signatures[name].bind(in, name, []Expr{a, b})
	case tb == types.Date && ta != types.String && fn == "+":
		return signatures["date_add"].bind(in, "date_add", []Expr{b, a})
	case isInterval(ta) && isInterval(tb) && tb.Kind() != ta.Kind() && (fn == "+" || fn == "-" && ta.Kind() == types.KindYearMonthInterval):
		return nil, unexpectedInput(fn, 1, b)
	case (fn == "*" || fn == "/") && isInterval(ta) && !types.IsNumeric(tb) && tb != types.String && tb != types.Void:
		return nil, unexpectedInput(fn, 1, b)
	case fn == "*" && isInterval(tb) && !types.IsNumeric(ta) && ta != types.String && ta != types.Void:
		return nil, unexpectedInput(fn, 0, a)
	case isInterval(ta) && ta.Kind() == tb.Kind() && (fn == "+" || fn == "-"):
		return in.operator(fn, in.tightest(ta, tb), a, b), nil
	case fn == "div" && isInterval(ta) && ta.Kind() == tb.Kind():
		return in.operator(fn, types.Long, a, b), nil
	case isInterval(ta) && (fn == "*" || fn == "/"), fn == "*" && isInterval(tb):
		if isInterval(tb) {
			a, b = b, a
		}
		full := types.DayTime
		if a.Type().Kind() == types.KindYearMonthInterval {
			full = types.YearMonth
		}
		return in.operator(fn, full, a, in.convert(b, types.Double)), nil
	case isDatetime(ta) || isDatetime(tb) || isInterval(ta) || isInterval(tb):
		if ta != types.Void && tb != types.Void {
			return nil, in.operandError(fn, []Expr{a, b})
		}
	}
	return nil, nil
}

func isTimestamp(t types.Type) bool { return t == types.Timestamp || t == types.TimestampNTZ }

// subtractTimes is the interval between two dates or two timestamps.
func (in *binder) subtractTimes(t types.Type, result types.Interval, a, b Expr) (Expr, error) {
	if t == types.Timestamp && a.Type() == types.TimestampNTZ && b.Type() == types.TimestampNTZ {
		t = types.TimestampNTZ
	}
	for i, e := range []Expr{a, b} {
		if in.implicitArg(e.Type(), t) == nil {
			return nil, unexpectedInput("-", i, e)
		}
	}
	return in.operator("-", result, in.convert(a, t), in.convert(b, t)), nil
}

func bitwise(in *binder, fn string, args []Expr) (Expr, error) {
	t := args[0].Type()
	if len(args) == 2 {
		if t = in.tightest(args[0].Type(), args[1].Type()); t == nil && !in.legacy() {
			t = stringPromotion(args[0].Type(), args[1].Type())
		}
	}
	if t == types.Void {
		t = types.Integer
	}
	if t == nil || !types.IsIntegral(t) {
		if len(args) == 1 {
			return nil, unexpectedInput(fn, 0, args[0])
		}
		if isDecimal(args[0].Type()) != isDecimal(args[1].Type()) && isFraction(args[0].Type()) && isFraction(args[1].Type()) {
			args = []Expr{asDouble(in, args[0]), asDouble(in, args[1])}
		}
		return nil, in.operandError(fn, args)
	}
	for i := range args {
		args[i] = in.convert(args[i], t)
	}
	return in.operator(fn, t, args...), nil
}

func shift(in *binder, fn string, args []Expr) (Expr, error) {
	t := args[0].Type()
	if t != types.Long {
		if t = in.implicitArg(t, types.Integer); t == nil {
			return nil, unexpectedInput(fn, 0, args[0])
		}
		t = types.Integer
	}
	if in.implicitArg(args[1].Type(), types.Integer) == nil {
		return nil, unexpectedInput(fn, 1, args[1])
	}
	return in.operator(fn, t, in.convert(args[0], t), in.convert(args[1], types.Integer)), nil
}

func negate(in *binder, fn string, args []Expr) (Expr, error) {
	t := args[0].Type()
	switch {
	case t == types.String:
		t = types.Double
	case t == types.Void:
		t = types.Double
	case !types.IsNumeric(t) && !anyInterval(t):
		return nil, unexpectedInput(fn, 0, args[0])
	}
	return in.operator(fn, t, in.convert(args[0], t)), nil
}

func membership(in *binder, fn string, args []Expr) (Expr, error) {
	for _, a := range args {
		if q, ok := a.(*Subquery); ok {
			return nil, bindErrorf("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY", "a subquery is not supported here: %s", q)
		}
	}
	if len(args) == 1 { // in no list
		return &Literal{Value: false, T: types.Boolean}, nil
	}
	t := in.widerOf(typesOf(args))
	if t != nil && !orderable(t) {
		return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "IN cannot compare %s", types.SQL(t))
	}
	if t == nil {
		return nil, bindErrorf("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "the values of IN have no common type to compare: %s", describeTypes(args))
	}
	for i := range args {
		args[i] = in.convert(args[i], t)
	}
	return in.operator(fn, types.Boolean, args...), nil
}

func element(in *binder, fn string, args []Expr) (Expr, error) {
	switch t := args[0].Type().(type) {
	case *types.Array:
		if !types.IsIntegral(args[1].Type()) && args[1].Type() != types.Void {
			return nil, unexpectedInput(fn, 1, args[1])
		}
		if args[1].Type() == types.Void {
			args[1] = in.convert(args[1], types.Integer)
		}
		if c, ok := args[0].(*Call); ok && c.Fn == "array" { // an array spelled out is taken apart before anything is computed
			if n, ok := args[1].(*Literal); ok && n.Value != nil && (n.Value.(int64) < 0 || n.Value.(int64) >= int64(len(c.Args))) {
				return &Literal{T: t.Element}, nil
			}
		}
		return &Call{Fn: fn, Args: args, T: t.Element, Null: true}, nil
	case *types.Map:
		k := in.tightest(args[1].Type(), t.Key)
		if k == nil || !types.SameIgnoringNullability(k, t.Key) {
			if k = in.implicitArg(args[1].Type(), t.Key); k == nil {
				return nil, unexpectedInput(fn, 1, args[1])
			}
		}
		return &Call{Fn: fn, Args: []Expr{args[0], in.convert(args[1], t.Key)}, T: t.Value, Null: true}, nil
	case *types.Struct:
		if lit, ok := args[1].(*Literal); ok && lit.T == types.String && lit.Value != nil {
			return extract(args[0], lit.Value.(string))
		}
	case types.Primitive:
		if t == types.Variant {
			return nil, unexpectedInput(fn, 0, args[0])
		}
		if t == types.Void {
			return &Literal{T: types.Void}, nil
		}
	}
	return nil, bindErrorf("INVALID_EXTRACT_BASE_FIELD_TYPE", "cannot take an element out of %s, which is %s and no struct, array or map",
		args[0], types.SQL(args[0].Type()))
}

func nullTest(in *binder, fn string, args []Expr) (Expr, error) {
	if len(args) != 1 {
		return nil, wrongArgs(fn, "1", len(args))
	}
	return &Call{Fn: fn, Args: args, T: types.Boolean}, nil
}

func truthTest(in *binder, fn string, args []Expr) (Expr, error) {
	if fn == "isunknown" {
		if lit, ok := args[0].(*Literal); ok && lit.T != types.Boolean && lit.T != types.Void { // Spark looks at constants only
			return nil, unexpectedInput(fn, 0, args[0])
		}
		return &Call{Fn: "isnull", Args: args, T: types.Boolean}, nil
	}
	if in.legacy() && (types.IsNumeric(args[0].Type())) { // compared with 1 or 0
		return comparison(in, "<=>", []Expr{args[0], &Literal{Value: fn == "istrue", T: types.Boolean}})
	}
	c, ok := in.asCondition(args[0])
	if !ok && in.legacy() && args[0].Type() == types.String {
		c, ok = in.convert(args[0], types.Boolean), true
	}
	if !ok {
		return nil, bindErrorf("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "cannot resolve %s: the operands are %s and BOOLEAN", args[0], types.SQL(args[0].Type()))
	}
	return &Call{Fn: fn, Args: []Expr{c}, T: types.Boolean}, nil
}

// concat joins strings, binaries or arrays.
func concat(in *binder, _ string, args []Expr) (Expr, error) {
	if len(args) == 0 {
		return &Literal{Value: "", T: types.String}, nil
	}
	t := types.Type(types.Binary)
	for i, a := range args {
		switch a.Type().(type) {
		case *types.Struct, *types.Map:
			return nil, unexpectedInput("concat", i, a)
		}
	}
	for _, a := range args {
		if _, ok := a.Type().(*types.Array); ok {
			t, err := in.unify("concat", args)
			if err == nil {
				if _, ok := t.(*types.Array); !ok {
					err = bindErrorf("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "concat does not join %s", describeTypes(args))
				}
			}
			return in.operator("concat", t, args...), err
		}
		if a.Type() != types.Binary {
			t = types.String
		}
	}
	for i, a := range args {
		if in.implicitArg(a.Type(), t) == nil {
			return nil, unexpectedInput("concat", i, a)
		}
		args[i] = in.convert(a, t)
	}
	return in.operator("concat", t, args...), nil
}

func wrongArgs(fn, want string, got int) *BindError {
	return bindErrorf("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "%s takes %s arguments, not %d", fn, want, got)
}

func unexpectedInput(fn string, i int, arg Expr) *BindError {
	return bindErrorf("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "argument %d of %s cannot be %s: %s", i+1, fn, types.SQL(arg.Type()), arg)
}
