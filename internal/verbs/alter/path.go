package alter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// Names of what is below arrays and maps in the path of a column.
const (
	elementName = "element"
	keyName     = "key"
	valueName   = "value"
)

// within replaces the type at a path by what fn makes of it. full is the path
// from the top, for messages.
func within(t types.Type, path, full []string, fn func(types.Type) (types.Type, error)) (types.Type, error) {
	if len(path) == 0 {
		return fn(t)
	}
	switch x := t.(type) {
	case *types.Struct:
		i := x.Index(path[0])
		if i < 0 {
			return nil, unknown(x, path[0], full)
		}
		inner, err := within(x.Fields[i].Type, path[1:], full, fn)
		if err != nil {
			return nil, err
		}
		out := &types.Struct{Fields: slices.Clone(x.Fields)}
		out.Fields[i].Type = inner
		return out, nil
	case *types.Array:
		if strings.EqualFold(path[0], elementName) {
			el, err := within(x.Element, path[1:], full, fn)
			return &types.Array{Element: el, ContainsNull: x.ContainsNull}, err
		}
	case *types.Map:
		if strings.EqualFold(path[0], keyName) {
			k, err := within(x.Key, path[1:], full, fn)
			return &types.Map{Key: k, Value: x.Value, ValueContainsNull: x.ValueContainsNull}, err
		}
		if strings.EqualFold(path[0], valueName) {
			v, err := within(x.Value, path[1:], full, fn)
			return &types.Map{Key: x.Key, Value: v, ValueContainsNull: x.ValueContainsNull}, err
		}
	}
	return nil, refuse("INVALID_FIELD_NAME", "%s is no column: %s is %s, which has nothing called %s (arrays have %s, maps %s and %s)",
		dotted(full), dotted(full[:len(full)-len(path)]), t, path[0], elementName, keyName, valueName)
}

// inStruct changes the fields of the struct at a path.
func (d *draft) inStruct(parent, full []string, fn func(s *types.Struct) (*types.Struct, error)) error {
	t, err := within(d.schema, parent, full, func(t types.Type) (types.Type, error) {
		s, ok := t.(*types.Struct)
		if !ok {
			return nil, refuse("INVALID_FIELD_NAME", "%s is %s, not a struct: it has no field %s", dotted(parent), t, types.QuoteIdentifier(full[len(full)-1]))
		}
		return fn(&types.Struct{Fields: slices.Clone(s.Fields)})
	})
	if err == nil {
		d.schema = t.(*types.Struct)
	}
	return err
}

// nested reports whether a path leads to an array or a map.
func (d *draft) nested(path []string) (yes bool) {
	_, err := within(d.schema, path, path, func(t types.Type) (types.Type, error) {
		switch t.(type) {
		case *types.Array, *types.Map:
			yes = true
		}
		return t, nil
	})
	return yes && err == nil
}

// find is the ordinal of a field, or an error that names what there is.
func find(s *types.Struct, name string, full []string) (int, error) {
	if i := s.Index(name); i >= 0 {
		return i, nil
	}
	return 0, unknown(s, name, full)
}

func unknown(s *types.Struct, name string, full []string) error {
	_, err := expr.Bind(expr.NewColumn(name), expr.Scope{Tables: []expr.Table{{Schema: s}}})
	b, ok := err.(*expr.BindError)
	if !ok {
		return refuse("UNRESOLVED_COLUMN.WITH_SUGGESTION", "there is no column %s", dotted(full))
	}
	b.Msg = fmt.Sprintf("there is no column %s", dotted(full))
	return b
}

// dotted spells a path as history does: names with dots are in backquotes.
func dotted(path []string) string {
	out := make([]string, len(path))
	for i, p := range path {
		if strings.ContainsAny(p, ".`") {
			p = "`" + strings.ReplaceAll(p, "`", "``") + "`"
		}
		out[i] = p
	}
	return strings.Join(out, ".")
}

// under reports whether a path is the other one or lies below it.
func under(path, top []string) bool {
	return len(path) >= len(top) && slices.EqualFunc(path[:len(top)], top, strings.EqualFold)
}
