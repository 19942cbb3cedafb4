package expr

import (
	"strings"

	"github.com/sluicelake/sluice/types"
)

// StoreByName is AssignByName as UPDATE and MERGE do it. A struct of another type is
// made anew of its fields (Delta, UpdateExpressionsSupport.castIfNeeded): so the
// column that an overflow names is the field. A NULL struct stays NULL. overflow is
// the class of a value that does not fit.
func StoreByName(bound Expr, target types.Type, columnName, overflow string, missing bool, o Options) (Expr, error) {
	from, isStruct := bound.Type().(*types.Struct)
	to, ok := target.(*types.Struct)
	if !isStruct || !ok || sameStored(from, to) {
		if mismatched(bound.Type(), target, missing) {
			return nil, structMismatch(bound.Type(), target, columnName)
		}
		v, err := AssignByName(bound, target, columnName, missing, o)
		if c, ok := v.(*Cast); ok && c.Assign != "" {
			c.Overflow = overflow
		}
		return v, err
	}
	if mismatched(from, to, missing) {
		return nil, structMismatch(from, to, columnName)
	}
	values := make([]Expr, len(to.Fields))
	for i, f := range to.Fields {
		if from.Index(f.Name) < 0 {
			values[i] = &Literal{T: f.Type}
			continue
		}
		e, err := extract(bound, f.Name)
		if err != nil {
			return nil, err
		}
		if values[i], err = StoreByName(e, f.Type, f.Name, overflow, missing, o); err != nil {
			return nil, err
		}
	}
	return NullIf(StructOf(to.Names(), values), bound), nil
}

// StoreByPlace is AssignTo as INSERT does it: the fields of structs are matched by
// their place at every depth, and a struct of another type is made anew (Delta,
// DeltaAnalysis.addCastsToStructs). Fields beyond those of the target keep their
// name, for the schema to take them up or refuse them; keep says which values stay
// as they are for the schema to follow.
func StoreByPlace(bound Expr, target types.Type, columnName string, keep func(from, to types.Type) bool, o Options) (Expr, error) {
	from, isStruct := bound.Type().(*types.Struct)
	to, ok := target.(*types.Struct)
	if !isStruct || !ok || sameStored(from, to) {
		if keep(bound.Type(), target) {
			return bound, nil
		}
		return AssignTo(bound, target, columnName, o)
	}
	if len(from.Fields) < len(to.Fields) {
		return nil, bindErrorf("DELTA_INSERT_COLUMN_ARITY_MISMATCH", "not enough fields for %s: the value has %d (%s) for the %d fields %s",
			quoteName(columnName), len(from.Fields), strings.Join(from.Names(), ", "), len(to.Fields), strings.Join(to.Names(), ", "))
	}
	if sameStored(&types.Struct{Fields: from.Fields[:len(to.Fields)]}, to) {
		return bound, nil // only longer
	}
	names, values := from.Names(), make([]Expr, len(from.Fields))
	for i, f := range from.Fields {
		values[i] = &Field{Base: bound, Name: f.Name, Index: i, T: f.Type}
		if i >= len(to.Fields) {
			continue
		}
		names[i] = to.Fields[i].Name
		if _, ok := f.Type.(*types.Struct); ok && to.Fields[i].Type.Kind() != types.KindStruct {
			return nil, bindErrorf("DELTA_COLUMN_STRUCT_TYPE_MISMATCH", "the struct %s cannot be stored in the field %s of %s, which is %s",
				quoteName(f.Name), quoteName(names[i]), quoteName(columnName), types.SQL(to.Fields[i].Type))
		}
		var err error
		if values[i], err = StoreByPlace(values[i], to.Fields[i].Type, names[i], keep, o); err != nil {
			return nil, err
		}
	}
	return NullIf(StructOf(names, values), bound), nil
}

// StructOf is a bound named_struct.
func StructOf(names []string, values []Expr) Expr {
	out := &Call{Fn: "named_struct"}
	t := &types.Struct{}
	for i, v := range values {
		out.Args = append(out.Args, &Literal{Value: names[i], T: types.String}, v)
		t.Fields = append(t.Fields, types.Field{Name: names[i], Type: v.Type(), Nullable: v.Nullable()})
	}
	out.T = t
	return out
}

// NullIf is the value, and NULL where all of others, bound as it is, are.
func NullIf(value Expr, others ...Expr) Expr {
	conds := make([]Expr, len(others))
	for i, e := range others {
		conds[i] = &Call{Fn: "isnull", Args: []Expr{e}, T: types.Boolean}
	}
	return &Case{Whens: []When{{Cond: And(conds...), Then: &Literal{T: value.Type()}}}, Else: value, T: value.Type()}
}

// sameStored reports structs that are stored as they are: the same fields in the
// same order, whatever the case of their names.
func sameStored(a, b types.Type) bool {
	switch x := a.(type) {
	case *types.Struct:
		y, ok := b.(*types.Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return false
		}
		for i := range x.Fields {
			if !strings.EqualFold(x.Fields[i].Name, y.Fields[i].Name) || !sameStored(x.Fields[i].Type, y.Fields[i].Type) {
				return false
			}
		}
		return true
	case *types.Array:
		y, ok := b.(*types.Array)
		return ok && sameStored(x.Element, y.Element)
	case *types.Map:
		y, ok := b.(*types.Map)
		return ok && sameStored(x.Key, y.Key) && sameStored(x.Value, y.Value)
	}
	return types.SameIgnoringNullability(a, b)
}

// mismatched reports structs, at any depth, one of which has a field that the
// other lacks; missing lets the value lack some.
func mismatched(from, to types.Type, missing bool) bool {
	switch x := from.(type) {
	case *types.Array:
		y, ok := to.(*types.Array)
		return ok && mismatched(x.Element, y.Element, missing)
	case *types.Map:
		y, ok := to.(*types.Map)
		return ok && (mismatched(x.Key, y.Key, missing) || mismatched(x.Value, y.Value, missing))
	case *types.Struct:
		y, ok := to.(*types.Struct)
		if !ok {
			return false
		}
		for _, f := range x.Fields {
			if i := y.Index(f.Name); i < 0 || mismatched(f.Type, y.Fields[i].Type, missing) {
				return true
			}
		}
		return !missing && len(x.Fields) != len(y.Fields)
	}
	return false
}

func structMismatch(from, to types.Type, columnName string) *BindError {
	return bindErrorf("DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION", "%s: %s cannot be stored as %s: all fields must have their like", quoteName(columnName), types.SQL(from), types.SQL(to))
}
