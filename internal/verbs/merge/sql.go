package merge

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
)

func (n Names) target() string { return orElse(n.Target, "target") }
func (n Names) source() string { return orElse(n.Source, "source") }

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// SQL spells a MERGE as a statement.
func (s Spec) SQL(n Names) string {
	var b strings.Builder
	b.WriteString("MERGE ")
	if s.Evolve {
		b.WriteString("WITH SCHEMA EVOLUTION ")
	}
	b.WriteString("INTO " + named(n.target(), s.TargetAlias) + "\nUSING " + named(n.source(), s.SourceAlias) + "\nON " + s.On.String())
	for _, c := range s.Clauses {
		b.WriteString("\n" + c.sql())
	}
	return b.String()
}

func named(table, alias string) string {
	if alias == "" || alias == table {
		return table
	}
	return table + " AS " + expr.NewColumn(alias).String()
}

// sql spells a clause with its assignments.
func (c Clause) sql() string {
	s := c.Kind.String()
	if c.Cond != nil {
		s += " AND " + c.Cond.String()
	}
	s += " THEN "
	var names, values, set []string
	for _, a := range c.Set {
		name, value := expr.NewColumn(a.Column...).String(), "NULL"
		if a.Value != nil {
			value = a.Value.String()
		}
		names, values, set = append(names, name), append(values, value), append(set, name+" = "+value)
	}
	switch c.Action {
	case Delete:
		return s + "DELETE"
	case UpdateAll:
		return s + "UPDATE SET *"
	case InsertAll:
		return s + "INSERT *"
	case Insert:
		return s + "INSERT (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
	}
	return s + "UPDATE SET " + strings.Join(set, ", ")
}
