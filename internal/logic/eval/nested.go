package eval

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"named_struct": namedStruct, "array": makeList, "map": makeMap, "element": element, "element_at": element, "try_element_at": element, "get": element,
		"size": size, "array_size": size,
	})
}

// makeStruct builds a struct array from children of the same length.
func makeStruct(dt arrow.DataType, n int, ok []byte, kids []arrow.ArrayData) arrow.Array {
	bufs, nulls := []*memory.Buffer{nil}, 0
	if ok != nil {
		if nulls = n - popcount(ok, n); nulls > 0 {
			bufs[0] = memory.NewBufferBytes(ok)
		}
	}
	return array.MakeFromData(array.NewData(dt, n, bufs, kids, nulls, 0))
}

// field takes a member out of a struct, or out of each struct of an array.
func (f *frame) field(x *expr.Field) (vec, error) {
	base, err := f.eval(x.Base)
	if err != nil {
		return vec{}, err
	}
	dt, err := arrowType(x.T)
	if err != nil {
		return vec{}, err
	}
	switch a := base.arr.(type) {
	case *array.Struct:
		return vec{member(a, x.Index, dt), base.konst}, nil
	case *array.List:
		kid := member(a.ListValues().(*array.Struct), x.Index, dt.(*arrow.ListType).Elem())
		d := a.Data()
		return vec{array.MakeFromData(array.NewData(dt, d.Len(), d.Buffers(), []arrow.ArrayData{kid.Data()}, d.NullN(), d.Offset())), base.konst}, nil
	}
	return vec{columns.Nulls(dt, base.arr.Len()), base.konst}, nil
}

// member is a field of a struct array, NULL where the struct is.
func member(a *array.Struct, index int, dt arrow.DataType) arrow.Array {
	kid := a.Field(index)
	if a.NullN() == 0 {
		return retype(kid, dt)
	}
	ok := validity(a)
	idx := make([]int32, a.Len())
	for i := range idx {
		if idx[i] = int32(i); !isSet(ok, i) {
			idx[i] = -1
		}
	}
	return retype(columns.Take(kid, idx), dt)
}

func namedStruct(c *call) (arrow.Array, error) {
	dt, err := arrowType(c.out())
	if err != nil {
		return nil, err
	}
	st := dt.(*arrow.StructType)
	kids := make([]arrow.ArrayData, 0, len(c.args)/2)
	for i := 1; i < len(c.args); i += 2 {
		kids = append(kids, retype(c.args[i].spread(c.n), st.Field(i/2).Type).Data())
	}
	return makeStruct(dt, c.n, nil, kids), nil
}

// interleave gives, for each row, the values of the given arguments one after the other.
func (c *call) interleave(which []int, dt arrow.DataType) (arrow.Array, error) {
	m := newMerger(c.n * len(which))
	for p, k := range which {
		v := c.args[k]
		for i := range c.n {
			m.at[i*len(which)+p] = int32(m.len + v.at(i))
		}
		m.put(retype(v.arr, dt))
	}
	if len(m.parts) == 0 {
		return columns.Nulls(dt, 0), nil
	}
	all, err := columns.Concat(m.parts)
	if err != nil {
		return nil, err
	}
	return columns.Take(all, m.at), nil
}

func everyNth(from, step, n int) []int {
	var out []int
	for i := from; i < n; i += step {
		out = append(out, i)
	}
	return out
}

func makeList(c *call) (arrow.Array, error) {
	dt, err := arrowType(c.out())
	if err != nil {
		return nil, err
	}
	kid, err := c.interleave(everyNth(0, 1, len(c.args)), dt.(*arrow.ListType).Elem())
	if err != nil {
		return nil, err
	}
	offsets := make([]int32, c.n+1)
	for i := range offsets {
		offsets[i] = int32(i * len(c.args))
	}
	return listOf(dt, c.n, nil, offsets, kid), nil
}

// listOf builds a list or map array from offsets and one child.
func listOf(dt arrow.DataType, n int, ok []byte, offsets []int32, kid arrow.Array) arrow.Array {
	bufs, nulls := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes(offsets))}, 0
	if ok != nil {
		if nulls = n - popcount(ok, n); nulls > 0 {
			bufs[0] = memory.NewBufferBytes(ok)
		}
	}
	return array.MakeFromData(array.NewData(dt, n, bufs, []arrow.ArrayData{kid.Data()}, nulls, 0))
}

func makeMap(c *call) (arrow.Array, error) {
	pairs := len(c.args) / 2
	keys, vals := make([]func(int) any, pairs), make([]func(int) any, pairs)
	for k := range pairs {
		keys[k], vals[k] = c.any(2*k), c.any(2*k+1)
	}
	return makeBoxed(c.out(), c.n, nil, func(i int) (any, error) {
		kvs := make([]columns.KV, pairs)
		for k := range kvs {
			kvs[k] = columns.KV{Key: keys[k](i), Value: vals[k](i)}
		}
		return checkKeys(kvs)
	})
}

// element is a[i] (from zero), element_at (from one, negative from the end), get, and m[key].
func element(c *call) (arrow.Array, error) {
	fn := c.node.Fn
	if m, ok := c.args[0].arr.(*array.Map); ok {
		return mapElement(c, m)
	}
	l, ok := c.args[0].arr.(*array.List)
	if !ok {
		dt, err := arrowType(c.out())
		return columns.Nulls(dt, c.n), err
	}
	at := c.int(1)
	idx := make([]int32, c.n)
	usable := c.valid()
	for i := range idx {
		idx[i] = -1
		if !isSet(usable, i) {
			continue
		}
		from, to := l.ValueOffsets(c.args[0].at(i))
		n, k := to-from, at(i)
		switch fn {
		case "element_at", "try_element_at":
			if k == 0 {
				return nil, failf("INVALID_INDEX_OF_ZERO", "the index 0 is invalid: an index is less than or greater than 0 (the first element is 1)")
			}
			if k > 0 {
				k--
			} else {
				k += n
			}
		}
		if k < 0 || k >= n {
			if c.legacy() {
				continue
			}
			switch fn {
			case "element":
				return nil, failf("INVALID_ARRAY_INDEX", "the index %d is out of bounds: the array has %d elements", at(i), n)
			case "element_at":
				return nil, failf("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "the index %d is out of bounds: the array has %d elements", at(i), n)
			}
			continue
		}
		idx[i] = int32(from + k)
	}
	dt, err := arrowType(c.out())
	if err != nil {
		return nil, err
	}
	return retype(columns.Take(l.ListValues(), idx), dt), nil
}

func mapElement(c *call, m *array.Map) (arrow.Array, error) {
	same := comparer(m.Keys(), c.args[1].arr)
	usable := c.valid()
	idx := make([]int32, c.n)
	for i := range idx {
		idx[i] = -1
		if !isSet(usable, i) {
			continue
		}
		from, to := m.ValueOffsets(c.args[0].at(i))
		for p := from; p < to; p++ {
			if same(int(p), c.args[1].at(i)) == 0 {
				idx[i] = int32(p)
				break
			}
		}
	}
	dt, err := arrowType(c.out())
	if err != nil {
		return nil, err
	}
	return retype(columns.Take(m.Items(), idx), dt), nil
}

func size(c *call) (arrow.Array, error) {
	a, ok := c.args[0].arr.(array.ListLike)
	if !ok {
		if c.legacy() && c.node.Fn == "size" {
			return makeInts(c.out(), c.n, nil, func(int) (int64, error) { return -1, nil })
		}
		return columns.Nulls(arrow.PrimitiveTypes.Int32, c.n), nil
	}
	if c.legacy() && c.node.Fn == "size" { // NULL has the size -1 (spark.sql.legacy.sizeOfNull)
		return makeInts(c.out(), c.n, nil, func(i int) (int64, error) {
			if c.args[0].null(i) {
				return -1, nil
			}
			from, to := a.ValueOffsets(c.args[0].at(i))
			return to - from, nil
		})
	}
	return c.ints(func(i int) (int64, error) {
		from, to := a.ValueOffsets(c.args[0].at(i))
		return to - from, nil
	})
}

// elementType is the element type of an array type.
func elementType(t types.Type) types.Type {
	if a, ok := t.(*types.Array); ok {
		return a.Element
	}
	return types.Void
}
