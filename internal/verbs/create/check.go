package create

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

func refuse(class, format string, args ...any) error {
	return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}

// Check validates columns and partitioning and returns the partition columns as
// they are spelled in the schema.
func Check(spec Spec) ([]string, error) {
	if spec.Schema == nil || len(spec.Schema.Fields) == 0 {
		return nil, refuse("DELTA_EMPTY_SCHEMA", "a table needs at least one column")
	}
	mapped := feature.ColumnMapping(&action.Metadata{Configuration: spec.Properties}) != feature.MappingNone
	if err := CheckNames(spec.Schema, mapped); err != nil {
		return nil, err
	}
	parts, err := partitions(spec)
	if err != nil {
		return nil, err
	}
	if err := CheckDefaults(spec.Schema, spec.Expr); err != nil {
		return nil, err
	}
	for k, v := range spec.Properties {
		if strings.EqualFold(k, colstats.PropertyColumns) {
			if err := CheckStatsColumns(spec.Schema, parts, v); err != nil {
				return nil, err
			}
		}
	}
	if err := checkGenerated(spec.Schema, spec.Expr); err != nil {
		return nil, err
	}
	if err := checkIdentity(spec.Schema, parts); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, c := range spec.Constraints {
		if low := strings.ToLower(c.Name); seen[low] {
			return nil, refuse("DELTA_CONSTRAINT_ALREADY_EXISTS", "two constraints are called %s", types.QuoteIdentifier(c.Name))
		} else {
			seen[low] = true
		}
		if _, err := BindCheck(c.Name, c.Check, spec.Schema, spec.Expr); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// CheckNames validates the names and types of columns; mapped tells whether they
// have physical names.
func CheckNames(s *types.Struct, mapped bool) error {
	seen := map[string]bool{}
	for _, f := range s.Fields {
		low := strings.ToLower(f.Name)
		switch {
		case f.Name == "":
			return refuse("DELTA_INVALID_COLUMN_NAMES", "a column has no name")
		case seen[low]:
			return refuse("COLUMN_ALREADY_EXISTS", "the column %s is named twice (names are compared without regard to case)", types.QuoteIdentifier(f.Name))
		case !mapped && strings.ContainsAny(f.Name, " ,;{}()\n\t="):
			return refuse("DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES", "the column name %q holds one of the characters ' ,;{}()\\n\\t=', which Parquet columns of a table without column mapping cannot have", f.Name)
		case f.Type.Kind() == types.KindDayTimeInterval || f.Type.Kind() == types.KindYearMonthInterval || f.Type == types.CalendarInterval:
			return refuse("DELTA_UNSUPPORTED_DATA_TYPES", "the column %s is %s, which no table can hold", types.QuoteIdentifier(f.Name), types.SQL(f.Type))
		case f.Type.Kind() == types.KindVoid:
			return refuse("DELTA_UNSUPPORTED_DATA_TYPES", "the column %s has no type", types.QuoteIdentifier(f.Name))
		}
		seen[low] = true
		if err := checkInside(f.Type, mapped); err != nil {
			return err
		}
	}
	return nil
}

func checkInside(t types.Type, mapped bool) error {
	switch x := t.(type) {
	case *types.Struct:
		return CheckNames(x, mapped)
	case *types.Array:
		return checkInside(x.Element, mapped)
	case *types.Map:
		return errors.Join(checkInside(x.Key, mapped), checkInside(x.Value, mapped))
	}
	return nil
}

func partitions(spec Spec) ([]string, error) {
	parts := []string{}
	for _, name := range spec.PartitionBy {
		f, ok := spec.Schema.Field(name)
		switch {
		case !ok:
			return nil, refuse("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "the partition column %s is not among the columns %s", types.QuoteIdentifier(name), strings.Join(spec.Schema.Names(), ", "))
		case types.IsNested(f.Type) || f.Type.Kind() == types.KindVariant:
			return nil, refuse("INVALID_PARTITION_COLUMN_DATA_TYPE", "%s is %s: a table cannot be partitioned by it", types.QuoteIdentifier(name), f.Type)
		}
		for _, p := range parts {
			if p == f.Name {
				return nil, refuse("DELTA_DUPLICATE_COLUMNS_FOUND", "the partition column %s is named twice", types.QuoteIdentifier(name))
			}
		}
		parts = append(parts, f.Name)
	}
	switch {
	case len(parts) == len(spec.Schema.Fields):
		return nil, refuse("ALL_PARTITION_COLUMNS_NOT_ALLOWED", "all columns are partition columns: the data files would be empty")
	case len(parts) > 0 && len(spec.ClusterBy) > 0:
		return nil, refuse("SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED", "a table is partitioned or clustered, not both")
	}
	return parts, nil
}

// BindCheck validates the condition of a CHECK constraint.
func BindCheck(name, check string, s *types.Struct, o expr.Options) (expr.Expr, error) {
	e, err := expr.Parse(check)
	if err == nil {
		e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Schema: s}}, Options: o})
	}
	if err != nil {
		return nil, fmt.Errorf("constraint %s: %w", types.QuoteIdentifier(name), err)
	}
	if k := e.Type().Kind(); k != types.KindBoolean {
		return nil, refuse("DELTA_NON_BOOLEAN_CHECK_CONSTRAINT", "the constraint %s (%s) is %s, a constraint must be boolean", types.QuoteIdentifier(name), check, e.Type())
	}
	return e, nil
}

// CheckDefaults validates the defaults of columns: constants that can be stored
// in them.
func CheckDefaults(s *types.Struct, o expr.Options) error {
	for _, f := range s.Fields {
		text, ok := f.Metadata.Text(derive.KeyDefault)
		if !ok {
			continue
		}
		if _, err := derive.Default(f, o); err != nil {
			var b *expr.BindError
			class := "INVALID_DEFAULT_VALUE.UNRESOLVED_EXPRESSION"
			switch {
			case errors.As(err, &b) && b.Class == "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY":
				class = "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION"
			case errors.As(err, &b) && !strings.HasPrefix(b.Class, "UNRESOLVED"):
				class = "INVALID_DEFAULT_VALUE.DATA_TYPE"
			}
			return refuse(class, "%v", err)
		}
		if err := constant(f, o); err != nil {
			return err
		}
		if _, ok := f.Metadata.Raw(derive.KeyGeneration); ok {
			return refuse("GENERATED_COLUMN_WITH_DEFAULT_VALUE", "the generated column %s cannot have the default %s", types.QuoteIdentifier(f.Name), text)
		}
		if _, ok := f.Metadata.Raw(KeyIdentityStart); ok {
			return refuse("IDENTITY_COLUMN_WITH_DEFAULT_VALUE", "the identity column %s cannot have the default %s", types.QuoteIdentifier(f.Name), text)
		}
	}
	return nil
}

// constant refuses a default that has no value, or another one each time.
func constant(f types.Field, o expr.Options) error {
	e, err := derive.Default(f, o)
	if err != nil {
		return err
	}
	text, _ := f.Metadata.Text(derive.KeyDefault)
	if !expr.Deterministic(e) {
		return refuse("INVALID_DEFAULT_VALUE.NOT_CONSTANT", "the default %s of column %s is no constant", text, types.QuoteIdentifier(f.Name))
	}
	if _, err := eval.Eval(e, eval.Input{Rows: 1}); err != nil {
		return refuse("INVALID_DEFAULT_VALUE.DATA_TYPE", "the default %s of column %s is no %s: %v", text, types.QuoteIdentifier(f.Name), f.Type, err)
	}
	return nil
}

// CheckStatsColumns validates the list of columns that get statistics: they exist,
// once each, are no partition columns, and have values with an order.
func CheckStatsColumns(s *types.Struct, parts []string, list string) error {
	columns, err := colstats.ParseColumns(list)
	if err != nil {
		return refuse("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "table property %s: %v", colstats.PropertyColumns, err)
	}
	seen := map[string]bool{}
	for _, path := range columns {
		name := strings.Join(path, ".")
		if low := strings.ToLower(name); seen[low] {
			return refuse("DELTA_DUPLICATE_DATA_SKIPPING_COLUMNS", "table property %s names the column %s twice", colstats.PropertyColumns, name)
		} else {
			seen[low] = true
		}
		var t types.Type = s
		for _, step := range path {
			inner, _ := t.(*types.Struct)
			if inner == nil || inner.Index(step) < 0 {
				return refuse("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "table property %s names the column %s, which is not among %s", colstats.PropertyColumns, name, strings.Join(s.Names(), ", "))
			}
			f, _ := inner.Field(step)
			t = f.Type
		}
		for _, p := range parts {
			if len(path) == 1 && strings.EqualFold(p, path[0]) {
				return refuse("DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_PARTITIONED_COLUMN", "table property %s names the partition column %s, which no data file holds", colstats.PropertyColumns, name)
			}
		}
		if _, ok := t.(*types.Struct); !ok && !colstats.HasBounds(t) && t.Kind() != types.KindBoolean {
			return refuse("DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_TYPE", "table property %s names the column %s, which is %s: files cannot be skipped by it", colstats.PropertyColumns, name, t)
		}
	}
	return nil
}

// checkGenerated validates generated columns: an expression of the column's type
// over other columns that are not generated themselves.
func checkGenerated(s *types.Struct, o expr.Options) error {
	for i, f := range s.Fields {
		text, ok := f.Metadata.Text(derive.KeyGeneration)
		if !ok {
			continue
		}
		name := types.QuoteIdentifier(f.Name)
		e, err := expr.Parse(text)
		if err != nil {
			return fmt.Errorf("generated column %s: %w", name, err)
		}
		bound, err := expr.Bind(e, expr.Scope{Tables: []expr.Table{{Schema: s}}, Options: o})
		if err != nil {
			var b *expr.BindError
			if errors.As(err, &b) && strings.HasPrefix(b.Class, "UNRESOLVED_COLUMN") {
				return refuse("DELTA_INVALID_GENERATED_COLUMN_REFERENCES", "generated column %s: %v", name, err)
			}
			return fmt.Errorf("generated column %s: %w", name, err)
		}
		if !expr.Deterministic(e) {
			return refuse("DELTA_NON_DETERMINISTIC_EXPRESSION_IN_GENERATED_COLUMN", "the expression %s of generated column %s does not give the same value each time", text, name)
		}
		for _, ref := range expr.Refs(bound) {
			if _, ok := s.Fields[ref].Metadata.Raw(derive.KeyGeneration); ok || ref == i {
				return refuse("DELTA_INVALID_GENERATED_COLUMN_REFERENCES", "generated column %s cannot be made from the generated column %s", name, types.QuoteIdentifier(s.Fields[ref].Name))
			}
		}
		if !types.SameIgnoringNullability(bound.Type(), f.Type) {
			return refuse("DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH", "generated column %s is %s, and its expression %s is %s", name, f.Type, text, bound.Type())
		}
	}
	return nil
}

// Keys of the metadata of identity columns (PROTOCOL.md, Identity Columns).
const (
	KeyIdentityStart = "delta.identity.start"
	KeyIdentityStep  = "delta.identity.step"
)

func checkIdentity(s *types.Struct, parts []string) error {
	for _, f := range s.Fields {
		if _, ok := f.Metadata.Raw(KeyIdentityStart); !ok {
			continue
		}
		name := types.QuoteIdentifier(f.Name)
		step, _ := f.Metadata.Int(KeyIdentityStep)
		switch {
		case f.Type != types.Long:
			return refuse("DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE", "the identity column %s is %s and must be BIGINT", name, f.Type)
		case step == 0:
			return refuse("DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP", "the identity column %s cannot count in steps of 0", name)
		}
		if _, ok := f.Metadata.Raw(derive.KeyGeneration); ok {
			return refuse("DELTA_IDENTITY_COLUMNS_WITH_GENERATED_EXPRESSION", "the identity column %s cannot have an expression", name)
		}
		for _, p := range parts {
			if p == f.Name {
				return refuse("DELTA_IDENTITY_COLUMNS_PARTITION_NOT_SUPPORTED", "a table cannot be partitioned by the identity column %s", name)
			}
		}
	}
	return nil
}
