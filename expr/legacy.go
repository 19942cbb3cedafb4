package expr

import "github.com/sluicelake/sluice/types"

// This file is what Spark's TypeCoercion and Cast.canCast do otherwise than their
// ANSI siblings: the rules of a session with spark.sql.ansi.enabled=false.

func (in *binder) legacy() bool { return in.scope.Options.Legacy }

// castable is Cast.canCast or Cast.canAnsiCast; TRY_CAST is ANSI in every session.
func (in *binder) castable(from, to types.Type, try bool) bool {
	if in.legacy() && !try {
		return anyCastable(from, to)
	}
	return castable(from, to)
}

func anyCastable(from, to types.Type) bool {
	if castable(from, to) || legacyCastable(from, to) {
		return true
	}
	return (types.IsNested(from) || types.IsNested(to)) && nestedCastable(from, to, anyCastable)
}

func (in *binder) castError(from, to types.Type, text string, try bool) *BindError {
	e := castError(from, to, text)
	if try && e.Class == "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION" || in.legacy() && !try {
		e.Class = "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"
	}
	return e
}

// lossy tells the casts that are NULL for some value outside ANSI mode (Cast.forceNullable).
func lossy(from, to types.Type) bool {
	f, t := from.Kind(), to.Kind()
	switch {
	case types.SameIgnoringNullability(from, to), from == types.Void, t == types.KindString:
		return false
	case f == types.KindString:
		return t != types.KindBinary
	case f == types.KindTimestamp || f == types.KindTimestampNTZ:
		return t == types.KindByte || t == types.KindShort || t == types.KindInteger || t == types.KindDecimal
	case f == types.KindDate:
		return t != types.KindTimestamp && t != types.KindTimestampNTZ
	case t == types.KindDecimal:
		return !types.IsIntegral(from) || !holds(to.(types.Decimal), decimalFor(from))
	case f == types.KindFloat || f == types.KindDouble || f == types.KindDecimal:
		return types.IsIntegral(to) || t == types.KindTimestamp
	}
	return from == types.Variant
}

func holds(wide, d types.Decimal) bool {
	return wide.Precision-wide.Scale >= d.Precision-d.Scale && wide.Scale >= d.Scale
}

// compared is the type in which a string is compared with another type
// (TypeCoercion.findCommonTypeForBinaryComparison), and in which a boolean equals
// a number (BooleanEquality).
func compared(fn string, a, b types.Type) types.Type {
	if b == types.String || types.IsNumeric(a) {
		a, b = b, a
	}
	switch {
	case a == types.Boolean && types.IsNumeric(b):
		if fn == "=" || fn == "<=>" || fn == "<>" {
			return b
		}
		return nil
	case a != types.String || b == types.String || isInterval(b) || types.IsNested(b) || b == types.Variant:
		return nil
	case b == types.Void:
		return types.String
	case isDecimal(b):
		return types.Double
	}
	return b
}

// asNumbers makes the strings of an arithmetic operation doubles (PromoteStrings).
func (in *binder) asNumbers(a, b Expr) (Expr, Expr) {
	if a.Type() == types.String && !isInterval(b.Type()) {
		a = in.convert(a, types.Double)
	}
	if b.Type() == types.String && !isInterval(a.Type()) {
		b = in.convert(b, types.Double)
	}
	return a, b
}

// asString is the string that a string and another type become in CASE, IN and their kin.
func asString(a, b types.Type) types.Type {
	if b == types.String {
		a, b = b, a
	}
	if a != types.String || b == types.Binary || b == types.Boolean || types.IsNested(b) || b == types.Variant {
		return nil
	}
	return a
}

// unpromoted is wider without turning anything into a string (findWiderTypeWithoutStringPromotion).
func (in *binder) unpromoted(a, b types.Type) types.Type {
	if t := in.tightest(a, b); t != nil {
		return t
	}
	if t := widerDecimal(a, b); t != nil {
		return t
	}
	return complexType(a, b, in.unpromoted)
}

// legacyArg is TypeCoercion.implicitCast: what an argument becomes where a
// function expects a type; nil when it does not convert.
func legacyArg(from, want types.Type) types.Type {
	f, w := from.Kind(), want.Kind()
	switch {
	case types.SameIgnoringNullability(from, want):
		return from
	case from == types.Void, types.IsNumeric(from) && types.IsNumeric(want):
		return want
	case types.IsNested(from) && types.IsNested(want):
		if nestedCastable(from, want, func(a, b types.Type) bool { return legacyArg(a, b) != nil }) {
			return want
		}
	case types.IsNested(from) || want == types.Variant:
	case w == types.KindString, isDatetime(from) && isDatetime(want):
		return want
	case f == types.KindString && (types.IsNumeric(want) || isDatetime(want) || w == types.KindBinary):
		return want
	}
	return nil
}

// nulls tells the operators that are NULL, outside ANSI mode, for operands that are not.
func nulls(fn string, t types.Type) bool {
	switch fn {
	case "/", "%", "div", "pmod":
		return true
	case "+", "-", "*", "round", "bround", "ceil", "floor":
		return isDecimal(t)
	}
	return false
}
