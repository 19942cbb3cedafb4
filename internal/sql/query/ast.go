package query

import "github.com/sluicelake/sluice/expr"

// Query is a query expression: a body with what stands before and behind it.
type Query struct {
	With   []CTE
	Body   Body
	Order  []Order
	Limit  expr.Expr // nil: all rows
	Offset expr.Expr
	Text   string // as written
}

// CTE is one name of WITH.
type CTE struct {
	Name    string
	Columns []string
	Query   *Query
}

// Body is a Select, Values, Set or Query.
type Body interface{ body() }

// Select is one SELECT.
type Select struct {
	Distinct bool
	Items    []Item
	From     []Source // joined by commas; none is one row without columns
	Views    []LateralView
	Where    expr.Expr
	Group    []expr.Expr
	Sets     [][]expr.Expr // GROUPING SETS; nil for none
	GroupAll bool
	Having   expr.Expr
	Windows  []NamedWindow
}

// NamedWindow is one window of the WINDOW clause.
type NamedWindow struct {
	Name string
	Over expr.Over
}

// LateralView is LATERAL VIEW [OUTER] call table AS columns.
type LateralView struct {
	Call  *expr.Call
	Outer bool
	As    Alias
}

// Item is an expression of a SELECT list. A star may leave out columns; a generator
// may have several names.
type Item struct {
	Expr   expr.Expr
	Alias  string
	Names  []string
	Except []string
}

// Order is a sort key.
type Order struct {
	Expr       expr.Expr
	Desc       bool
	NullsFirst bool
}

// Values is an inline table. A row that is no row constructor is one value.
type Values struct{ Rows [][]expr.Expr }

// Set combines the rows of two queries.
type Set struct {
	Op          SetOp
	All         bool
	Left, Right Body
}

// SetOp is UNION, INTERSECT or EXCEPT.
type SetOp uint8

// The set operations.
const (
	Union SetOp = iota
	Intersect
	Except
)

func (o SetOp) String() string { return [...]string{"UNION", "INTERSECT", "EXCEPT"}[o] }

func (*Select) body() {}
func (*Values) body() {}
func (*Set) body()    {}
func (*Query) body()  {}

// Source is one relation of FROM: a TableRef, Derived, FunctionRef or Join.
type Source interface{ source() }

// TableRef names a table, a view or a CTE.
type TableRef struct {
	Name      []string
	Version   expr.Expr // VERSION AS OF
	Timestamp expr.Expr // TIMESTAMP AS OF
	As        Alias
}

// Derived is a query or an inline table in FROM.
type Derived struct {
	Query *Query
	As    Alias
}

// FunctionRef is a call of a table-valued function. Lateral ones read the columns of
// the relations before them.
type FunctionRef struct {
	Lateral bool
	Name    string
	Args    []expr.Expr
	As      Alias
}

// Join is two relations joined.
type Join struct {
	Kind        JoinKind
	Left, Right Source
	On          expr.Expr
	Using       []string
	Natural     bool
	As          Alias // of the whole, when in parentheses
}

// Alias renames a relation and, if Columns is not empty, its columns.
type Alias struct {
	Name    string
	Columns []string
}

// JoinKind says which rows a join gives.
type JoinKind uint8

// The kinds of joins. Cross is an inner join without a condition.
const (
	Inner JoinKind = iota
	Cross
	Left
	Right
	Full
	Semi
	Anti
)

func (*TableRef) source()    {}
func (*Derived) source()     {}
func (*FunctionRef) source() {}
func (*Join) source()        {}
