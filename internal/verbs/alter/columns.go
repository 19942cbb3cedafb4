package alter

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// Position is where a column stands. The zero value is the end for a new column,
// and where it is for one that is there.
type Position struct {
	First bool
	After string // a column beside it
}

func (p Position) String() string {
	switch {
	case p.First:
		return "FIRST"
	case p.After != "":
		return "AFTER " + types.QuoteIdentifier(p.After)
	}
	return ""
}

// NewColumn is a column or a field of one to add.
type NewColumn struct {
	Parent []string // the struct it belongs to; empty is the table
	Field  types.Field
	At     Position
}

// AddColumns is ADD COLUMNS. Rows that are there have NULL in them.
type AddColumns struct{ Columns []NewColumn }

func (c AddColumns) apply(_ context.Context, d *draft) error {
	shown := []shownColumn{}
	given := map[string]bool{}
	for _, n := range c.Columns {
		full := append(slices.Clone(n.Parent), n.Field.Name)
		if low := strings.ToLower(dotted(full)); given[low] {
			return refuse("COLUMN_ALREADY_EXISTS", "the column %s is added twice (names are compared without regard to case)", dotted(full))
		} else {
			given[low] = true
		}
		if low := strings.ToLower(dotted(full)); feature.ChangeDataFeed(&d.md) && (low == "_change_type" || low == "_commit_version" || low == "_commit_timestamp") {
			return refuse("RESERVED_CDC_COLUMNS_ON_WRITE", "%s is a name of the change feed, which the table records: name the column otherwise", dotted(full))
		}
		if err := create.CheckNames(types.NewStruct(n.Field), d.mapped()); err != nil {
			return err
		}
		if !nullable(n.Field) {
			return refuse("DELTA_OPERATION_NOT_ALLOWED", "a column that is added cannot be NOT NULL: the rows of the table have no value for %s", dotted(full))
		}
		if _, ok := n.Field.Metadata.Text(derive.KeyDefault); ok {
			return refuse("WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED",
				"a column that is added cannot have a default, for the rows of the table would have it too: add %s without it, then ALTER COLUMN ... SET DEFAULT for new rows", dotted(full))
		}
		if generated(n.Field) {
			return refuse("DELTA_OPERATION_NOT_ALLOWED", "a generated or identity column cannot be added to a table with ALTER TABLE: %s", dotted(full))
		}
		err := d.inStruct(n.Parent, full, func(s *types.Struct) (*types.Struct, error) {
			if s.Index(n.Field.Name) >= 0 {
				return nil, refuse("FIELD_ALREADY_EXISTS", "there is a column %s already (names are compared without regard to case)", dotted(full))
			}
			at, err := place(s, n.At, len(s.Fields), full)
			if err != nil {
				return nil, refuse("FIELD_NOT_FOUND", "there is no column %s to add %s after; there are %s", types.QuoteIdentifier(n.At.After), dotted(full), strings.Join(s.Names(), ", "))
			}
			s.Fields = slices.Insert(s.Fields, at, n.Field)
			return s, nil
		})
		if err != nil {
			return err
		}
		f := n.Field
		f.Name = dotted(full)
		shown = append(shown, shownColumn{Column: shownField(f), Position: n.At.String()})
	}
	if err := create.CheckNames(d.schema, d.mapped()); err != nil {
		return err
	}
	d.describe("ADD COLUMNS", map[string]json.RawMessage{"columns": merge.Encoded(shown)})
	return nil
}

// place is the ordinal that a position means.
func place(s *types.Struct, p Position, otherwise int, full []string) (int, error) {
	switch {
	case p.First:
		return 0, nil
	case p.After != "":
		i, err := find(s, p.After, append(slices.Clone(full[:len(full)-1]), p.After))
		return i + 1, err
	}
	return otherwise, nil
}

func nullable(f types.Field) bool {
	if !f.Nullable {
		return false
	}
	s, ok := f.Type.(*types.Struct)
	return !ok || !slices.ContainsFunc(s.Fields, func(f types.Field) bool { return !nullable(f) })
}

func generated(f types.Field) bool {
	_, from := f.Metadata.Raw(derive.KeyGeneration)
	_, identity := f.Metadata.Raw(create.KeyIdentityStart)
	return from || identity
}

// shownColumn is a column as history shows it.
type shownColumn struct {
	Column   fieldOfHistory `json:"column"`
	Position string         `json:"position,omitempty"`
}

type fieldOfHistory struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Nullable bool            `json:"nullable"`
	Metadata json.RawMessage `json:"metadata"`
}

// shownField leaves out what belongs to column mapping.
func shownField(f types.Field) fieldOfHistory {
	out := fieldOfHistory{Name: f.Name, Type: typeWord(f.Type), Nullable: f.Nullable, Metadata: json.RawMessage("{}")}
	m := f.Metadata.Without(feature.KeyFieldID).Without(feature.KeyPhysicalName)
	if m.Len() > 0 {
		var whole []struct {
			Metadata json.RawMessage `json:"metadata"`
		}
		var parsed struct {
			Fields json.RawMessage `json:"fields"`
		}
		text := types.JSON(types.NewStruct(types.Field{Name: "f", Type: types.Long, Metadata: m}))
		if json.Unmarshal([]byte(text), &parsed) == nil && json.Unmarshal(parsed.Fields, &whole) == nil && len(whole) == 1 {
			out.Metadata = whole[0].Metadata
		}
	}
	return out
}

// typeWord names a type as schemas do, and nested ones by their kind alone.
func typeWord(t types.Type) string {
	switch t.(type) {
	case *types.Struct:
		return "struct"
	case *types.Array:
		return "array"
	case *types.Map:
		return "map"
	}
	return strings.Trim(types.JSON(t), `"`)
}

// DropColumns is DROP COLUMNS. Files keep the values, which nobody sees any more
// (PROTOCOL.md, Column Mapping).
type DropColumns struct {
	Columns  [][]string
	IfExists bool // passes over columns that are not there
}

func (c DropColumns) apply(_ context.Context, d *draft) error {
	there := 0
	for _, path := range c.Columns {
		err := d.exists(path)
		if err != nil && !c.IfExists {
			return err
		}
		if err == nil {
			there++
		}
	}
	if !d.mapped() && there > 0 {
		return refuse("DELTA_UNSUPPORTED_DROP_COLUMN", "a column can be dropped when the table has column mapping: ALTER TABLE ... SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name') first")
	}
	shown := []string{}
	for _, path := range c.Columns {
		full := path
		if err := d.dependents(full, "drop"); err != nil {
			return err
		}
		missing := false
		if d.nested(path[:len(path)-1]) {
			return refuse("DELTA_UNSUPPORTED_DROP_NESTED_COLUMN_FROM_NON_STRUCT_TYPE", "%s is not in a struct: the parts of arrays and maps cannot be dropped", dotted(full))
		}
		err := d.inStruct(path[:len(path)-1], full, func(s *types.Struct) (*types.Struct, error) {
			i, err := find(s, path[len(path)-1], full)
			if err != nil {
				missing = true
				return nil, err
			}
			if len(s.Fields) == 1 {
				return nil, refuse("DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA", "%s is the only column, or the only field of its struct, and cannot be dropped", dotted(full))
			}
			s.Fields = slices.Delete(s.Fields, i, i+1)
			return s, nil
		})
		if missing && c.IfExists {
			continue
		}
		if err != nil {
			return err
		}
		d.statsColumns(full, nil)
		shown = append(shown, dotted(path))
	}
	if len(shown) == 0 {
		d.nothing = true
		return nil
	}
	d.describe("DROP COLUMNS", map[string]json.RawMessage{"columns": merge.Encoded(shown)})
	return nil
}

// exists reports a column that is not there. A part of an array or a map counts as
// there: it is refused by its own rule.
func (d *draft) exists(path []string) error {
	at := types.Type(d.schema)
	for _, part := range path {
		s, ok := at.(*types.Struct)
		if !ok {
			return nil
		}
		i, err := find(s, part, path)
		if err != nil {
			return err
		}
		at = s.Fields[i].Type
	}
	return nil
}

// RenameColumn is RENAME COLUMN.
type RenameColumn struct {
	Column []string
	To     string
}

func (c RenameColumn) apply(_ context.Context, d *draft) error {
	if err := d.exists(c.Column); err != nil {
		return err
	}
	if !d.mapped() {
		return refuse("DELTA_UNSUPPORTED_RENAME_COLUMN", "a column can be renamed when the table has column mapping: ALTER TABLE ... SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name') first")
	}
	if err := d.dependents(c.Column, "rename"); err != nil {
		return err
	}
	parent, name := c.Column[:len(c.Column)-1], c.Column[len(c.Column)-1]
	to := append(slices.Clone(parent), c.To)
	old := ""
	err := d.inStruct(parent, c.Column, func(s *types.Struct) (*types.Struct, error) {
		i, err := find(s, name, c.Column)
		if err != nil {
			return nil, err
		}
		if s.Index(c.To) >= 0 {
			return nil, refuse("FIELD_ALREADY_EXISTS", "there is a column %s already (names are compared without regard to case)", dotted(to))
		}
		old = s.Fields[i].Name
		s.Fields[i].Name = c.To
		return s, nil
	})
	if err != nil {
		return err
	}
	if len(parent) == 0 {
		d.md.PartitionColumns = slices.Clone(d.md.PartitionColumns)
		for i, p := range d.md.PartitionColumns {
			if strings.EqualFold(p, old) {
				d.md.PartitionColumns[i] = c.To
			}
		}
	}
	d.statsColumns(c.Column, to)
	if err := create.CheckNames(d.schema, true); err != nil {
		return err
	}
	d.describe("RENAME COLUMN", map[string]json.RawMessage{"oldColumnPath": text(dotted(c.Column)), "newColumnPath": text(dotted(to))})
	return nil
}
