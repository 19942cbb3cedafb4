package expr

import "github.com/sluicelake/sluice/types"

// castable is Spark's Cast.canAnsiCast.
func castable(from, to types.Type) bool {
	if types.SameIgnoringNullability(from, to) || from == types.Void {
		return true
	}
	f, t := from.Kind(), to.Kind()
	switch {
	case from == types.Variant:
		return variantHolds(to, true)
	case to == types.Variant:
		return variantHolds(from, false)
	case t == types.KindString:
		return true
	case t == types.KindCalendarInterval:
		return f == types.KindString
	case f == types.KindCalendarInterval:
		return false
	case types.IsNested(from) || types.IsNested(to):
		return nestedCastable(from, to, castable)
	case t == types.KindBinary:
		return f == types.KindString
	case t == types.KindBoolean:
		return f == types.KindString || types.IsNumeric(from)
	case t == types.KindDate:
		return f == types.KindString || f == types.KindTimestamp || f == types.KindTimestampNTZ
	case t == types.KindTimestamp:
		return f == types.KindString || types.IsNumeric(from) || isDatetime(from)
	case t == types.KindTimestampNTZ:
		return f == types.KindString || isDatetime(from)
	case types.IsNumeric(to):
		return f == types.KindString || f == types.KindBoolean || f == types.KindTimestamp || types.IsNumeric(from) ||
			(isInterval(from) && (types.IsIntegral(to) || isDecimal(to)))
	case isInterval(to):
		return f == types.KindString || f == t || types.IsIntegral(from) || isDecimal(from)
	case t == types.KindTime:
		return f == types.KindString || f == types.KindTime || f == types.KindTimestampNTZ
	}
	return false
}

// variantHolds tells which types a variant is cast to, and which become one: those
// that it has a form for, and structs only out of it.
func variantHolds(t types.Type, out bool) bool {
	switch x := t.(type) {
	case *types.Array:
		return variantHolds(x.Element, out)
	case *types.Map:
		return out && x.Key == types.String && variantHolds(x.Value, out)
	case *types.Struct:
		for _, f := range x.Fields {
			if !variantHolds(f.Type, out) {
				return false
			}
		}
		return out
	}
	return t != types.Void && !isInterval(t) && t != types.CalendarInterval && t.Kind() != types.KindTime
}

func nestedCastable(from, to types.Type, can func(a, b types.Type) bool) bool {
	switch x := from.(type) {
	case *types.Array:
		y, ok := to.(*types.Array)
		return ok && can(x.Element, y.Element) && (y.ContainsNull || !x.ContainsNull)
	case *types.Map:
		y, ok := to.(*types.Map)
		return ok && can(x.Key, y.Key) && can(x.Value, y.Value) && (y.ValueContainsNull || !x.ValueContainsNull)
	case *types.Struct:
		y, ok := to.(*types.Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return false
		}
		for i := range x.Fields {
			if !can(x.Fields[i].Type, y.Fields[i].Type) || (x.Fields[i].Nullable && !y.Fields[i].Nullable) {
				return false
			}
		}
		return true
	}
	return false
}

// legacyCastable is true for the casts that only the mode without ANSI has; the
// error class depends on it.
func legacyCastable(from, to types.Type) bool {
	f, t := from.Kind(), to.Kind()
	switch {
	case types.IsIntegral(from) && t == types.KindBinary:
		return true
	case t == types.KindBoolean:
		return f == types.KindDate || f == types.KindTimestamp
	case f == types.KindBoolean:
		return t == types.KindTimestamp
	case f == types.KindDate:
		return types.IsNumeric(to)
	}
	return false
}

func castError(from, to types.Type, text string) *BindError {
	class := "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"
	switch {
	case types.IsNumeric(from) && to == types.Date, from == types.Date && types.IsNumeric(to):
		class = "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION"
	case legacyCastable(from, to):
		class = "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION"
	}
	return bindErrorf(class, "cannot resolve %s: %s cannot be cast to %s", text, types.SQL(from), types.SQL(to))
}

// castableByName is castable for values whose structs are matched by name.
func castableByName(from, to types.Type, missing bool) bool {
	switch x := from.(type) {
	case *types.Array:
		if y, ok := to.(*types.Array); ok {
			return castableByName(x.Element, y.Element, missing)
		}
	case *types.Map:
		if y, ok := to.(*types.Map); ok {
			return castableByName(x.Key, y.Key, missing) && castableByName(x.Value, y.Value, missing)
		}
	case *types.Struct:
		y, ok := to.(*types.Struct)
		if !ok {
			break
		}
		for _, f := range x.Fields {
			if y.Index(f.Name) < 0 {
				return false
			}
		}
		for _, f := range y.Fields {
			switch i := x.Index(f.Name); {
			case i >= 0 && !castableByName(x.Fields[i].Type, f.Type, missing), i < 0 && !missing:
				return false
			}
		}
		return true
	}
	return castable(from, to)
}

// assignable is Spark's Cast.canANSIStoreAssign: what may be stored, and what an
// argument of a function converts to by itself.
func assignable(from, to types.Type) bool {
	if types.SameIgnoringNullability(from, to) || from == types.Void {
		return true
	}
	switch {
	case types.IsNested(from) || types.IsNested(to):
		return nestedCastable(from, to, assignable)
	case types.IsNumeric(from) && types.IsNumeric(to):
		return true
	case to == types.String:
		return true
	case isDatetime(from) && isDatetime(to):
		return true
	case isInterval(from) && from.Kind() == to.Kind():
		return true
	}
	return false
}

// implicitArg is the type an argument is cast to where a function expects want;
// nil when it does not convert (AnsiTypeCoercion.implicitCast).
func (in *binder) implicitArg(from, want types.Type) types.Type {
	switch {
	case in.legacy():
		return legacyArg(from, want)
	case types.SameIgnoringNullability(from, want):
		return from
	case from == types.String && !types.IsNested(want) && want != types.Variant:
		return want
	case assignable(from, want):
		return want
	}
	return nil
}
