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

// changeSQL spells a statement over the table alone: UPDATE or DELETE.
func (s Spec) changeSQL(n Names) string {
	c := s.Clauses[0]
	where := ""
	if c.Cond != nil {
		where = "\nWHERE " + c.Cond.String()
	}
	if c.Action == Delete {
		return "DELETE FROM " + named(n.target(), s.TargetAlias) + where
	}
	return "UPDATE " + named(n.target(), s.TargetAlias) + "\nSET " + c.assignments() + where
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
	var names, values []string
	for _, a := range c.Set {
		names, values = append(names, a.name()), append(values, a.value())
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
	return s + "UPDATE SET " + c.assignments()
}

func (a Assignment) name() string { return expr.NewColumn(a.Column...).String() }

func (a Assignment) value() string {
	if a.Value == nil {
		return "NULL"
	}
	return a.Value.String()
}

// assignments are those of SET.
func (c Clause) assignments() string {
	set := make([]string, len(c.Set))
	for i, a := range c.Set {
		set[i] = a.name() + " = " + a.value()
	}
	return strings.Join(set, ", ")
}
