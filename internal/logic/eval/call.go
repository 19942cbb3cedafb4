package eval

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// call is a function applied to computed arguments, n rows.
type call struct {
	node *expr.Call
	args []vec
	n    int
}

// functions computes calls whose arguments are all computed first.
var functions = map[string]func(*call) (arrow.Array, error){}

// register adds a family of functions while the package is initialised.
func register(family map[string]func(*call) (arrow.Array, error)) {
	for name, fn := range family {
		functions[name] = fn
	}
}

// errNull makes a row NULL.
var errNull = errors.New("NULL")

func (c *call) out() types.Type { return c.node.T }

// typ is the type of an argument.
func (c *call) typ(i int) types.Type { return c.node.Args[i].Type() }

// str reads a string or binary argument.
func (c *call) str(k int) func(int) string { return texts(c.args[k]) }

func texts(v vec) func(int) string {
	switch a := v.arr.(type) {
	case *array.String:
		if v.konst {
			s := ""
			if !v.null(0) {
				s = a.Value(0)
			}
			return func(int) string { return s }
		}
		return a.Value
	case *array.Binary:
		return func(i int) string { return a.ValueString(v.at(i)) }
	}
	return func(int) string { return "" }
}

// int reads an integer, date, timestamp or interval argument.
func (c *call) int(k int) func(int) int64 { return int64s(c.args[k]) }

func int64s(v vec) func(int) int64 {
	switch v.arr.DataType().ID() {
	case arrow.INT8:
		return intsOf(values[int8](v.arr), v.konst)
	case arrow.INT16:
		return intsOf(values[int16](v.arr), v.konst)
	case arrow.INT32, arrow.DATE32:
		return intsOf(values[int32](v.arr), v.konst)
	case arrow.INT64, arrow.TIMESTAMP:
		return intsOf(values[int64](v.arr), v.konst)
	}
	return func(int) int64 { return 0 }
}

func intsOf[T int8 | int16 | int32 | int64](s []T, konst bool) func(int) int64 {
	if konst {
		k := int64(s[0])
		return func(int) int64 { return k }
	}
	return func(i int) int64 { return int64(s[i]) }
}

// float reads a float or double argument.
func (c *call) float(k int) func(int) float64 {
	v := c.args[k]
	if v.arr.DataType().ID() == arrow.FLOAT32 {
		s := values[float32](v.arr)
		return func(i int) float64 { return float64(s[v.at(i)]) }
	}
	if v.arr.DataType().ID() != arrow.FLOAT64 { // an interval
		n := int64s(v)
		return func(i int) float64 { return float64(n(i)) }
	}
	s := values[float64](v.arr)
	return func(i int) float64 { return s[v.at(i)] }
}

func (c *call) bool(k int) func(int) bool {
	v := c.args[k]
	b := boolBits(v.arr)
	return func(i int) bool { return isSet(b, v.at(i)) }
}

func (c *call) dec(k int) func(int) decimal128.Num {
	v := c.args[k]
	a, ok := v.arr.(*array.Decimal128)
	if !ok {
		return func(int) decimal128.Num { return decimal128.Num{} }
	}
	return func(i int) decimal128.Num { return a.Value(v.at(i)) }
}

func (c *call) any(k int) func(int) any {
	v := c.args[k]
	return func(i int) any { return columns.Value(v.arr, v.at(i)) }
}

// has reports whether an optional argument is given.
func (c *call) has(k int) bool { return k < len(c.args) }

// valid is the bitmap of the rows without a NULL argument.
func (c *call) valid() []byte { return valid(c.n, c.args...) }

// rows calls f for the rows of a bitmap; a row for which f says errNull leaves it.
func rows(n int, ok []byte, f func(i int) error) ([]byte, error) {
	for i := range n {
		if !isSet(ok, i) {
			continue
		}
		err := f(i)
		if err == errNull {
			if ok == nil {
				ok = onesBits(n)
			} else {
				ok = append([]byte(nil), ok...)
			}
			clearBit(ok, i)
			return continueRows(n, i+1, ok, f)
		}
		if err != nil {
			return nil, err
		}
	}
	return ok, nil
}

// continueRows goes on once the bitmap is our own.
func continueRows(n, from int, ok []byte, f func(i int) error) ([]byte, error) {
	for i := from; i < n; i++ {
		if !isSet(ok, i) {
			continue
		}
		if err := f(i); err == errNull {
			clearBit(ok, i)
		} else if err != nil {
			return nil, err
		}
	}
	return ok, nil
}

// strings makes a string (or binary) result; rows with a NULL argument are NULL.
func (c *call) strings(f func(i int) (string, error)) (arrow.Array, error) {
	return makeStrings(c.out(), c.n, c.valid(), lenient(c, f))
}

func makeStrings(t types.Type, n int, ok []byte, f func(i int) (string, error)) (arrow.Array, error) {
	return makeText(t, n, ok, func(b []byte, i int) ([]byte, error) {
		s, err := f(i)
		return append(b, s...), err
	})
}

// ints makes a result of any integral width, date, timestamp or interval.
func (c *call) ints(f func(i int) (int64, error)) (arrow.Array, error) {
	return makeInts(c.out(), c.n, c.valid(), lenient(c, f))
}

func makeInts(t types.Type, n int, ok []byte, f func(i int) (int64, error)) (arrow.Array, error) {
	dt, err := arrowType(t)
	if err != nil {
		return nil, err
	}
	switch dt.ID() {
	case arrow.INT8:
		return fillInts[int8](dt, n, ok, f)
	case arrow.INT16:
		return fillInts[int16](dt, n, ok, f)
	case arrow.INT32, arrow.DATE32:
		return fillInts[int32](dt, n, ok, f)
	}
	return fillInts[int64](dt, n, ok, f)
}

func fillInts[T int8 | int16 | int32 | int64](dt arrow.DataType, n int, ok []byte, f func(i int) (int64, error)) (arrow.Array, error) {
	data := make([]T, n)
	ok, err := rows(n, ok, func(i int) error {
		v, err := f(i)
		data[i] = T(v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return makeFixed(dt, data, ok), nil
}

// floats makes a float or double result.
func (c *call) floats(f func(i int) (float64, error)) (arrow.Array, error) {
	return makeFloats(c.out(), c.n, c.valid(), lenient(c, f))
}

func makeFloats(t types.Type, n int, ok []byte, f func(i int) (float64, error)) (arrow.Array, error) {
	if t == types.Float {
		data := make([]float32, n)
		ok, err := rows(n, ok, func(i int) error {
			v, err := f(i)
			data[i] = float32(v)
			return err
		})
		if err != nil {
			return nil, err
		}
		return makeFixed(arrow.PrimitiveTypes.Float32, data, ok), nil
	}
	data := make([]float64, n)
	ok, err := rows(n, ok, func(i int) error {
		v, err := f(i)
		data[i] = v
		return err
	})
	if err != nil {
		return nil, err
	}
	return makeFixed(arrow.PrimitiveTypes.Float64, data, ok), nil
}

// bools makes a boolean result.
func (c *call) bools(f func(i int) (bool, error)) (arrow.Array, error) {
	return makeBools(c.n, c.valid(), lenient(c, f))
}

func makeBools(n int, ok []byte, f func(i int) (bool, error)) (arrow.Array, error) {
	data := make([]byte, (n+7)/8)
	ok, err := rows(n, ok, func(i int) error {
		v, err := f(i)
		if v {
			setBit(data, i)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return makeBool(n, data, ok), nil
}

// decs makes a decimal result.
func (c *call) decs(f func(i int) (decimal128.Num, error)) (arrow.Array, error) {
	return makeDecs(c.out(), c.n, c.valid(), lenient(c, f))
}

func makeDecs(t types.Type, n int, ok []byte, f func(i int) (decimal128.Num, error)) (arrow.Array, error) {
	dt, err := arrowType(t)
	if err != nil {
		return nil, err
	}
	data := make([]decimal128.Num, n)
	if ok, err = rows(n, ok, func(i int) error {
		v, err := f(i)
		data[i] = v
		return err
	}); err != nil {
		return nil, err
	}
	return makeFixed(dt, data, ok), nil
}

// boxed makes a result of any type from values in the form of columns.Value.
func (c *call) boxed(f func(i int) (any, error)) (arrow.Array, error) {
	return makeBoxed(c.out(), c.n, c.valid(), f)
}

func makeBoxed(t types.Type, n int, ok []byte, f func(i int) (any, error)) (arrow.Array, error) {
	vals := make([]any, n)
	if _, err := rows(n, ok, func(i int) error {
		v, err := f(i)
		vals[i] = v
		return err
	}); err != nil {
		return nil, err
	}
	return fromValues(t, vals...)
}
