package source

import (
	"errors"
	"fmt"
	"strings"
)

// RecordError says which record of a source cannot be read, and why.
type RecordError struct {
	Source string // the file
	Record int64  // 1 is the first
	Line   int64  // 1 is the first; of the place of the error, not of the record's start
	Offset int64  // in bytes from the start of the (decompressed) file
	Field  string // the column, or the path below it; "" when the record as a whole is at fault
	Reason string
	Text   string // the beginning of the record
}

func (e *RecordError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: record %d (line %d, byte %d)", e.Source, e.Record, e.Line, e.Offset)
	if e.Field != "" {
		b.WriteString(", field " + e.Field)
	}
	b.WriteString(": " + e.Reason)
	if e.Text != "" {
		b.WriteString("; the record begins " + e.Text)
	}
	return b.String()
}

// syntaxError is text that is not of the format at all.
type syntaxError struct {
	msg string
	at  int // in the text that was parsed
}

func (e *syntaxError) Error() string { return e.msg }

// valueError is a well-formed value that does not fit its column.
type valueError struct {
	path string
	msg  string
	at   int
}

func (e *valueError) Error() string { return e.msg }

// under adds the name of the enclosing field to a value error's path.
func under(name string, err error) error {
	var v *valueError
	if errors.As(err, &v) {
		if v.path == "" || v.path[0] == '[' {
			v.path = name + v.path
		} else {
			v.path = name + "." + v.path
		}
	}
	return err
}

// errMore says that the text ends inside a record.
var errMore = errors.New("the record ends too early")

// clip shortens a text for a message.
func clip(text []byte, n int) string {
	if len(text) <= n {
		return strings.ToValidUTF8(string(text), "\uFFFD")
	}
	return strings.ToValidUTF8(string(text[:n]), "") + "..."
}
