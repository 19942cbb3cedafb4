package expr

import (
	"strings"

	"github.com/sluicelake/sluice/types"
)

// This file is Spark's AnsiTypeCoercion: which type two expressions have in common
// (legacy.go has what differs outside ANSI mode).

var numericOrder = map[types.Kind]int{
	types.KindByte: 1, types.KindShort: 2, types.KindInteger: 3, types.KindLong: 4, types.KindFloat: 5, types.KindDouble: 6,
}

func isDatetime(t types.Type) bool {
	k := t.Kind()
	return k == types.KindDate || k == types.KindTimestamp || k == types.KindTimestampNTZ
}

func isDecimal(t types.Type) bool { return t.Kind() == types.KindDecimal }

func isFraction(t types.Type) bool {
	k := t.Kind()
	return k == types.KindFloat || k == types.KindDouble || k == types.KindDecimal
}

func isInterval(t types.Type) bool {
	k := t.Kind()
	return k == types.KindDayTimeInterval || k == types.KindYearMonthInterval
}

// tightest is the common type that loses nothing and needs no string conversion;
// nil when there is none.
func (in *binder) tightest(a, b types.Type) types.Type {
	if types.SameIgnoringNullability(a, b) {
		return mergeNulls(a, b)
	}
	ka, kb := a.Kind(), b.Kind()
	switch {
	case ka == types.KindVoid:
		return b
	case kb == types.KindVoid:
		return a
	case types.IsIntegral(a) && isDecimal(b):
		return integralInDecimal(a, b)
	case isDecimal(a) && types.IsIntegral(b):
		return integralInDecimal(b, a)
	case numericOrder[ka] > 0 && numericOrder[kb] > 0:
		wide := a
		if numericOrder[kb] > numericOrder[ka] {
			wide = b
		}
		if wide == types.Float && !in.legacy() && (types.IsIntegral(a) || types.IsIntegral(b)) {
			return types.Double
		}
		return wide
	case isDatetime(a) && isDatetime(b):
		if ka == types.KindTimestamp || kb == types.KindTimestamp {
			return types.Timestamp
		}
		return types.TimestampNTZ
	case isInterval(a) && ka == kb:
		x, y := a.(types.Interval), b.(types.Interval)
		return types.Interval{From: min(x.From, y.From), To: max(x.To, y.To)}
	}
	return complexType(a, b, in.tightest)
}

// integralInDecimal is the decimal if it holds every value of the integral type.
func integralInDecimal(integral, dec types.Type) types.Type {
	d, f := dec.(types.Decimal), decimalFor(integral)
	if d.Precision-d.Scale >= f.Precision {
		return d
	}
	return nil
}

// complexType finds the common type of arrays, maps and structs part by part.
func complexType(a, b types.Type, part func(a, b types.Type) types.Type) types.Type {
	switch x := a.(type) {
	case *types.Array:
		if y, ok := b.(*types.Array); ok {
			if el := part(x.Element, y.Element); el != nil {
				return &types.Array{Element: el, ContainsNull: x.ContainsNull || y.ContainsNull}
			}
		}
	case *types.Map:
		if y, ok := b.(*types.Map); ok {
			k, v := part(x.Key, y.Key), part(x.Value, y.Value)
			if k != nil && v != nil {
				return &types.Map{Key: k, Value: v, ValueContainsNull: x.ValueContainsNull || y.ValueContainsNull}
			}
		}
	case *types.Struct:
		y, ok := b.(*types.Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return nil
		}
		out := &types.Struct{}
		for i, f := range x.Fields {
			g := y.Fields[i]
			t := part(f.Type, g.Type)
			if t == nil || !strings.EqualFold(f.Name, g.Name) {
				return nil
			}
			out.Fields = append(out.Fields, types.Field{Name: f.Name, Type: t, Nullable: f.Nullable || g.Nullable})
		}
		return out
	}
	return nil
}

// mergeNulls joins two types that differ at most in nullability.
func mergeNulls(a, b types.Type) types.Type {
	if !types.IsNested(a) {
		return a
	}
	return complexType(a, b, mergeNulls)
}

// wider is the common type of CASE, COALESCE, IN and their kin: decimals widen,
// and strings give way to the other type (findWiderTypeForTwo).
func (in *binder) wider(a, b types.Type) types.Type {
	if t := in.tightest(a, b); t != nil {
		return t
	}
	if t := widerDecimal(a, b); t != nil {
		return t
	}
	promote := stringPromotion
	if in.legacy() {
		promote = asString
	}
	if t := promote(a, b); t != nil {
		return t
	}
	return complexType(a, b, in.wider)
}

// elementType is the type in which arrays and what goes into them meet.
func (in *binder) elementType(a, b types.Type) types.Type {
	if in.legacy() {
		return in.unpromoted(a, b)
	}
	return in.wider(a, b)
}

func widerDecimal(a, b types.Type) types.Type {
	if !isDecimal(a) && !isDecimal(b) || !types.IsNumeric(a) || !types.IsNumeric(b) {
		return nil
	}
	if (isFraction(a) && !isDecimal(a)) || (isFraction(b) && !isDecimal(b)) {
		return types.Double
	}
	return unionDecimal(decimalFor(a), decimalFor(b))
}

// unionDecimal holds the integer digits and the scale of both, bounded at 38 (DecimalPrecision.widerDecimalType).
func unionDecimal(a, b types.Decimal) types.Decimal {
	scale := max(a.Scale, b.Scale)
	whole := max(a.Precision-a.Scale, b.Precision-b.Scale)
	return types.Decimal{Precision: min(whole+scale, 38), Scale: min(scale, 38)}
}

// stringPromotion is the type a string takes beside another type.
func stringPromotion(a, b types.Type) types.Type {
	if b == types.String {
		a, b = b, a
	}
	if a != types.String {
		return nil
	}
	switch {
	case types.IsIntegral(b):
		return types.Long
	case isFraction(b):
		return types.Double
	case anyInterval(b) || types.IsNested(b):
		return nil
	}
	return b
}

// widerOf folds wider over a list, strings first as Spark does.
func (in *binder) widerOf(list []types.Type) types.Type {
	var out types.Type = types.Void
	for _, strings := range []bool{true, false} {
		for _, t := range list {
			if hasString(t) != strings {
				continue
			}
			if out = in.wider(out, t); out == nil {
				return nil
			}
		}
	}
	return out
}

// CommonType is the type to which the values of a CASE, of COALESCE or of one
// column of a UNION are converted; nil when there is none.
func (o Options) CommonType(list ...types.Type) types.Type {
	return (&binder{scope: Scope{Options: o}}).widerOf(list)
}

// Convert casts a bound expression to a type as an operator that needs the type
// would: not at all when it has it.
func (o Options) Convert(e Expr, to types.Type) Expr {
	return (&binder{scope: Scope{Options: o}}).convert(e, to)
}

func hasString(t types.Type) bool {
	if a, ok := t.(*types.Array); ok {
		return hasString(a.Element)
	}
	return t == types.String
}

// decimalFor is the decimal that holds every value of a numeric type.
func decimalFor(t types.Type) types.Decimal {
	switch t.Kind() {
	case types.KindByte:
		return types.Decimal{Precision: 3}
	case types.KindShort:
		return types.Decimal{Precision: 5}
	case types.KindInteger:
		return types.Decimal{Precision: 10}
	case types.KindLong:
		return types.Decimal{Precision: 20}
	case types.KindFloat:
		return types.Decimal{Precision: 14, Scale: 7}
	case types.KindDouble:
		return types.Decimal{Precision: 30, Scale: 15}
	}
	d, _ := t.(types.Decimal)
	return d
}

// adjust bounds a decimal at 38 digits, keeping six digits of the fraction if it
// must (DecimalType.adjustPrecisionScale).
func adjust(precision, scale int) types.Decimal {
	if precision <= 38 {
		return types.Decimal{Precision: precision, Scale: scale}
	}
	whole := precision - scale
	return types.Decimal{Precision: 38, Scale: max(38-whole, min(scale, 6))}
}

// decimalResult is the type of an arithmetic operator over decimals (DecimalPrecision).
func decimalResult(op string, a, b types.Decimal) types.Decimal {
	p1, s1, p2, s2 := a.Precision, a.Scale, b.Precision, b.Scale
	switch op {
	case "*":
		return adjust(p1+p2+1, s1+s2)
	case "/":
		scale := max(6, s1+p2+1)
		return adjust(p1-s1+s2+scale, scale)
	case "%", "pmod":
		scale := max(s1, s2)
		return adjust(min(p1-s1, p2-s2)+scale, scale)
	}
	scale := max(s1, s2)
	return adjust(max(p1-s1, p2-s2)+scale+1, scale)
}
