package colstats

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// Class says which field of a Value holds it.
type Class uint8

// The classes. Values of one class and, for decimals, one scale are ordered.
const (
	None  Class = iota
	Int         // boolean (0, 1), integers, days of a date, microseconds of a timestamp
	Float       // NaN is the largest, the zeros are equal, as in Spark
	Decimal
	Text // string and binary, in byte order
)

// Value is a bound or a constant without an allocation for numbers.
type Value struct {
	Class Class
	Scale int32 // of a decimal
	I     int64
	F     float64
	D     decimal128.Num
	S     string
}

// ClassOf is the class of a type's values; None when they have no order here.
func ClassOf(t types.Type) Class {
	switch t.Kind() {
	case types.KindBoolean, types.KindByte, types.KindShort, types.KindInteger, types.KindLong, types.KindDate, types.KindTimestamp, types.KindTimestampNTZ:
		return Int
	case types.KindFloat, types.KindDouble:
		return Float
	case types.KindDecimal:
		return Decimal
	case types.KindString, types.KindBinary:
		return Text
	}
	return None
}

// Of turns a literal value (see expr.Literal) of type t into a Value; false for
// NULL and for what has no order.
func Of(v any, t types.Type) (Value, bool) {
	switch x := v.(type) {
	case bool:
		if x {
			return Value{Class: Int, I: 1}, true
		}
		return Value{Class: Int}, true
	case int64:
		return Value{Class: Int, I: x}, ClassOf(t) == Int
	case float64:
		return Value{Class: Float, F: x}, true
	case string:
		return Value{Class: Text, S: x}, true
	case []byte:
		return Value{Class: Text, S: string(x)}, true
	case expr.Decimal:
		d, ok := t.(types.Decimal)
		if !ok {
			return Value{}, false
		}
		n := x.Unscaled
		if x.Scale > d.Scale {
			return Value{}, false
		}
		if x.Scale < d.Scale {
			n = new(big.Int).Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale-x.Scale)), nil))
		}
		if n.BitLen() > 126 {
			return Value{}, false
		}
		return Value{Class: Decimal, Scale: int32(d.Scale), D: decimal128.FromBigInt(n)}, true
	}
	return Value{}, false
}

// Compare orders two values; ok is false when they have no common order.
func Compare(a, b Value) (c int, ok bool) {
	if a.Class != b.Class || a.Class == None {
		return 0, false
	}
	switch a.Class {
	case Int:
		return cmp.Compare(a.I, b.I), true
	case Float:
		return compareFloat(a.F, b.F), true
	case Decimal:
		return a.D.Cmp(b.D), a.Scale == b.Scale
	default:
		return strings.Compare(a.S, b.S), true
	}
}

// compareFloat puts NaN last and makes the zeros equal.
func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	an, bn := math.IsNaN(a), math.IsNaN(b)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	}
	return -1
}

// Literal is the value in the form of expr.Literal, of type t.
func (v Value) Literal(t types.Type) any {
	switch v.Class {
	case Int:
		if t.Kind() == types.KindBoolean {
			return v.I != 0
		}
		return v.I
	case Float:
		return v.F
	case Decimal:
		return expr.Decimal{Unscaled: v.D.BigInt(), Scale: int(v.Scale)}
	case Text:
		if t.Kind() == types.KindBinary {
			return bytes.Clone([]byte(v.S))
		}
		return v.S
	}
	return nil
}
