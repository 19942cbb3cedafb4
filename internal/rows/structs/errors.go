package structs

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// Error says which field of a Go struct and which column do not fit together.
type Error struct {
	Field  string // with the names of the types around it, as Person.Address.City
	GoType string
	Column string // "" when there is none
	Type   string // of the column in SQL, "" when it is not known
	Row    int64  // counted from zero, -1 when it is not about a value
	Reason string
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "field %s (%s)", e.Field, e.GoType)
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %s", types.QuoteIdentifier(e.Column))
		if e.Type != "" {
			fmt.Fprintf(&b, " (%s)", e.Type)
		}
	}
	if e.Row >= 0 {
		fmt.Fprintf(&b, ", row %d", e.Row)
	}
	return b.String() + ": " + e.Reason
}

// misfit is an error about a field as such.
func (f *field) misfit(t types.Type, format string, args ...any) *Error {
	e := &Error{Field: f.path, GoType: f.typ.String(), Column: f.column, Row: -1, Reason: fmt.Sprintf(format, args...)}
	if t != nil {
		e.Type = t.String()
	}
	return e
}

// rowError is a value that cannot be moved; row counts in the array or slice at hand.
type rowError struct {
	row    int
	reason string
}

func (e *rowError) Error() string { return e.reason }

func failRow(row int, format string, args ...any) error {
	return &rowError{row, fmt.Sprintf(format, args...)}
}

// located gives an error of a value the name of its field; an inner field has
// named itself already.
func (f *field) located(err error, t types.Type) error {
	r, ok := err.(*rowError)
	if !ok {
		return err
	}
	e := f.misfit(t, "%s", r.reason)
	e.Row = int64(r.row)
	return e
}

// atRow moves the row of an error to that of the value around it.
func atRow(err error, row int) error {
	switch e := err.(type) {
	case *rowError:
		return &rowError{row, e.reason}
	case *Error:
		c := *e
		c.Row = int64(row)
		return &c
	}
	return err
}

func typeName(t reflect.Type) string {
	if t.Name() != "" {
		return t.Name()
	}
	return t.String()
}
