package eval

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"=": compare, "<>": compare, "<": compare, "<=": compare, ">": compare, ">=": compare, "<=>": nullSafeEqual,
		"not": not, "isnull": isNull, "isnotnull": isNull, "istrue": truth, "isfalse": truth,
		"greatest": extreme, "least": extreme,
	})
}

// compare is a comparison of two values of one type; the result is NULL where one is.
func compare(c *call) (arrow.Array, error) {
	return makeBool(c.n, compareBits(c.node.Fn, c.args[0], c.args[1], c.n), c.valid()), nil
}

// compareBits reduces six operators to two kernels: in a total order, a > b is
// b < a, and a <= b is NOT b < a.
func compareBits(fn string, a, b vec, n int) []byte {
	if a.arr.DataType().ID() == arrow.NULL || b.arr.DataType().ID() == arrow.NULL {
		return make([]byte, (n+7)/8)
	}
	var out []byte
	switch fn {
	case "=", "<>", "<=>":
		out = kernel(a, b, n, false)
	case "<", ">=":
		out = kernel(a, b, n, true)
	default:
		out = kernel(b, a, n, true)
	}
	if fn == "<>" || fn == ">=" || fn == "<=" {
		for i := range out {
			out[i] = ^out[i]
		}
	}
	return out
}

// kernel computes a < b (less) or a = b.
func kernel(a, b vec, n int, less bool) []byte {
	switch a.arr.DataType().ID() {
	case arrow.INT8:
		return ordered(values[int8](a.arr), values[int8](b.arr), a.konst, b.konst, n, less)
	case arrow.INT16:
		return ordered(values[int16](a.arr), values[int16](b.arr), a.konst, b.konst, n, less)
	case arrow.INT32, arrow.DATE32:
		return ordered(values[int32](a.arr), values[int32](b.arr), a.konst, b.konst, n, less)
	case arrow.INT64, arrow.TIMESTAMP:
		return ordered(values[int64](a.arr), values[int64](b.arr), a.konst, b.konst, n, less)
	case arrow.FLOAT32:
		return floats(values[float32](a.arr), values[float32](b.arr), a.konst, b.konst, n, less)
	case arrow.FLOAT64:
		return floats(values[float64](a.arr), values[float64](b.arr), a.konst, b.konst, n, less)
	case arrow.STRING:
		return textBits(textColumnOf(a.arr.(*array.String)), textColumnOf(b.arr.(*array.String)), a.konst, b.konst, n, less)
	case arrow.DECIMAL128:
		return decimalBits(values[decimal128.Num](a.arr), values[decimal128.Num](b.arr), a.konst, b.konst, n, less)
	}
	f := comparer(a.arr, b.arr)
	out := make([]byte, (n+7)/8)
	ok := andBits(rowValidity(a, n), rowValidity(b, n))
	for i := range n {
		if !isSet(ok, i) {
			continue
		}
		if x := f(a.at(i), b.at(i)); x < 0 && less || x == 0 && !less {
			setBit(out, i)
		}
	}
	return out
}

func rowValidity(v vec, n int) []byte { return valid(n, v) }

// ordered compares integers, eight results at a time and without branches.
func ordered[T int8 | int16 | int32 | int64](a, b []T, ka, kb bool, n int, less bool) []byte {
	if n == 0 {
		return nil
	}
	if ka && kb {
		if less && a[0] < b[0] || !less && a[0] == b[0] {
			return onesBits(n)
		}
		return make([]byte, (n+7)/8)
	}
	switch {
	case kb && less:
		return lessThan(a, b[0])
	case kb:
		return equalTo(a, b[0])
	case ka && less:
		return moreThan(b, a[0])
	case ka:
		return equalTo(b, a[0])
	case less:
		return lessPairs(a, b)
	}
	return equalPairs(a, b)
}

// Each loop fills the bits of one byte; the compiler turns the condition into a set instruction.

func lessThan[T int8 | int16 | int32 | int64](a []T, k T) []byte {
	out := make([]byte, (len(a)+7)/8)
	for w := range out {
		part := a[w*8 : min(w*8+8, len(a))]
		bits := byte(0)
		for i, x := range part {
			var hit byte
			if x < k {
				hit = 1
			}
			bits |= hit << (i & 7)
		}
		out[w] = bits
	}
	return out
}

func moreThan[T int8 | int16 | int32 | int64](a []T, k T) []byte {
	out := make([]byte, (len(a)+7)/8)
	for w := range out {
		part := a[w*8 : min(w*8+8, len(a))]
		bits := byte(0)
		for i, x := range part {
			var hit byte
			if x > k {
				hit = 1
			}
			bits |= hit << (i & 7)
		}
		out[w] = bits
	}
	return out
}

func equalTo[T int8 | int16 | int32 | int64](a []T, k T) []byte {
	out := make([]byte, (len(a)+7)/8)
	for w := range out {
		part := a[w*8 : min(w*8+8, len(a))]
		bits := byte(0)
		for i, x := range part {
			var hit byte
			if x == k {
				hit = 1
			}
			bits |= hit << (i & 7)
		}
		out[w] = bits
	}
	return out
}

func lessPairs[T int8 | int16 | int32 | int64](a, b []T) []byte {
	out := make([]byte, (len(a)+7)/8)
	for w := range out {
		part := a[w*8 : min(w*8+8, len(a))]
		other := b[w*8:][:len(part)]
		bits := byte(0)
		for i, x := range part {
			var hit byte
			if x < other[i] {
				hit = 1
			}
			bits |= hit << (i & 7)
		}
		out[w] = bits
	}
	return out
}

func equalPairs[T int8 | int16 | int32 | int64](a, b []T) []byte {
	out := make([]byte, (len(a)+7)/8)
	for w := range out {
		part := a[w*8 : min(w*8+8, len(a))]
		other := b[w*8:][:len(part)]
		bits := byte(0)
		for i, x := range part {
			var hit byte
			if x == other[i] {
				hit = 1
			}
			bits |= hit << (i & 7)
		}
		out[w] = bits
	}
	return out
}

// floats compares in Spark's order: NaN equals NaN and is greatest, -0.0 equals 0.0.
func floats[T float32 | float64](a, b []T, ka, kb bool, n int, less bool) []byte {
	out := make([]byte, (n+7)/8)
	ma, mb := rowsOf(ka), rowsOf(kb)
	for w := range out {
		octet := byte(0)
		for i := w * 8; i < min(w*8+8, n); i++ {
			x, y := a[i&ma], b[i&mb]
			hit := x == y || (x != x && y != y)
			if less {
				hit = x < y || (y != y && x == x)
			}
			if hit {
				octet |= 1 << (i & 7)
			}
		}
		out[w] = octet
	}
	return out
}

// comparer orders any two values of one type that are not NULL; inside of nested
// values NULL comes first.
func comparer(a, b arrow.Array) func(i, j int) int {
	switch x := a.(type) {
	case *array.Boolean:
		y := b.(*array.Boolean)
		return func(i, j int) int { return cmp.Compare(b2i(x.Value(i)), b2i(y.Value(j))) }
	case *array.Float32:
		y := b.(*array.Float32)
		return func(i, j int) int { return compareFloat(float64(x.Value(i)), float64(y.Value(j))) }
	case *array.Float64:
		y := b.(*array.Float64)
		return func(i, j int) int { return compareFloat(x.Value(i), y.Value(j)) }
	case *array.String:
		y := b.(*array.String)
		return func(i, j int) int { return cmp.Compare(x.Value(i), y.Value(j)) }
	case *array.Binary:
		y := b.(*array.Binary)
		return func(i, j int) int { return cmp.Compare(x.ValueString(i), y.ValueString(j)) }
	case *array.Decimal128:
		y := b.(*array.Decimal128)
		return func(i, j int) int { return compareDec(x.Value(i), y.Value(j)) }
	case *array.Struct:
		y := b.(*array.Struct)
		parts := make([]func(i, j int) int, x.NumField())
		for k := range parts {
			parts[k] = nullsFirst(x.Field(k), y.Field(k))
		}
		return func(i, j int) int {
			for _, f := range parts {
				if r := f(i, j); r != 0 {
					return r
				}
			}
			return 0
		}
	case *array.List:
		y := b.(*array.List)
		f := nullsFirst(x.ListValues(), y.ListValues())
		return func(i, j int) int {
			p, pe := x.ValueOffsets(i)
			q, qe := y.ValueOffsets(j)
			for ; p < pe && q < qe; p, q = p+1, q+1 {
				if r := f(int(p), int(q)); r != 0 {
					return r
				}
			}
			return cmp.Compare(pe-p, qe-q)
		}
	case *array.Null:
		return func(int, int) int { return 0 }
	}
	p, q := int64s(vec{arr: a}), int64s(vec{arr: b})
	return func(i, j int) int { return cmp.Compare(p(i), q(j)) }
}

func nullsFirst(a, b arrow.Array) func(i, j int) int {
	f := comparer(a, b)
	return func(i, j int) int {
		an, bn := a.IsNull(i) || a.DataType().ID() == arrow.NULL, b.IsNull(j) || b.DataType().ID() == arrow.NULL
		switch {
		case an && bn:
			return 0
		case an:
			return -1
		case bn:
			return 1
		}
		return f(i, j)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareFloat(a, b float64) int {
	switch {
	case a < b || (b != b && a == a):
		return -1
	case a > b || (a != a && b == b):
		return 1
	}
	return 0
}

func compareDec(a, b decimal128.Num) int {
	if r := cmp.Compare(a.HighBits(), b.HighBits()); r != 0 {
		return r
	}
	return cmp.Compare(a.LowBits(), b.LowBits())
}

// nullSafeEqual is <=>: NULL equals NULL, and the result is never NULL.
func nullSafeEqual(c *call) (arrow.Array, error) {
	out := compareBits("=", c.args[0], c.args[1], c.n)
	a, b := valid(c.n, c.args[0]), valid(c.n, c.args[1])
	if a == nil && b == nil {
		return makeBool(c.n, out, nil), nil
	}
	if a == nil {
		a = onesBits(c.n)
	}
	if b == nil {
		b = onesBits(c.n)
	}
	for i := range out {
		out[i] = out[i]&a[i]&b[i] | ^a[i]&^b[i]
	}
	return makeBool(c.n, out, nil), nil
}

func not(c *call) (arrow.Array, error) {
	in := boolBits(c.args[0].arr)
	out := make([]byte, len(in))
	for i := range in {
		out[i] = ^in[i]
	}
	return makeBool(c.n, out, c.valid()), nil
}

func isNull(c *call) (arrow.Array, error) {
	ok := valid(c.n, c.args[0])
	out := make([]byte, (c.n+7)/8)
	for i := range out {
		bits := byte(0xff)
		if ok != nil {
			bits = ok[i]
		}
		if c.node.Fn == "isnull" {
			bits = ^bits
		}
		out[i] = bits
	}
	return makeBool(c.n, out, nil), nil
}

func truth(c *call) (arrow.Array, error) {
	in, ok := boolBits(c.args[0].arr), validity(c.args[0].arr)
	out := make([]byte, (c.n+7)/8)
	for i := range out {
		bits := in[i]
		if c.node.Fn == "isfalse" {
			bits = ^bits
		}
		if ok != nil {
			bits &= ok[i]
		}
		out[i] = bits
	}
	return makeBool(c.n, out, nil), nil
}

// extreme is GREATEST and LEAST: NULL arguments are passed over.
func extreme(c *call) (arrow.Array, error) {
	m := newMerger(c.n)
	best := make([]int32, c.n)
	for i := range best {
		best[i] = -1
	}
	base := make([]int, len(c.args))
	for k, v := range c.args {
		base[k] = m.len
		m.put(v.arr)
	}
	want := 1
	if c.node.Fn == "least" {
		want = -1
	}
	for k, v := range c.args {
		fs := make([]func(i, j int) int, k)
		for p := range fs {
			fs[p] = comparer(v.arr, c.args[p].arr)
		}
		for i := range c.n {
			if v.null(i) {
				continue
			}
			if b := best[i]; b < 0 || fs[b](v.at(i), c.args[b].at(i))*want > 0 {
				best[i] = int32(k)
			}
		}
	}
	for i, k := range best {
		if k >= 0 {
			m.at[i] = int32(base[k] + c.args[k].at(i))
		}
	}
	return m.done(c.out())
}
