package eval

import (
	"errors"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// forms are the calls that do not compute all their arguments for all rows.
var forms map[string]func(*frame, *expr.Call) (vec, error)

func init() {
	forms = map[string]func(*frame, *expr.Call) (vec, error){
		"and": (*frame).logical, "or": (*frame).logical, "coalesce": (*frame).coalesce, "in": (*frame).membership, "try": (*frame).try, "try_eval": (*frame).tryAll,
		"elt":       (*frame).elt,
		"transform": (*frame).transform, "filter": (*frame).filterArray, "exists": (*frame).quantifier, "forall": (*frame).quantifier,
		"aggregate": (*frame).aggregate, "zip_with": (*frame).zipWith, "array_sort": (*frame).sortBy,
		"map_filter": (*frame).mapLambda, "transform_keys": (*frame).mapLambda, "transform_values": (*frame).mapLambda, "map_zip_with": (*frame).mapZipWith,
	}
}

// logical is AND and OR: the right side is computed for the rows that the left
// side leaves open, and for all rows when it cannot fail.
func (f *frame) logical(x *expr.Call) (vec, error) {
	left, err := f.eval(x.Args[0])
	if err != nil {
		return vec{}, err
	}
	decides := x.Fn == "or" // the value of the left side that decides
	if left.konst {
		if !left.null(0) && isSet(boolBits(left.arr), 0) == decides {
			return left, nil
		}
		right, err := f.eval(x.Args[1])
		if err != nil {
			return vec{}, err
		}
		if right.konst {
			return vec{kleene(x.Fn, left.arr, right.arr), true}, nil
		}
		return vec{kleene(x.Fn, left.spread(f.rows), right.arr), false}, nil
	}
	if !canFail(x.Args[1]) {
		right, err := f.eval(x.Args[1])
		if err != nil {
			return vec{}, err
		}
		return vec{kleene(x.Fn, left.arr, right.spread(f.rows)), false}, nil
	}
	bits, ok := boolBits(left.arr), validity(left.arr)
	open := make([]int32, 0, f.rows)
	for i := range f.rows {
		if !isSet(ok, i) || isSet(bits, i) != decides {
			open = append(open, int32(i))
		}
	}
	if len(open) == 0 {
		return left, nil
	}
	right, err := f.narrow(open).array(x.Args[1])
	if err != nil {
		return vec{}, err
	}
	back := make([]int32, f.rows)
	for i := range back {
		back[i] = int32(len(open)) // the neutral value that follows
	}
	for p, row := range open {
		back[row] = int32(p)
	}
	all, err := columns.Concat([]arrow.Array{right, columns.Constant(!decides, types.Boolean, 1)})
	if err != nil {
		return vec{}, err
	}
	return vec{kleene(x.Fn, left.arr, columns.Take(all, back)), false}, nil
}

// kleene is three-valued AND and OR over arrays of one length.
func kleene(fn string, a, b arrow.Array) arrow.Array {
	n := a.Len()
	av, bv, ao, bo := boolBits(a), boolBits(b), validity(a), validity(b)
	data := make([]byte, (n+7)/8)
	if ao == nil && bo == nil {
		if fn == "and" {
			for i := range data {
				data[i] = av[i] & bv[i]
			}
		} else {
			for i := range data {
				data[i] = av[i] | bv[i]
			}
		}
		return makeBool(n, data, nil)
	}
	if ao == nil {
		ao = onesBits(n)
	}
	if bo == nil {
		bo = onesBits(n)
	}
	ok := make([]byte, len(data))
	for i := range data {
		at, bt := av[i]&ao[i], bv[i]&bo[i]   // known TRUE
		af, bf := ^av[i]&ao[i], ^bv[i]&bo[i] // known FALSE
		if fn == "and" {
			data[i] = at & bt
			ok[i] = at&bt | af | bf
		} else {
			data[i] = at | bt
			ok[i] = at | bt | af&bf
		}
	}
	return makeBool(n, data, ok)
}

// caseExpr finds the branch of each row, computes each branch for its rows and
// puts the values together.
func (f *frame) caseExpr(x *expr.Case) (vec, error) {
	rest := make([]int32, f.rows)
	for i := range rest {
		rest[i] = int32(i)
	}
	m := newMerger(f.rows)
	for _, w := range x.Whens {
		if len(rest) == 0 {
			break
		}
		sub := f.subset(rest)
		cond, err := sub.eval(w.Cond)
		if err != nil {
			return vec{}, err
		}
		hit := trueRows(cond, len(rest))
		if len(hit) == 0 {
			continue
		}
		if cond.konst && len(rest) == f.rows {
			return f.eval(w.Then)
		}
		rows := make([]int32, len(hit))
		for i, p := range hit {
			rows[i] = rest[p]
		}
		if err := m.add(f, w.Then, rows); err != nil {
			return vec{}, err
		}
		rest = without(rest, hit)
	}
	if len(rest) == f.rows && x.Else != nil {
		return f.eval(x.Else)
	}
	if x.Else != nil {
		if err := m.add(f, x.Else, rest); err != nil {
			return vec{}, err
		}
	}
	a, err := m.done(x.T)
	return vec{a, false}, err
}

// subset is the frame itself when all rows are meant.
func (f *frame) subset(rows []int32) *frame {
	if len(rows) == f.rows {
		return f
	}
	return f.narrow(rows)
}

// without removes the elements at ascending positions.
func without(list, positions []int32) []int32 {
	out := make([]int32, 0, len(list)-len(positions))
	for i, v := range list {
		if len(positions) > 0 && positions[0] == int32(i) {
			positions = positions[1:]
			continue
		}
		out = append(out, v)
	}
	return out
}

// merger puts rows together that were computed in parts.
type merger struct {
	parts []arrow.Array
	at    []int32 // position of each row in the concatenation, -1 for NULL
	len   int
}

func newMerger(n int) *merger {
	m := &merger{at: make([]int32, n)}
	for i := range m.at {
		m.at[i] = -1
	}
	return m
}

func (m *merger) add(f *frame, e expr.Expr, rows []int32) error {
	if len(rows) == 0 {
		return nil
	}
	if !canFail(e) { // dense: no gathering of columns
		v, err := f.eval(e)
		if err != nil {
			return err
		}
		for _, r := range rows {
			m.at[r] = int32(m.len + v.at(int(r)))
		}
		m.put(v.arr)
		return nil
	}
	v, err := f.subset(rows).eval(e)
	if err != nil {
		return err
	}
	for p, r := range rows {
		m.at[r] = int32(m.len + v.at(p))
	}
	m.put(v.arr)
	return nil
}

func (m *merger) put(a arrow.Array) {
	m.parts = append(m.parts, a)
	m.len += a.Len()
}

func (m *merger) done(t types.Type) (arrow.Array, error) {
	dt, err := arrowType(t)
	if err != nil {
		return nil, err
	}
	if len(m.parts) == 0 {
		return columns.Nulls(dt, len(m.at)), nil
	}
	if m.len > math.MaxInt32 {
		return nil, errors.New("eval: a batch with more than 2^31 values")
	}
	for i, p := range m.parts {
		m.parts[i] = retype(p, dt)
	}
	all, err := columns.Concat(m.parts)
	if err != nil {
		return nil, err
	}
	return columns.Take(all, m.at), nil
}

// retype gives an array the exact Arrow type, which may differ in the
// nullability of nested fields, or in being the type of NULL.
func retype(a arrow.Array, dt arrow.DataType) arrow.Array {
	if arrow.TypeEqual(a.DataType(), dt) {
		return a
	}
	if a.DataType().ID() == arrow.NULL {
		return columns.Nulls(dt, a.Len())
	}
	return array.MakeFromData(retypeData(a.Data(), dt))
}

func retypeData(d arrow.ArrayData, dt arrow.DataType) arrow.ArrayData {
	if arrow.TypeEqual(d.DataType(), dt) {
		return d
	}
	if d.DataType().ID() == arrow.NULL {
		return columns.Nulls(dt, d.Len()).Data()
	}
	kids := make([]arrow.ArrayData, len(d.Children()))
	switch x := dt.(type) {
	case *arrow.MapType:
		kids[0] = retypeData(d.Children()[0], x.ValueType())
	case *arrow.ListType:
		kids[0] = retypeData(d.Children()[0], x.Elem())
	case *arrow.StructType:
		for i := range kids {
			kids[i] = retypeData(d.Children()[i], x.Field(i).Type)
		}
	default:
		return d
	}
	return array.NewData(dt, d.Len(), append([]*memory.Buffer(nil), d.Buffers()...), kids, d.NullN(), d.Offset())
}

func (f *frame) coalesce(x *expr.Call) (vec, error) {
	m := newMerger(f.rows)
	var rest []int32
	for i, a := range x.Args {
		sub := f
		if i > 0 && canFail(a) {
			sub = f.subset(rest)
		}
		v, err := sub.eval(a)
		if err != nil {
			return vec{}, err
		}
		if i == 0 {
			if v.konst && !v.null(0) || !v.konst && v.arr.NullN() == 0 && v.arr.DataType().ID() != arrow.NULL {
				return v, nil
			}
			rest = make([]int32, f.rows)
			for r := range rest {
				rest[r] = int32(r)
			}
		}
		left := rest[:0:0]
		for p, r := range rest {
			at := int(r)
			if sub.rows != f.rows {
				at = p
			}
			if v.null(at) {
				left = append(left, r)
			} else {
				m.at[r] = int32(m.len + v.at(at))
			}
		}
		m.put(v.arr)
		if rest = left; len(rest) == 0 {
			break
		}
	}
	a, err := m.done(x.T)
	return vec{a, false}, err
}

// elt computes only the argument that is chosen.
func (f *frame) elt(x *expr.Call) (vec, error) {
	v, err := f.eval(x.Args[0])
	if err != nil {
		return vec{}, err
	}
	at := int64s(v)
	chosen := make([][]int32, len(x.Args))
	for i := range f.rows {
		if v.null(i) {
			continue
		}
		n := at(i)
		if n < 1 || n >= int64(len(x.Args)) {
			if x.In.Legacy {
				continue
			}
			return vec{}, failf("INVALID_ARRAY_INDEX", "the index %d is out of bounds: there are %d elements", n, len(x.Args)-1)
		}
		chosen[n] = append(chosen[n], int32(i))
	}
	m := newMerger(f.rows)
	for n, rows := range chosen {
		if err := m.add(f, x.Args[max(n, 1)], rows); err != nil {
			return vec{}, err
		}
	}
	a, err := m.done(x.T)
	return vec{a, false}, err
}

// tryAll gives NULL for the rows in which anything below fails.
func (f *frame) tryAll(x *expr.Call) (vec, error) {
	v, err := f.eval(x.Args[0])
	var failed *Error
	if err == nil || !errors.As(err, &failed) || lasting(failed) {
		return v, err
	}
	m := newMerger(f.rows)
	for i := range f.rows {
		a, err := f.narrow([]int32{int32(i)}).array(x.Args[0])
		if errors.As(err, &failed) && !lasting(failed) {
			continue
		}
		if err != nil {
			return vec{}, err
		}
		m.at[i] = int32(m.len)
		m.put(a)
	}
	a, err := m.done(x.T)
	return vec{a, false}, err
}

// lasting are failures that no try_ function makes NULL: patterns that once meant
// something else.
func lasting(e *Error) bool { return strings.HasPrefix(e.Class, "INCONSISTENT_BEHAVIOR") }

// try gives NULL for the rows in which an operator fails; failures of its
// operands are not its own.
func (f *frame) try(x *expr.Call) (vec, error) {
	inner, ok := x.Args[0].(*expr.Call)
	if !ok { // folded to a literal
		return f.eval(x.Args[0])
	}
	c := &call{node: inner, n: f.rows}
	for _, a := range inner.Args {
		v, err := f.eval(a)
		if err != nil {
			return vec{}, err
		}
		c.args = append(c.args, v)
	}
	fn := functions[inner.Fn]
	a, err := fn(c)
	var failed *Error
	if err == nil || !errors.As(err, &failed) || lasting(failed) {
		return vec{a, false}, err
	}
	m := newMerger(f.rows)
	for i := range f.rows {
		one := &call{node: inner, n: 1}
		for _, v := range c.args {
			one.args = append(one.args, vec{columns.Take(v.arr, []int32{int32(v.at(i))}), v.konst})
		}
		a, err := fn(one)
		if errors.As(err, &failed) {
			continue
		}
		if err != nil {
			return vec{}, err
		}
		m.at[i] = int32(m.len)
		m.put(a)
	}
	a, err = m.done(x.T)
	return vec{a, false}, err
}
