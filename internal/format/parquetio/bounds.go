package parquetio

import (
	"bytes"
	"math"
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// bounds are what is known of the values of a column in a row group or a page,
// as literal values. nil for lo or hi and -1 for nulls mean unknown.
type bounds struct {
	lo, hi      any
	nulls, rows int64
}

func (b bounds) allNull() bool { return b.nulls >= 0 && b.nulls >= b.rows }

// literalBounds turns the bytes of statistics into values of the column's type,
// through the same conversion that the values themselves take, which keeps their
// order. What cannot be trusted is left unknown: an empty maximum of text (some
// writers drop a bound that is too long and readers see an empty one), anything
// of INT96, both bounds where one is NaN or they are the wrong way round, and
// those whose order was unclear: the deprecated fields, and all in a file that
// does not say that its columns have the order of their type.
func literalBounds(leaf *parquetNode, t types.Type, conv convert, s pageBounds, rows int64) bounds {
	b := bounds{nulls: s.nulls, rows: rows}
	if s.allNull {
		b.nulls = rows
		return b
	}
	p := leaf.physical
	unsigned := leaf.logical.kind == logicalInteger && !leaf.logical.signed
	switch {
	case p == parquet.Types.Int96 || leaf.logical.kind == logicalHalf:
		return b
	case (s.legacy || leaf.unordered) && (p == parquet.Types.ByteArray || p == parquet.Types.FixedLenByteArray || unsigned):
		return b
	case unsigned && t.Kind() != types.KindLong && t.Kind() != types.KindDecimal:
		return b
	}
	b.lo, b.hi = literalBound(leaf, conv, s.lo), literalBound(leaf, conv, s.hi)
	if p == parquet.Types.ByteArray && len(s.hi) == 0 {
		if b.hi = nil; len(s.lo) > 0 {
			b.lo = nil
		}
	}
	if n, ok := compareValues(b.lo, b.hi); isNaN(b.lo) || isNaN(b.hi) || ok && n > 0 {
		b.lo, b.hi = nil, nil
	}
	return b
}

func isNaN(v any) bool {
	f, ok := v.(float64)
	return ok && math.IsNaN(f)
}

func literalBound(leaf *parquetNode, conv convert, raw []byte) any {
	if raw == nil {
		return nil
	}
	v := &vector{width: vectorWidth(leaf.physical), n: 1}
	switch {
	case v.width == 0:
		v.offsets, v.data = []int32{0, int32(len(raw))}, bytes.Clone(raw)
		if leaf.physical == parquet.Types.FixedLenByteArray && len(raw) != leaf.width {
			return nil
		}
	case len(raw) != v.width:
		return nil
	default:
		v.fixed = bytes.Clone(raw)
	}
	a, err := conv(v)
	if err != nil {
		return nil
	}
	return columns.Value(a, 0)
}

// lookup gives the bounds of a column by its ordinal; false: nothing is known.
type lookup func(ordinal int) (bounds, bool)

// mayMatch reports whether a row for which the predicate is TRUE can exist. It
// is false only when that is certain.
func mayMatch(e expr.Expr, of lookup) bool {
	c, ok := e.(*expr.Call)
	if !ok {
		if l, ok := e.(*expr.Literal); ok {
			return l.Value != nil && l.Value != false
		}
		return true
	}
	switch c.Fn {
	case "and":
		for _, a := range c.Args {
			if !mayMatch(a, of) {
				return false
			}
		}
		return true
	case "or":
		for _, a := range c.Args {
			if mayMatch(a, of) {
				return true
			}
		}
		return false
	case "isnull":
		if col, ok := c.Args[0].(*expr.Column); ok {
			b, known := of(col.Ref)
			return !known || b.nulls != 0
		}
	case "isnotnull":
		if col, ok := c.Args[0].(*expr.Column); ok {
			b, known := of(col.Ref)
			return !known || !b.allNull()
		}
	case "=", "<", "<=", ">", ">=", "<=>":
		return mayCompare(c.Fn, c.Args[0], c.Args[1], of)
	case "in":
		for _, a := range c.Args[1:] {
			if mayCompare("=", c.Args[0], a, of) {
				return true
			}
		}
		return false
	}
	return true
}

var mirrored = map[string]string{"=": "=", "<=>": "<=>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func mayCompare(op string, l, r expr.Expr, of lookup) bool {
	if _, ok := literalOf(l); ok {
		l, r, op = r, l, mirrored[op]
	}
	lit, ok := literalOf(r)
	if !ok {
		return true
	}
	b, ok := boundsOf(l, of)
	if !ok {
		return true
	}
	if lit == nil {
		return op == "<=>" && b.nulls != 0
	}
	if b.allNull() {
		return false
	}
	// NaN is greater than every number and statistics do not count it: an upper
	// bound of floating-point numbers proves nothing about > and >=.
	f, isFloat := lit.(float64)
	if isFloat && math.IsNaN(f) {
		return true
	}
	below := func(a, b any) bool { n, ok := compareValues(a, b); return ok && n < 0 }
	atMost := func(a, b any) bool { n, ok := compareValues(a, b); return ok && n <= 0 }
	_, floats := b.hi.(float64)
	switch op {
	case "=", "<=>":
		return !below(lit, b.lo) && !below(b.hi, lit)
	case "<":
		return !atMost(lit, b.lo)
	case "<=":
		return !below(lit, b.lo)
	case ">":
		return isFloat || floats || !atMost(b.hi, lit)
	case ">=":
		return isFloat || floats || !below(b.hi, lit)
	}
	return true
}

// literalOf sees through the implicit casts of a literal that keep its value.
func literalOf(e expr.Expr) (any, bool) {
	switch x := e.(type) {
	case *expr.Literal:
		return x.Value, true
	case *expr.Cast:
		if v, ok := literalOf(x.Arg); ok && x.Arg.Type() != nil {
			return widen(v, x.Arg.Type(), x.To)
		}
	}
	return nil, false
}

// boundsOf sees through casts of a column that keep the order of values.
func boundsOf(e expr.Expr, of lookup) (bounds, bool) {
	switch x := e.(type) {
	case *expr.Column:
		return of(x.Ref)
	case *expr.Cast:
		b, ok := boundsOf(x.Arg, of)
		if !ok || x.Arg.Type() == nil {
			return b, false
		}
		var ok1, ok2 bool
		b.lo, ok1 = widen(b.lo, x.Arg.Type(), x.To)
		b.hi, ok2 = widen(b.hi, x.Arg.Type(), x.To)
		return b, ok1 && ok2
	}
	return bounds{}, false
}

// widen converts a value as a cast would that never fails and keeps the order;
// false for any other cast.
func widen(v any, from, to types.Type) (any, bool) {
	if v == nil || types.Equal(from, to) {
		return v, true
	}
	f, t := from.Kind(), to.Kind()
	switch {
	case types.IsIntegral(from) && types.IsIntegral(to) && f <= t:
		return v, true
	case types.IsIntegral(from) && t == types.KindDouble:
		return float64(v.(int64)), true
	case f == types.KindFloat && t == types.KindDouble:
		return v, true
	case types.IsIntegral(from) && t == types.KindDecimal:
		d := to.(types.Decimal)
		return v, d.Precision-d.Scale >= map[types.Kind]int{types.KindByte: 3, types.KindShort: 5, types.KindInteger: 10, types.KindLong: 19}[f]
	case f == types.KindDecimal && t == types.KindDecimal:
		a, b := from.(types.Decimal), to.(types.Decimal)
		return v, b.Scale >= a.Scale && b.Precision-b.Scale >= a.Precision-a.Scale
	case f == types.KindDate && (t == types.KindTimestamp || t == types.KindTimestampNTZ):
		const day = 86_400_000_000
		n := v.(int64)
		return n * day, n < math.MaxInt64/day && n > math.MinInt64/day
	}
	return nil, false
}

func order[T int64 | float64](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// compareValues orders two literal values; false when one is unknown or they
// have no common order.
func compareValues(a, b any) (int, bool) {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return order(x, y), true
		}
	case float64:
		if y, ok := b.(float64); ok {
			return order(x, y), true
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), true
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y), true
		}
	case bool:
		if y, ok := b.(bool); ok {
			if x == y {
				return 0, true
			}
			if y {
				return -1, true
			}
			return 1, true
		}
	}
	x, ok1 := rational(a)
	y, ok2 := rational(b)
	if !ok1 || !ok2 {
		return 0, false
	}
	return x.Cmp(y), true
}

// rational is the exact value of an integer or a decimal.
func rational(v any) (*big.Rat, bool) {
	switch x := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(x), true
	case expr.Decimal:
		den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(x.Scale, 0))), nil)
		return new(big.Rat).SetFrac(x.Unscaled, den), true
	}
	return nil, false
}
