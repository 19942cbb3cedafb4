package expr

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/types"
)

var textSpecials = map[string]special{
	"concat": {0, -1, concat},
	"reverse": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		if _, ok := a[0].Type().(*types.Array); !ok && a[0].Type() != types.Binary {
			if in.implicitArg(a[0].Type(), types.String) == nil {
				return nil, unexpectedInput(fn, 0, a[0])
			}
			a[0] = in.convert(a[0], types.String)
		}
		return in.operator(fn, a[0].Type(), a...), nil
	}},
	"lpad": {2, 3, pad}, "rpad": {2, 3, pad},
	"overlay": {3, 4, func(in *binder, fn string, a []Expr) (Expr, error) {
		if err := in.sameText(fn, a[:2]); err != nil {
			return nil, err
		}
		if len(a) == 3 {
			a = append(a, &Literal{Value: int64(-1), T: types.Integer})
		}
		for i := 2; i < 4; i++ {
			if in.implicitArg(a[i].Type(), types.Integer) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], types.Integer)
		}
		return in.operator(fn, a[0].Type(), a...), nil
	}},
	"startswith": {2, 2, textTest}, "endswith": {2, 2, textTest}, "contains": {2, 2, textTest},
	"concat_ws": {1, -1, func(in *binder, fn string, a []Expr) (Expr, error) {
		for i := range a {
			if arr, ok := a[i].Type().(*types.Array); ok && i > 0 {
				a[i] = in.convert(a[i], &types.Array{Element: types.String, ContainsNull: arr.ContainsNull})
				continue
			}
			if in.implicitArg(a[i].Type(), types.String) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], types.String)
		}
		return &Call{Fn: fn, Args: a, T: types.String, Null: a[0].Nullable()}, nil
	}},
	"elt": {2, -1, func(in *binder, fn string, a []Expr) (Expr, error) {
		if in.implicitArg(a[0].Type(), types.Integer) == nil {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		a[0] = in.convert(a[0], types.Integer)
		for i := 1; i < len(a); i++ {
			if types.IsNested(a[i].Type()) {
				return nil, unexpectedInput(fn, i, a[i])
			}
		}
		e, err := concat(in, "", a[1:])
		if err != nil {
			return nil, err
		}
		return &Call{Fn: fn, Args: append(a[:1:1], e.(*Call).Args...), T: e.Type(), Null: true}, nil
	}},
	"format_number": {2, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		t := in.argType('N', a[0].Type())
		if t == nil || a[0].Type() == types.String {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		a[0] = in.convert(a[0], t)
		if a[1].Type() != types.String {
			if in.implicitArg(a[1].Type(), types.Integer) == nil {
				return nil, unexpectedInput(fn, 1, a[1])
			}
			a[1] = in.convert(a[1], types.Integer)
		}
		return &Call{Fn: fn, Args: a, T: types.String, Null: true}, nil
	}},
	"to_char": {2, 2, toChar}, "to_varchar": {2, 2, toChar},
	"to_number": {2, 2, toNumber}, "try_to_number": {2, 2, toNumber},
	"mask": {1, 5, func(in *binder, fn string, a []Expr) (Expr, error) {
		for i := range a {
			if in.argType('e', a[i].Type()) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
		}
		for i := range a {
			if _, ok := a[i].(*Literal); !ok && i > 0 {
				if c, ok := a[i].(*Cast); !ok || !alwaysNull(c) {
					return nil, bindErrorf("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "what mask puts in is constant, not %s", a[i])
				}
			}
			a[i] = in.convert(a[i], types.String)
		}
		return &Call{Fn: fn, Args: a, T: types.String, Null: true}, nil
	}},
	"to_binary": {1, 2, toBinary}, "try_to_binary": {1, 2, toBinary},
	"str_to_map": {1, 3, func(in *binder, fn string, a []Expr) (Expr, error) {
		for i := range a {
			if in.argType('e', a[i].Type()) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], types.String)
		}
		return &Call{Fn: fn, Args: a, T: &types.Map{Key: types.String, Value: types.String, ValueContainsNull: true}, Null: true}, nil
	}},
	"from_csv": {2, 3, parseWithSchema}, "from_json": {2, 3, parseWithSchema},
	"to_json": {1, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		if err := optionMap(fn, a, 1); err != nil {
			return nil, err
		}
		if t := a[0].Type(); !types.IsNested(t) && t != types.Variant && t != types.Void {
			return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", "to_json writes structs, arrays, maps and variants, not %s", types.SQL(t))
		}
		return &Call{Fn: fn, Args: a, T: types.String, Null: true}, nil
	}},
	"to_csv": {1, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		if err := optionMap(fn, a, 1); err != nil {
			return nil, err
		}
		if a[0].Type() == types.Void {
			return &Literal{T: types.String}, nil
		}
		if _, ok := a[0].Type().(*types.Struct); !ok {
			return nil, bindErrorf("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "%s writes structs, not %s", fn, types.SQL(a[0].Type()))
		}
		return &Call{Fn: fn, Args: a, T: types.String, Null: true}, nil
	}},
	"decode": {2, -1, decodeCall},
	"to_variant_object": {1, 1, func(in *binder, fn string, a []Expr) (Expr, error) {
		if t := a[0].Type(); !types.IsNested(t) || !variantHolds(t, true) {
			return nil, castError(t, types.Variant, fn)
		}
		return &Call{Fn: fn, Args: a, T: types.Variant, Null: true}, nil
	}},
}

// decodeCall is decode(binary, charset), or the first of many results whose search
// value equals the first argument; NULL equals NULL.
func decodeCall(in *binder, fn string, a []Expr) (Expr, error) {
	if len(a) == 2 {
		return signature{name: "decode", args: "xs", required: 2, result: 's'}.bind(in, fn, a)
	}
	var results []Expr
	for i := 2; i < len(a); i += 2 {
		results = append(results, a[i])
	}
	if len(a)%2 == 0 {
		results = append(results, a[len(a)-1])
	}
	t, err := in.unify(fn, results)
	if err != nil {
		return nil, err
	}
	out := &Case{T: t, Else: &Literal{T: t}}
	for i := 1; i+1 < len(a); i += 2 {
		same, err := comparison(in, "<=>", []Expr{a[0], a[i]})
		if err != nil {
			return nil, err
		}
		out.Whens = append(out.Whens, When{same, results[i/2]})
	}
	if len(a)%2 == 0 {
		out.Else = results[len(results)-1]
	}
	return out, nil
}

// sameText makes texts all binary, or all strings.
func (in *binder) sameText(fn string, args []Expr) error {
	t := types.Type(types.Binary)
	for _, a := range args {
		if a.Type() != types.Binary {
			t = types.String
		}
	}
	for i, a := range args {
		if in.implicitArg(a.Type(), t) == nil {
			return unexpectedInput(fn, i, a)
		}
		args[i] = in.convert(a, t)
	}
	return nil
}

func textTest(in *binder, fn string, a []Expr) (Expr, error) {
	if err := in.sameText(fn, a); err != nil {
		return nil, err
	}
	return in.operator(fn, types.Boolean, a...), nil
}

// optionMap accepts a map of strings as the k-th argument, if there is one.
func optionMap(fn string, a []Expr, k int) error {
	if len(a) <= k {
		return nil
	}
	switch t := a[k].Type().(type) {
	case *types.Map:
		if (t.Key == types.String || t.Key == types.Void) && (t.Value == types.String || t.Value == types.Void) {
			return nil
		}
		return bindErrorf("INVALID_OPTIONS.NON_STRING_TYPE", "the options of %s are a map of strings, not %s", fn, types.SQL(t))
	}
	return bindErrorf("INVALID_OPTIONS.NON_MAP_FUNCTION", "the options of %s are a map of strings, as in map('mode', 'FAILFAST'), not %s", fn, a[k])
}

// toBinary reads hex (unless another format is given), base64 or utf-8.
func toBinary(in *binder, fn string, a []Expr) (Expr, error) {
	if in.implicitArg(a[0].Type(), types.String) == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	a[0] = in.convert(a[0], types.String)
	if len(a) == 2 {
		f, ok := literalText(a[1])
		if _, constant := constantUnder(a[1]); !constant {
			return nil, bindErrorf("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the format of %s is a constant, not %s", fn, a[1])
		}
		switch {
		case alwaysNull(a[1]), fn == "try_to_binary", ok && (f == "HEX" || f == "BASE64" || f == "UTF-8" || f == "UTF8"):
		default:
			return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_ARG_VALUE", "the format of %s is hex, utf-8 or base64, not %q", fn, f)
		}
	}
	if len(a) == 2 {
		a[1] = in.convert(a[1], types.String)
	}
	return &Call{Fn: fn, Args: a, T: types.Binary, Null: true}, nil
}

func pad(in *binder, fn string, a []Expr) (Expr, error) {
	if in.implicitArg(a[1].Type(), types.Integer) == nil {
		return nil, unexpectedInput(fn, 1, a[1])
	}
	texts := []Expr{a[0]}
	if len(a) == 3 {
		texts = append(texts, a[2])
	}
	if err := in.sameText(fn, texts); err != nil {
		return nil, err
	}
	if len(texts) == 1 {
		fill := &Literal{Value: " ", T: types.String}
		if texts[0].Type() == types.Binary {
			fill = &Literal{Value: []byte{0}, T: types.Binary}
		}
		texts = append(texts, fill)
	}
	return in.operator(fn, texts[0].Type(), texts[0], in.convert(a[1], types.Integer), texts[1]), nil
}

func toChar(in *binder, _ string, a []Expr) (Expr, error) {
	t := a[0].Type()
	switch {
	case isDatetime(t):
		return signatures["date_format"].bind(in, "date_format", a)
	case types.IsNumeric(t) || t == types.String || t == types.Void:
		if !isDecimal(t) {
			if t == types.String || t == types.Void {
				a[0] = in.convert(a[0], types.Decimal{Precision: 38, Scale: 18})
			} else {
				a[0] = in.convert(a[0], decimalFor(t))
			}
		}
	case t == types.Binary:
		lit, ok := constantUnder(a[1])
		if !ok {
			return nil, bindErrorf("NON_FOLDABLE_ARGUMENT", "the format of to_char is a constant, not %s", a[1])
		}
		switch f, _ := lit.Value.(string); strings.ToLower(f) {
		case "base64", "hex", "utf-8":
			return &Call{Fn: "to_char", Args: a, T: types.String, Null: true}, nil
		}
		return nil, bindErrorf("INVALID_PARAMETER_VALUE.BINARY_FORMAT", "the format of to_char for a binary is base64, hex or utf-8, not %s", lit)
	default:
		return nil, unexpectedInput("to_char", 0, a[0])
	}
	_, format, err := in.numberFormatArg("to_char", a[1])
	if err != nil {
		return nil, err
	}
	if alwaysNull(format) {
		return &Literal{T: types.String}, nil
	}
	a[1] = format
	return &Call{Fn: "to_char", Args: a, T: types.String, Null: true}, nil
}

// toNumber has the precision and scale that its format spells.
func toNumber(in *binder, fn string, a []Expr) (Expr, error) {
	format, arg, err := in.numberFormatArg(fn, a[1])
	if err != nil {
		return nil, err
	}
	if alwaysNull(arg) {
		return &Literal{T: types.Decimal{Precision: 10}}, nil
	}
	a[1], format = arg, strings.ToUpper(format)
	whole, frac, _ := strings.Cut(strings.ReplaceAll(format, "D", "."), ".")
	count := func(s string) int { return strings.Count(s, "9") + strings.Count(s, "0") }
	d := types.Decimal{Precision: min(38, max(1, count(whole)+count(frac))), Scale: count(frac)}
	if in.implicitArg(a[0].Type(), types.String) == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	return &Call{Fn: fn, Args: []Expr{in.convert(a[0], types.String), a[1]}, T: d, Null: true}, nil
}

// parseWithSchema binds from_csv and from_json, whose second argument is a schema in DDL.
func parseWithSchema(in *binder, fn string, a []Expr) (Expr, error) {
	lit, ok := a[1].(*Literal)
	text := ""
	if ok {
		text, ok = lit.Value.(string)
	}
	if !ok {
		return nil, bindErrorf("INVALID_SCHEMA.NON_STRING_LITERAL", "the schema of %s is a string literal, not %s", fn, a[1])
	}
	if err := optionMap(fn, a, 2); err != nil {
		return nil, err
	}
	t, err := types.ParseDataType(text)
	if err != nil || fn == "from_csv" {
		s, err := types.ParseDDL(text)
		if err != nil {
			return nil, bindErrorf("PARSE_SYNTAX_ERROR", "the schema of %s: %v", fn, err)
		}
		t = s
	}
	if in.argType('e', a[0].Type()) == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	a[0] = in.convert(a[0], types.String)
	return &Call{Fn: fn, Args: a, T: nullableType(t), Null: true}, nil
}

var variants = map[string]special{
	"path": {2, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		if a[0].Type() != types.Variant {
			return nil, bindErrorf("COLUMN_IS_NOT_VARIANT_TYPE", "a path with : reads a variant, not %s", types.SQL(a[0].Type()))
		}
		return &Call{Fn: "variant_get", Args: a, T: types.Variant, Null: true}, nil
	}},
	"variant_get": {2, 3, variantGet}, "try_variant_get": {2, 3, variantGet},
}

func variantGet(in *binder, fn string, a []Expr) (Expr, error) {
	t := types.Type(types.Variant)
	if len(a) == 3 {
		lit, ok := a[2].(*Literal)
		text := ""
		if ok {
			text, ok = lit.Value.(string)
		}
		if !ok {
			return nil, bindErrorf("INVALID_SCHEMA.NON_STRING_LITERAL", "the type of %s is a string literal", fn)
		}
		var err error
		if t, err = types.ParseDataType(text); err != nil {
			return nil, bindErrorf("PARSE_SYNTAX_ERROR", "the type of %s: %s", fn, fmt.Sprint(err))
		}
	}
	if in.argType('v', a[0].Type()) == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	if in.argType('e', a[1].Type()) == nil {
		return nil, unexpectedInput(fn, 1, a[1])
	}
	return &Call{Fn: fn, Args: a[:2], T: t, Null: true}, nil
}

// constantUnder is the literal that an expression is, or that is cast.
func constantUnder(e Expr) (*Literal, bool) {
	for {
		switch x := e.(type) {
		case *Literal:
			return x, true
		case *Cast:
			e = x.Arg
		case *Call:
			if x.Fn != "parse_json" {
				return nil, false
			}
			e = x.Args[0]
		default:
			return nil, false
		}
	}
}
