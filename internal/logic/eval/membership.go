package eval

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// membership is IN: a set for constants, otherwise equalities joined by OR.
func (f *frame) membership(x *expr.Call) (vec, error) {
	var set []vec
	for _, a := range x.Args[1:] {
		v := vec{}
		if !readsRow(a) {
			var err error
			if v, err = f.eval(a); err != nil {
				set = nil
				break
			}
		}
		if !v.konst {
			set = nil
			break
		}
		set = append(set, v)
	}
	left, err := f.eval(x.Args[0])
	if err != nil {
		return vec{}, err
	}
	if set == nil {
		return f.membershipByRow(x, left)
	}
	n := f.rows
	if left.konst {
		n = 1
	}
	return vec{inSet(left, set, n), left.konst}, nil
}

// membershipByRow computes the list for the rows whose left side is not NULL.
func (f *frame) membershipByRow(x *expr.Call, left vec) (vec, error) {
	ok := valid(f.rows, left)
	if ok == nil {
		return f.eval(asEqualities(x))
	}
	m := newMerger(f.rows)
	if sel := bitRows(nil, ok, f.rows); len(sel) > 0 {
		v, err := f.narrow(sel).eval(asEqualities(x))
		if err != nil {
			return vec{}, err
		}
		for p, r := range sel {
			m.at[r] = int32(v.at(p))
		}
		m.put(v.arr)
	}
	a, err := m.done(types.Boolean)
	return vec{a, false}, err
}

func readsRow(e expr.Expr) bool {
	reads := !expr.Deterministic(e)
	expr.Walk(e, func(e expr.Expr) bool {
		switch e.(type) {
		case *expr.Column, *expr.Var:
			reads = true
		}
		return !reads
	})
	return reads
}

func asEqualities(x *expr.Call) expr.Expr {
	list := make([]expr.Expr, len(x.Args)-1)
	for i, a := range x.Args[1:] {
		list[i] = &expr.Call{Fn: "=", Args: []expr.Expr{x.Args[0], a}, T: types.Boolean, Null: x.Null}
	}
	return expr.Or(list...)
}

// inSet is TRUE where the value is one of the constants, NULL where it is not and
// a constant is NULL.
func inSet(left vec, set []vec, n int) arrow.Array {
	hasNull := false
	known := set[:0:0]
	for _, v := range set {
		if v.null(0) {
			hasNull = true
		} else {
			known = append(known, v)
		}
	}
	ok := valid(n, left)
	out := make([]byte, (n+7)/8)
	switch a := left.arr.(type) {
	case *array.String:
		words := make(map[string]struct{}, len(known))
		for _, v := range known {
			words[v.arr.(*array.String).Value(0)] = struct{}{}
		}
		for i := range n {
			if _, hit := words[a.Value(i)]; hit {
				setBit(out, i)
			}
		}
	case *array.Int8, *array.Int16, *array.Int32, *array.Int64, *array.Date32, *array.Timestamp:
		inIntegers(left, known, n, out)
	default:
		for _, v := range known {
			for i, b := range kernel(left, v, n, false) {
				out[i] |= b
			}
		}
	}
	if hasNull { // not found is unknown
		if ok == nil {
			ok = onesBits(n)
		}
		open := make([]byte, len(out))
		for i := range open {
			open[i] = ok[i] & out[i]
		}
		ok = open
	}
	return makeBool(n, out, ok)
}

func inIntegers(left vec, known []vec, n int, out []byte) {
	if len(known) <= 8 {
		for _, v := range known {
			for i, b := range kernel(left, v, n, false) {
				out[i] |= b
			}
		}
		return
	}
	numbers := make(map[int64]struct{}, len(known))
	for _, v := range known {
		numbers[int64s(v)(0)] = struct{}{}
	}
	at := int64s(left)
	for i := range n {
		if _, hit := numbers[at(i)]; hit {
			setBit(out, i)
		}
	}
}
