package colstats

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/types"
)

// accumulator keeps the bounds of one leaf. The append methods write the JSON
// form of a bound and report whether there is one.
type accumulator interface {
	add(a arrow.Array, alive []bool)
	appendMin(dst []byte) ([]byte, bool)
	appendMax(dst []byte) ([]byte, bool)
}

func newAccumulator(t types.Type, prefix int) accumulator {
	if !HasBounds(t) {
		return nil
	}
	switch ClassOf(t) {
	case Int:
		return &intBounds{kind: t.Kind()}
	case Float:
		return &floatBounds{bits: floatBits(t)}
	case Decimal:
		return &decimalBounds{scale: t.(types.Decimal).Scale}
	default:
		return &textBounds{prefix: prefix}
	}
}

func floatBits(t types.Type) int {
	if t.Kind() == types.KindFloat {
		return 32
	}
	return 64
}

type intBounds struct {
	kind     types.Kind
	any, bad bool
	min, max int64
}

func (b *intBounds) add(a arrow.Array, alive []bool) {
	switch x := a.(type) {
	case *array.Int8:
		scanInts(b, x.Int8Values(), alive)
	case *array.Int16:
		scanInts(b, x.Int16Values(), alive)
	case *array.Int32:
		scanInts(b, x.Int32Values(), alive)
	case *array.Int64:
		scanInts(b, x.Int64Values(), alive)
	case *array.Date32:
		scanInts(b, x.Date32Values(), alive)
	case *array.Timestamp:
		scanInts(b, x.TimestampValues(), alive)
	default:
		b.bad = true
	}
}

func scanInts[T ~int8 | ~int16 | ~int32 | ~int64](b *intBounds, vals []T, alive []bool) {
	i := 0
	for alive != nil && i < len(vals) && !alive[i] {
		i++
	}
	if i == len(vals) {
		return
	}
	lo, hi := vals[i], vals[i]
	if alive == nil {
		for _, v := range vals[i:] {
			lo, hi = min(lo, v), max(hi, v)
		}
	} else {
		for ; i < len(vals); i++ {
			if alive[i] {
				lo, hi = min(lo, vals[i]), max(hi, vals[i])
			}
		}
	}
	if !b.any {
		b.min, b.max, b.any = int64(lo), int64(hi), true
		return
	}
	b.min, b.max = min(b.min, int64(lo)), max(b.max, int64(hi))
}

func (b *intBounds) appendMin(dst []byte) ([]byte, bool) { return b.append(dst, b.min) }
func (b *intBounds) appendMax(dst []byte) ([]byte, bool) { return b.append(dst, b.max) }

func (b *intBounds) append(dst []byte, v int64) ([]byte, bool) {
	if !b.any || b.bad {
		return dst, false
	}
	return appendInt(dst, v, b.kind), true
}

// floatBounds leaves NaN out of the minimum, and gives up the maximum when a
// NaN was seen: NaN is larger than every number and has no JSON form. Zeros
// keep the sign that makes the bound the wider one.
type floatBounds struct {
	bits          int
	any, bad, nan bool
	min, max      float64
}

func (b *floatBounds) add(a arrow.Array, alive []bool) {
	switch x := a.(type) {
	case *array.Float32:
		for i, v := range x.Float32Values() {
			if alive == nil || alive[i] {
				b.one(float64(v))
			}
		}
	case *array.Float64:
		for i, v := range x.Float64Values() {
			if alive == nil || alive[i] {
				b.one(v)
			}
		}
	default:
		b.bad = true
	}
}

func (b *floatBounds) one(v float64) {
	switch {
	case v != v:
		b.nan = true
	case !b.any:
		b.min, b.max, b.any = v, v, true
	case v < b.min:
		b.min = v
	case v > b.max:
		b.max = v
	}
}

func (b *floatBounds) appendMin(dst []byte) ([]byte, bool) {
	v := b.min
	if v == 0 {
		v = math.Copysign(0, -1)
	}
	return b.append(dst, v, b.any)
}

func (b *floatBounds) appendMax(dst []byte) ([]byte, bool) {
	v := b.max
	if v == 0 {
		v = 0
	}
	return b.append(dst, v, b.any && !b.nan)
}

func (b *floatBounds) append(dst []byte, v float64, known bool) ([]byte, bool) {
	if !known || b.bad || math.IsInf(v, 0) {
		return dst, false
	}
	return appendFloat(dst, v, b.bits), true
}

type decimalBounds struct {
	scale    int
	any, bad bool
	min, max decimal128.Num
}

func (b *decimalBounds) add(a arrow.Array, alive []bool) {
	x, ok := a.(*array.Decimal128)
	if !ok || int(x.DataType().(*arrow.Decimal128Type).Scale) != b.scale {
		b.bad = true
		return
	}
	for i, v := range x.Values() {
		switch {
		case alive != nil && !alive[i]:
		case !b.any:
			b.min, b.max, b.any = v, v, true
		case v.Cmp(b.min) < 0:
			b.min = v
		case v.Cmp(b.max) > 0:
			b.max = v
		}
	}
}

func (b *decimalBounds) appendMin(dst []byte) ([]byte, bool) { return b.append(dst, b.min) }
func (b *decimalBounds) appendMax(dst []byte) ([]byte, bool) { return b.append(dst, b.max) }

func (b *decimalBounds) append(dst []byte, v decimal128.Num) ([]byte, bool) {
	if !b.any || b.bad {
		return dst, false
	}
	return appendDecimal(dst, v, b.scale), true
}
