package feature

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// SchemaError is a schema that cannot become another.
type SchemaError struct {
	Class string // Delta's error class
	Msg   string
}

func (e *SchemaError) Error() string { return "[" + e.Class + "] " + e.Msg }

// Evolve adds to a table's schema the columns and fields of rows that are to be
// written to it, as delta-spark's schema evolution does: new ones come last and
// may be NULL; those that are there keep their type, and values are converted to
// it, unless the table widens types and the new type is wider (PROTOCOL.md, Type
// Widening). Names are compared without regard to case.
func Evolve(table, rows *types.Struct, widen bool) (*types.Struct, error) {
	e := evolver{widen: widen}
	t, _, err := e.merge(table, rows, "")
	if err != nil {
		return nil, err
	}
	return t.(*types.Struct), nil
}

// Pick keeps of the schema of rows what a statement writes: the columns and
// fields under the given paths (empty paths: everything).
func Pick(rows *types.Struct, paths [][]string) *types.Struct {
	out := &types.Struct{}
	for _, f := range rows.Fields {
		var inside [][]string
		whole := false
		for _, p := range paths {
			switch {
			case len(p) == 0:
				whole = true
			case !strings.EqualFold(p[0], f.Name):
			case len(p) == 1:
				whole = true
			default:
				inside = append(inside, p[1:])
			}
		}
		if s, ok := f.Type.(*types.Struct); ok && !whole && len(inside) > 0 {
			if f.Type = Pick(s, inside); len(f.Type.(*types.Struct).Fields) > 0 {
				out.Fields = append(out.Fields, f)
			}
		} else if whole {
			out.Fields = append(out.Fields, f)
		}
	}
	return out
}

type evolver struct{ widen bool }

// typeChange is one change of a type inside a field.
type typeChange struct {
	From string `json:"fromType"`
	To   string `json:"toType"`
	Path string `json:"fieldPath,omitempty"`
}

// merge is the type for values of both, and the changes of type below the
// nearest field.
func (e evolver) merge(have, get types.Type, name string) (types.Type, []typeChange, error) {
	switch h := have.(type) {
	case *types.Struct:
		if g, ok := get.(*types.Struct); ok {
			out, err := e.fields(h, g, name)
			return out, nil, err
		}
	case *types.Array:
		if g, ok := get.(*types.Array); ok {
			el, changes, err := e.merge(h.Element, g.Element, name+".element")
			return &types.Array{Element: el, ContainsNull: h.ContainsNull}, below("element", changes), err
		}
	case *types.Map:
		if g, ok := get.(*types.Map); ok {
			k, keys, err := e.merge(h.Key, g.Key, name+".key")
			if err != nil {
				return nil, nil, err
			}
			v, values, err := e.merge(h.Value, g.Value, name+".value")
			return &types.Map{Key: k, Value: v, ValueContainsNull: h.ValueContainsNull}, append(below("key", keys), below("value", values)...), err
		}
	default:
		if types.SameIgnoringNullability(have, get) {
			return have, nil, nil
		}
		if e.widen {
			if to := Wider(have, get); to != nil {
				return to, []typeChange{{From: typeName(have), To: typeName(to)}}, nil
			}
		}
		if converts(get, have) {
			return have, nil, nil
		}
	}
	return nil, nil, &SchemaError{Class: "DELTA_FAILED_TO_MERGE_FIELDS", Msg: fmt.Sprintf(
		"the column %s of the table is %s, the new rows have %s, and one does not become the other", name, have, get)}
}

func (e evolver) fields(have, get *types.Struct, name string) (*types.Struct, error) {
	out := &types.Struct{}
	for _, f := range have.Fields {
		if i := get.Index(f.Name); i >= 0 {
			t, changes, err := e.merge(f.Type, get.Fields[i].Type, join(name, f.Name))
			if err != nil {
				return nil, err
			}
			f.Type = t
			if len(changes) > 0 {
				f.Metadata = withChanges(f.Metadata, changes)
			}
		}
		out.Fields = append(out.Fields, f)
	}
	for _, f := range get.Fields {
		if have.Index(f.Name) < 0 {
			out.Fields = append(out.Fields, fresh(f))
		}
	}
	return out, nil
}

// fresh is a new column: nullable at every depth, and with nothing of the
// metadata that belongs to another table.
func fresh(f types.Field) types.Field {
	out := types.Field{Name: f.Name, Type: f.Type, Nullable: true}
	if c, ok := f.Metadata.Text("comment"); ok {
		out.Metadata = out.Metadata.With("comment", c)
	}
	out.Type = freshType(f.Type)
	return out
}

func freshType(t types.Type) types.Type {
	switch x := t.(type) {
	case *types.Struct:
		out := &types.Struct{}
		for _, f := range x.Fields {
			out.Fields = append(out.Fields, fresh(f))
		}
		return out
	case *types.Array:
		return &types.Array{Element: freshType(x.Element), ContainsNull: true}
	case *types.Map:
		return &types.Map{Key: freshType(x.Key), Value: freshType(x.Value), ValueContainsNull: true}
	}
	return t
}

func join(path, name string) string {
	if path == "" {
		return types.QuoteIdentifier(name)
	}
	return path + "." + types.QuoteIdentifier(name)
}

func below(step string, changes []typeChange) []typeChange {
	for i := range changes {
		if changes[i].Path != "" {
			changes[i].Path = step + "." + changes[i].Path
		} else {
			changes[i].Path = step
		}
	}
	return changes
}

func withChanges(m types.Metadata, changes []typeChange) types.Metadata {
	var all []json.RawMessage
	if raw, ok := m.Raw("delta.typeChanges"); ok {
		_ = json.Unmarshal(raw, &all) // what is no list is replaced
	}
	for _, c := range changes {
		if raw, err := json.Marshal(c); err == nil {
			all = append(all, raw)
		}
	}
	return m.With("delta.typeChanges", all)
}

func typeName(t types.Type) string { return strings.Trim(types.JSON(t), `"`) }

// Wider is the type that holds all values of both and to which a column is
// widened by itself when rows of the other type come; nil when there is none
// (PROTOCOL.md, Type Widening, less the changes from integers to fractions,
// which the reference makes only when told to).
func Wider(have, get types.Type) types.Type {
	rank := map[types.Type]int{types.Byte: 1, types.Short: 2, types.Integer: 3, types.Long: 4}
	switch h, g := rank[have], rank[get]; {
	case h > 0 && g > h:
		return get
	case have == types.Float && get == types.Double:
		return get
	case have == types.Date && get == types.TimestampNTZ:
		return get
	}
	h, ok := have.(types.Decimal)
	g, ok2 := get.(types.Decimal)
	if !ok || !ok2 {
		return nil
	}
	scale := max(h.Scale, g.Scale)
	whole := max(h.Precision-h.Scale, g.Precision-g.Scale)
	if whole+scale > 38 || whole == h.Precision-h.Scale && scale == h.Scale {
		return nil
	}
	return types.Decimal{Precision: whole + scale, Scale: scale}
}

// converts reports whether values of a type are converted to a column's type
// without being asked (Spark's TypeCoercion.implicitCast).
func converts(from, to types.Type) bool {
	number := func(t types.Type) bool {
		k := t.Kind()
		return k >= types.KindByte && k <= types.KindDecimal
	}
	datetime := func(t types.Type) bool {
		k := t.Kind()
		return k == types.KindDate || k == types.KindTimestamp || k == types.KindTimestampNTZ
	}
	switch {
	case from == types.Void:
		return true
	case number(to):
		return number(from) || from == types.String
	case datetime(to):
		return datetime(from) || from == types.String
	case to == types.String:
		return !types.IsNested(from) && from != types.Variant
	case to == types.Binary:
		return from == types.String
	}
	return false
}
