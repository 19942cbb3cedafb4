package eval

import (
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// lists is an array or map argument of a higher-order function, laid out so that
// a lambda is computed over all elements of all rows at once.
type lists struct {
	ok      []byte
	offsets []int32 // elements of row i: offsets[i] to offsets[i+1]
	row     []int32 // row of each element
	index   []int32 // its position in the row
	at      []int32 // its position in the child array
}

func layout(v vec, n int) lists {
	l := lists{ok: valid(n, v), offsets: make([]int32, n+1)}
	a, isList := v.arr.(array.ListLike)
	for i := range n {
		if isList && isSet(l.ok, i) {
			from, to := a.ValueOffsets(v.at(i))
			for p := from; p < to; p++ {
				l.row = append(l.row, int32(i))
				l.index = append(l.index, int32(p-from))
				l.at = append(l.at, int32(p))
			}
		}
		l.offsets[i+1] = int32(len(l.at))
	}
	return l
}

// children gives the elements of an array, or the keys and values of a map.
func childArrays(a arrow.Array) []arrow.Array {
	switch x := a.(type) {
	case *array.Map:
		return []arrow.Array{x.Keys(), x.Items()}
	case *array.List:
		return []arrow.Array{x.ListValues()}
	}
	return []arrow.Array{a, a}
}

// body computes a lambda's body for elements: rows tells the row of each, params
// the values of the parameters.
func (f *frame) body(l *expr.Lambda, rows []int32, params ...arrow.Array) (arrow.Array, error) {
	sub := f.narrow(rows)
	for i, v := range l.Vars {
		sub.vars[v] = vec{arr: params[i]}
	}
	return sub.array(l.Body)
}

// overList computes the only lambda of transform, filter, exists and forall.
func (f *frame) overList(x *expr.Call) (v vec, l lists, elements, result arrow.Array, err error) {
	if v, err = f.eval(x.Args[0]); err != nil {
		return
	}
	l = layout(v, f.rows)
	elements = columns.Take(childArrays(v.arr)[0], l.at)
	index := makeFixed(arrow.PrimitiveTypes.Int32, l.index, nil)
	result, err = f.body(x.Args[1].(*expr.Lambda), l.row, elements, index)
	return
}

func (f *frame) transform(x *expr.Call) (vec, error) {
	_, l, _, result, err := f.overList(x)
	if err != nil {
		return vec{}, err
	}
	dt, err := arrowType(x.T)
	if err != nil {
		return vec{}, err
	}
	return vec{listOf(dt, f.rows, l.ok, l.offsets, retype(result, dt.(*arrow.ListType).Elem())), false}, nil
}

// keep gives the positions of the elements for which a condition is TRUE, and new offsets.
func (l lists) keep(cond arrow.Array) (positions, offsets []int32) {
	yes := trueRows(vec{arr: cond}, len(l.at))
	offsets = make([]int32, len(l.offsets))
	p := 0
	for i := 1; i < len(offsets); i++ {
		for p < len(yes) && yes[p] < l.offsets[i] {
			positions = append(positions, yes[p])
			p++
		}
		offsets[i] = int32(len(positions))
	}
	return positions, offsets
}

func (f *frame) filterArray(x *expr.Call) (vec, error) {
	_, l, elements, cond, err := f.overList(x)
	if err != nil {
		return vec{}, err
	}
	dt, err := arrowType(x.T)
	if err != nil {
		return vec{}, err
	}
	positions, offsets := l.keep(cond)
	return vec{listOf(dt, f.rows, l.ok, offsets, columns.Take(elements, positions)), false}, nil
}

// quantifier is exists and forall with three-valued logic.
func (f *frame) quantifier(x *expr.Call) (vec, error) {
	_, l, _, cond, err := f.overList(x)
	if err != nil {
		return vec{}, err
	}
	decides := x.Fn == "exists"
	bits, known := boolBits(cond), validity(cond)
	a, err := makeBools(f.rows, l.ok, func(i int) (bool, error) {
		unknown := false
		for p := l.offsets[i]; p < l.offsets[i+1]; p++ {
			if !isSet(known, int(p)) {
				unknown = true
			} else if isSet(bits, int(p)) == decides {
				return decides, nil
			}
		}
		if unknown {
			return false, errNull
		}
		return !decides, nil
	})
	return vec{a, false}, err
}

// aggregate runs step by step over the positions of the arrays: all rows that
// have a k-th element take the k-th step together.
func (f *frame) aggregate(x *expr.Call) (vec, error) {
	v, err := f.eval(x.Args[0])
	if err != nil {
		return vec{}, err
	}
	l := layout(v, f.rows)
	acc, err := f.array(x.Args[1])
	if err != nil {
		return vec{}, err
	}
	accType, err := arrowType(x.Args[1].Type())
	if err != nil {
		return vec{}, err
	}
	merge, child := x.Args[2].(*expr.Lambda), childArrays(v.arr)[0]
	for k := int32(0); ; k++ {
		var rows, at []int32
		for i := range f.rows {
			if l.offsets[i]+k < l.offsets[i+1] {
				rows, at = append(rows, int32(i)), append(at, l.at[l.offsets[i]+k])
			}
		}
		if len(rows) == 0 {
			break
		}
		next, err := f.body(merge, rows, columns.Take(acc, rows), columns.Take(child, at))
		if err != nil {
			return vec{}, err
		}
		back := make([]int32, f.rows)
		for i := range back {
			back[i] = int32(i)
		}
		for p, r := range rows {
			back[r] = int32(f.rows + p)
		}
		all, err := columns.Concat([]arrow.Array{retype(acc, accType), retype(next, accType)})
		if err != nil {
			return vec{}, err
		}
		acc = columns.Take(all, back)
	}
	if len(x.Args) == 4 {
		every := make([]int32, f.rows)
		for i := range every {
			every[i] = int32(i)
		}
		if acc, err = f.body(x.Args[3].(*expr.Lambda), every, acc); err != nil {
			return vec{}, err
		}
	}
	return vec{nullWhere(acc, l.ok), false}, nil
}

// nullWhere makes rows NULL that a bitmap does not have.
func nullWhere(a arrow.Array, ok []byte) arrow.Array {
	if ok == nil {
		return a
	}
	idx := make([]int32, a.Len())
	for i := range idx {
		if idx[i] = int32(i); !isSet(ok, i) {
			idx[i] = -1
		}
	}
	return columns.Take(a, idx)
}

func (f *frame) zipWith(x *expr.Call) (vec, error) {
	v, err := f.eval(x.Args[0])
	if err != nil {
		return vec{}, err
	}
	w, err := f.eval(x.Args[1])
	if err != nil {
		return vec{}, err
	}
	a, b := layout(v, f.rows), layout(w, f.rows)
	ok := andBits(a.ok, b.ok)
	var rows, at, bt []int32
	offsets := make([]int32, f.rows+1)
	for i := range f.rows {
		if isSet(ok, i) {
			na, nb := a.offsets[i+1]-a.offsets[i], b.offsets[i+1]-b.offsets[i]
			for k := range max(na, nb) {
				rows = append(rows, int32(i))
				at = append(at, pick(a, i, k, na))
				bt = append(bt, pick(b, i, k, nb))
			}
		}
		offsets[i+1] = int32(len(rows))
	}
	result, err := f.body(x.Args[2].(*expr.Lambda), rows, columns.Take(childArrays(v.arr)[0], at), columns.Take(childArrays(w.arr)[0], bt))
	if err != nil {
		return vec{}, err
	}
	dt, err := arrowType(x.T)
	if err != nil {
		return vec{}, err
	}
	return vec{listOf(dt, f.rows, ok, offsets, retype(result, dt.(*arrow.ListType).Elem())), false}, nil
}

func pick(l lists, row int, k, n int32) int32 {
	if k < n {
		return l.at[l.offsets[row]+k]
	}
	return -1
}

// sortBy is array_sort with a comparison function.
func (f *frame) sortBy(x *expr.Call) (vec, error) {
	if len(x.Args) == 1 {
		return f.plain(x)
	}
	v, err := f.eval(x.Args[0])
	if err != nil {
		return vec{}, err
	}
	l, child := layout(v, f.rows), childArrays(v.arr)[0]
	var failure error
	for i := range f.rows {
		part := l.at[l.offsets[i]:l.offsets[i+1]]
		sort.SliceStable(part, func(p, q int) bool {
			r, err := f.body(x.Args[1].(*expr.Lambda), []int32{int32(i)}, columns.Take(child, part[p:p+1]), columns.Take(child, part[q:q+1]))
			if err != nil {
				failure = err
				return false
			}
			return int64s(vec{arr: r})(0) < 0
		})
	}
	if failure != nil {
		return vec{}, failure
	}
	return vec{listOf(v.arr.DataType(), f.rows, l.ok, l.offsets, columns.Take(child, l.at)), false}, nil
}

// plain computes a call through the table of functions.
func (f *frame) plain(x *expr.Call) (vec, error) {
	c := &call{node: x, n: f.rows}
	for _, a := range x.Args {
		v, err := f.eval(a)
		if err != nil {
			return vec{}, err
		}
		c.args = append(c.args, v)
	}
	a, err := functions[x.Fn](c)
	return vec{a, false}, err
}

// mapLambda is map_filter, transform_keys and transform_values.
func (f *frame) mapLambda(x *expr.Call) (vec, error) {
	v, err := f.eval(x.Args[0])
	if err != nil {
		return vec{}, err
	}
	l, kids := layout(v, f.rows), childArrays(v.arr)
	keys, vals := columns.Take(kids[0], l.at), columns.Take(kids[1], l.at)
	result, err := f.body(x.Args[1].(*expr.Lambda), l.row, keys, vals)
	if err != nil {
		return vec{}, err
	}
	offsets := l.offsets
	switch x.Fn {
	case "map_filter":
		var positions []int32
		positions, offsets = l.keep(result)
		keys, vals = columns.Take(keys, positions), columns.Take(vals, positions)
	case "transform_keys":
		keys = result
	default:
		vals = result
	}
	a, err := mapOf(x.T, f.rows, l.ok, offsets, keys, vals)
	return vec{a, false}, err
}

// mapOf builds a map array; keys must not be NULL nor occur twice in a row.
func mapOf(t types.Type, n int, ok []byte, offsets []int32, keys, vals arrow.Array) (arrow.Array, error) {
	dt, err := arrowType(t)
	if err != nil {
		return nil, err
	}
	if keys.NullN() > 0 || (keys.DataType().ID() == arrow.NULL && keys.Len() > 0) {
		return nil, failf("NULL_MAP_KEY", "a map key cannot be NULL")
	}
	same := comparer(keys, keys)
	for i := range n {
		for p := offsets[i]; p < offsets[i+1]; p++ {
			for q := offsets[i]; q < p; q++ {
				if same(int(p), int(q)) == 0 {
					return nil, duplicateKey(columns.Value(keys, int(p)))
				}
			}
		}
	}
	mt := dt.(*arrow.MapType)
	entries := makeStruct(mt.Elem(), keys.Len(), nil, []arrow.ArrayData{retype(keys, mt.KeyType()).Data(), retype(vals, mt.ItemType()).Data()})
	return listOf(dt, n, ok, offsets, entries), nil
}

func duplicateKey(k any) *Error {
	return failf("DUPLICATED_MAP_KEY", "the map key %v occurs twice", k)
}

// mapZipWith computes the lambda for every key of either map; a missing value is NULL.
func (f *frame) mapZipWith(x *expr.Call) (vec, error) {
	v, err := f.eval(x.Args[0])
	if err != nil {
		return vec{}, err
	}
	w, err := f.eval(x.Args[1])
	if err != nil {
		return vec{}, err
	}
	a, b := layout(v, f.rows), layout(w, f.rows)
	ka, kb := childArrays(v.arr), childArrays(w.arr)
	ok := andBits(a.ok, b.ok)
	all, err := columns.Concat([]arrow.Array{ka[0], kb[0]})
	if err != nil {
		return vec{}, err
	}
	same := comparer(ka[0], kb[0])
	shift := int32(ka[0].Len())
	var rows, keyAt, at, bt []int32
	offsets := make([]int32, f.rows+1)
	for i := range f.rows {
		if isSet(ok, i) {
			start := len(rows)
			for p := a.offsets[i]; p < a.offsets[i+1]; p++ {
				rows, keyAt, at, bt = append(rows, int32(i)), append(keyAt, a.at[p]), append(at, a.at[p]), append(bt, -1)
			}
			for q := b.offsets[i]; q < b.offsets[i+1]; q++ {
				hit := -1
				for p := a.offsets[i]; p < a.offsets[i+1]; p++ {
					if same(int(a.at[p]), int(b.at[q])) == 0 {
						hit = start + int(p-a.offsets[i])
					}
				}
				if hit >= 0 {
					bt[hit] = b.at[q]
					continue
				}
				rows, keyAt, at, bt = append(rows, int32(i)), append(keyAt, shift+b.at[q]), append(at, -1), append(bt, b.at[q])
			}
		}
		offsets[i+1] = int32(len(rows))
	}
	keys := columns.Take(all, keyAt)
	result, err := f.body(x.Args[2].(*expr.Lambda), rows, keys, columns.Take(ka[1], at), columns.Take(kb[1], bt))
	if err != nil {
		return vec{}, err
	}
	m, err := mapOf(x.T, f.rows, ok, offsets, keys, result)
	return vec{m, false}, err
}
