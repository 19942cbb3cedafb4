package expr

import (
	"math/big"

	"github.com/sluicelake/sluice/types"
)

// Expr is a node of an expression. Type is nil until the tree is bound; String
// is SQL that parses back to the same tree.
type Expr interface {
	Type() types.Type
	String() string
	// Nullable is false only when the value of a bound node is never NULL.
	Nullable() bool
}

// Literal is a constant. Value is nil (NULL), bool, int64 (byte, short, integer,
// long, the days of a date, the microseconds of a timestamp or a day-time
// interval, the months of a year-month interval, the microseconds of a time),
// float64 (float, double), Decimal, string or []byte.
//
// Local says that the microseconds of a timestamp are a reading of the clock in
// the session's zone, as in a literal without zone; binding makes them an instant.
type Literal struct {
	Value any
	T     types.Type
	Local bool
}

// Decimal is the value of a decimal literal: Unscaled / 10^Scale.
type Decimal struct {
	Unscaled *big.Int
	Scale    int
}

// Column is a name before binding, and afterwards the top-level column with the
// ordinal Ref. Ref is -1 while unbound.
type Column struct {
	Parts []string
	Ref   int
	T     types.Type
	Null  bool
}

// NewColumn names a column that is still to be bound.
func NewColumn(parts ...string) *Column { return &Column{Parts: parts, Ref: -1} }

// Field takes a member out of a struct; over an array of structs it takes the
// member of every element (T is then an array).
type Field struct {
	Base  Expr
	Name  string
	Index int
	T     types.Type
}

// Call is an operator or a function under its lower-case name. Operators are
// spelled and, or, not, =, <=>, <>, <, <=, >, >=, +, -, *, /, %, div, ||, &, |,
// ^, ~, <<, >>, >>>, neg, isnull, isnotnull, istrue, isfalse, in, like, ilike,
// rlike, element (a[i]) and path (v:a.b).
type Call struct {
	Fn   string
	Args []Expr
	T    types.Type
	Null bool
	In   Session
}

// Cast converts to a type. Try gives NULL instead of an error; Implicit marks a
// cast that the binder added, which is not printed. Assign names the column
// when the cast stores a value in it (see BindAssign).
type Cast struct {
	Arg      Expr
	To       types.Type
	Try      bool
	Implicit bool
	Assign   string
	Overflow string // the error class of a value that does not fit, when Assign is set
	ByName   bool   // fields of structs convert by name; those that are not there are NULL
	In       Session
}

// When is one branch of a Case.
type When struct{ Cond, Then Expr }

// Case is a searched CASE; Else may be nil. A simple CASE is rewritten to it.
type Case struct {
	Whens []When
	Else  Expr
	T     types.Type
}

// Lambda is a function literal (x, y) -> body, an argument of a higher-order
// function. Bound parameters are Vars.
type Lambda struct {
	Params []string
	Vars   []*Var
	Body   Expr
}

// Var is a bound parameter of a lambda; its identity is the pointer.
type Var struct {
	Name string
	T    types.Type
	Null bool
}

// Star is * or t.*, as in count(*) and struct(*).
type Star struct{ Qualifier []string }

// Subquery is a query in parentheses or under EXISTS. Bind refuses it with its own
// error; who runs queries replaces it before.
type Subquery struct {
	Exists bool
	Text   string
	Query  any // what Parser.Queries made of it; nil without one
}

// Aggregate is a call with what only aggregate functions take: DISTINCT, FILTER
// (WHERE ...) and IGNORE NULLS. A call without any of them is a Call.
type Aggregate struct {
	Fn          string
	Args        []Expr
	Distinct    bool
	IgnoreNulls bool
	Filter      Expr // or nil
}

// Named is an argument or a struct member with an alias: struct(a AS b).
type Named struct {
	Arg  Expr
	Name string
}

func (e *Literal) Type() types.Type { return e.T }
func (e *Column) Type() types.Type  { return e.T }
func (e *Field) Type() types.Type   { return e.T }
func (e *Call) Type() types.Type    { return e.T }
func (e *Cast) Type() types.Type    { return e.To }
func (e *Case) Type() types.Type    { return e.T }
func (e *Var) Type() types.Type     { return e.T }
func (e *Named) Type() types.Type   { return e.Arg.Type() }

// Type is the type of the body.
func (e *Lambda) Type() types.Type { return e.Body.Type() }

// Type is nil: a star has no value of its own.
func (*Star) Type() types.Type { return nil }

// Type is nil: a subquery is never bound.
func (*Subquery) Type() types.Type { return nil }

// Type is nil: an aggregate is no value of a single row.
func (*Aggregate) Type() types.Type { return nil }

// Type is nil: a window function is no value of a single row.
func (*Window) Type() types.Type { return nil }

func (e *Literal) Nullable() bool { return e.Value == nil }
func (e *Column) Nullable() bool  { return e.Null }
func (e *Call) Nullable() bool    { return e.Null }
func (e *Var) Nullable() bool     { return e.Null }
func (e *Named) Nullable() bool   { return e.Arg.Nullable() }
func (e *Lambda) Nullable() bool  { return e.Body.Nullable() }
func (*Star) Nullable() bool      { return true }
func (*Subquery) Nullable() bool  { return true }
func (*Aggregate) Nullable() bool { return true }
func (*Window) Nullable() bool    { return true }

// Nullable is true when the argument can be NULL, or the conversion can give it.
func (e *Cast) Nullable() bool {
	return e.Try || e.Arg.Nullable() || e.In.Legacy && lossy(e.Arg.Type(), e.To)
}

// Nullable is true unless the struct and the member are both never NULL.
func (e *Field) Nullable() bool {
	if e.Base.Nullable() {
		return true
	}
	s, ok := e.Base.Type().(*types.Struct)
	return !ok || e.Index < 0 || e.Index >= len(s.Fields) || s.Fields[e.Index].Nullable
}

// Nullable is true when a branch can be NULL or no branch may apply.
func (e *Case) Nullable() bool {
	if e.Else == nil || e.Else.Nullable() {
		return true
	}
	for _, w := range e.Whens {
		if w.Then.Nullable() {
			return true
		}
	}
	return false
}
