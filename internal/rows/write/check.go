package write

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// check is a condition that must be true for each row: a CHECK constraint, a
// column invariant, or the expression of a generated column. NULL is not true
// (the reference treats it as a violation).
type check struct {
	name string
	sql  string
	cond expr.Expr
	// column is what a length is declared of, "" for other checks.
	column string
}

func compileChecks(md *action.Metadata, schema *types.Struct) ([]check, error) {
	var out []check
	scope := expr.Scope{Tables: []expr.Table{{Schema: schema}}}
	add := func(name, sql string, e expr.Expr) error {
		bound, err := expr.Bind(e, scope)
		if err != nil {
			return fmt.Errorf("constraint %s (%s) of the table cannot be checked: %w", name, sql, err)
		}
		out = append(out, check{name: name, sql: sql, cond: bound})
		return nil
	}
	for _, c := range feature.Constraints(md, schema) {
		e, err := expr.Parse(c.Expr)
		if err == nil {
			err = add(c.Name, c.Expr, e)
		} else {
			err = fmt.Errorf("constraint %s (%s) of the table cannot be read: %w", c.Name, c.Expr, err)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, f := range schema.Fields {
		text, ok := f.Metadata.Text(derive.KeyGeneration)
		if !ok {
			continue
		}
		e, err := expr.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("the expression of generated column %s cannot be read: %w", types.QuoteIdentifier(f.Name), err)
		}
		same := &expr.Call{Fn: "<=>", Args: []expr.Expr{expr.NewColumn(f.Name), &expr.Cast{Arg: e, To: f.Type}}}
		if err := add("Generated Column", types.QuoteIdentifier(f.Name)+" <=> ("+text+")", same); err != nil {
			return nil, err
		}
	}
	if err := lengths(schema, nil, func(path []string, limit int) error {
		length := &expr.Call{Fn: "length", Args: []expr.Expr{expr.NewColumn(path...)}}
		within := &expr.Call{Fn: "<=", Args: []expr.Expr{length, &expr.Literal{Value: int64(limit), T: types.Integer}}}
		name := dotted(path)
		text := fmt.Sprintf("length(%s) <= %d", name, limit)
		err := add("length", text, &expr.Call{Fn: "coalesce", Args: []expr.Expr{within, &expr.Literal{Value: true, T: types.Boolean}}})
		if err == nil {
			out[len(out)-1].column = name
		}
		return err
	}); err != nil {
		return nil, err
	}
	return out, nil
}

// lengths finds the columns, and fields of structs, that are declared CHAR(n) or
// VARCHAR(n): text that keeps its declaration in the metadata of the field.
func lengths(s *types.Struct, path []string, yield func(path []string, limit int) error) error {
	for _, f := range s.Fields {
		at := append(path[:len(path):len(path)], f.Name)
		if inner, ok := f.Type.(*types.Struct); ok {
			if err := lengths(inner, at, yield); err != nil {
				return err
			}
			continue
		}
		declared, ok := f.Metadata.Text(types.KeyCharVarchar)
		if !ok || f.Type != types.String {
			continue
		}
		_, text, _ := strings.Cut(strings.TrimSuffix(declared, ")"), "(")
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("column %s is declared as %s, which is no length", dotted(at), declared)
		}
		if err := yield(at, n); err != nil {
			return err
		}
	}
	return nil
}

func dotted(path []string) string {
	out := make([]string, len(path))
	for i, p := range path {
		out[i] = types.QuoteIdentifier(p)
	}
	return strings.Join(out, ".")
}

func (l *layout) check(cols []arrow.Array, rows int) error {
	for _, n := range l.notNull {
		if n.violated(cols[n.ordinal], n.steps) {
			return &ConstraintError{Class: ClassNotNull, SQLState: "23502", Column: n.name}
		}
	}
	for _, c := range l.checks {
		a, err := eval.Eval(c.cond, eval.Input{Columns: cols, Rows: rows})
		if err != nil {
			return fmt.Errorf("checking constraint %s (%s): %w", c.name, c.sql, err)
		}
		ok, is := a.(*array.Boolean)
		if !is {
			return fmt.Errorf("constraint %s (%s) is a %s, want a boolean", c.name, c.sql, c.cond.Type())
		}
		for i := range rows {
			if ok.IsNull(i) || !ok.Value(i) {
				if c.column != "" {
					return &ConstraintError{Class: ClassLength, SQLState: "22001", Column: c.column, Expr: c.sql, Values: l.values(c.cond, cols, i)}
				}
				return &ConstraintError{Class: ClassCheck, SQLState: "23001", Name: c.name, Expr: c.sql, Values: l.values(c.cond, cols, i)}
			}
		}
	}
	return nil
}

// values lists what a violating row has in the columns that a condition reads.
func (l *layout) values(cond expr.Expr, cols []arrow.Array, row int) string {
	var text []byte
	for _, ref := range expr.Refs(cond) {
		f := l.logical.Fields[ref]
		text = append(append(append(text, "\n - "...), types.QuoteIdentifier(f.Name)...), " : "...)
		text = columns.AppendCanonicalValue(text, cols[ref], f.Type, row)
	}
	return string(text)
}

// notNull is a column that must not be NULL, and the way to it from a
// top-level column: members of structs by ordinal, elements, keys and values.
type notNull struct {
	ordinal int
	steps   []int
	name    string
}

// Steps into arrays and maps.
const (
	elements = -1 - iota
	mapKeys
	mapValues
)

func notNulls(s *types.Struct, path []int, prefix string) (out []notNull) {
	for i, f := range s.Fields {
		at := append(path[:len(path):len(path)], i)
		name := prefix + f.Name
		if !f.Nullable {
			out = append(out, notNull{at[0], at[1:], name})
		}
		out = append(out, notNullsInside(f.Type, at, name)...)
	}
	return out
}

func notNullsInside(t types.Type, at []int, name string) (out []notNull) {
	into := func(step int, t types.Type, nullable bool, name string) {
		path := append(at[:len(at):len(at)], step)
		if !nullable {
			out = append(out, notNull{path[0], path[1:], name})
		}
		out = append(out, notNullsInside(t, path, name)...)
	}
	switch t := t.(type) {
	case *types.Struct:
		return notNulls(t, at, name+".")
	case *types.Array:
		into(elements, t.Element, t.ContainsNull, name+".element")
	case *types.Map:
		into(mapKeys, t.Key, false, name+".key")
		into(mapValues, t.Value, t.ValueContainsNull, name+".value")
	}
	return out
}

// violated reports whether a row is NULL at the end of the steps, or at a struct
// on the way there, as the reference has it; inside of arrays and maps a NULL on
// the way is no violation.
func (n notNull) violated(a arrow.Array, steps []int) bool {
	var alive []int32 // elements whose parents are not NULL; nil: all rows
	for _, step := range steps {
		if a.DataType().ID() == arrow.NULL {
			return alive == nil && step >= 0 && a.Len() > 0
		}
		switch x := a.(type) {
		case *array.Map:
			a, alive = inside(x, x.ListValues().(*array.Struct).Field(-1-step-1), alive)
		case *array.List:
			a, alive = inside(x, x.ListValues(), alive)
		case *array.Struct:
			if x.NullN() > 0 && alive == nil {
				return true
			}
			if alive != nil {
				alive = narrow(x, alive)
			}
			if step < 0 || step >= x.NumField() {
				return false
			}
			a = x.Field(step)
		default:
			return false
		}
	}
	if a.DataType().ID() == arrow.NULL {
		return (alive == nil && a.Len() > 0) || len(alive) > 0
	}
	if a.NullN() == 0 {
		return false
	}
	if alive == nil {
		return true
	}
	for _, i := range alive {
		if a.IsNull(int(i)) {
			return true
		}
	}
	return false
}

// narrow lists the rows of alive where a is not NULL.
func narrow(a arrow.Array, alive []int32) []int32 {
	out := []int32{}
	if alive == nil {
		for i := range a.Len() {
			if a.IsValid(i) {
				out = append(out, int32(i))
			}
		}
		return out
	}
	for _, i := range alive {
		if a.IsValid(int(i)) {
			out = append(out, i)
		}
	}
	return out
}

// inside goes from lists to their elements.
func inside(a array.ListLike, below arrow.Array, alive []int32) (arrow.Array, []int32) {
	out := []int32{}
	for _, i := range narrow(a, alive) {
		from, to := a.ValueOffsets(int(i))
		for p := from; p < to; p++ {
			out = append(out, int32(p))
		}
	}
	return below, out
}
