package expr

import (
	"github.com/sluicelake/sluice/types"
)

var collections = map[string]special{
	"array": {0, -1, func(in *binder, fn string, a []Expr) (Expr, error) {
		t, err := in.unify(fn, a)
		return &Call{Fn: fn, Args: a, T: &types.Array{Element: t, ContainsNull: anyNullable(a)}}, err
	}},
	"map":            {0, -1, mapCall},
	"element_at":     {2, 2, elementAt},
	"try_element_at": {2, 2, elementAt},
	"get": {2, 2, withArray(func(in *binder, fn string, t *types.Array, a []Expr) (Expr, error) {
		if in.implicitArg(a[1].Type(), types.Integer) == nil {
			return nil, unexpectedInput(fn, 1, a[1])
		}
		return &Call{Fn: fn, Args: []Expr{a[0], in.convert(a[1], types.Integer)}, T: t.Element, Null: true}, nil
	})},
	"array_contains": {2, 2, searchArray(types.Boolean)}, "array_position": {2, 2, searchArray(types.Long)},
	"array_remove": {2, 2, searchArray(nil)},
	"array_append": {2, 2, growArray}, "array_prepend": {2, 2, growArray},
	"array_insert": {3, 3, func(in *binder, fn string, a []Expr) (Expr, error) {
		if _, ok := a[0].Type().(*types.Array); !ok {
			return nil, bindErrorf("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "%s needs an array, not %s", fn, types.SQL(a[0].Type()))
		}
		if t := a[1].Type(); !types.IsIntegral(t) || t == types.Long {
			return nil, unexpectedInput(fn, 1, a[1])
		}
		e, err := growArray(in, fn, []Expr{a[0], a[2]})
		if err != nil {
			return nil, err
		}
		c := e.(*Call)
		t := c.T.(*types.Array)
		return &Call{Fn: fn, Args: []Expr{c.Args[0], in.convert(a[1], types.Integer), c.Args[1]}, T: &types.Array{Element: t.Element, ContainsNull: true}, Null: true}, nil
	}},
	"array_compact": {1, 1, withArray(func(in *binder, fn string, t *types.Array, a []Expr) (Expr, error) {
		return in.operator(fn, &types.Array{Element: t.Element}, a...), nil
	})},
	"array_distinct": {1, 1, sameArray}, "shuffle": {1, 1, sameArray}, "array_sort": {1, 1, sameArray},
	"sort_array": {1, 2, sameArray},
	"array_max":  {1, 1, arrayElement}, "array_min": {1, 1, arrayElement},
	"array_union": {2, 2, twoArrays(nil)}, "array_intersect": {2, 2, twoArrays(nil)}, "array_except": {2, 2, twoArrays(nil)},
	"arrays_overlap": {2, 2, twoArrays(types.Boolean)},
	"arrays_zip":     {1, -1, arraysZip},
	"array_repeat": {2, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		if t := a[1].Type(); t != types.Integer && t != types.Void {
			return nil, unexpectedInput(fn, 1, a[1])
		}
		t := &types.Array{Element: a[0].Type(), ContainsNull: a[0].Nullable()}
		return &Call{Fn: fn, Args: []Expr{a[0], in.convert(a[1], types.Integer)}, T: t, Null: a[1].Nullable()}, nil
	}},
	"slice": {3, 3, withArray(func(in *binder, fn string, t *types.Array, a []Expr) (Expr, error) {
		for i := 1; i < 3; i++ {
			if in.implicitArg(a[i].Type(), types.Integer) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
		}
		return in.operator(fn, t, a[0], in.convert(a[1], types.Integer), in.convert(a[2], types.Integer)), nil
	})},
	"flatten": {1, 1, withArray(func(in *binder, fn string, t *types.Array, a []Expr) (Expr, error) {
		inner, ok := t.Element.(*types.Array)
		if !ok {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		return &Call{Fn: fn, Args: a, T: inner, Null: true}, nil
	})},
	"sequence": {2, 3, sequence},
	"size":     {1, 1, sizeOf}, "cardinality": {1, 1, sizeOf},
	"map_keys": {1, 1, withMap(func(in *binder, fn string, t *types.Map, a []Expr) (Expr, error) {
		return in.operator(fn, &types.Array{Element: t.Key}, a...), nil
	})},
	"map_values": {1, 1, withMap(func(in *binder, fn string, t *types.Map, a []Expr) (Expr, error) {
		return in.operator(fn, &types.Array{Element: t.Value, ContainsNull: t.ValueContainsNull}, a...), nil
	})},
	"map_entries": {1, 1, withMap(func(in *binder, fn string, t *types.Map, a []Expr) (Expr, error) {
		entry := types.NewStruct(types.Field{Name: "key", Type: t.Key}, types.Field{Name: "value", Type: t.Value, Nullable: t.ValueContainsNull})
		return in.operator(fn, &types.Array{Element: entry}, a...), nil
	})},
	"map_contains_key": {2, 2, withMap(func(in *binder, fn string, t *types.Map, a []Expr) (Expr, error) {
		if a[1].Type() == types.Void {
			return nil, bindErrorf("DATATYPE_MISMATCH.NULL_TYPE", "%s cannot look for an untyped NULL", fn)
		}
		k := in.elementType(t.Key, a[1].Type())
		if k == nil || mixed(t.Key, a[1].Type()) {
			return nil, bindErrorf("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", "%s cannot look for %s in %s", fn, types.SQL(a[1].Type()), types.SQL(t))
		}
		in0 := in.convert(a[0], &types.Map{Key: k, Value: t.Value, ValueContainsNull: t.ValueContainsNull})
		return in.operator(fn, types.Boolean, in0, in.convert(a[1], k)), nil
	})},
	"map_from_arrays": {2, 2, func(in *binder, fn string, a []Expr) (Expr, error) {
		a[0], a[1] = in.arrayOfVoid(a[0]), in.arrayOfVoid(a[1])
		k, ok1 := a[0].Type().(*types.Array)
		v, ok2 := a[1].Type().(*types.Array)
		if !ok1 || !ok2 {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		return in.operator(fn, &types.Map{Key: k.Element, Value: v.Element, ValueContainsNull: v.ContainsNull}, a...), nil
	}},
	"map_from_entries": {1, 1, withArray(func(in *binder, fn string, t *types.Array, a []Expr) (Expr, error) {
		s, ok := t.Element.(*types.Struct)
		if !ok || len(s.Fields) != 2 {
			return nil, unexpectedInput(fn, 0, a[0])
		}
		return in.operator(fn, &types.Map{Key: s.Fields[0].Type, Value: s.Fields[1].Type, ValueContainsNull: s.Fields[1].Nullable}, a...), nil
	})},
	"map_concat": {0, -1, func(in *binder, fn string, a []Expr) (Expr, error) {
		if len(a) == 0 {
			return in.operator("map", &types.Map{Key: types.String, Value: types.String}), nil
		}
		for _, e := range a {
			if _, ok := e.Type().(*types.Map); !ok {
				return nil, bindErrorf("DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES", "map_concat does not join %s", describeTypes(a))
			}
		}
		for _, e := range a[1:] {
			if mixed(a[0].Type().(*types.Map).Key, e.Type().(*types.Map).Key) {
				return nil, bindErrorf("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "the values of %s have no common type: %s", fn, describeTypes(a))
			}
		}
		t, err := in.unify(fn, a)
		return in.operator(fn, t, a...), err
	}},
	"explode": {1, 1, generator}, "explode_outer": {1, 1, generator}, "posexplode": {1, 1, generator}, "inline": {1, 1, generator}, "inline_outer": {1, 1, generator}, "posexplode_outer": {1, 1, generator}, "json_tuple": {2, -1, generator}, "stack": {1, -1, generator},
}

// generators are refused as values: they make several rows of one, or read what only
// a grouping by windows makes.
var generators = map[string]bool{"window_time": true, "explode": true, "explode_outer": true, "posexplode": true, "inline": true, "inline_outer": true, "stack": true, "posexplode_outer": true, "json_tuple": true}

// generator refuses functions that make several rows or columns of one.
func generator(in *binder, fn string, a []Expr) (Expr, error) {
	if fn == "explode" || fn == "explode_outer" {
		return nil, bindErrorf("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "%s makes several rows: it is no value", fn)
	}
	for _, e := range a {
		if fn == "json_tuple" && e.Type() != types.String {
			return nil, bindErrorf("DATATYPE_MISMATCH.NON_STRING_TYPE", "json_tuple takes strings, not %s", types.SQL(e.Type()))
		}
	}
	return nil, bindErrorf("UDTF_ALIAS_NUMBER_MISMATCH", "%s makes several columns: it is no value", fn)
}

func withArray(bind func(*binder, string, *types.Array, []Expr) (Expr, error)) func(*binder, string, []Expr) (Expr, error) {
	return func(in *binder, fn string, a []Expr) (Expr, error) {
		if fn == "array_compact" || fn == "slice" {
			a[0] = in.arrayOfVoid(a[0])
		}
		if t, ok := a[0].Type().(*types.Array); ok {
			return bind(in, fn, t, a)
		}
		if fn == "array_remove" {
			return nil, bindErrorf("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "%s needs an array, not %s", fn, types.SQL(a[0].Type()))
		}
		if a[0].Type() == types.Void && (fn == "array_contains" || fn == "array_position") {
			return nil, bindErrorf("DATATYPE_MISMATCH.NULL_TYPE", "%s cannot look into an untyped NULL", fn)
		}
		return nil, unexpectedInput(fn, 0, a[0])
	}
}

func withMap(bind func(*binder, string, *types.Map, []Expr) (Expr, error)) func(*binder, string, []Expr) (Expr, error) {
	return func(in *binder, fn string, a []Expr) (Expr, error) {
		if a[0].Type() == types.Void && fn != "map_contains_key" {
			a[0] = in.convert(a[0], &types.Map{Key: types.Void, Value: types.Void, ValueContainsNull: true})
		}
		if t, ok := a[0].Type().(*types.Map); ok {
			return bind(in, fn, t, a)
		}
		if fn == "map_contains_key" {
			return nil, bindErrorf("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", "%s needs a map, not %s", fn, types.SQL(a[0].Type()))
		}
		return nil, unexpectedInput(fn, 0, a[0])
	}
}

// arrayOfVoid makes an untyped NULL an array.
func (in *binder) arrayOfVoid(e Expr) Expr {
	if e.Type() == types.Void {
		return in.convert(e, &types.Array{Element: types.Void, ContainsNull: true})
	}
	return e
}

// sizeOf is size of an array or a map.
func sizeOf(in *binder, _ string, a []Expr) (Expr, error) {
	switch a[0].Type().(type) {
	case *types.Array, *types.Map:
	default:
		if a[0].Type() != types.Void {
			return nil, unexpectedInput("size", 0, a[0])
		}
	}
	return &Call{Fn: "size", Args: a, T: types.Integer, Null: true}, nil
}

func mapCall(in *binder, fn string, a []Expr) (Expr, error) {
	if len(a)%2 == 1 {
		return nil, wrongArgs(fn, "2n (n > 0)", len(a))
	}
	var keys, values []Expr
	for i := 0; i < len(a); i += 2 {
		keys, values = append(keys, a[i]), append(values, a[i+1])
	}
	k, err := in.unify("map keys", keys)
	if err != nil {
		return nil, bindErrorf("DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES", "the keys of a map have no common type: %s", describeTypes(keys))
	}
	v, err := in.unify("map values", values)
	if err != nil {
		return nil, bindErrorf("DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES", "the values of a map have no common type: %s", describeTypes(values))
	}
	if _, ok := k.(*types.Map); ok {
		return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "a map cannot be the key of a map: %s", types.SQL(k))
	}
	for i := range keys {
		a[2*i], a[2*i+1] = keys[i], values[i]
	}
	return &Call{Fn: fn, Args: a, T: &types.Map{Key: k, Value: v, ValueContainsNull: anyNullable(values)}}, nil
}

func elementAt(in *binder, fn string, a []Expr) (Expr, error) {
	switch t := a[0].Type().(type) {
	case *types.Array:
		if !types.IsIntegral(a[1].Type()) || a[1].Type() == types.Long {
			return nil, unexpectedInput(fn, 1, a[1])
		}
		return &Call{Fn: fn, Args: []Expr{a[0], in.convert(a[1], types.Integer)}, T: t.Element, Null: true}, nil
	case *types.Map:
		if in.implicitArg(a[1].Type(), t.Key) == nil || mixed(t.Key, a[1].Type()) {
			return nil, bindErrorf("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", "%s cannot look for %s in %s", fn, types.SQL(a[1].Type()), types.SQL(t))
		}
		return &Call{Fn: fn, Args: []Expr{a[0], in.convert(a[1], t.Key)}, T: t.Value, Null: true}, nil
	}
	return nil, unexpectedInput(fn, 0, a[0])
}

// searchArray binds functions that look for a value in an array; nil gives the array's type.
func searchArray(result types.Type) func(*binder, string, []Expr) (Expr, error) {
	return withArray(func(in *binder, fn string, t *types.Array, a []Expr) (Expr, error) {
		if a[1].Type() == types.Void && fn == "array_contains" {
			return nil, bindErrorf("DATATYPE_MISMATCH.NULL_TYPE", "%s cannot look for an untyped NULL", fn)
		}
		el := in.elementType(t.Element, a[1].Type())
		if fn != "array_contains" {
			el = in.narrowest(t.Element, a[1].Type())
		}
		if el == nil || mixed(t.Element, a[1].Type()) {
			return nil, bindErrorf("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "%s cannot look for %s in %s", fn, types.SQL(a[1].Type()), types.SQL(t))
		}
		if !orderable(el) {
			return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "%s cannot compare %s", fn, types.SQL(el))
		}
		list := &types.Array{Element: el, ContainsNull: t.ContainsNull}
		out := result
		if out == nil {
			out = list
		}
		return &Call{Fn: fn, Args: []Expr{in.convert(a[0], list), in.convert(a[1], el)}, T: out, Null: true}, nil
	})
}

// mixed says that one of two types has texts where the other has none: arrays and
// maps take no text for a number.
func mixed(a, b types.Type) bool {
	return a != types.Void && b != types.Void && hasString(a) != hasString(b)
}

func growArray(in *binder, fn string, a []Expr) (Expr, error) {
	t, ok := a[0].Type().(*types.Array)
	if !ok {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	el := in.elementType(t.Element, a[1].Type())
	if fn == "array_insert" {
		el = in.narrowest(t.Element, a[1].Type())
	}
	if el == nil || mixed(t.Element, a[1].Type()) {
		return nil, bindErrorf("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "%s cannot add %s to %s", fn, types.SQL(a[1].Type()), types.SQL(t))
	}
	list := &types.Array{Element: el, ContainsNull: t.ContainsNull || a[1].Nullable()}
	return in.operator(fn, list, in.convert(a[0], &types.Array{Element: el, ContainsNull: t.ContainsNull}), in.convert(a[1], el)).(*Call).nullIf(a[0]), nil
}

// nullIf makes a call NULL only when one argument is.
func (e *Call) nullIf(arg Expr) *Call {
	e.Null = arg.Nullable()
	return e
}

// narrowest is the tightest common type by the rules outside ANSI mode, which the
// older functions of arrays keep in every session.
func (in *binder) narrowest(a, b types.Type) types.Type {
	return (&binder{scope: Scope{Options: Options{Legacy: true}}}).tightest(a, b)
}

func sameArray(in *binder, fn string, a []Expr) (Expr, error) {
	if fn != "shuffle" && fn != "array_sort" {
		a[0] = in.arrayOfVoid(a[0])
	}
	if fn == "sort_array" && len(a) == 2 {
		_, constant := a[1].(*Literal)
		if t := a[1].Type(); constant && t != types.Boolean && t != types.Void {
			return nil, unexpectedInput(fn, 1, a[1])
		} else if !constant {
			return nil, bindErrorf("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the order of sort_array is a constant, not %s", a[1])
		}
		a[1] = in.convert(a[1], types.Boolean)
	}
	t, ok := a[0].Type().(*types.Array)
	if !ok {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	if fn != "shuffle" && !orderable(t) {
		return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "%s cannot compare %s", fn, types.SQL(t.Element))
	}
	return in.operator(fn, t, a...), nil
}

func arrayElement(in *binder, fn string, a []Expr) (Expr, error) {
	e, err := sameArray(in, fn, a)
	if err != nil {
		return nil, err
	}
	return &Call{Fn: fn, Args: a, T: e.Type().(*types.Array).Element, Null: true}, nil
}

func twoArrays(result types.Type) func(*binder, string, []Expr) (Expr, error) {
	return func(in *binder, fn string, a []Expr) (Expr, error) {
		t := in.elementType(a[0].Type(), a[1].Type())
		arr, ok := t.(*types.Array)
		if !ok || a[0].Type() == types.Void || a[1].Type() == types.Void {
			return nil, bindErrorf("DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES", "%s takes two arrays of one type, not %s", fn, describeTypes(a))
		}
		if !orderable(arr) {
			return nil, bindErrorf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "%s cannot compare %s", fn, types.SQL(arr.Element))
		}
		out := result
		if out == nil {
			out = arr
		}
		c := in.operator(fn, out, in.convert(a[0], arr), in.convert(a[1], arr)).(*Call)
		c.Null = true
		return c, nil
	}
}

func arraysZip(in *binder, fn string, a []Expr) (Expr, error) {
	s := &types.Struct{}
	for i := range a {
		a[i] = in.arrayOfVoid(a[i])
		e := a[i]
		t, ok := e.Type().(*types.Array)
		if !ok {
			return nil, unexpectedInput(fn, i, e)
		}
		name := itoa10(i)
		switch x := e.(type) {
		case *Column:
			name = x.Parts[len(x.Parts)-1]
		case *Field:
			name = x.Name
		}
		s.Fields = append(s.Fields, types.Field{Name: name, Type: t.Element, Nullable: true})
	}
	return in.operator(fn, &types.Array{Element: s}, a...), nil
}

func sequence(in *binder, fn string, a []Expr) (Expr, error) {
	t := in.tightest(a[0].Type(), a[1].Type())
	if t == nil && len(a) == 3 && isInterval(a[2].Type()) {
		t = stringPromotion(a[0].Type(), a[1].Type())
	}
	if t == nil || !(types.IsIntegral(t) || isDatetime(t)) || len(a) == 3 && isDatetime(t) && !isInterval(a[2].Type()) && a[2].Type() != types.CalendarInterval {
		return nil, bindErrorf("DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES", "sequence takes integers or dates, not %s", describeTypes(a))
	}
	if len(a) == 3 && types.IsIntegral(t) {
		if t = in.tightest(t, a[2].Type()); t == nil || !types.IsIntegral(t) {
			return nil, bindErrorf("DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES", "sequence takes integers or dates, not %s", describeTypes(a))
		}
		a[2] = in.convert(a[2], t)
	}
	a[0], a[1] = in.convert(a[0], t), in.convert(a[1], t)
	return in.operator(fn, &types.Array{Element: t}, a...), nil
}
