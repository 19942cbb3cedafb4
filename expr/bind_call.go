package expr

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// call binds an operator or a function by its name.
func (b *binder) call(x *Call) (Expr, error) {
	args, err := b.expand(x.Args)
	if err != nil {
		return nil, err
	}
	if len(args) != len(x.Args) || slices.ContainsFunc(x.Args, isStar) {
		x = &Call{Fn: x.Fn, Args: args}
	}
	if class := elsewhere[x.Fn]; class != "" {
		return nil, bindErrorf(class, "the function %s of Spark does not exist here as a value of a row", quoteName(x.Fn))
	}
	if fn, ok := higherOrder[x.Fn]; ok && (hasLambda(x.Args) || !alsoPlain(x.Fn)) {
		if n := lambdaArgs[x.Fn]; len(x.Args) < n[0] || len(x.Args) > n[1] {
			return nil, wrongArgs(x.Fn, itoa(n[0])+" to "+itoa(n[1]), len(x.Args))
		}
		return fn(b, x)
	}
	if aggregates[x.Fn] {
		return nil, bindErrorf("MISSING_GROUP_BY", "%s is an aggregate: it is no value of a single row", x)
	}
	if x.Fn == "struct" || x.Fn == "named_struct" {
		return b.structCall(x)
	}
	if len(x.Args) == 0 {
		if e, ok := b.current(x.Fn); ok {
			return e, nil
		}
	}
	for _, a := range x.Args {
		if _, ok := a.(*Subquery); ok {
			return nil, bindErrorf("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY", "a subquery is not supported here: %s", a)
		}
	}
	if args, err = b.all(x.Args); err != nil {
		return nil, err
	}
	if op, ok := operators[x.Fn]; ok {
		e, err := op(b, x.Fn, args)
		if c, ok := e.(*Call); ok && err == nil && propagates[c.Fn] && slices.ContainsFunc(c.Args, alwaysNull) {
			return &Literal{T: c.T}, nil
		}
		return e, err
	}
	if op, ok := operatorNames[x.Fn]; ok {
		if op.args != len(args) {
			return nil, wrongArgs(x.Fn, itoa(op.args), len(args))
		}
		return operators[op.fn](b, op.fn, args)
	}
	if to, ok := castNames[x.Fn]; ok {
		if len(args) != 1 {
			return nil, wrongArgs(x.Fn, "1", len(args))
		}
		return b.cast(&Cast{Arg: args[0], To: to})
	}
	if s, ok := specials[x.Fn]; ok {
		if len(args) < s.min || (s.max >= 0 && len(args) > s.max) {
			return nil, wrongArgs(x.Fn, "another number of", len(args))
		}
		return s.bind(b, x.Fn, args)
	}
	if s, ok := signatures[x.Fn]; ok {
		return s.bind(b, x.Fn, args)
	}
	return nil, noFunction(x.Fn)
}

// propagates are the operators that give NULL for a constant NULL without looking
// at the other side, which may fail.
var propagates = map[string]bool{"=": true, "<": true, "<=": true, ">": true, ">=": true, "<>": true, "+": true, "-": true, "*": true, "/": true, "%": true, "div": true, "&": true, "|": true, "^": true, "<<": true, ">>": true, ">>>": true}

// alwaysNull reports a NULL, or casts of one.
func alwaysNull(e Expr) bool {
	for {
		switch x := e.(type) {
		case *Literal:
			return x.Value == nil
		case *Cast:
			e = x.Arg
		default:
			return false
		}
	}
}

// noFunction names the functions that are written almost alike.
func noFunction(name string) *BindError {
	e := bindErrorf("UNRESOLVED_ROUTINE", "there is no function %s", quoteName(name))
	names := Functions()
	for fn := range castNames {
		names = append(names, fn)
	}
	for fn := range higherOrder {
		names = append(names, fn)
	}
	for fn := range aggregates {
		names = append(names, fn)
	}
	slices.Sort(names)
	most := 1 + len(name)/4
	for d := 1; d <= most && len(e.Candidates) < 3; d++ {
		for _, fn := range slices.Compact(names) {
			if distance(name, fn) == d {
				e.Candidates = append(e.Candidates, fn)
			}
		}
	}
	e.Candidates = e.Candidates[:min(3, len(e.Candidates))]
	return e
}

// operatorNames are functions that are operators under another name.
var operatorNames = map[string]struct {
	fn   string
	args int
}{
	"mod": {"%", 2}, "negative": {"neg", 1}, "equal_null": {"<=>", 2}, "shiftleft": {"<<", 2}, "shiftright": {">>", 2}, "shiftrightunsigned": {">>>", 2},
}

var castNames = map[string]types.Type{
	"boolean": types.Boolean, "tinyint": types.Byte, "smallint": types.Short, "int": types.Integer, "bigint": types.Long,
	"float": types.Float, "double": types.Double, "decimal": types.Decimal{Precision: 10}, "date": types.Date,
	"timestamp": types.Timestamp, "binary": types.Binary, "string": types.String,
}

var aggregates = map[string]bool{"count": true, "sum": true, "avg": true, "mean": true, "min": true, "max": true, "first": true, "last": true,
	"collect_list": true, "collect_set": true, "array_agg": true, "any_value": true, "first_value": true, "last_value": true, "count_if": true,
	"max_by": true, "min_by": true, "bool_and": true, "every": true, "bool_or": true, "any": true, "some": true, "approx_count_distinct": true,
	"stddev": true, "std": true, "stddev_samp": true, "stddev_pop": true, "variance": true, "var_samp": true, "var_pop": true}

// IsAggregate reports whether a function (in lower case) is a value of many rows.
func IsAggregate(name string) bool { return aggregates[name] }

// current gives the values that belong to the statement: they are constants.
func (b *binder) current(name string) (Expr, bool) {
	micros, local := civil.Micros(b.scope.Options.Now), b.scope.Options.local()
	days, _ := civil.Split(local)
	switch name {
	case "current_date", "curdate":
		return &Literal{Value: days, T: types.Date}, true
	case "current_timestamp", "now":
		return &Literal{Value: micros, T: types.Timestamp}, true
	case "localtimestamp":
		return &Literal{Value: local, T: types.TimestampNTZ}, true
	case "current_timezone":
		return &Literal{Value: b.scope.Options.zoneName(), T: types.String}, true
	case "unix_timestamp":
		return &Literal{Value: micros / 1_000_000, T: types.Long}, true
	}
	return nil, false
}

// structCall binds struct(a, b AS c) and named_struct('a', 1, ...).
func (b *binder) structCall(x *Call) (Expr, error) {
	out := &types.Struct{}
	var values []Expr
	add := func(name string, e Expr) error {
		bound, err := b.bind(e)
		if err != nil {
			return err
		}
		values = append(values, bound)
		out.Fields = append(out.Fields, types.Field{Name: name, Type: bound.Type(), Nullable: bound.Nullable()})
		return nil
	}
	if x.Fn == "struct" {
		for i, a := range x.Args {
			if err := add(memberName(a, i), a); err != nil {
				return nil, err
			}
		}
	} else {
		if len(x.Args)%2 == 1 {
			return nil, wrongArgs("named_struct", "2n (n > 0)", len(x.Args))
		}
		for i := 0; i < len(x.Args); i += 2 {
			name, ok := x.Args[i].(*Literal)
			text := ""
			if ok {
				text, ok = name.Value.(string)
			}
			if !ok {
				return nil, bindErrorf("DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "the names of named_struct are string literals, not %s", x.Args[i])
			}
			if err := add(text, x.Args[i+1]); err != nil {
				return nil, err
			}
		}
	}
	args := make([]Expr, 0, 2*len(values))
	for i, v := range values {
		args = append(args, &Literal{Value: out.Fields[i].Name, T: types.String}, v)
	}
	return &Call{Fn: "named_struct", Args: args, T: out}, nil
}

func memberName(e Expr, i int) string {
	switch x := e.(type) {
	case *Named:
		return x.Name
	case *Column:
		return x.Parts[len(x.Parts)-1]
	case *Field:
		return x.Name
	case *Call: // m['key']
		if x.Fn == "element" {
			if lit, ok := x.Args[1].(*Literal); ok && lit.T == types.String && lit.Value != nil {
				return lit.Value.(string)
			}
		}
	}
	return "col" + itoa10(i+1)
}

func itoa10(n int) string {
	if n < 10 {
		return itoa(n)
	}
	return itoa10(n/10) + itoa(n%10)
}

func hasLambda(args []Expr) bool {
	for _, a := range args {
		if _, ok := a.(*Lambda); ok {
			return true
		}
	}
	return false
}

// literalText is the value of a string literal in upper case.
func literalText(e Expr) (string, bool) {
	if lit, ok := e.(*Literal); ok {
		s, ok := lit.Value.(string)
		return strings.ToUpper(s), ok
	}
	return "", false
}

// Functions lists the names of the functions that take values, in no order.
func Functions() []string {
	var out []string
	for name := range signatures {
		out = append(out, name)
	}
	for name := range specials {
		if _, refused := generators[name]; !refused {
			out = append(out, name)
		}
	}
	for name := range operatorNames {
		out = append(out, name)
	}
	return out
}
