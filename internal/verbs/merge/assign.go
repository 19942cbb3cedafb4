package merge

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/types"
)

// assigned resolves a list of assignments and derives the other columns.
func (b *binder) assigned(c Clause, scope []expr.Table) ([]expr.Expr, error) {
	values := make([]expr.Expr, b.p.nt)
	where, _ := b.names(c)
	within := map[int][]Assignment{} // by column, paths into it
	for _, a := range c.Set {
		column := a.Column
		if len(column) > 1 && b.isTarget(column[0]) {
			column = column[1:]
		}
		i := b.p.target.Index(column[0])
		if i < 0 {
			return nil, refuse("DELTA_MERGE_UNRESOLVED_EXPRESSION", "cannot resolve %s in %s given columns %s of the target",
				types.QuoteIdentifier(column[0]), where, strings.Join(b.p.target.Names(), ", "))
		}
		f := b.p.target.Fields[i]
		if values[i] != nil || len(column) == 1 && within[i] != nil {
			return nil, conflicting(where, f.Name)
		}
		if err := identityGiven(c, f); err != nil {
			return nil, err
		}
		if len(column) > 1 {
			if c.Action != Update {
				return nil, refuse("DELTA_UNSUPPORTED_NESTED_FIELD_IN_OPERATION", "%s cannot name the field %s of a column; give a value to the whole column %s",
					where, strings.Join(column, "."), types.QuoteIdentifier(f.Name))
			}
			within[i] = append(within[i], Assignment{column[1:], a.Value})
			continue
		}
		v, err := b.value(a.Value, f, scope)
		if err != nil {
			return nil, b.fail(where, err)
		}
		values[i] = expr.Fold(v, eval.Literal)
	}
	for i, list := range within {
		f := b.p.target.Fields[i]
		whole, err := b.nested(where, f.Type, []string{b.targetName(), f.Name}, list)
		if err != nil {
			return nil, err
		}
		v, err := expr.BindAssign(whole, expr.Scope{Tables: scope, Options: b.o}, f.Type, f.Name)
		if err != nil {
			return nil, b.fail(where, err)
		}
		values[i] = v
	}
	return values, inClause(where, b.derive(c.Action, values))
}

// identityGiven refuses to set an identity column that is generated.
func identityGiven(c Clause, f types.Field) error {
	is, explicit := derive.IsIdentity(f)
	switch {
	case is && (c.Action == Update || c.Action == UpdateAll):
		return refuse("DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED", "the identity column %s cannot be updated", types.QuoteIdentifier(f.Name))
	case is && !explicit:
		return refuse("DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED", "the identity column %s is always generated: leave it out of the INSERT", types.QuoteIdentifier(f.Name))
	}
	return nil
}

// derive completes the values of a row.
func (b *binder) derive(a Action, values []expr.Expr) error {
	if a == Insert || a == InsertAll {
		return derive.Insert(b.p.target, values, b.o)
	}
	return derive.Update(b.p.target, values, b.o)
}

// value binds what a column is set to. DEFAULT is the column's default, except
// in MERGE, which the reference does not let say so.
func (b *binder) value(e expr.Expr, f types.Field, scope []expr.Table) (expr.Expr, error) {
	if col, ok := e.(*expr.Column); ok && b.p.spec.On == nil && len(col.Parts) == 1 && strings.EqualFold(col.Parts[0], "default") && b.p.target.Index("default") < 0 {
		return derive.Default(f, b.o)
	}
	bound, err := expr.Bind(e, expr.Scope{Tables: scope, Options: b.o})
	if err != nil {
		return nil, err
	}
	v, err := expr.AssignByName(bound, f.Type, f.Name, b.p.spec.Evolve, b.o)
	if c, ok := v.(*expr.Cast); ok && c.Assign != "" {
		c.Overflow = "DELTA_CAST_OVERFLOW_IN_TABLE_WRITE"
	}
	return v, err
}

func (b *binder) isTarget(name string) bool {
	return strings.EqualFold(name, b.t.Alias) || strings.EqualFold(name, b.t.Name)
}

func (b *binder) targetName() string {
	if b.t.Alias != "" {
		return b.t.Alias
	}
	return b.t.Name
}

// nested is the value of a struct some fields of which are assigned: the others
// keep theirs. at leads to the struct.
func (b *binder) nested(where string, t types.Type, at []string, list []Assignment) (expr.Expr, error) {
	s, ok := t.(*types.Struct)
	if !ok {
		return nil, refuse("DELTA_INVALID_FIELD_ASSIGNMENT", "%s: %s is %s and has no field %s; only fields of structs can be assigned", where, strings.Join(at[1:], "."), t, list[0].Column[0])
	}
	fields := make([][]Assignment, len(s.Fields))
	for _, a := range list {
		i := s.Index(a.Column[0])
		if i < 0 {
			return nil, refuse("DELTA_MERGE_UNRESOLVED_EXPRESSION", "%s: the struct %s has no field %s; its fields are %s", where, strings.Join(at[1:], "."),
				types.QuoteIdentifier(a.Column[0]), strings.Join(s.Names(), ", "))
		}
		fields[i] = append(fields[i], Assignment{a.Column[1:], a.Value})
	}
	call := &expr.Call{Fn: "named_struct"}
	for i, f := range s.Fields {
		path := append(at[:len(at):len(at)], f.Name)
		var v expr.Expr = &expr.Column{Parts: path, Ref: -1}
		for _, a := range fields[i] {
			if len(a.Column) == 0 {
				if len(fields[i]) > 1 {
					return nil, conflicting(where, strings.Join(path[1:], "."))
				}
				v = a.Value
			}
		}
		if n := fields[i]; len(n) > 0 && len(n[0].Column) > 0 {
			inner, err := b.nested(where, f.Type, path, n)
			if err != nil {
				return nil, err
			}
			v = inner
		}
		call.Args = append(call.Args, &expr.Literal{Value: f.Name, T: types.String}, v)
	}
	return call, nil
}

func conflicting(where, name string) error {
	return refuse("DELTA_CONFLICT_SET_COLUMN", "%s assigns %s twice", where, name)
}
