package alter

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// ReplaceColumns is REPLACE COLUMNS: the columns that the table has from now on, in
// this order. A column that keeps its name keeps its values, at every depth; the
// rows have NULL in new ones. Columns are left out, and types changed, only where
// DROP COLUMN and ALTER COLUMN could do it.
type ReplaceColumns struct{ Columns []types.Field }

func (c ReplaceColumns) apply(_ context.Context, d *draft) error {
	if err := create.CheckNames(types.NewStruct(c.Columns...), d.mapped()); err != nil {
		return err
	}
	shown := []fieldOfHistory{}
	for _, f := range c.Columns {
		if _, ok := f.Metadata.Text(derive.KeyDefault); ok {
			return refuse("WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED", "a column of REPLACE COLUMNS cannot have a default: %s", dotted([]string{f.Name}))
		}
		if generated(f) || !f.Nullable {
			return refuse("DELTA_OPERATION_NOT_ALLOWED", "a column of REPLACE COLUMNS cannot be NOT NULL, generated or an identity column: %s", dotted([]string{f.Name}))
		}
		shown = append(shown, shownField(f))
	}
	before := d.schema
	after, err := c.fields(d, before, types.NewStruct(c.Columns...), nil)
	if err != nil {
		return err
	}
	d.schema = recorded(before, after).(*types.Struct)
	d.describe("REPLACE COLUMNS", map[string]json.RawMessage{"columns": merge.Encoded(shown)})
	return nil
}

// fields is a struct with the wanted fields, those that are there as they are.
func (c ReplaceColumns) fields(d *draft, have, want *types.Struct, path []string) (*types.Struct, error) {
	for _, f := range have.Fields {
		if want.Index(f.Name) >= 0 {
			continue
		}
		full := append(slices.Clone(path), f.Name)
		if !d.mapped() {
			return nil, refuse("DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP", "column %s is not among the new ones, and a column can be left out when the table has column mapping", dotted(full))
		}
		if err := d.dependents(full, "drop"); err != nil {
			return nil, err
		}
		d.statsColumns(full, nil)
	}
	out := &types.Struct{}
	for _, f := range want.Fields {
		full := append(slices.Clone(path), f.Name)
		old, ok := have.Field(f.Name)
		if !ok {
			if !nullable(f) {
				return nil, refuse("DELTA_OPERATION_NOT_ALLOWED", "a column that is added cannot be NOT NULL: the rows of the table have no value for %s", dotted(full))
			}
			out.Fields = append(out.Fields, f)
			continue
		}
		t, err := c.typed(d, old.Type, f.Type, full)
		if err != nil {
			return nil, err
		}
		kept := types.Field{Name: f.Name, Type: t, Nullable: f.Nullable, Metadata: old.Metadata.Without(types.KeyCharVarchar)}
		for _, key := range []string{"comment", types.KeyCharVarchar} {
			if text, ok := f.Metadata.Text(key); ok {
				kept.Metadata = kept.Metadata.With(key, text)
			}
		}
		out.Fields = append(out.Fields, kept)
	}
	return out, nil
}

// typed is the type of a column that stays.
func (c ReplaceColumns) typed(d *draft, have, want types.Type, path []string) (types.Type, error) {
	switch h := have.(type) {
	case *types.Struct:
		if w, ok := want.(*types.Struct); ok {
			return c.fields(d, h, w, path)
		}
	case *types.Array:
		if w, ok := want.(*types.Array); ok {
			el, err := c.typed(d, h.Element, w.Element, append(slices.Clone(path), elementName))
			return &types.Array{Element: el, ContainsNull: w.ContainsNull}, err
		}
	case *types.Map:
		if w, ok := want.(*types.Map); ok {
			k, err := c.typed(d, h.Key, w.Key, append(slices.Clone(path), keyName))
			if err != nil {
				return nil, err
			}
			v, err := c.typed(d, h.Value, w.Value, append(slices.Clone(path), valueName))
			return &types.Map{Key: k, Value: v, ValueContainsNull: w.ValueContainsNull}, err
		}
	default:
		if types.Equal(have, want) {
			return have, nil
		}
		if feature.TypeWidening(&d.md) && feature.Widens(have, want) {
			return want, d.dependents(path, "change the type of")
		}
	}
	return nil, refuse("DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP", "column %s is %s and cannot become %s", dotted(path), have, want)
}
