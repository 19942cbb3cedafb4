package write

import "fmt"

// The error classes of Delta for rows that a table does not accept.
const (
	ClassNotNull = "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"
	ClassCheck   = "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
	ClassLength  = "DELTA_EXCEED_CHAR_VARCHAR_LIMIT"
)

// ConstraintError is a row that breaks a constraint of the table.
type ConstraintError struct {
	Class    string // ClassNotNull, ClassCheck or ClassLength
	SQLState string
	Column   string // of a NOT NULL constraint or a length, with dots
	Name     string // of a CHECK constraint
	Expr     string // its condition
	Values   string // the values of the columns that it reads, one to a line
}

func (e *ConstraintError) Error() string {
	if e.Class == ClassNotNull {
		return fmt.Sprintf("[%s] NOT NULL constraint violated for column: %s.", e.Class, e.Column)
	}
	if e.Class == ClassLength {
		return fmt.Sprintf("[%s] the text for column %s is longer than it is declared to be (%s):%s", e.Class, e.Column, e.Expr, e.Values)
	}
	return fmt.Sprintf("[%s] CHECK constraint %s (%s) violated by row with values:%s", e.Class, e.Name, e.Expr, e.Values)
}
