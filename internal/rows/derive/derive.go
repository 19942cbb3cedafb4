// Package derive gives columns the values that a statement leaves out: the
// default of a column, and the expression of a generated one (PROTOCOL.md,
// Default Columns and Generated Columns).
package derive

import (
	"fmt"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// Keys of field metadata.
const (
	KeyDefault    = "CURRENT_DEFAULT"
	KeyGeneration = "delta.generationExpression"
)

// Insert completes the values of a new row, one bound expression for each
// column of the table; nil stands for a column that the statement does not
// name. It gets its default, or NULL; a generated column is computed from the
// values of the others. Identity columns stay nil: Identities has their values.
func Insert(table *types.Struct, values []expr.Expr, o expr.Options) error {
	given := make([]bool, len(values))
	for i, f := range table.Fields {
		given[i] = values[i] != nil
		if is, _ := IsIdentity(f); given[i] || is {
			continue
		}
		v, err := Default(f, o)
		if err != nil {
			return err
		}
		values[i] = v
	}
	return generate(table, values, o, func(i int, _ []int) bool { return !given[i] })
}

// Update completes the values of an updated row. A column that the statement
// does not name keeps its value, unless it is generated from one that it names.
func Update(table *types.Struct, values []expr.Expr, o expr.Options) error {
	given := make([]bool, len(values))
	for i, f := range table.Fields {
		if given[i] = values[i] != nil; !given[i] {
			values[i] = &expr.Column{Parts: []string{f.Name}, Ref: i, T: f.Type, Null: f.Nullable}
		}
	}
	return generate(table, values, o, func(i int, from []int) bool {
		if given[i] {
			return false
		}
		for _, ref := range from {
			if given[ref] {
				return true
			}
		}
		return false
	})
}

// Default is the value of a column that a new row does not give: a constant of
// the column's type.
func Default(f types.Field, o expr.Options) (expr.Expr, error) {
	text, ok := f.Metadata.Text(KeyDefault)
	if !ok {
		return &expr.Literal{T: f.Type}, nil
	}
	e, err := expr.Parse(text)
	if err == nil {
		e, err = expr.BindAssign(e, expr.Scope{Options: o}, f.Type, f.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("the default %s of column %s cannot be used: %w", text, types.QuoteIdentifier(f.Name), err)
	}
	return expr.Fold(e, eval.Literal), nil
}

// generate replaces the values of the generated columns that wanted selects,
// given the columns that the expression reads.
func generate(table *types.Struct, values []expr.Expr, o expr.Options, wanted func(i int, from []int) bool) error {
	computed := map[int]expr.Expr{}
	for i, f := range table.Fields {
		text, ok := f.Metadata.Text(KeyGeneration)
		if !ok {
			continue
		}
		e, err := expr.Parse(text)
		if err == nil {
			e, err = expr.BindAssign(e, expr.Scope{Tables: []expr.Table{{Schema: table}}, Options: o}, f.Type, f.Name)
		}
		if err != nil {
			return fmt.Errorf("the expression %s of generated column %s cannot be used: %w", text, types.QuoteIdentifier(f.Name), err)
		}
		if wanted(i, expr.Refs(e)) {
			computed[i] = expr.Rewrite(e, func(x expr.Expr) expr.Expr {
				if c, ok := x.(*expr.Column); ok {
					return values[c.Ref]
				}
				return x
			})
		}
	}
	for i, e := range computed { // from what the statement gives, not from one another
		values[i] = expr.Fold(e, eval.Literal)
	}
	return nil
}
