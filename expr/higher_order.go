package expr

import "github.com/sluicelake/sluice/types"

// higherOrder are the functions that take a lambda. They are calls whose
// arguments hold a bound *Lambda.
var higherOrder map[string]func(*binder, *Call) (Expr, error)

func init() {
	higherOrder = map[string]func(*binder, *Call) (Expr, error){
		"transform": arrayLambda, "filter": arrayLambda, "exists": arrayLambda, "any": arrayLambda, "forall": arrayLambda, "array_sort": arrayLambda,
		"aggregate": aggregate, "reduce": aggregate, "zip_with": zipWith,
		"map_filter": mapLambda, "transform_keys": mapLambda, "transform_values": mapLambda, "map_zip_with": mapZipWith,
	}
}

// lambdaArgs is how many arguments, at least and at most, a function with lambdas takes.
var lambdaArgs = map[string][2]int{"transform": {2, 2}, "filter": {2, 2}, "exists": {2, 2}, "any": {2, 2}, "forall": {2, 2}, "array_sort": {1, 2},
	"aggregate": {3, 4}, "reduce": {3, 4}, "zip_with": {3, 3}, "map_filter": {2, 2}, "transform_keys": {2, 2}, "transform_values": {2, 2}, "map_zip_with": {3, 3}}

// lambda binds a lambda whose parameters have these types; the later ones may be left out.
func (b *binder) lambda(fn string, e Expr, least int, params ...*Var) (*Lambda, error) {
	l, ok := e.(*Lambda)
	if !ok { // a value that does not look at the elements
		l, least = &Lambda{Body: e}, 0
	}
	if len(l.Params) < least || len(l.Params) > len(params) {
		return nil, bindErrorf("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "the lambda of %s takes %d parameters, not %d", fn, least, len(l.Params))
	}
	vars := make([]*Var, len(l.Params))
	for i, name := range l.Params {
		vars[i] = &Var{Name: name, T: params[i].T, Null: params[i].Null}
	}
	b.vars = append(b.vars, vars)
	body, err := b.bind(l.Body)
	b.vars = b.vars[:len(b.vars)-1]
	if err != nil {
		return nil, err
	}
	return &Lambda{Params: l.Params, Vars: vars, Body: body}, nil
}

func (l *Lambda) condition(b *binder, fn string) error {
	c, ok := b.plainCondition(l.Body)
	if !ok {
		return unexpectedInput(fn, 1, l.Body)
	}
	l.Body = c
	return nil
}

func (b *binder) arrayArg(x *Call, i int) (Expr, *types.Array, error) {
	if len(x.Args) <= i {
		return nil, nil, wrongArgs(x.Fn, "more", len(x.Args))
	}
	a, err := b.bind(x.Args[i])
	if err != nil {
		return nil, nil, err
	}
	if a.Type() == types.Void {
		a = b.convert(a, &types.Array{Element: types.Void, ContainsNull: true})
	}
	t, ok := a.Type().(*types.Array)
	if !ok {
		return nil, nil, unexpectedInput(x.Fn, i, a)
	}
	return a, t, nil
}

func arrayLambda(b *binder, x *Call) (Expr, error) {
	a, t, err := b.arrayArg(x, 0)
	if err != nil {
		return nil, err
	}
	if len(x.Args) != 2 {
		return nil, wrongArgs(x.Fn, "2", len(x.Args))
	}
	el, index := &Var{T: t.Element, Null: t.ContainsNull}, &Var{T: types.Integer}
	if x.Fn == "array_sort" {
		l, err := b.lambda(x.Fn, x.Args[1], 2, el, el)
		if err != nil {
			return nil, err
		}
		l.Body = b.convert(l.Body, types.Integer)
		return &Call{Fn: x.Fn, Args: []Expr{a, l}, T: t, Null: a.Nullable()}, nil
	}
	params := []*Var{el}
	if x.Fn == "transform" || x.Fn == "filter" {
		params = append(params, index)
	}
	l, err := b.lambda(x.Fn, x.Args[1], 1, params...)
	if err != nil {
		return nil, err
	}
	out := &Call{Fn: x.Fn, Args: []Expr{a, l}, Null: true}
	switch x.Fn {
	case "transform":
		out.T = &types.Array{Element: l.Body.Type(), ContainsNull: l.Body.Nullable()}
		return out, nil
	case "filter":
		out.T = t
	default:
		if out.T = types.Boolean; x.Fn == "any" {
			out.Fn = "exists"
		}
	}
	return out, l.condition(b, x.Fn)
}

func aggregate(b *binder, x *Call) (Expr, error) {
	a, t, err := b.arrayArg(x, 0)
	if err != nil {
		return nil, err
	}
	if len(x.Args) != 3 && len(x.Args) != 4 {
		return nil, wrongArgs(x.Fn, "3 or 4", len(x.Args))
	}
	zero, err := b.bind(x.Args[1])
	if err != nil {
		return nil, err
	}
	acc := &Var{T: zero.Type(), Null: true}
	merge, err := b.lambda(x.Fn, x.Args[2], 2, acc, &Var{T: t.Element, Null: t.ContainsNull})
	if err != nil {
		return nil, err
	}
	if !types.SameIgnoringNullability(merge.Body.Type(), acc.T) {
		if b.tightest(merge.Body.Type(), acc.T) == nil || !types.SameIgnoringNullability(b.tightest(merge.Body.Type(), acc.T), acc.T) {
			return nil, bindErrorf("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "the merge of %s gives %s, its start is %s", x.Fn, types.SQL(merge.Body.Type()), types.SQL(acc.T))
		}
		merge.Body = b.convert(merge.Body, acc.T)
	}
	out := &Call{Fn: "aggregate", Args: []Expr{a, zero, merge}, T: acc.T, Null: true}
	if len(x.Args) == 4 {
		finish, err := b.lambda(x.Fn, x.Args[3], 1, acc)
		if err != nil {
			return nil, err
		}
		out.Args, out.T = append(out.Args, finish), finish.Body.Type()
	}
	return out, nil
}

func zipWith(b *binder, x *Call) (Expr, error) {
	a, ta, err := b.arrayArg(x, 0)
	if err != nil {
		return nil, err
	}
	c, tc, err := b.arrayArg(x, 1)
	if err != nil {
		return nil, err
	}
	if len(x.Args) != 3 {
		return nil, wrongArgs(x.Fn, "3", len(x.Args))
	}
	l, err := b.lambda(x.Fn, x.Args[2], 2, &Var{T: ta.Element, Null: true}, &Var{T: tc.Element, Null: true})
	if err != nil {
		return nil, err
	}
	return &Call{Fn: x.Fn, Args: []Expr{a, c, l}, T: &types.Array{Element: l.Body.Type(), ContainsNull: l.Body.Nullable()}, Null: true}, nil
}

func (b *binder) mapArg(x *Call, i int) (Expr, *types.Map, error) {
	if len(x.Args) <= i {
		return nil, nil, wrongArgs(x.Fn, "more", len(x.Args))
	}
	a, err := b.bind(x.Args[i])
	if err != nil {
		return nil, nil, err
	}
	t, ok := a.Type().(*types.Map)
	if !ok {
		return nil, nil, unexpectedInput(x.Fn, i, a)
	}
	return a, t, nil
}

func mapLambda(b *binder, x *Call) (Expr, error) {
	a, t, err := b.mapArg(x, 0)
	if err != nil {
		return nil, err
	}
	if len(x.Args) != 2 {
		return nil, wrongArgs(x.Fn, "2", len(x.Args))
	}
	l, err := b.lambda(x.Fn, x.Args[1], 2, &Var{T: t.Key}, &Var{T: t.Value, Null: t.ValueContainsNull})
	if err != nil {
		return nil, err
	}
	out := &Call{Fn: x.Fn, Args: []Expr{a, l}, Null: a.Nullable()}
	switch x.Fn {
	case "transform_keys":
		out.T = &types.Map{Key: l.Body.Type(), Value: t.Value, ValueContainsNull: t.ValueContainsNull}
	case "transform_values":
		out.T = &types.Map{Key: t.Key, Value: l.Body.Type(), ValueContainsNull: l.Body.Nullable()}
	default:
		out.T = t
		return out, l.condition(b, x.Fn)
	}
	return out, nil
}

func mapZipWith(b *binder, x *Call) (Expr, error) {
	a, ta, err := b.mapArg(x, 0)
	if err != nil {
		return nil, err
	}
	c, tc, err := b.mapArg(x, 1)
	if err != nil {
		return nil, err
	}
	k := b.tightest(ta.Key, tc.Key)
	if len(x.Args) != 3 || k == nil {
		return nil, unexpectedInput(x.Fn, 1, c)
	}
	l, err := b.lambda(x.Fn, x.Args[2], 3, &Var{T: k}, &Var{T: ta.Value, Null: true}, &Var{T: tc.Value, Null: true})
	if err != nil {
		return nil, err
	}
	a = b.convert(a, &types.Map{Key: k, Value: ta.Value, ValueContainsNull: ta.ValueContainsNull})
	c = b.convert(c, &types.Map{Key: k, Value: tc.Value, ValueContainsNull: tc.ValueContainsNull})
	return &Call{Fn: x.Fn, Args: []Expr{a, c, l}, T: &types.Map{Key: k, Value: l.Body.Type(), ValueContainsNull: l.Body.Nullable()}, Null: true}, nil
}
