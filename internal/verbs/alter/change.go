package alter

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/types"
)

// ChangeColumn is ALTER COLUMN: what is given is changed, the rest stays.
type ChangeColumn struct {
	Column []string
	Type   types.Type // nil keeps it
	// Length limits the texts of a Type that is STRING: "varchar(5)", "char(3)"; "" is
	// no limit.
	Length  string
	Comment *string
	NotNull *bool  // true: SET NOT NULL, false: DROP NOT NULL
	Default string // an expression, for new rows
	// DropDefault takes the default away.
	DropDefault bool
	At          Position
}

func (c ChangeColumn) apply(_ context.Context, d *draft) error {
	parent, name := c.Column[:len(c.Column)-1], c.Column[len(c.Column)-1]
	var changed types.Field
	t, err := within(d.schema, parent, c.Column, func(t types.Type) (types.Type, error) {
		switch x := t.(type) {
		case *types.Struct:
			s := &types.Struct{Fields: slices.Clone(x.Fields)}
			i, err := find(s, name, c.Column)
			if err != nil {
				return nil, err
			}
			if changed, err = c.field(d, s.Fields[i]); err != nil {
				return nil, err
			}
			s.Fields[i] = changed
			return s, c.move(s, i)
		case *types.Array, *types.Map:
			f := types.Field{Name: strings.ToLower(name), Nullable: true}
			inner, err := within(t, []string{name}, c.Column, func(t types.Type) (types.Type, error) {
				f.Type = t
				var err error
				changed, err = c.part(d, f)
				return changed.Type, err
			})
			return inner, err
		}
		return nil, refuse("INVALID_FIELD_NAME", "%s is %s: it has no field %s", dotted(parent), t, types.QuoteIdentifier(name))
	})
	if err != nil {
		return err
	}
	before := d.schema
	d.schema = t.(*types.Struct)
	if c.Type != nil {
		d.schema = recorded(before, d.schema).(*types.Struct)
	}
	if err := create.CheckDefaults(d.schema, d.o.Expr); err != nil {
		return err
	}
	changed.Name = dotted(c.Column)
	b, err := json.Marshal(shownField(changed))
	if err != nil {
		return err
	}
	parameters := map[string]json.RawMessage{"column": text(string(b))}
	if at := c.At.String(); at != "" {
		parameters["position"] = text(at)
	}
	d.describe("CHANGE COLUMN", parameters)
	return nil
}

// field is a column or a field of a struct with the changes.
func (c ChangeColumn) field(d *draft, f types.Field) (types.Field, error) {
	var err error
	if c.Type != nil {
		had, _ := f.Metadata.Text(types.KeyCharVarchar)
		if f.Type == types.String && c.Type == types.String {
			if !fitsLength(had, c.Length) {
				return f, refuse("NOT_SUPPORTED_CHANGE_COLUMN", "column %s is %s and cannot become %s: it may hold longer texts", dotted(c.Column), lengthWord(had), lengthWord(c.Length))
			}
		} else if f.Type, err = c.retype(d, f.Type); err != nil {
			return f, err
		}
		if f.Metadata = f.Metadata.Without(types.KeyCharVarchar); c.Length != "" {
			f.Metadata = f.Metadata.With(types.KeyCharVarchar, c.Length)
		}
	}
	if c.Comment != nil {
		f.Metadata = f.Metadata.With("comment", *c.Comment)
	}
	switch {
	case c.NotNull == nil:
	case *c.NotNull && f.Nullable:
		return f, refuse("_LEGACY_ERROR_TEMP_2330", "the column %s may be NULL, and cannot be made NOT NULL; a constraint can say the same: ADD CONSTRAINT ... CHECK (%s IS NOT NULL)", dotted(c.Column), dotted(c.Column))
	default:
		f.Nullable = !*c.NotNull
	}
	switch {
	case c.DropDefault:
		f.Metadata = f.Metadata.Without(derive.KeyDefault)
	case c.Default != "":
		if !feature.Supports(d.snap.Protocol(), "allowColumnDefaults") {
			return f, refuse("WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED",
				"the table does not allow defaults: ALTER TABLE ... SET TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported') first")
		}
		if len(c.Column) > 1 {
			return f, refuse("DELTA_UNSUPPORTED_NESTED_FIELD_IN_OPERATION", "a field of a struct cannot have a default: %s", dotted(c.Column))
		}
		f.Metadata = f.Metadata.With(derive.KeyDefault, c.Default)
	}
	return f, nil
}

// fitsLength reports whether every text of one limit is one of the other, as Spark
// compares them: those of a CHAR are padded, so that its length cannot change.
func fitsLength(from, to string) bool {
	var n, m int
	if to == "" || from == to {
		return true
	}
	if _, err := fmt.Sscanf(to, "varchar(%d)", &m); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(from, "char(%d)", &n); err == nil {
		return n <= m
	}
	_, err := fmt.Sscanf(from, "varchar(%d)", &n)
	return err == nil && n <= m
}

func lengthWord(s string) string {
	if s == "" {
		return "string"
	}
	return s
}

// part is the element of an array, or the key or value of a map: only its type
// can be changed.
func (c ChangeColumn) part(d *draft, f types.Field) (types.Field, error) {
	if c.Comment != nil {
		return f, refuse("DELTA_UNSUPPORTED_COMMENT_MAP_ARRAY", "%s is a part of an array or map, which cannot have a comment", dotted(c.Column))
	}
	if c.NotNull != nil || c.Default != "" || c.DropDefault || c.At != (Position{}) {
		return f, refuse("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", "%s is a part of an array or map, of which only the type can be changed", dotted(c.Column))
	}
	if c.Type != nil {
		var err error
		f.Type, err = c.retype(d, f.Type)
		return f, err
	}
	return f, nil
}

// retype checks that values of the present type in files can be read as the new
// one (PROTOCOL.md, Type Widening).
func (c ChangeColumn) retype(d *draft, from types.Type) (types.Type, error) {
	if types.SameIgnoringNullability(from, c.Type) {
		return from, nil
	}
	if types.IsNested(from) {
		return nil, refuse("CANNOT_UPDATE_FIELD."+strings.ToUpper(typeWord(from))+"_TYPE", "the type of %s is %s and is changed part by part: name the field, element, key or value", dotted(c.Column), from)
	}
	if !feature.Widens(from, c.Type) {
		class := "NOT_SUPPORTED_CHANGE_COLUMN"
		if upcasts(from, c.Type) {
			class = "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP"
		}
		return nil, refuse(class, "column %s is %s and cannot become %s", dotted(c.Column), from, c.Type)
	}
	if !feature.TypeWidening(&d.md) {
		return nil, refuse("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
			"column %s is %s and becomes %s when the table may widen types: ALTER TABLE ... SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true') first", dotted(c.Column), from, c.Type)
	}
	return c.Type, d.dependents(c.Column, "change the type of")
}

// upcasts reports whether Spark takes every value of the one type for one of the
// other (Cast.canUpCast); it then leaves the refusal to Delta.
func upcasts(from, to types.Type) bool {
	rank := map[types.Type]int{types.Byte: 1, types.Short: 2, types.Integer: 3, types.Long: 4, types.Float: 5, types.Double: 6}
	return rank[from] > 0 && rank[to] > rank[from] || to == types.String || from == types.Date && to == types.Timestamp
}

// move puts a field where the change wants it.
func (c ChangeColumn) move(s *types.Struct, i int) error {
	if c.At == (Position{}) || strings.EqualFold(c.At.After, s.Fields[i].Name) {
		return nil
	}
	f := s.Fields[i]
	s.Fields = slices.Delete(s.Fields, i, i+1)
	at, err := place(s, c.At, len(s.Fields), c.Column)
	if err != nil {
		return err
	}
	s.Fields = slices.Insert(s.Fields, at, f)
	return nil
}

// recorded notes in the fields of a schema which types differ from those before.
func recorded(before, after types.Type) types.Type {
	old, ok1 := before.(*types.Struct)
	s, ok2 := after.(*types.Struct)
	if !ok1 || !ok2 {
		return after
	}
	out := &types.Struct{Fields: slices.Clone(s.Fields)}
	for i, f := range out.Fields {
		was, ok := old.Field(f.Name)
		if !ok {
			continue
		}
		out.Fields[i].Type, out.Fields[i].Metadata = below(was.Type, f.Type, "", f.Metadata)
	}
	return out
}

// below follows the types inside a field.
func below(was, is types.Type, path string, m types.Metadata) (types.Type, types.Metadata) {
	join := func(step string) string {
		if path == "" {
			return step
		}
		return path + "." + step
	}
	switch x := is.(type) {
	case *types.Struct:
		return recorded(was, is), m
	case *types.Array:
		if w, ok := was.(*types.Array); ok {
			var el types.Type
			el, m = below(w.Element, x.Element, join(elementName), m)
			return &types.Array{Element: el, ContainsNull: x.ContainsNull}, m
		}
	case *types.Map:
		if w, ok := was.(*types.Map); ok {
			var k, v types.Type
			k, m = below(w.Key, x.Key, join(keyName), m)
			v, m = below(w.Value, x.Value, join(valueName), m)
			return &types.Map{Key: k, Value: v, ValueContainsNull: x.ValueContainsNull}, m
		}
	default:
		if !types.Equal(was, is) {
			m = feature.RecordChange(m, was, is, path)
		}
	}
	return is, m
}
