package eval

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
)

// Input is a batch: columns by ordinal, nil for those that are not loaded.
type Input struct {
	Columns []arrow.Array
	Rows    int
}

// Error is a failure that depends on a row: Class and SQLState are Spark's.
type Error struct {
	Class    string
	SQLState string
	Message  string
}

func (e *Error) Error() string {
	if e.Class == "" {
		return e.Message
	}
	return fmt.Sprintf("[%s] %s", e.Class, e.Message)
}

// Eval computes a bound expression: an array of the Arrow type of e.Type() with
// in.Rows rows. Year-month intervals are int32, day-time intervals and times of
// day int64.
func Eval(e expr.Expr, in Input) (out arrow.Array, err error) {
	defer columns.Caught(&err)
	f := &frame{cols: in.Columns, rows: in.Rows}
	return f.array(e)
}

// Filter lists the rows for which a bound condition is TRUE, ascending.
func Filter(e expr.Expr, in Input) (rows []int32, err error) {
	defer columns.Caught(&err)
	f := &frame{cols: in.Columns, rows: in.Rows}
	v, err := f.eval(e)
	if err != nil {
		return nil, err
	}
	return trueRows(v, in.Rows), nil
}

// Literal computes a bound expression that reads no column.
func Literal(e expr.Expr) (expr.Literal, error) {
	f := &frame{rows: 1}
	v, err := f.eval(e)
	if err != nil {
		return expr.Literal{}, err
	}
	return expr.Literal{Value: columns.Value(v.arr, 0), T: e.Type()}, nil
}

// vec is a column of values; konst says that the only value stands for every row.
type vec struct {
	arr   arrow.Array
	konst bool
}

// at is the position of a row's value.
func (v vec) at(i int) int {
	if v.konst {
		return 0
	}
	return i
}

func (v vec) null(i int) bool { return columns.IsNull(v.arr, v.at(i)) }

// frame is the batch that a node is computed over: the input, or some rows of
// another frame, whose columns are gathered when they are first read.
type frame struct {
	cols   []arrow.Array
	rows   int
	vars   map[*expr.Var]vec
	parent *frame
	sel    []int32 // rows of parent
}

// narrow is the frame of some rows.
func (f *frame) narrow(sel []int32) *frame {
	return &frame{rows: len(sel), parent: f, sel: sel, cols: make([]arrow.Array, f.width()), vars: map[*expr.Var]vec{}}
}

func (f *frame) width() int { return len(f.cols) }

func (f *frame) column(i int) (arrow.Array, error) {
	if i >= len(f.cols) || (f.parent == nil && f.cols[i] == nil) {
		return nil, fmt.Errorf("eval: column %d is not loaded", i)
	}
	if f.cols[i] == nil {
		whole, err := f.parent.column(i)
		if err != nil {
			return nil, err
		}
		f.cols[i] = columns.Take(whole, f.sel)
	}
	return f.cols[i], nil
}

func (f *frame) variable(x *expr.Var) (vec, error) {
	if v, ok := f.vars[x]; ok {
		return v, nil
	}
	if f.parent == nil {
		return vec{}, fmt.Errorf("eval: the parameter %s has no value here", x.Name)
	}
	v, err := f.parent.variable(x)
	if err != nil {
		return vec{}, err
	}
	if !v.konst {
		v.arr = columns.Take(v.arr, f.sel)
	}
	f.vars[x] = v
	return v, nil
}

// array computes a node with one value for each row.
func (f *frame) array(e expr.Expr) (arrow.Array, error) {
	if f.rows == 0 {
		dt, err := arrowType(e.Type())
		if err != nil {
			return nil, err
		}
		return columns.Nulls(dt, 0), nil
	}
	v, err := f.eval(e)
	if err != nil {
		return nil, err
	}
	return v.spread(f.rows), nil
}

// spread repeats a constant.
func (v vec) spread(n int) arrow.Array {
	if !v.konst || n == 1 {
		return v.arr
	}
	return columns.Take(v.arr, make([]int32, n))
}

func (f *frame) eval(e expr.Expr) (vec, error) {
	switch x := e.(type) {
	case *expr.Literal:
		a, err := fromValues(x.T, x.Value)
		return vec{a, true}, err
	case *expr.Column:
		a, err := f.column(x.Ref)
		return vec{a, false}, err
	case *expr.Var:
		return f.variable(x)
	case *expr.Field:
		return f.field(x)
	case *expr.Cast:
		v, err := f.eval(x.Arg)
		if err != nil {
			return vec{}, err
		}
		a, err := castArray(v.arr, x.Arg.Type(), x.To, modeOf(x))
		return vec{a, v.konst}, err
	case *expr.Case:
		return f.caseExpr(x)
	case *expr.Call:
		return f.call(x)
	case *expr.Named:
		return f.eval(x.Arg)
	}
	return vec{}, fmt.Errorf("eval: %T cannot be computed", e)
}

func (f *frame) call(x *expr.Call) (vec, error) {
	if form, ok := forms[x.Fn]; ok {
		return form(f, x)
	}
	fn, ok := functions[x.Fn]
	if !ok {
		return vec{}, fmt.Errorf("eval: the function %s is not implemented", x.Fn)
	}
	c := &call{node: x, args: make([]vec, len(x.Args)), n: 1}
	konst := true
	for i, a := range x.Args {
		v, err := f.eval(a)
		if err != nil {
			return vec{}, err
		}
		c.args[i] = v
		konst = konst && v.konst
	}
	if !konst || !expr.Deterministic(x) {
		konst, c.n = false, f.rows
	}
	a, err := fn(c)
	return vec{a, konst}, err
}
