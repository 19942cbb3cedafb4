package expr

import (
	"strings"
	"time"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// Bind resolves names and types. The result is a new tree in which every column
// has its ordinal, every node its type and every conversion that Spark would do
// by itself is an implicit Cast.
func Bind(e Expr, s Scope) (Expr, error) {
	if s.Options.Now.IsZero() {
		s.Options.Now = time.Now()
	}
	if err := unknownFunction(e); err != nil {
		return nil, err
	}
	b := &binder{scope: s}
	bound, err := b.bind(e)
	if err != nil {
		return nil, err
	}
	return settle(bound, s.Options.session()), nil
}

// BindAssign binds an expression whose value is stored in a column of the target
// type: the outermost node is a cast in the way of Spark's store assignment.
func BindAssign(e Expr, s Scope, target types.Type, columnName string) (Expr, error) {
	bound, err := Bind(e, s)
	if err != nil {
		return nil, err
	}
	return AssignTo(bound, target, columnName, s.Options)
}

// AssignTo is BindAssign for a tree that is bound already.
func AssignTo(bound Expr, target types.Type, columnName string, o Options) (Expr, error) {
	from := bound.Type()
	if types.SameIgnoringNullability(from, target) {
		return bound, nil
	}
	if !castable(nullableType(from), nullableType(target)) {
		return nil, castError(from, target, columnName)
	}
	if lit, ok := bound.(*Literal); ok && lit.Value == nil {
		return &Literal{T: target}, nil
	}
	return &Cast{Arg: bound, To: target, Implicit: true, Assign: columnName, In: o.store()}, nil
}

// AssignByName is AssignTo that matches the fields of structs, at every depth,
// by their names without regard to case, not by their place. A field that the
// value lacks is NULL if missing allows that.
func AssignByName(bound Expr, target types.Type, columnName string, missing bool, o Options) (Expr, error) {
	from := bound.Type()
	if types.SameIgnoringNullability(from, target) || !types.IsNested(from) {
		return AssignTo(bound, target, columnName, o)
	}
	switch {
	case castableByName(nullableType(from), nullableType(target), missing):
	case mismatched(from, target, true):
		return nil, bindErrorf("DELTA_METADATA_MISMATCH", "%s: %s has fields that %s has not", quoteName(columnName), types.SQL(from), types.SQL(target))
	case mismatched(from, target, missing):
		return nil, bindErrorf("DELTA_INSERT_COLUMN_ARITY_MISMATCH", "not enough fields for %s: %s for %s", quoteName(columnName), types.SQL(from), types.SQL(target))
	default:
		return nil, castError(from, target, columnName)
	}
	return &Cast{Arg: bound, To: target, Implicit: true, Assign: columnName, ByName: true, In: o.store()}, nil
}

// nullableType makes every part of a nested type nullable: a store is checked for NULL later.
func nullableType(t types.Type) types.Type {
	switch x := t.(type) {
	case *types.Array:
		return &types.Array{Element: nullableType(x.Element), ContainsNull: true}
	case *types.Map:
		return &types.Map{Key: nullableType(x.Key), Value: nullableType(x.Value), ValueContainsNull: true}
	case *types.Struct:
		out := &types.Struct{Fields: make([]types.Field, len(x.Fields))}
		for i, f := range x.Fields {
			out.Fields[i] = types.Field{Name: f.Name, Type: nullableType(f.Type), Nullable: true}
		}
		return out
	}
	return t
}

type binder struct {
	scope Scope
	vars  [][]*Var // parameters of the lambdas around, innermost last
}

func (b *binder) bind(e Expr) (Expr, error) {
	switch x := e.(type) {
	case *Literal:
		return b.scope.Options.instant(x), nil
	case *Column:
		return b.column(x)
	case *Field:
		base, err := b.bind(x.Base)
		if err != nil {
			return nil, err
		}
		return extract(base, x.Name)
	case *Cast:
		return b.cast(x)
	case *Case:
		return b.caseExpr(x)
	case *Call:
		return b.call(x)
	case *Named:
		return b.bind(x.Arg)
	case *Var:
		return x, nil
	case *Star:
		return nil, bindErrorf("INVALID_USAGE_OF_STAR_OR_REGEX", "* is no value here")
	case *Subquery:
		return nil, bindErrorf("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY", "a subquery is not supported here: %s", x)
	case *Window:
		return nil, bindErrorf("UNSUPPORTED_EXPR_FOR_WINDOW", "a window function is a value of SELECT and of ORDER BY alone: %s", x)
	case *Aggregate:
		if IsAggregate(x.Fn) {
			return nil, bindErrorf("MISSING_GROUP_BY", "%s is an aggregate: it is no value of a single row", x)
		}
		return nil, bindErrorf("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "DISTINCT, FILTER and IGNORE NULLS belong to aggregate functions: %s", x)
	case *Lambda:
		return nil, bindErrorf("INVALID_LAMBDA_FUNCTION_CALL", "a lambda is only an argument of a higher-order function: %s", x)
	}
	return nil, bindErrorf("INTERNAL_ERROR", "an unknown kind of expression: %T", e)
}

func (b *binder) column(x *Column) (Expr, error) {
	if x.Ref >= 0 && x.T != nil {
		return x, nil
	}
	for i := len(b.vars) - 1; i >= 0; i-- {
		for _, v := range b.vars[i] {
			if strings.EqualFold(v.Name, x.Parts[0]) {
				return extractAll(v, x.Parts[1:])
			}
		}
	}
	m, err := b.scope.resolve(x.Parts)
	if err != nil {
		if len(x.Parts) == 1 {
			if e, ok := b.current(strings.ToLower(x.Parts[0])); ok {
				return e, nil
			}
		}
		return nil, err
	}
	f := m.table.Schema.Fields[m.index]
	c := &Column{Parts: x.Parts[:len(x.Parts)-len(m.rest)], Ref: m.table.Base + m.index, T: f.Type, Null: f.Nullable}
	return extractAll(c, m.rest)
}

func extractAll(e Expr, names []string) (Expr, error) {
	for _, n := range names {
		var err error
		if e, err = extract(e, n); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// extract is base.name: a member of a struct, of every struct of an array, or a key of a map.
func extract(base Expr, name string) (Expr, error) {
	switch t := base.Type().(type) {
	case *types.Struct:
		i, err := fieldIndex(t, name)
		if err != nil {
			return nil, err
		}
		return &Field{Base: base, Name: t.Fields[i].Name, Index: i, T: t.Fields[i].Type}, nil
	case *types.Array:
		if s, ok := t.Element.(*types.Struct); ok {
			i, err := fieldIndex(s, name)
			if err != nil {
				return nil, err
			}
			out := &types.Array{Element: s.Fields[i].Type, ContainsNull: t.ContainsNull || s.Fields[i].Nullable}
			return &Field{Base: base, Name: s.Fields[i].Name, Index: i, T: out}, nil
		}
	case *types.Map:
		if t.Key == types.String {
			return &Call{Fn: "element", Args: []Expr{base, &Literal{Value: name, T: types.String}}, T: t.Value, Null: true}, nil
		}
	}
	return nil, bindErrorf("INVALID_EXTRACT_BASE_FIELD_TYPE", "cannot take %s out of %s, which is %s and no struct, array or map",
		quoteName(name), base, types.SQL(base.Type()))
}

func fieldIndex(s *types.Struct, name string) (int, error) {
	found := -1
	for i, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			if found >= 0 {
				return 0, bindErrorf("AMBIGUOUS_REFERENCE_TO_FIELDS", "the field %s is ambiguous", quoteName(name))
			}
			found = i
		}
	}
	if found < 0 {
		e := bindErrorf("FIELD_NOT_FOUND", "no field is called %s", quoteName(name))
		e.Candidates = s.Names()
		return 0, e
	}
	return found, nil
}

func (b *binder) cast(x *Cast) (Expr, error) {
	arg, err := b.bind(x.Arg)
	if err != nil {
		return nil, err
	}
	if !b.castable(arg.Type(), x.To, x.Try || x.Assign != "") {
		return nil, b.castError(arg.Type(), x.To, (&Cast{Arg: arg, To: x.To, Try: x.Try}).String(), x.Try)
	}
	if lit, ok := b.specialTime(arg, x.To); ok {
		return lit, nil
	}
	c := *x
	c.Arg, c.In = arg, b.scope.Options.session()
	return &c, nil
}

// specialDays are the words for times, and how many days from today they are.
var specialDays = map[string]int64{"epoch": 0, "now": 0, "today": 0, "yesterday": -1, "tomorrow": 1}

// specialTime replaces the words epoch, now, today, yesterday and tomorrow that a
// constant string may spell for a date or timestamp (SpecialDatetimeValues).
func (b *binder) specialTime(e Expr, to types.Type) (Expr, bool) {
	lit, ok := e.(*Literal)
	if !ok || !isDatetime(to) {
		return nil, false
	}
	word, ok := lit.Value.(string)
	if !ok {
		return nil, false
	}
	o := b.scope.Options
	at := func(local int64) int64 {
		if to == types.Timestamp {
			return civil.Instant(local, zone(o.TimeZone))
		}
		return local
	}
	today, _ := civil.Split(o.local())
	switch word = strings.ToLower(strings.TrimSpace(word)); word {
	case "epoch":
		return &Literal{Value: int64(0), T: to}, true
	case "now":
		if to == types.Date {
			return &Literal{Value: today, T: to}, true
		}
		if to == types.Timestamp {
			return &Literal{Value: civil.Micros(o.Now), T: to}, true
		}
		return &Literal{Value: o.local(), T: to}, true
	case "today", "yesterday", "tomorrow":
		v := today + specialDays[word]
		if to != types.Date {
			v = at(v * civil.MicrosPerDay)
		}
		return &Literal{Value: v, T: to}, true
	}
	return nil, false
}

// convert casts to a type unless it has it already.
func (b *binder) convert(e Expr, to types.Type) Expr {
	if types.SameIgnoringNullability(e.Type(), to) {
		return e
	}
	if lit, ok := e.(*Literal); ok && lit.Value == nil {
		return &Literal{T: to}
	}
	return &Cast{Arg: e, To: to, Implicit: true, In: b.scope.Options.session()}
}

func (b *binder) all(list []Expr) ([]Expr, error) {
	out := make([]Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = b.bind(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func typesOf(list []Expr) []types.Type {
	out := make([]types.Type, len(list))
	for i, e := range list {
		out[i] = e.Type()
	}
	return out
}

func anyNullable(list []Expr) bool {
	for _, e := range list {
		if e.Nullable() {
			return true
		}
	}
	return false
}

// unify casts a list to its common type.
func (b *binder) unify(what string, list []Expr) (types.Type, error) {
	t := b.widerOf(typesOf(list))
	if t == nil {
		return nil, bindErrorf("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "the values of %s have no common type: %s", what, describeTypes(list))
	}
	for i := range list {
		list[i] = b.convert(list[i], t)
	}
	return t, nil
}

func describeTypes(list []Expr) string {
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = types.SQL(e.Type())
	}
	return strings.Join(names, ", ")
}

func (b *binder) caseExpr(x *Case) (Expr, error) {
	list, err := b.all(children(x))
	if err != nil {
		return nil, err
	}
	var values []Expr
	for i := range x.Whens {
		values = append(values, list[2*i+1])
	}
	if x.Else != nil {
		values = append(values, list[len(list)-1])
	}
	t, err := b.unify("CASE", values)
	if err != nil {
		return nil, err
	}
	out := &Case{T: t}
	for i := range x.Whens {
		cond := list[2*i]
		if cond.Type() != types.Boolean {
			return nil, bindErrorf("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "WHEN needs a boolean, not %s: %s", types.SQL(cond.Type()), cond)
		}
		out.Whens = append(out.Whens, When{cond, values[i]})
	}
	if x.Else != nil {
		out.Else = values[len(values)-1]
	}
	return out, nil
}

// plainCondition accepts a boolean or an untyped NULL.
func (b *binder) plainCondition(e Expr) (Expr, bool) {
	if t := e.Type(); t != types.Boolean && t != types.Void {
		return e, false
	}
	return b.convert(e, types.Boolean), true
}

// asCondition accepts a boolean or an untyped NULL; a string converts.
func (b *binder) asCondition(e Expr) (Expr, bool) {
	if t := b.implicitArg(e.Type(), types.Boolean); t != nil {
		return b.convert(e, types.Boolean), true
	}
	return e, false
}
