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
		column, i := b.assignee(c, a.Column)
		if i < 0 {
			class := "DELTA_MERGE_UNRESOLVED_EXPRESSION"
			if b.p.spec.On == nil {
				class = "UNRESOLVED_COLUMN.WITH_SUGGESTION"
			}
			return nil, refuse(class, "cannot resolve %s in %s given columns %s of the target",
				types.QuoteIdentifier(column[0]), where, strings.Join(b.p.target.Names(), ", "))
		}
		f := b.p.target.Fields[i]
		if values[i] != nil || len(column) == 1 && within[i] != nil {
			if c.Action == Insert {
				b.refused.late(refuse("DELTA_DUPLICATE_COLUMNS_ON_INSERT", "%s gives %s two values", where, types.QuoteIdentifier(f.Name)))
			} else {
				b.refused.conflict(where, f.Name)
			}
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
		v, err := b.value(where, a.Value, f, scope)
		if err != nil {
			return nil, b.fail(where, err)
		}
		values[i] = expr.Fold(v, eval.Literal)
	}
	for i := range b.p.target.Fields {
		list := within[i]
		if list == nil {
			continue
		}
		f := b.p.target.Fields[i]
		kept, err := expr.Bind(&expr.Column{Parts: []string{b.targetName(), f.Name}, Ref: -1}, expr.Scope{Tables: []expr.Table{b.whole()}, Options: b.o})
		if err != nil {
			return nil, b.fail(where, err)
		}
		if values[i], err = b.nested(where, kept, f, []string{f.Name}, list, scope); err != nil {
			return nil, err
		}
	}
	if b.refused.any() {
		return values, nil
	}
	return values, inClause(where, b.derive(c.Action, values))
}

// assignee is the path of an assignment less the table's name, and its column: one
// of the table, or one that the source brings, which no name of the target has yet.
func (b *binder) assignee(c Clause, path []string) (column []string, at int) {
	column = path
	ofTarget := len(path) > 1 && b.isTarget(path[0])
	switch {
	case ofTarget:
		column = path[1:]
	case len(path) > 1 && b.p.known.Index(path[0]) < 0 && b.p.spec.Evolve && strings.EqualFold(path[0], b.p.spec.SourceAlias):
		column = path[1:]
	}
	at = b.p.target.Index(column[0])
	if at >= len(b.p.known.Fields) && (ofTarget || c.Kind == NotMatchedBySource) {
		at = -1
	}
	return column, at
}

// whole is the target with the columns that it is to have.
func (b *binder) whole() expr.Table {
	t := b.t
	t.Schema = b.p.target
	return t
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
func (b *binder) value(where string, e expr.Expr, f types.Field, scope []expr.Table) (expr.Expr, error) {
	if col, ok := e.(*expr.Column); ok && b.p.spec.On == nil && len(col.Parts) == 1 && strings.EqualFold(col.Parts[0], "default") && b.p.target.Index("default") < 0 {
		return derive.Default(f, b.o)
	}
	bound, err := expr.Bind(e, expr.Scope{Tables: scope, Options: b.o})
	if err != nil {
		return nil, err
	}
	if b.p.spec.On == nil && !expr.Deterministic(bound) {
		b.refused.late(refuse("INVALID_NON_DETERMINISTIC_EXPRESSIONS", "%s: UPDATE cannot set a column to another value each time: %s", where, e))
	}
	v, err := b.stored(bound, f)
	if err != nil { // a wrong type counts only when all names are right and different
		b.refused.late(b.fail(where, err))
		return &expr.Literal{T: f.Type}, nil
	}
	return v, nil
}

// stored converts a bound value to a column's or field's type.
func (b *binder) stored(bound expr.Expr, f types.Field) (expr.Expr, error) {
	return expr.StoreByName(bound, f.Type, f.Name, "DELTA_CAST_OVERFLOW_IN_TABLE_WRITE", b.p.spec.Evolve, b.o)
}

// refusals are errors of a statement that others come before: a name that cannot be
// resolved anywhere comes before an assignment that conflicts with another, and that
// before a value of a wrong type, as in the reference.
type refusals struct{ twice, wrong error }

func (r *refusals) any() bool { return r.twice != nil || r.wrong != nil }

// conflict notes that something is assigned twice.
func (r *refusals) conflict(where, name string) {
	if r.twice == nil {
		r.twice = refuse("DELTA_CONFLICT_SET_COLUMN", "%s assigns %s twice", where, name)
	}
}

// late notes another error.
func (r *refusals) late(err error) {
	if r.wrong == nil {
		r.wrong = err
	}
}

// first is the error that counts.
func (r *refusals) first() error {
	if r.twice != nil {
		return r.twice
	}
	return r.wrong
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
// keep theirs. kept is the struct as it is, at leads to it.
func (b *binder) nested(where string, kept expr.Expr, f types.Field, at []string, list []Assignment, scope []expr.Table) (expr.Expr, error) {
	s, ok := f.Type.(*types.Struct)
	if !ok {
		return nil, refuse("INVALID_EXTRACT_BASE_FIELD_TYPE", "%s: %s is %s and has no field %s; only fields of structs can be assigned", where, strings.Join(at, "."), f.Type, list[0].Column[0])
	}
	fields := make([][]Assignment, len(s.Fields))
	for _, a := range list {
		i := s.Index(a.Column[0])
		if i < 0 {
			class := "FIELD_NOT_FOUND"
			if b.p.spec.Evolve {
				class = "DELTA_MERGE_UNRESOLVED_EXPRESSION"
			}
			return nil, refuse(class, "%s: the struct %s has no field %s; its fields are %s", where, strings.Join(at, "."),
				types.QuoteIdentifier(a.Column[0]), strings.Join(s.Names(), ", "))
		}
		fields[i] = append(fields[i], Assignment{a.Column[1:], a.Value})
	}
	values := make([]expr.Expr, len(s.Fields))
	for i, inner := range s.Fields {
		path := append(at[:len(at):len(at)], inner.Name)
		own := expr.Expr(&expr.Field{Base: kept, Name: inner.Name, Index: i, T: inner.Type})
		var err error
		switch n := fields[i]; {
		case len(n) == 0:
			values[i] = own
		case len(n[0].Column) > 0:
			for _, a := range n {
				if len(a.Column) == 0 {
					b.refused.conflict(where, strings.Join(path, "."))
					n = n[:1]
				}
			}
			if values[i], err = b.nested(where, own, inner, path, n, scope); err != nil {
				return nil, err
			}
		default:
			if len(n) > 1 {
				b.refused.conflict(where, strings.Join(path, "."))
			}
			for _, a := range n {
				if len(a.Column) > 0 {
					continue
				}
				if values[i], err = b.value(where, a.Value, inner, scope); err != nil {
					return nil, b.fail(where, err)
				}
			}
		}
	}
	return expr.StructOf(s.Names(), values), nil
}

// spread is the value of a column for UPDATE SET * that may add to the schema: each
// leaf of the source's struct goes to its like, the target's other fields stay
// (Delta expands the star to the leaves). Where both are NULL it stays NULL.
func (b *binder) spread(source, kept expr.Expr, f types.Field) (expr.Expr, error) {
	from, isStruct := source.Type().(*types.Struct)
	to, ok := f.Type.(*types.Struct)
	if !isStruct || !ok {
		return b.stored(source, f)
	}
	values := make([]expr.Expr, len(to.Fields))
	for i, inner := range to.Fields {
		values[i] = &expr.Field{Base: kept, Name: inner.Name, Index: i, T: inner.Type}
		if j := from.Index(inner.Name); j >= 0 {
			var err error
			if values[i], err = b.spread(&expr.Field{Base: source, Name: from.Fields[j].Name, Index: j, T: from.Fields[j].Type}, values[i], inner); err != nil {
				return nil, err
			}
		}
	}
	return expr.NullIf(expr.StructOf(to.Names(), values), source, kept), nil
}
