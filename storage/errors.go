package storage

import "strings"

// Error says which operation failed, on which object of which bucket, and why.
// errors.Is and errors.As see the cause: the sentinels of this package,
// context.Canceled, or the error of the operating system.
type Error struct {
	Op  string // get, get-range, put-if-absent, put, create, write, commit, list, delete, stat, open
	Key string // the object; the prefix for list; "" when the whole bucket is meant
	URL string // the bucket's root, without secrets
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.URL)
	b.WriteString(": ")
	b.WriteString(e.Op)
	if e.Key != "" {
		b.WriteByte(' ')
		b.WriteString(e.Key)
	}
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
