package changes

import (
	"fmt"
	"strconv"
	"strings"
)

// Cursor is a place in the change feed of a table, as text without spaces: behind
// the rows that a consumer has handled. It can be stored anywhere and holds for
// every process and every Columns and Where. "" is no place.
type Cursor string

// cursorForm starts a cursor of the form that is written here.
const cursorForm = "c1"

// place is what a cursor says: the next row is the one at row of the file with
// that number, in the changes of version.
type place struct {
	version int64
	file    int
	row     int64
	table   string // the id of the table
}

func (p place) cursor() Cursor {
	return Cursor(fmt.Sprintf("%s:%d:%d:%d:%s", cursorForm, p.version, p.file, p.row, p.table))
}

// Behind is the place behind everything that a version of the table changed.
func Behind(version int64, table string) Cursor {
	return place{version: version + 1, table: table}.cursor()
}

// place reads a cursor.
func (c Cursor) place() (place, error) {
	bad := func(why string) (place, error) {
		return place{}, &CursorError{Cursor: c, Why: why}
	}
	parts := strings.SplitN(string(c), ":", 5)
	if parts[0] != cursorForm || len(parts) != 5 {
		return bad("it has not the form that sluice writes")
	}
	var n [3]int64
	for i := range n {
		v, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil || v < 0 || parts[i+1] != strconv.FormatInt(v, 10) {
			return bad(fmt.Sprintf("%q is not a number of a place", parts[i+1]))
		}
		n[i] = v
	}
	if n[1] > 1<<31-1 {
		return bad("no commit has so many files")
	}
	return place{n[0], int(n[1]), n[2], parts[4]}, nil
}

// CursorError refuses a cursor.
type CursorError struct {
	Cursor Cursor
	Why    string
}

func (e *CursorError) Error() string {
	return fmt.Sprintf("the cursor %q cannot be used: %s", string(e.Cursor), e.Why)
}
