package expr

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// special is a function whose types do not follow a fixed signature.
type special struct {
	min, max int // number of arguments; max -1 is any
	bind     func(in *binder, fn string, args []Expr) (Expr, error)
}

var specials = map[string]special{}

func init() {
	for _, group := range []map[string]special{conditionals, mathSpecials, textSpecials, timeSpecials, collections, variants, moreSpecials} {
		for name, s := range group {
			specials[name] = s
		}
	}
}

var conditionals = map[string]special{
	"coalesce": {1, -1, coalesce}, "nvl": {2, 2, coalesce}, "ifnull": {2, 2, coalesce},
	"nvl2": {3, 3, func(in *binder, fn string, a []Expr) (Expr, error) {
		return in.choice(fn, &Call{Fn: "isnotnull", Args: a[:1], T: types.Boolean}, a[1], a[2])
	}},
	"if":     {3, 3, ifCall},
	"iff":    {3, 3, ifCall},
	"nullif": {2, 2, nullif},
	"nullifzero": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		return nullif(in, fn, []Expr{a[0], &Literal{Value: int64(0), T: types.Integer}})
	}},
	"zeroifnull": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		return coalesce(in, fn, []Expr{a[0], &Literal{Value: int64(0), T: types.Integer}})
	}},
	"greatest": {2, -1, extreme}, "least": {2, -1, extreme},
	"typeof": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		return &Literal{Value: nullableType(a[0].Type()).String(), T: types.String}, nil
	}},
	"assert_true": {1, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		c, ok := in.plainCondition(a[0])
		if !ok {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		msg := Expr(&Literal{Value: "'" + a[0].String() + "' is not true!", T: types.String})
		if len(a) == 2 {
			msg = in.convert(a[1], types.String)
		}
		return &Call{Fn: fn, Args: []Expr{c, msg}, T: types.Void, Null: true}, nil
	}},
	"raise_error": {1, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		return &Call{Fn: fn, Args: []Expr{in.convert(a[0], types.String)}, T: types.Void, Null: true}, nil
	}},
	"hash":     {1, -1, hashCall(types.Integer)},
	"xxhash64": {1, -1, hashCall(types.Long)},
	"like":     {2, 3, likeCall}, "ilike": {2, 3, likeCall},
}

// hashCall is a hash of any arguments without maps, whose entries have no order.
func hashCall(t types.Type) func(*binder, string, []Expr) (Expr, error) {
	return func(in *binder, fn string, args []Expr) (Expr, error) {
		for _, a := range args {
			if hasMap(a.Type()) {
				return nil, bindErrorf("DATATYPE_MISMATCH.HASH_MAP_TYPE", "%s does not take maps: %s", fn, a)
			}
			if a.Type() == types.Variant {
				return nil, bindErrorf("DATATYPE_MISMATCH.HASH_VARIANT_TYPE", "%s does not take variants: %s", fn, a)
			}
		}
		return &Call{Fn: fn, Args: args, T: t, Null: true}, nil
	}
}

func coalesce(in *binder, _ string, args []Expr) (Expr, error) {
	t, err := in.unify("coalesce", args)
	if err != nil {
		return nil, err
	}
	null := true
	for _, a := range args {
		null = null && a.Nullable()
	}
	return &Call{Fn: "coalesce", Args: args, T: t, Null: null}, nil
}

func nullif(in *binder, _ string, a []Expr) (Expr, error) {
	eq, err := comparison(in, "=", []Expr{a[0], a[1]})
	if err != nil {
		return nil, err
	}
	return &Case{Whens: []When{{eq, &Literal{T: a[0].Type()}}}, Else: a[0], T: a[0].Type()}, nil
}

func ifCall(in *binder, fn string, a []Expr) (Expr, error) {
	c, ok := in.plainCondition(a[0])
	if !ok {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	return in.choice(fn, c, a[1], a[2])
}

func (in *binder) choice(fn string, cond, yes, no Expr) (Expr, error) {
	list := []Expr{yes, no}
	t, err := in.unify(fn, list)
	if err != nil {
		return nil, err
	}
	return &Case{Whens: []When{{cond, list[0]}}, Else: list[1], T: t}, nil
}

func extreme(in *binder, fn string, args []Expr) (Expr, error) {
	t := types.Type(types.Void)
	for _, a := range args {
		if t = in.unpromoted(t, a.Type()); t == nil {
			return nil, bindErrorf("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "the values of %s have no common type: %s", fn, describeTypes(args))
		}
	}
	for i := range args {
		args[i] = in.convert(args[i], t)
	}
	if !orderable(t) {
		return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "%s cannot compare %s", fn, types.SQL(t))
	}
	null := true
	for _, a := range args {
		null = null && a.Nullable()
	}
	return &Call{Fn: fn, Args: args, T: t, Null: null}, nil
}

func likeCall(in *binder, fn string, args []Expr) (Expr, error) {
	if len(args) == 3 && !isText(args[2]) {
		return nil, bindErrorf("INVALID_ESCAPE_CHAR", "the escape of %s is a string of one character, not %s", fn, args[2])
	}
	for i, a := range args {
		if in.implicitArg(a.Type(), types.String) == nil {
			return nil, unexpectedInput(fn, i, a)
		}
		args[i] = in.convert(a, types.String)
	}
	return in.operator(fn, types.Boolean, args...), nil
}

// literalInt is the value of an integer literal, also under a cast or a sign.
func literalInt(e Expr) (int, bool) {
	switch x := e.(type) {
	case *Literal:
		switch v := x.Value.(type) {
		case int64:
			return int(v), !isInterval(x.T) && !isDatetime(x.T)
		case string:
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 32)
			return int(n), err == nil
		case float64:
			return int(v), v == v && v < 1<<31 && v > -1<<31
		case Decimal:
			n := new(big.Int).Quo(v.Unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(0, v.Scale))), nil))
			return int(n.Int64()), n.IsInt64() && v.Scale >= 0
		case nil:
			return 0, true
		}
	case *Cast:
		return literalInt(x.Arg)
	case *Call:
		if x.Fn == "neg" {
			n, ok := literalInt(x.Args[0])
			return -n, ok
		}
	}
	return 0, false
}

var mathSpecials = map[string]special{
	"abs": {1, 1, sameNumber},
	"positive": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		e, err := sameNumber(in, fn, a)
		if err != nil {
			return nil, err
		}
		return e.(*Call).Args[0], nil
	}},
	"sign": {1, 1, sign}, "signum": {1, 1, sign},
	"ceil": {1, 2, ceiling}, "ceiling": {1, 2, ceiling}, "floor": {1, 2, ceiling},
	"round": {1, 2, round}, "bround": {1, 2, round},
	"nanvl": {2, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		t := types.Type(types.Double)
		if a[0].Type() == types.Float && a[1].Type() == types.Float {
			t = types.Float
		}
		for i := range a {
			if in.argType('N', a[i].Type()) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], t)
		}
		if alwaysNull(a[0]) {
			return &Literal{T: t}, nil
		}
		return in.operator(fn, t, a...), nil
	}},
	"isnan": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		if in.argType('N', a[0].Type()) == nil {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		if a[0].Type() != types.Float {
			a[0] = in.convert(a[0], types.Double)
		}
		return &Call{Fn: fn, Args: a, T: types.Boolean}, nil
	}},
	"log": {1, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		for i := range a {
			if in.implicitArg(a[i].Type(), types.Double) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], types.Double)
		}
		if len(a) == 1 {
			fn = "ln"
		}
		return &Call{Fn: fn, Args: a, T: types.Double, Null: true}, nil
	}},
	"hex": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		switch t := a[0].Type(); {
		case t == types.String || t == types.Binary:
		case in.argType('Z', t) != nil || types.IsNumeric(t):
			a[0] = in.convert(a[0], types.Long)
		case in.implicitArg(t, types.String) != nil:
			a[0] = in.convert(a[0], types.String)
		default:
			return nil, unexpectedInput(fn, 0, a[0])
		}
		return in.operator(fn, types.String, a...), nil
	}},
	"bit_count": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		if t := a[0].Type(); t != types.Boolean {
			if in.argType('Z', t) == nil {
				return nil, unexpectedInput(fn, 0, a[0])
			}
			a[0] = in.convert(a[0], types.Long)
		}
		return in.operator(fn, types.Integer, a...), nil
	}},
	"bit_get": {2, 2, bitGet}, "getbit": {2, 2, bitGet},
	"width_bucket": {4, 4, func(in *binder, fn string, a []Expr) (Expr, error) {
		intervals := 0
		for _, e := range a[:3] {
			if isInterval(e.Type()) && e.Type().Kind() == a[0].Type().Kind() {
				intervals++
			} else if isInterval(e.Type()) {
				intervals = 4
			}
		}
		if intervals != 0 && intervals != 3 {
			return nil, bindErrorf("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "the values of %s have no common type: %s", fn, describeTypes(a[:3]))
		}
		for i, want := range []types.Type{types.Double, types.Double, types.Double, types.Long} {
			if i < 3 && intervals == 3 {
				continue
			}
			if in.implicitArg(a[i].Type(), want) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], want)
		}
		return &Call{Fn: fn, Args: a, T: types.Long, Null: true}, nil
	}},
}

func bitGet(in *binder, _ string, a []Expr) (Expr, error) {
	if in.argType('Z', a[0].Type()) == nil {
		return nil, unexpectedInput("bit_get", 0, a[0])
	}
	if !types.IsIntegral(a[0].Type()) {
		a[0] = in.convert(a[0], types.Long)
	}
	if in.implicitArg(a[1].Type(), types.Integer) == nil {
		return nil, unexpectedInput("bit_get", 1, a[1])
	}
	return in.operator("bit_get", types.Byte, a[0], in.convert(a[1], types.Integer)), nil
}

func sameNumber(in *binder, fn string, a []Expr) (Expr, error) {
	t := in.argType('N', a[0].Type())
	if isInterval(a[0].Type()) {
		t = a[0].Type()
	}
	if t == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	return in.operator(fn, t, in.convert(a[0], t)), nil
}

func sign(in *binder, _ string, a []Expr) (Expr, error) {
	if isInterval(a[0].Type()) {
		return in.operator("signum", types.Double, a[0]), nil
	}
	if in.implicitArg(a[0].Type(), types.Double) == nil {
		return nil, unexpectedInput("signum", 0, a[0])
	}
	return in.operator("signum", types.Double, in.convert(a[0], types.Double)), nil
}

// ceiling binds ceil and floor: a long, or a decimal; with a scale always a decimal.
func ceiling(in *binder, fn string, a []Expr) (Expr, error) {
	if fn == "ceiling" {
		fn = "ceil"
	}
	t := a[0].Type()
	if len(a) == 1 && in.argType('N', t) == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	if len(a) == 2 {
		if _, ok := literalInt(a[1]); !ok || a[1].Type() != types.Integer {
			return nil, bindErrorf("NON_FOLDABLE_ARGUMENT", "the scale of %s is a constant INT, not %s", fn, a[1])
		}
		if in.argType('N', t) == nil {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		if t == types.String || t == types.Void {
			a[0] = in.convert(a[0], types.Decimal{Precision: 38, Scale: 18})
		} else if !isDecimal(t) {
			a[0] = in.convert(a[0], decimalFor(t))
		}
		return round(in, fn, a)
	}
	switch {
	case isDecimal(t):
		d := t.(types.Decimal)
		if d.Scale > 0 {
			d = types.Decimal{Precision: min(d.Precision-d.Scale+1, 38)}
		}
		return in.operator(fn, d, a[0]), nil
	case types.IsIntegral(t):
		return in.operator(fn, types.Long, in.convert(a[0], types.Long)), nil
	}
	return in.operator(fn, types.Long, in.convert(a[0], types.Double)), nil
}

// round binds round and bround (and ceil, floor with a scale): RoundBase.dataType.
func round(in *binder, fn string, a []Expr) (Expr, error) {
	t := in.argType('N', a[0].Type())
	if t == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	scale := 0
	if len(a) == 2 {
		if in.implicitArg(a[1].Type(), types.Integer) == nil {
			return nil, unexpectedInput(fn, 1, a[1])
		}
		n, ok := literalInt(a[1])
		if !ok {
			return nil, bindErrorf("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the scale of %s is a constant, not %s", fn, a[1])
		}
		scale = n
	}
	if d, ok := t.(types.Decimal); ok {
		whole := d.Precision - d.Scale + 1
		if scale < 0 {
			t = types.Decimal{Precision: min(max(whole, -scale+1), 38)}
		} else {
			s := min(d.Scale, scale)
			t = types.Decimal{Precision: min(whole+s, 38), Scale: s}
		}
	}
	arg := a[0]
	if !isDecimal(a[0].Type()) {
		arg = in.convert(a[0], t)
	}
	if len(a) == 2 && alwaysNull(a[1]) {
		return &Literal{T: t}, nil
	}
	return in.operator(fn, t, arg, &Literal{Value: int64(scale), T: types.Integer}), nil
}

func hasMap(t types.Type) bool {
	switch t := t.(type) {
	case *types.Map:
		return true
	case *types.Array:
		return hasMap(t.Element)
	case *types.Struct:
		for _, f := range t.Fields {
			if hasMap(f.Type) {
				return true
			}
		}
	}
	return false
}
