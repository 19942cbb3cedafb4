package merge

import (
	"fmt"

	"github.com/sluicelake/sluice/expr"
)

// Spec is a MERGE as a value; text, builder and command line all make one.
type Spec struct {
	TargetAlias string
	SourceAlias string
	On          expr.Expr // not bound
	Clauses     []Clause
	// Evolve adds columns and fields of the source that the clauses write to the
	// target's schema (MERGE WITH SCHEMA EVOLUTION); Widen also lets columns take
	// wider types, where the table allows it.
	Evolve, Widen bool
}

// Kind says which rows a clause is for.
type Kind int

// The kinds of clauses.
const (
	Matched Kind = iota
	NotMatched
	NotMatchedBySource
)

func (k Kind) String() string {
	return [...]string{"WHEN MATCHED", "WHEN NOT MATCHED", "WHEN NOT MATCHED BY SOURCE"}[k]
}

// Action says what a clause does.
type Action int

// The actions of clauses. The All forms are UPDATE SET * and INSERT *.
const (
	Update Action = iota
	UpdateAll
	Delete
	Insert
	InsertAll
)

func (a Action) String() string {
	return [...]string{"update", "update", "delete", "insert", "insert"}[a]
}

// Clause is one WHEN clause.
type Clause struct {
	Kind   Kind
	Cond   expr.Expr // nil without AND
	Action Action
	Set    []Assignment // for Update and Insert
}

// Assignment gives a target column a value.
type Assignment struct {
	Column []string // a column, or a path into a struct
	Value  expr.Expr
}

func (c Clause) String() string {
	s := c.Kind.String()
	if c.Cond != nil {
		s += " AND " + c.Cond.String()
	}
	switch c.Action {
	case Delete:
		return s + " THEN DELETE"
	case UpdateAll:
		return s + " THEN UPDATE SET *"
	case InsertAll:
		return s + " THEN INSERT *"
	case Insert:
		return s + " THEN INSERT ..."
	}
	return s + " THEN UPDATE SET ..."
}

// StatementError is a statement that cannot be run as it stands.
type StatementError struct {
	Class   string // Delta's or Spark's error class
	Message string
}

func (e *StatementError) Error() string { return fmt.Sprintf("[%s] %s", e.Class, e.Message) }

func refuse(class, format string, args ...any) error {
	return &StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}
